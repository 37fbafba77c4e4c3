// openai for Node behind the calls of the feature tests, which know no SDK: they pass plain values in and get plain values
// back, so that the same tests are true of each.
import OpenAI from 'openai';

export const column = process.env.LANE;

export const kinds = {
  400: OpenAI.BadRequestError,
  401: OpenAI.AuthenticationError,
  403: OpenAI.PermissionDeniedError,
  404: OpenAI.NotFoundError,
  409: OpenAI.ConflictError,
  413: OpenAI.APIError,
  422: OpenAI.UnprocessableEntityError,
  429: OpenAI.RateLimitError,
  500: OpenAI.InternalServerError,
  502: OpenAI.InternalServerError,
  503: OpenAI.InternalServerError,
  504: OpenAI.InternalServerError,
  connection: OpenAI.APIConnectionError,
  timeout: OpenAI.APIConnectionTimeoutError,
  stream: OpenAI.APIError,
};
export const is = (error, kind) => error instanceof kinds[kind];
export const afterRetries = (error, status) => is(error, status);

/** What an error of the SDK shows of the answer; an error event in a stream has neither status nor id. */
export const shown = ({ status, code, message, requestID }) => ({ status, code, message, requestId: requestID });

export function connect(baseURL, { retries = 0, timeout = 30_000, headers, fetch } = {}) {
  const options = { baseURL, apiKey: 'test-key', maxRetries: retries, timeout, defaultHeaders: headers };
  const sdk = new OpenAI(fetch ? { ...options, fetch } : options);
  const contentOf = (text, picture) =>
    picture ? [{ type: 'text', text }, { type: 'image_url', image_url: { url: picture } }] : text;
  const ask = (model, text, tools, more, picture) =>
    sdk.chat.completions.create({
      model,
      messages: [{ role: 'user', content: contentOf(text, picture) }],
      ...(tools ? { tools, tool_choice: 'required' } : {}),
      ...more,
    });

  return {
    async chat(model, text, tools, picture) {
      const { choices, usage } = await ask(model, text, tools, {}, picture);
      const calls = choices[0].message.tool_calls ?? [];
      return {
        text: choices[0].message.content,
        finish: choices[0].finish_reason,
        tokens: usage.total_tokens,
        calls: calls.map((call) => [call.function.name, call.function.arguments]),
      };
    },

    async *stream(model, text, { tools, usage } = {}) {
      const more = usage ? { stream_options: { include_usage: true } } : {};
      const chunks = await ask(model, text, tools, { stream: true, ...more });
      for await (const chunk of chunks) {
        const delta = chunk.choices[0]?.delta;
        const call = delta?.tool_calls?.[0]?.function;
        yield {
          text: delta?.content ?? '',
          tokens: chunk.usage?.total_tokens,
          callName: call?.name,
          callArguments: call?.arguments ?? '',
        };
      }
    },

    async agent(model, text, tools, use, { stream = false, effort } = {}) {
      const messages = [{ role: 'user', content: text }];
      const turns = [];
      for (;;) {
        const body = { model, messages, tools, ...(effort ? { reasoning_effort: effort } : {}) };
        const answer = stream
          ? await sdk.chat.completions.stream(body).finalChatCompletion()
          : await sdk.chat.completions.create(body);
        const [{ message }] = answer.choices;
        const calls = message.tool_calls ?? [];
        turns.push(calls.map((call) => call.function.name));
        if (!calls.length) return { turns, text: message.content };
        messages.push(message);
        for (const { id, function: called } of calls)
          messages.push({ role: 'tool', tool_call_id: id, content: use(called.name, JSON.parse(called.arguments)) });
      }
    },

    async json(model, text, schema) {
      const response_format = { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema } };
      return JSON.parse((await ask(model, text, undefined, { response_format })).choices[0].message.content);
    },

    async embed(model, texts, encoding) {
      // Asked for by name, base64 is handed out as it came.
      const { data } = await sdk.embeddings.create({ model, input: texts, encoding_format: encoding });
      return data.map(({ embedding }) => (encoding === 'float' ? embedding : floatsOf(embedding)));
    },

    async models() {
      const ids = [];
      for await (const model of sdk.models.list()) ids.push(model.id);
      return ids;
    },
  };
}

function floatsOf(packed) {
  const bytes = Buffer.from(packed, 'base64');
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readFloatLE(4 * i));
}
