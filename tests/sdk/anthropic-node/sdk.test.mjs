// The official Anthropic SDK for Node: questions, streams, tools, thinking, pictures, counting, models, and errors by class,
// in front of each API that is to be taken for Anthropic's: the simulator itself, and the gateway with Claude behind it or
// with a provider of the chat API; or the one API that the environment names. Tests have the names of the Python lane's.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Anthropic from '@anthropic-ai/sdk';
import { startStack } from './lane.mjs';

const text = 'Say something about tollgates.';
const words = (said) => said.trim().split(/\s+/).length;
const textInput = { type: 'object', properties: { text: { type: 'string' } }, required: ['text'] };
const tools = [
  { name: 'look_up', description: 'Looks a text up', input_schema: textInput },
  { name: 'write_down', description: 'Writes a text down', input_schema: textInput },
];
const thinking = { type: 'adaptive', display: 'summarized' };
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

const given = process.env.ANTHROPIC_BASE_URL;
const prefixes = { simulator: '', claude: 'claude/', chat: 'sim/' };
const kinds = given ? ['simulator'] : Object.keys(prefixes);
const behindGateway = ['claude', 'chat'];
const claudes = ['simulator', 'claude'];

let stack;
before(async () => {
  if (!given) stack = await startStack();
});
after(async () => assert.equal((await stack?.stop()) ?? 0, 0));

const user = (content) => [{ role: 'user', content }];
const resultsOf = ({ content }) =>
  content
    .filter(({ type }) => type === 'tool_use')
    .map(({ id, input }) => ({ type: 'tool_result', tool_use_id: id, content: `nothing on ${input.text}` }));

/** What a test speaks to: the SDK in front of a target of that kind. */
function connect(kind) {
  // Retrying is the SDK's own business here and would only hide what is answered.
  const options = {
    baseURL: given ?? (kind === 'simulator' ? stack.simulator : stack.origin), // without the /v1 that this SDK adds
    apiKey: process.env.ANTHROPIC_API_KEY ?? 'test-key-1',
    maxRetries: 0,
    timeout: 20_000,
  };
  const client = new Anthropic(options);
  const model = (steering, name = 'sim') => prefixes[kind] + [name, steering].filter(Boolean).join(',');
  const asked = ({ steering, name, ...more } = {}) => ({
    model: model(steering, name),
    max_tokens: 2000,
    messages: user(text),
    ...more,
  });
  return {
    kind,
    client,
    options,
    model,
    asked,
    create: (more, use) => client.messages.create(asked(more), use),
    streamed: (more) => client.messages.stream(asked(more)),
    /** A model that no other test names, as the SDK asks for it and as the upstream sees it. */
    counted(steering) {
      const seen = stack ? stack.name(steering) : `sim,${steering}`;
      return [prefixes[kind] + seen, seen];
    },
  };
}

/** A test for each kind of target. What `name` has in brackets comes after the kind, as in Python's names. */
function test(name, run, only = kinds) {
  const [base, parameters] = name.replace(']', '').split('[');
  for (const kind of kinds.filter((each) => only.includes(each))) {
    const full = `${base}[${[kind, parameters].filter(Boolean).join('-')}]`;
    it(full, { timeout: 60_000 }, () => run(connect(kind)));
  }
}

