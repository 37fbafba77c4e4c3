"""openai for Python behind the calls of the feature tests."""

import base64
import json
import os
import struct
from types import SimpleNamespace

import openai

from openai_errors import ERRORS, shown
from openai_turns import asked, json_format, merged, run_agent


class Client:
    def __init__(self, base_url, retries=0, timeout=30, headers=None):
        self._sdk = openai.OpenAI(
            base_url=base_url, api_key="test-key", max_retries=retries, timeout=timeout, default_headers=headers
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._sdk.close()

    def _ask(self, model, text, tools, picture=None, **more):
        if tools:
            more |= {"tools": tools, "tool_choice": "required"}
        return self._sdk.chat.completions.create(model=model, messages=asked(text, picture), **more)

    def chat(self, model, text, tools=None, picture=None):
        answer = self._ask(model, text, tools, picture)
        choice = answer.choices[0]
        calls = [(call.function.name, call.function.arguments) for call in choice.message.tool_calls or []]
        return SimpleNamespace(
            text=choice.message.content, finish=choice.finish_reason, tokens=answer.usage.total_tokens, calls=calls
        )

    def stream(self, model, text, tools=None, usage=False):
        more = {"stream_options": {"include_usage": True}} if usage else {}
        with self._ask(model, text, tools, stream=True, **more) as chunks:
            for chunk in chunks:
                yield self._delta(chunk)

    @staticmethod
    def _delta(chunk):
        delta = chunk.choices[0].delta if chunk.choices else None
        call = (delta.tool_calls or [None])[0] if delta else None
        return SimpleNamespace(
            text=delta and delta.content or "",
            tokens=chunk.usage and chunk.usage.total_tokens,
            call_name=call and call.function.name,
            call_arguments=call and call.function.arguments or "",
        )

    def agent(self, model, text, tools, use, stream=False, effort=None):
        more = {"reasoning_effort": effort} if effort else {}

        def ask(messages):
            answer = self._sdk.chat.completions.create(
                model=model, messages=messages, tools=tools, stream=stream, **more
            )
            if stream:
                return merged(chunk.model_dump() for chunk in answer)
            return answer.choices[0].message.model_dump(exclude_none=True)

        return run_agent(ask, text, use)

    def json(self, model, text, schema):
        return json.loads(self._ask(model, text, None, response_format=json_format(schema)).choices[0].message.content)

    def embed(self, model, texts, encoding):
        # Asked for by name, base64 is handed out as it came.
        answer = self._sdk.embeddings.create(model=model, input=texts, encoding_format=encoding)
        answers = [item.embedding for item in answer.data]
        if encoding == "float":
            return answers
        return [struct.unpack(f"<{len(packed) // 4}f", packed) for packed in map(base64.b64decode, answers)]

    def models(self):
        return [model.id for model in self._sdk.models.list()]


SDKS = [SimpleNamespace(COLUMN=os.environ["LANE"], ERRORS=ERRORS, shown=shown, client=Client)]
