// The features of features.json, once for every Node lane. The lane's adapter says which errors are the SDK's (`is`,
// `afterRetries`), what it shows of one (`shown`), and `connect`, whose calls return plain values.
import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { afterRetries, column, connect, is, shown } from './adapter.mjs';
import { errors, plan, startStack } from './lane.mjs';

const text = 'Say something about tollgates.';
const weather = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather in a city',
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
};
const textInput = {
  type: 'object',
  properties: { text: { type: 'string' } },
  required: ['text'],
  additionalProperties: false,
};
const tools = ['look_up', 'write_down'].map((name) => ({
  type: 'function',
  function: { name, description: 'Does it', parameters: textInput },
}));
const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const schema = {
  type: 'object',
  properties: { name: { type: 'string' }, gates: { type: 'integer' } },
  required: ['name', 'gates'],
  additionalProperties: false,
};
// Who answers: a provider of the chat API itself, or Claude, to whom the request is translated.
const upstreams = { chat: 'sim/', claude: 'claude/claude-sonnet-4-5-' };
const absent = new Set(plan.features.filter((each) => each.absent?.[column]).map((each) => each.test));

let stack;
let client;
let quietStream;
const leaving = new AbortController();

before(async () => {
  stack = await startStack();
  client = connect(stack.baseURL);
  // Begun before all other tests, looked at after them. An error waits for the test that asks for it.
  quietStream = readQuietStream();
  quietStream.catch(() => {});
});
after(async () => {
  leaving.abort(); // where the long stream's test was not wanted
  assert.equal(await stack?.stop(), 0);
});

/** A test of a feature, unless features.json says that the SDK does not have it: then it counts nowhere. */
function feature(name, run) {
  if (!absent.has(name)) it(name, { timeout: 90_000 }, run);
}

/** The same for each upstream. What `name` has in brackets comes after the upstream, as in Python's names. */
function featureOfBoth(name, run) {
  const [base, parameters] = name.replace(']', '').split('[');
  for (const [kind, prefix] of Object.entries(upstreams))
    feature(`${base}[${[kind, parameters].filter(Boolean).join('-')}]`, () => run(prefix));
}

/** A model of its own, as the client asks for it and as the provider sees it. */
function named(prefix, steering) {
  const model = prefix + stack.name(steering);
  return [model, model.slice(model.indexOf('/') + 1)];
}

async function collect(stream) {
  const deltas = [];
  for await (const delta of stream) deltas.push(delta);
  return deltas;
}
const textOf = (deltas) => deltas.map((delta) => delta.text).join('');
const words = (said) => said.split(/\s+/).filter(Boolean).length;

feature('route_is_answered_by_its_model', async () => {
  assert.equal((await client.chat('auto', text)).text, (await client.chat('sim-small', text)).text);
});

featureOfBoth('chat_answer_is_whole', async (upstream) => {
  const answer = await client.chat(`${upstream}x`, text);
  assert.ok(answer.text);
  assert.equal(answer.finish, 'stop');
  assert.equal(answer.tokens, words(answer.text) + words(text));
});

featureOfBoth('stream_says_what_the_whole_answer_says', async (upstream) => {
  const model = `${upstream}x,tokens=40`;
  const deltas = await collect(client.stream(model, text));
  assert.equal(textOf(deltas), (await client.chat(model, text)).text);
  assert.equal(deltas.filter((delta) => delta.text).length, 40, 'the words did not come one by one');
});

featureOfBoth('stream_tells_usage_when_asked', async (upstream) => {
  const deltas = await collect(client.stream(`${upstream}x`, text, { usage: true }));
  assert.deepEqual(
    deltas.map((delta) => delta.tokens).filter(Boolean),
    [words(textOf(deltas)) + words(text)],
  );
});

feature('tools_arrive_at_the_provider', async () => {
  const model = stack.name('record');
  await client.chat(`scripted/${model}`, text, [weather]);
  const { body } = await stack.wait('asked', { model });
  assert.deepEqual(body.tools, [weather]);
  assert.equal(body.tool_choice, 'required');
});

featureOfBoth('tool_call_is_returned', async (upstream) => {
  const { calls } = await client.chat(`${upstream}x`, text, [weather]);
  assert.equal(calls.length, 1);
  assert.equal(calls[0][0], 'weather');
  assert.ok(Object.keys(JSON.parse(calls[0][1])).length);
});

