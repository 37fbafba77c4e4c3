// The AI SDK with its provider for OpenAI-compatible servers behind the calls of the feature tests. Its own loop and its own
// way to a schema are used where a test wants an agent or a schema: that is what its users do.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import {
  APICallError,
  embedMany,
  generateText,
  isStepCount,
  jsonSchema,
  Output,
  RetryError,
  StreamProviderError,
  streamText,
  tool,
} from 'ai';

export const column = 'vercel';

// One class for every refusal, told apart by status; a timeout is the standard's own error.
export function is(error, kind) {
  if (kind === 'timeout') return error?.name === 'TimeoutError';
  if (kind === 'connection') return APICallError.isInstance(error) && error.statusCode === undefined;
  if (kind === 'stream') return StreamProviderError.isInstance(error);
  return APICallError.isInstance(error) && error.statusCode === kind;
}
export const afterRetries = (error, status) =>
  RetryError.isInstance(error) && error.reason === 'maxRetriesExceeded' && is(error.lastError, status);

/** What an error of the SDK shows of the answer; an error event in a stream has neither status nor id. */
export const shown = (error) => ({
  status: error.statusCode,
  code: error.data?.error?.code,
  message: error.message,
  requestId: error.responseHeaders?.['x-request-id'],
});

export function connect(baseURL, { retries = 0, timeout = 30_000, headers, fetch } = {}) {
  const settings = { name: 'tollgate', baseURL, apiKey: 'test-key', headers, fetch, includeUsage: true, supportsStructuredOutputs: true };
  const provider = createOpenAICompatible(settings);
  const options = (model, text, tools) => ({
    model: provider(model),
    prompt: text,
    maxRetries: retries,
    timeout,
    ...(tools ? { tools: Object.fromEntries(tools.map(toolOf)), toolChoice: 'required' } : {}),
  });

  return {
    async chat(model, text, tools, picture) {
      const question = picture ? [{ role: 'user', content: partsOf(text, picture) }] : text;
      const { text: said, finishReason, usage, toolCalls } = await generateText(options(model, question, tools));
      const calls = toolCalls.map((call) => [call.toolName, JSON.stringify(call.input)]);
      return { text: said, finish: finishReason, tokens: usage.totalTokens, calls };
    },

    async *stream(model, text, { tools } = {}) {
      // Leaving the loop does not end the call in this SDK, its abort signal does.
      const leaving = new AbortController();
      const call = { ...options(model, text, tools), abortSignal: leaving.signal, onError() {} };
      try {
        for await (const part of streamText(call).fullStream) {
          if (part.type === 'error') throw part.error;
          yield {
            text: part.type === 'text-delta' ? part.text : '',
            tokens: part.type === 'finish' ? part.totalUsage.totalTokens : undefined,
            callName: part.type === 'tool-input-start' ? part.toolName : undefined,
            callArguments: part.type === 'tool-input-delta' ? part.delta : '',
          };
        }
      } finally {
        leaving.abort();
      }
    },

    /** The SDK's own loop: it calls the tools and asks again. */
    async agent(model, text, tools, use, { stream = false, effort } = {}) {
      const usable = tools.map(toolOf).map(([name, each]) => [name, { ...each, execute: (input) => use(name, input) }]);
      const call = {
        ...options(model, text),
        tools: Object.fromEntries(usable),
        stopWhen: isStepCount(5),
        ...(effort ? { providerOptions: { tollgate: { reasoningEffort: effort } } } : {}),
      };
      const result = await (stream ? streamText(call) : generateText(call));
      const steps = await result.steps;
      return { turns: steps.map(({ toolCalls }) => toolCalls.map(({ toolName }) => toolName)), text: await result.text };
    },

    async json(model, text, schema) {
      const output = Output.object({ schema: jsonSchema(schema) });
      return (await generateText({ ...options(model, text), output })).output;
    },

    async embed(model, texts) {
      return (await embedMany({ model: provider.embeddingModel(model), values: texts, maxRetries: retries })).embeddings;
    },
  };
}

const partsOf = (text, picture) => [
  { type: 'text', text },
  { type: 'file', mediaType: 'image/png', data: picture },
];

const toolOf = ({ function: { name, description, parameters } }) => [
  name,
  tool({ description, inputSchema: jsonSchema(parameters) }),
];