async function caught(call) {
  try {
    await call;
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was raised' });
}

test('message_has_text_and_usage', async ({ create }) => {
  const message = await create({ steering: 'tokens=7' });
  assert.equal(words(message.content[0].text), 7);
  assert.equal(message.stop_reason, 'end_turn');
  assert.equal(message.usage.input_tokens, words(text));
  assert.equal(message.usage.output_tokens, 7);
  assert.ok(message._request_id);
});

test('stream_says_what_the_whole_answer_says', async ({ create, streamed }) => {
  const whole = await create({ steering: 'tokens=40' });
  const pieces = [];
  const stream = streamed({ steering: 'tokens=40' }).on('text', (piece) => pieces.push(piece));
  const final = await stream.finalMessage();
  assert.equal(pieces.length, 40);
  assert.equal(pieces.join(''), whole.content[0].text);
  assert.deepEqual(final.content, whole.content);
  assert.equal(final.usage.output_tokens, 40);
});

test('events_of_a_raw_stream_come_in_order', async ({ create }) => {
  const names = [];
  for await (const event of await create({ steering: 'tokens=1', stream: true })) names.push(event.type);
  assert.deepEqual(
    names.filter((name) => name !== 'ping'),
    ['message_start', 'content_block_start', 'content_block_delta', 'content_block_stop', 'message_delta', 'message_stop'],
  );
});

test('stop_sequence_ends_the_answer', async ({ create }) => {
  const [, second] = (await create()).content[0].text.split(' ');
  assert.equal((await create({ stop_sequences: [second] })).stop_sequence, second);
}, claudes);

test('cap_ends_the_answer', async ({ create }) => {
  assert.equal((await create({ max_tokens: 3, steering: 'tokens=30' })).stop_reason, 'max_tokens');
});

test('refusal_is_a_message', async ({ create }) => {
  const refusal = await create({ messages: user('a refusal, please') });
  assert.equal(refusal.stop_reason, 'refusal');
  assert.equal(refusal.stop_details.type, 'refusal');
});

test('cache_is_written_then_read', async ({ create, kind }) => {
  const system = [{ type: 'text', text: 'five words of the system', cache_control: { type: 'ephemeral' } }];
  const first = await create({ name: `sim-cache-${kind}`, system });
  const second = await create({ name: `sim-cache-${kind}`, system });
  assert.equal(first.usage.cache_creation_input_tokens, 5);
  assert.equal(second.usage.cache_read_input_tokens, 5);
}, claudes);

test('pictures_and_documents_are_taken', async ({ create }) => {
  const content = [
    { type: 'image', source: { type: 'base64', media_type: 'image/png', data: png } },
    { type: 'image', source: { type: 'url', url: 'https://img.example/a.jpg' } },
    { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a page' } },
    { type: 'text', text: 'What is this?' },
  ];
  assert.ok((await create({ messages: user(content) })).content[0].text);
});

test('answer_has_the_form_of_a_schema', async ({ create }) => {
  const schema = { type: 'object', properties: { gates: { type: 'integer' } }, required: ['gates'], additionalProperties: false };
  const message = await create({ output_config: { format: { type: 'json_schema', schema } } });
  assert.deepEqual(Object.keys(JSON.parse(message.content[0].text)), ['gates']);
});

test('tokens_are_counted', async ({ client, model }) => {
  const { input_tokens } = await client.messages.countTokens({ model: model(), messages: user(text), tools });
  assert.ok(input_tokens > words(text));
});

for (const way of ['whole', 'stream']) {
  for (const thinks of [false, true]) {
    test(`tool_loop_with_parallel_calls[${thinks ? 'thinking' : 'plain'}-${way}]`, async ({ create, streamed, kind }) => {
      const more = { tools, ...(thinks ? { thinking } : {}) };
      const ask = (messages) =>
        way === 'whole' ? create({ messages, ...more }) : streamed({ messages, ...more }).finalMessage();
      const first = user('use the tools');
      const answer = await ask(first);
      assert.equal(answer.stop_reason, 'tool_use');
      const thought = thinks && kind !== 'chat' ? ['thinking'] : [];
      assert.deepEqual(answer.content.map(({ type }) => type), [...thought, 'tool_use', 'tool_use']);
      const final = await ask([...first, { role: 'assistant', content: answer.content }, ...user(resultsOf(answer))]);
      assert.equal(final.stop_reason, 'end_turn');
    });
  }
}

test('thinking_comes_back_unchanged', async ({ create, streamed }) => {
  const first = user('use a redacted tool');
  const answer = await streamed({ messages: first, tools, thinking }).finalMessage();
  assert.deepEqual(answer.content.map(({ type }) => type), ['thinking', 'redacted_thinking', 'tool_use']);
  const next = (content) =>
    create({ messages: [...first, { role: 'assistant', content }, ...user(resultsOf(answer))], tools, thinking });
  assert.equal((await next(answer.content)).stop_reason, 'end_turn');
  const [thought, ...rest] = answer.content;
  await assert.rejects(next([{ ...thought, thinking: 'else' }, ...rest]), Anthropic.BadRequestError);
  await assert.rejects(next(rest.slice(1)), Anthropic.BadRequestError);
}, claudes);

test('conversation_goes_on_at_the_other_api', async ({ create, client, asked, kind }) => {
  // As when a route falls back in the midst of a loop, and when it comes back from there.
  const name = 'claude-sonnet-4-5-moving';
  const other = { claude: 'sim/', chat: 'claude/' }[kind] + name;
  for (const more of [{}, { thinking: { type: 'enabled', budget_tokens: 1024 } }]) {
    const first = user('use the tools');
    const answer = await create({ name, messages: first, tools, ...more });
    const messages = [...first, { role: 'assistant', content: answer.content }, ...user(resultsOf(answer))];
    const final = await client.messages.create({ ...asked({ messages, tools, ...more }), model: other });
    assert.deepEqual(final.content.map(({ type }) => type), ['text']);
  }
}, behindGateway);

test('tool_choice_is_obeyed', async ({ create }) => {
  const message = await create({ tools, tool_choice: { type: 'tool', name: 'write_down' } });
  assert.deepEqual(message.content.map(({ name }) => name), ['write_down']);
});

test('models_are_listed_page_by_page', async ({ client, kind }) => {
  const ids = [];
  for await (const { id } of client.models.list({ limit: 1 })) ids.push(id);
  assert.ok(ids.length > 1);
  if (kind !== 'simulator') assert.deepEqual(ids, ['auto', 'sim-small']);
  assert.equal((await client.models.retrieve(ids[0])).id, ids[0]);
});

test('unknown_model_is_not_found', async ({ client }) => {
  await assert.rejects(client.models.retrieve('nobody'), Anthropic.NotFoundError);
});

const classes = {
  400: Anthropic.BadRequestError,
  401: Anthropic.AuthenticationError,
  402: Anthropic.PaymentRequiredError,
  403: Anthropic.PermissionDeniedError,
  404: Anthropic.NotFoundError,
  413: Anthropic.APIError,
  429: Anthropic.RateLimitError,
};

function checkError(error, [status, kind]) {
  assert.ok(error instanceof (classes[status] ?? Anthropic.InternalServerError), `${error?.constructor?.name}: ${error}`);
  assert.equal(error.status, status);
  assert.equal(error.error?.error?.type, kind ?? undefined);
  assert.ok(error.requestID);
}

// By fault, what each target answers: [status, type]; what is not told apart stands under `all`.
const faults = JSON.parse(readFileSync(join(process.env.LANE_SHARED, 'messages_errors.json'), 'utf8'));
for (const [fault, expected] of Object.entries(faults)) {
  test(`error_has_its_class[${fault}]`, async ({ create, kind }) => {
    for (const stream of [false, true])
      checkError(await caught(create({ steering: `fault=${fault}`, stream })), expected[kind] ?? expected.all);
  });
}

test('gateway_has_errors_of_its_own', async ({ client, asked, kind }) => {
  const hasty = kind === 'claude' ? 'hasty-claude' : 'hasty';
  const cases = [
    [{ model: 'nobody' }, [404, 'not_found_error']],
    [{ model: 'gone/x' }, [502, 'api_error']],
    [{ model: `${hasty}/x,fault=hang_before_head` }, [504, 'timeout_error']],
    [{ messages: user('x'.repeat(2_200_000)) }, [413, 'request_too_large']],
  ];
  for (const stream of [false, true])
    for (const [more, expected] of cases)
      checkError(await caught(client.messages.create({ ...asked(), ...more, stream })), expected);
}, behindGateway);

for (const fault of ['error_event', 'close_mid_stream', 'reset_mid_stream', 'short_without_done']) {
  // Without a gateway the SDK takes a stream without its end for one that has come to it.
  const only = fault === 'short_without_done' ? behindGateway : kinds;
  test(`broken_stream_raises[${fault}]`, async ({ streamed, kind }) => {
    let said = 0;
    const stream = streamed({ steering: `tokens=10,after=4,fault=${fault}` }).on('text', () => (said += 1));
    const error = await caught(stream.finalMessage());
    // The gateway says so in an event; the provider itself only breaks off.
    assert.equal(error.error?.type === 'error', kind !== 'simulator' || fault === 'error_event', `${error}`);
    assert.equal(said, 4);
  }, only);
}

test('timeout_has_its_class', async ({ create }) => {
  const hasty = create({ steering: 'fault=hang_before_head' }, { timeout: 300 });
  await assert.rejects(hasty, Anthropic.APIConnectionTimeoutError);
});

test('retries_reach_the_provider_once_each', async ({ options, asked, counted }) => {
  const patient = new Anthropic({ ...options, maxRetries: 2 });
  for (const [fault, status] of [['rate_limit_ms', 429], ['error_529', 529]]) {
    const [model, seen] = counted(`fault=${fault},retry_after=20ms`);
    assert.equal((await caught(patient.messages.create({ ...asked(), model }))).status, status);
    if (stack) assert.equal((await stack.calls(seen)).length, 3);
  }
});

test('abort_in_mid_stream_ends_the_call', async ({ client, asked, counted }) => {
  const [model, seen] = counted('tokens=100000,rate=200');
  let deltas = 0;
  const stream = await client.messages.create({ ...asked(), model, max_tokens: 120_000, stream: true });
  for await (const event of stream) if (event.type === 'content_block_delta' && (deltas += 1) === 5) break;
  if (!stack) return;
  const call = await stack.wait('upstream', { model: seen });
  assert.equal(call.ended, 'client_gone');
  assert.ok(call.completion_tokens >= 5 && call.completion_tokens < 10_000, `${call.completion_tokens}`);
});
