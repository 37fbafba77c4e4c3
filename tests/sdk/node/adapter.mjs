// openai for Node behind the calls of the feature tests.
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
  const ask = (model, text, tools, more) =>
    sdk.chat.completions.create({
      model,
      messages: [{ role: 'user', content: text }],
      ...(tools ? { tools, tool_choice: 'required' } : {}),
      ...more,
    });

  return {
    async chat(model, text, tools) {
      const { choices, usage } = await ask(model, text, tools);
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