featureOfBoth('tool_call_comes_in_deltas', async (upstream) => {
  const { calls } = await client.chat(`${upstream}x`, text, [weather]);
  const deltas = (await collect(client.stream(`${upstream}x`, text, { tools: [weather] }))).filter(
    (delta) => delta.callName || delta.callArguments,
  );
  assert.deepEqual(deltas.map((delta) => delta.callName).filter(Boolean), ['weather']);
  assert.deepEqual(JSON.parse(deltas.map((delta) => delta.callArguments).join('')), JSON.parse(calls[0][1]));
  assert.ok(deltas.length > 2, 'the arguments came in one piece');
});

/** An agent that calls two tools at once and says something when it has their results: two calls each way. */
async function checkToolLoop([model, seen], more) {
  const used = [];
  const use = (name, input) => {
    used.push(name);
    return `nothing on ${input.text}`;
  };
  for (const stream of [false, true]) {
    const said = await client.agent(model, 'use the tools', tools, use, { stream, ...more });
    assert.deepEqual(said.turns, [['look_up', 'write_down'], []]);
    assert.ok(said.text);
  }
  assert.deepEqual(used.sort(), ['look_up', 'look_up', 'write_down', 'write_down']);
  const calls = await stack.calls(seen);
  assert.deepEqual(calls.map(({ status }) => status), [200, 200, 200, 200]);
  return calls;
}

featureOfBoth('tool_loop_with_parallel_calls', async (upstream) => {
  await checkToolLoop(named(upstream, ''));
});

for (const model of ['claude-sonnet-4-5', 'claude-opus-4-6', 'claude-opus-5-5']) {
  feature(`tool_loop_with_thinking[${model}]`, async () => {
    // Clients of the chat API do not bring thoughts back. Claude insists on them, so the gateway has to.
    const calls = await checkToolLoop(named(`claude/${model}-`, ''), { effort: 'high' });
    assert.ok(calls.every((call) => call.reasoning_tokens > 0));
  });
}

featureOfBoth('picture_is_seen', async (upstream) => {
  assert.ok((await client.chat(`${upstream}x`, text, undefined, `data:image/png;base64,${png}`)).text);
});

featureOfBoth('picture_at_an_address_is_seen', async (upstream) => {
  assert.ok((await client.chat(`${upstream}x`, text, undefined, 'https://img.example/a.jpg')).text);
});

featureOfBoth('answer_has_the_form_of_a_schema', async (upstream) => {
  const answer = await client.json(`${upstream}x`, text, schema);
  assert.deepEqual(Object.keys(answer).sort(), ['gates', 'name']);
  assert.ok(Number.isInteger(answer.gates));
});

feature('embeddings_as_floats', async () => {
  const [one, other] = await client.embed('auto', ['a', 'b'], 'float');
  assert.deepEqual([one.length, other.length], [1536, 1536]);
  assert.ok(Math.abs(one.reduce((sum, number) => sum + number * number, 0) - 1) < 1e-3);
});

feature('embeddings_as_base64', async () => {
  const packed = await client.embed('auto', ['a', 'b'], 'base64');
  const plain = await client.embed('auto', ['a', 'b'], 'float');
  assert.equal(packed.length, 2);
  packed.forEach((vector, i) => {
    assert.equal(vector.length, plain[i].length);
    vector.forEach((number, j) => assert.ok(Math.abs(number - plain[i][j]) < 1e-6));
  });
});

feature('models_are_those_of_the_configuration', async () => {
  assert.deepEqual(await client.models(), ['auto', 'sim-small']);
});

/** What an error shows that the call raises which is to fail as `expected` says. */
async function provoke(expected, use) {
  const at = expected.at === 'admin' ? stack.admin : stack.origin;
  const refused = connect(`${at}/v1`, { headers: expected.headers });
  const error = await caught(() => use(refused, expected.model, 'x'.repeat(expected.prompt_bytes ?? 1)));
  assert.ok(is(error, expected.status), `${error?.constructor?.name}: ${error}`);
  return shown(error);
}

async function caught(use) {
  try {
    await use();
  } catch (error) {
    return error;
  }
  throw new assert.AssertionError({ message: 'nothing was raised' });
}

for (const [name, expected] of Object.entries(errors)) {
  feature(`error_has_its_class[${name}]`, async () => {
    const error = await provoke(expected, (refused, ...asked) => refused.chat(...asked));
    assert.equal(error.status, expected.status);
    assert.equal(error.code ?? null, expected.code);
  });
}

