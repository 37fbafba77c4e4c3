"""LangChain's models for OpenAI behind the calls of the feature tests. Its errors are those of openai."""

import json
from types import SimpleNamespace

from langchain_core.messages import HumanMessage, ToolMessage
from langchain_openai import ChatOpenAI, OpenAIEmbeddings

from openai_errors import ERRORS, shown
from openai_turns import asked


class Client:
    def __init__(self, base_url, retries=0, timeout=30, headers=None):
        self._options = {
            "base_url": base_url,
            "api_key": "test-key",
            "max_retries": retries,
            "timeout": timeout,
            "default_headers": headers,
        }

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def _model(self, model, tools, **more):
        chat = ChatOpenAI(model=model, **self._options, **more)
        return chat.bind_tools(tools, tool_choice="required") if tools else chat

    def chat(self, model, text, tools=None, picture=None):
        answer = self._model(model, tools).invoke(asked(text, picture))
        calls = [(call["name"], json.dumps(call["args"])) for call in answer.tool_calls]
        return SimpleNamespace(
            text=answer.content,
            finish=answer.response_metadata["finish_reason"],
            tokens=answer.usage_metadata["total_tokens"],
            calls=calls,
        )

    def stream(self, model, text, tools=None, usage=False):
        for chunk in self._model(model, tools, stream_usage=usage).stream(text):
            call = (chunk.tool_call_chunks or [{}])[0]
            yield SimpleNamespace(
                text=chunk.content,
                tokens=chunk.usage_metadata and chunk.usage_metadata["total_tokens"],
                call_name=call.get("name"),
                call_arguments=call.get("args") or "",
            )

    def agent(self, model, text, tools, use, stream=False, effort=None):
        chat = ChatOpenAI(model=model, reasoning_effort=effort, **self._options).bind_tools(tools)
        messages, turns = [HumanMessage(text)], []
        while True:
            if stream:
                first, *rest = chat.stream(messages)
                answer = sum(rest, first)
            else:
                answer = chat.invoke(messages)
            turns.append([call["name"] for call in answer.tool_calls])
            if not answer.tool_calls:
                return SimpleNamespace(turns=turns, text=answer.content)
            messages.append(answer)
            for call in answer.tool_calls:
                messages.append(ToolMessage(use(call["name"], call["args"]), tool_call_id=call["id"]))

    def json(self, model, text, schema):
        chat = self._model(model, None).with_structured_output({"title": "answer", **schema}, method="json_schema")
        return chat.invoke(text)

    def embed(self, model, texts, encoding):
        # Unless told not to, it counts tokens with a vocabulary from the network.
        options = {"check_embedding_ctx_length": False}
        if encoding == "float":  # base64 is what it asks for by itself
            options["model_kwargs"] = {"encoding_format": encoding}
        return OpenAIEmbeddings(model=model, **self._options, **options).embed_documents(texts)


SDKS = [SimpleNamespace(COLUMN="langchain", ERRORS=ERRORS, shown=shown, client=Client)]
