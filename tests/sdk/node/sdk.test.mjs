// The official Node SDK against the gateway on its simulator. Node differs from Python where it matters most: at the end of
// a broken stream its iterator would stop without an error unless the gateway says one.
import assert from 'node:assert/strict';
import { after, before, describe, it as plainIt } from 'node:test';
import OpenAI from 'openai';
import { startStack } from './lane.mjs';

// Node 18 has no option that bounds every test.
const it = (name, run) => plainIt(name, { timeout: 60_000 }, run);

const messages = [{ role: 'user', content: 'Say something about tollgates.' }];
const tools = [
  {
    type: 'function',
    function: { name: 'weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
  },
];

let stack;
let client;

before(async () => {
  stack = await startStack();
  // Retrying is the SDK's own business here and would only hide what the gateway answers.
  client = new OpenAI({ baseURL: stack.baseURL, apiKey: 'test-key-1', maxRetries: 0, timeout: 20_000 });
});
after(async () => assert.equal(await stack?.stop(), 0));

const chat = (body, options) => client.chat.completions.create({ model: 'auto', messages, ...body }, options);

async function collect(stream) {
  const chunks = [];
  for await (const chunk of await stream) chunks.push(chunk);
  return chunks;
}
const textOf = (chunks) => chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');

describe('chat', () => {
  it('answers in one piece', async () => {
    const answer = await chat();
    assert.ok(answer.choices[0].message.content);
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
    assert.ok(answer._request_id);
  });

  it('streams what it answers in one piece', async () => {
    const whole = (await chat({ model: 'sim/a' })).choices[0].message.content;
    const chunks = await collect(chat({ model: 'sim/a', stream: true }));
    assert.ok(whole);
    assert.equal(textOf(chunks), whole);
    assert.equal(chunks.at(-1).choices[0].finish_reason, 'stop');
  });

  it('streams three thousand words of many scripts without loss', async () => {
    const model = 'sim/x,tokens=3000,rate=0';
    const whole = (await chat({ model })).choices[0].message.content;
    assert.equal(whole.split(' ').length, 3000);
    assert.ok(Buffer.byteLength(whole) > whole.length);
    assert.equal(textOf(await collect(chat({ model, stream: true }))), whole);
  });

  it('shows usage in a stream only where asked', async () => {
    const without = await collect(chat({ stream: true }));
    assert.ok(without.every((chunk) => chunk.choices.length > 0 && !chunk.usage));
    const asked = await collect(chat({ stream: true, stream_options: { include_usage: true } }));
    const usage = asked.filter((chunk) => chunk.usage);
    assert.equal(usage.length, 1);
    assert.equal(usage[0], asked.at(-1));
    assert.deepEqual(usage[0].choices, []);
  });

  it('passes tool calls in both forms', async () => {
    const whole = await chat({ tools, tool_choice: 'required' });
    assert.equal(whole.choices[0].finish_reason, 'tool_calls');
    const called = whole.choices[0].message.tool_calls[0].function;
    assert.equal(called.name, 'weather');
    JSON.parse(called.arguments);
    const chunks = await collect(chat({ tools, tool_choice: 'required', stream: true }));
    const deltas = chunks.flatMap((chunk) => chunk.choices[0].delta.tool_calls ?? []);
    assert.equal(deltas.map((delta) => delta.function.arguments ?? '').join(''), called.arguments);
  });

  it('collects a stream by the helper', async () => {
    const final = await client.chat.completions.stream({ model: 'auto', messages }).finalChatCompletion();
    assert.ok(final.choices[0].message.content);
  });

  it('serves twenty calls one after the other and twenty at once', async () => {
    const ids = new Set();
    for (let i = 0; i < 20; i += 1) ids.add((await chat())._request_id);
    const together = await Promise.all(Array.from({ length: 20 }, () => chat()));
    together.forEach((answer) => ids.add(answer._request_id));
    assert.equal(ids.size, 40);
  });
});

describe('other endpoints', () => {
  it('embeds, by default and as floats', async () => {
    const packed = await client.embeddings.create({ model: 'auto', input: 'tollgate' });
    const plain = await client.embeddings.create({ model: 'auto', input: 'tollgate', encoding_format: 'float' });
    assert.equal(packed.data[0].embedding.length, 1536);
    plain.data[0].embedding.forEach((number, i) => assert.ok(Math.abs(number - packed.data[0].embedding[i]) < 1e-6));
  });

  it('completes in the old form', async () => {
    const whole = await client.completions.create({ model: 'auto', prompt: 'Once upon a time' });
    const chunks = await collect(client.completions.create({ model: 'auto', prompt: 'Once upon a time', stream: true }));
    assert.ok(whole.choices[0].text);
    assert.equal(chunks.map((chunk) => chunk.choices[0].text).join(''), whole.choices[0].text);
  });

  it('lists and retrieves models', async () => {
    const models = await collect(client.models.list());
    assert.deepEqual(models.map((model) => model.id), ['auto', 'sim-small']);
    assert.equal((await client.models.retrieve('auto')).id, 'auto');
  });

  it('passes responses through, whole and streamed', async () => {
    const whole = await client.responses.create({ model: 'auto', input: 'Say something.' });
    assert.equal(whole.status, 'completed');
    const events = await collect(client.responses.create({ model: 'auto', input: 'Say something.', stream: true }));
    assert.equal(events.at(-1).type, 'response.completed');
    assert.ok(whole.output_text);
  });
});

describe('errors', () => {
  const byFault = {
    bad_request: [OpenAI.BadRequestError, 400],
    rate_limit: [OpenAI.RateLimitError, 429],
    quota: [OpenAI.RateLimitError, 429],
    error_500: [OpenAI.InternalServerError, 500],
    error_502: [OpenAI.InternalServerError, 502],
    error_503: [OpenAI.InternalServerError, 503],
    error_529: [OpenAI.InternalServerError, 529],
    unauthorized: [OpenAI.InternalServerError, 502],
    reset_before_head: [OpenAI.InternalServerError, 502],
  };
  for (const [fault, [Kind, status]] of Object.entries(byFault)) {
    for (const stream of [false, true]) {
      it(`${fault} is a ${Kind.name} ${stream ? 'before a stream' : 'in place of an answer'}`, async () => {
        await assert.rejects(chat({ model: `sim/x,fault=${fault}`, stream }), (error) => {
          assert.ok(error instanceof Kind, `${error}`);
          assert.equal(error.status, status);
          return true;
        });
      });
    }
  }

  it('an unknown model is a 404 with its code', async () => {
    await assert.rejects(chat({ model: 'autp' }), (error) => {
      assert.ok(error instanceof OpenAI.NotFoundError);
      assert.equal(error.code, 'model_not_found');
      return true;
    });
  });

  it('an error as the first event is a status', async () => {
    await assert.rejects(chat({ model: 'sim/x,fault=error_first', stream: true }), (error) => {
      assert.ok(error instanceof OpenAI.APIError);
      assert.ok(error.status >= 400);
      return true;
    });
  });

  for (const fault of ['reset_mid_stream', 'close_mid_stream', 'short_without_done', 'error_event']) {
    it(`${fault} raises the SDK's own error after what was received`, async () => {
      const received = [];
      await assert.rejects(
        async () => {
          for await (const chunk of await chat({ model: `sim/x,fault=${fault},tokens=40,after=10`, stream: true })) {
            received.push(chunk);
          }
        },
        (error) => {
          assert.ok(error instanceof OpenAI.APIError, `${error}`);
          assert.ok(!(error instanceof OpenAI.APIConnectionError), `${error}`);
          return true;
        },
      );
      assert.ok(received.length > 0);
    });
  }

  it('an event that is no JSON raises', async () => {
    await assert.rejects(collect(chat({ model: 'sim/x,fault=malformed_event', stream: true })));
  });
});

describe('leaving', () => {
  it('by timeout before the answer', async () => {
    await assert.rejects(chat({ model: 'scripted/hang' }, { timeout: 500 }), OpenAI.APIConnectionTimeoutError);
    await stack.wait('left', { model: 'hang' });
    await stack.wait('access', { outcome: 'cancelled', model: 'scripted/*' });
    assert.equal(await stack.gauge('tollgate_in_flight_requests'), 0);
  });

  it('by abort in mid-stream', async () => {
    const model = stack.name('tokens=100000,rate=200');
    const { data: stream, response } = await chat({ model: `sim/${model}`, stream: true }).withResponse();
    const iterator = stream[Symbol.asyncIterator]();
    for (let i = 0; i < 5; i += 1) await iterator.next();
    assert.equal(await stack.gauge('tollgate_streams_active'), 1);
    stream.controller.abort();
    const line = await stack.wait('access', { request_id: response.headers.get('x-request-id') });
    assert.deepEqual([line.outcome, line.ended_by], ['cancelled', 'client']);
    assert.equal((await stack.wait('upstream', { model })).ended, 'client_gone');
    assert.equal(await stack.gauge('tollgate_streams_active'), 0);
  });
});