feature('error_before_a_stream_has_the_same_class', async () => {
  for (const name of ['error_400', 'error_404', 'error_429', 'error_500', 'error_503', 'error_504', 'claude_429']) {
    const error = await provoke(errors[name], (refused, ...asked) => collect(refused.stream(...asked)));
    assert.equal(error.status, errors[name].status);
  }
});

feature('error_tells_code_message_and_request_id', async () => {
  const error = await provoke(errors.error_404, (refused, ...asked) => refused.chat(...asked));
  assert.equal(error.code, 'model_not_found');
  assert.match(error.message, /the model 'autp' does not exist here/);
  assert.equal((await stack.wait('access', { request_id: error.requestId })).status, 404);
});

feature('refused_connection_has_its_class', async () => {
  const error = await caught(() => connect(`${stack.refusing}/v1`).chat('auto', text));
  assert.ok(is(error, 'connection'), `${error?.constructor?.name}: ${error}`);
});

feature('timeout_of_the_client_has_its_class_and_ends_the_call', async () => {
  const model = `hang-${stack.name('')}`;
  const error = await caught(() => connect(stack.baseURL, { timeout: 1000 }).chat(`scripted/${model}`, text));
  assert.ok(is(error, 'timeout'), `${error?.constructor?.name}: ${error}`);
  await stack.wait('asked', { model });
  await stack.wait('left', { model });
});

featureOfBoth('retries_reach_the_provider_once_each', async (upstream) => {
  for (const [fault, status] of Object.entries({ rate_limit: 429, error_503: 503 })) {
    const [model, seen] = named(upstream, `fault=${fault},retry_after=50ms`);
    const error = await caught(() => connect(stack.baseURL, { retries: 2 }).chat(model, text));
    assert.ok(afterRetries(error, status), `${error?.constructor?.name}: ${error}`);
    assert.equal((await stack.calls(seen)).length, 3, 'the SDK asks three times, and the gateway once for each');
  }
});

featureOfBoth('abort_in_mid_stream_ends_the_call', async (upstream) => {
  const [model, seen] = named(upstream, 'tokens=100000,rate=200');
  let deltas = 0;
  for await (const delta of client.stream(model, text)) {
    if (delta.text && (deltas += 1) === 5) break;
  }
  const call = await stack.wait('upstream', { model: seen });
  assert.equal(call.ended, 'client_gone');
  assert.ok(call.completion_tokens >= 5 && call.completion_tokens < 10_000, `${call.completion_tokens}`);
});

for (const fault of ['reset_mid_stream', 'close_mid_stream', 'short_without_done', 'error_event']) {
  featureOfBoth(`broken_stream_raises[${fault}]`, async (upstream) => {
    const received = [];
    const error = await caught(async () => {
      for await (const delta of client.stream(`${upstream}x,fault=${fault},tokens=40,after=10`, text)) received.push(delta);
    });
    assert.equal(words(textOf(received)), 10);
    assert.ok(is(error, 'stream') && !is(error, 'connection'), `${error?.constructor?.name}: ${error}`);
    assert.ok(shown(error).message);
  });
}

/** fetch that counts the comments of event streams, which SDKs drop without a word. */
function countingFetch(counts) {
  return async (url, options) => {
    const response = await fetch(url, { ...options, signal: AbortSignal.any([options.signal, leaving.signal]) });
    const counted = response.body.pipeThrough(
      new TransformStream({
        transform(bytes, controller) {
          const lines = Buffer.from(bytes).toString('latin1').split('\n');
          counts.comments += lines.filter((line) => line.startsWith(':')).length;
          controller.enqueue(bytes);
        },
      }),
    );
    return new Response(counted, { status: response.status, headers: response.headers });
  };
}

/** Two words and the end, each after 20 s of silence at the provider. */
async function readQuietStream() {
  const model = stack.name('tokens=2,first_token=20s,rate=0.05');
  const counts = { comments: 0 };
  const quiet = connect(stack.baseURL, { fetch: countingFetch(counts), timeout: 90_000 });
  return { model, counts, said: textOf(await collect(quiet.stream(`sim/${model}`, text))) };
}

feature('heartbeats_keep_a_quiet_stream', async () => {
  const { model, counts, said } = await quietStream;
  assert.equal(words(said), 2);
  const call = await stack.wait('upstream', { model });
  assert.equal(call.ended, 'complete');
  assert.ok(call.finished_us > 55_000_000, 'the stream was not quiet for so long');
  assert.ok(counts.comments >= 10, `${counts.comments} comments`);
});
