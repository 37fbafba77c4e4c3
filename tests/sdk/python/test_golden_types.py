"""The golden chat completions, chunks and errors for clients of the chat API, and the golden chat requests to its
providers, have the types of OpenAI's SDK; its own accumulator makes of each stream what its chunks say."""

import json

import openai
import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.chat_completion_message import Annotation
from openai.types.chat.completion_create_params import CompletionCreateParams
from openai.types.shared import ErrorObject
from pydantic import BaseModel

from golden_types import (
    DROPPED,
    Strict,
    StrictParams,
    expect_emptiness_told,
    expect_spoiling_is_seen,
    expect_told,
    expect_types,
    look_through,
)


class Error(BaseModel):
    """The body of an error: the SDK itself has a type for what is in it alone."""

    error: ErrorObject


OLD = openai.__version__.startswith("1.")
HEAD = {"id": "chatcmpl-r-1", "created": 1_700_000_000, "model": 'claude-"alias"'}
REASONING = "what Claude thought has no place in the chat API; many providers tell it by this name"
WRITTEN = {"usage.prompt_tokens_details.cache_write_tokens": (int, "newer than the SDK's old line")} if OLD else {}

REQUEST = StrictParams(CompletionCreateParams)
COMPLETION = Strict(ChatCompletion, {"choices.*.message.reasoning_content": (str, REASONING), **WRITTEN})
CHUNK = Strict(
    ChatCompletionChunk,
    {
        "choices.*.delta.reasoning_content": (str, REASONING),
        "choices.*.delta.annotations": (list, "in a stream as in a message, for which alone the SDK has a type"),
        **WRITTEN,
    },
)
ANNOTATION = Strict(Annotation)
ERROR = Strict(Error)
STREAM_ERROR = Strict(Error)


class Accumulated:
    """The SDK's accumulator finds what the chunks say when their pieces are simply put together, and gives it whole."""

    # What the SDK raises where an answer was cut or refused, though nothing is to be parsed.
    RAISED = {"length": openai.LengthFinishReasonError, "content_filter": openai.ContentFilterFinishReasonError}

    def faults(self, chunks):
        if not chunks:
            return set()
        state = ChatCompletionStreamState()
        try:
            for chunk in chunks:
                state.handle_chunk(ChatCompletionChunk.construct(**chunk))
            told = put_together(chunks)
        except Exception as error:  # whatever the accumulator stumbles over is the finding
            return {f"accumulating: {error!r}"}
        made = state.current_completion_snapshot.to_dict(mode="json", exclude_unset=True, warnings=False)
        [choice] = made["choices"]
        seen = {name: choice["message"].get(name) for name in told["message"]}
        calls = [{name: call[name] for name in call if call[name] is not None} for call in seen["tool_calls"] or ()]
        for call in calls:
            call.get("function", {}).pop("parsed_arguments", None)
        seen["tool_calls"] = calls
        faults = {f"the accumulated {name} is another" for name in seen if seen[name] != told["message"][name]}
        if (choice["finish_reason"], made.get("usage")) != (told["finish_reason"], chunks[-1].get("usage")):
            faults.add("the accumulated end is another")
        arguments = [call["function"]["arguments"] for call in calls if "function" in call]
        if told["finish_reason"] == "tool_calls" and not all(map(is_json, arguments)):
            faults.add("the arguments of a call are no JSON")
        return faults | (self.final_faults(state, told) if told["finish_reason"] else set())

    def final_faults(self, state, told):
        try:
            whole = state.get_final_completion().choices[0].message
        except Exception as error:  # as above
            return set() if type(error) is self.RAISED.get(told["finish_reason"]) else {f"the end: {error!r}"}
        return set() if whole.content == told["message"]["content"] else {"the final content is another"}


def is_json(text):
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def put_together(chunks):
    message = {"role": None, "content": None, "refusal": None, "reasoning_content": None, "annotations": None}
    calls, finish = [], None
    for choice in (choice for chunk in chunks for choice in chunk["choices"]):
        for name, piece in choice["delta"].items():
            if name == "tool_calls":
                [piece] = piece
                if "id" in piece:
                    calls.append(json.loads(json.dumps(piece)))
                    continue
                [(kind, text)] = [(kind, text) for kind, text in piece.items() if kind != "index"]
                for part in text:
                    calls[piece["index"]][kind][part] += text[part]
            else:
                message[name] = piece if message[name] is None else message[name] + piece
        finish = choice["finish_reason"] or finish
    return {"message": {**message, "tool_calls": calls}, "finish_reason": finish}


def requests(line):
    if "chat" in line or "chat_text" in line:
        yield REQUEST, line["chat"] if "chat" in line else json.loads(line["chat_text"])


def replies(line):
    if "choices" in line:
        rest = {name: line[name] for name in ("choices", "usage") if name in line}
        yield COMPLETION, {**HEAD, "object": "chat.completion", **rest}


class Marks:
    """What a stream has beside its chunks: comments, and the mark of its end, once it gave a reason, as the last."""

    def faults(self, pieces):
        marks = [piece for piece in pieces if isinstance(piece, str) and not piece.startswith(":")]
        if marks not in ([], pieces[-1:]) or not set(marks) <= {"[DONE]"}:
            return {f"marks of a stream: {marks}"}
        choices = [choice for piece in pieces if isinstance(piece, dict) for choice in piece.get("choices", ())]
        ended = not choices or any(choice["finish_reason"] for choice in choices)
        return {"the end of a whole stream gives no reason"} if marks and not ended else set()


def streams(line):
    yield Marks(), line["chunks"]
    chunks = []
    for piece in line["chunks"]:
        if isinstance(piece, str):
            continue
        if "error" in piece:
            yield STREAM_ERROR, piece
            continue
        chunks.append({**HEAD, "object": "chat.completion.chunk", **piece})
        yield CHUNK, chunks[-1]
        for choice in piece["choices"]:
            for annotation in choice["delta"].get("annotations", ()):
                yield ANNOTATION, annotation
    yield Accumulated(), chunks


def errors(line):
    if "body_out" in line:
        yield ERROR, line["body_out"]


FILES = {
    "in_requests.jsonl": (requests, [REQUEST]),
    "replies.jsonl": (replies, [COMPLETION]),
    "streams.jsonl": (streams, [CHUNK, ANNOTATION, STREAM_ERROR]),
    "errors.jsonl": (errors, [ERROR]),
}

CUSTOM = {
    "choices.*.delta.tool_calls.*.custom extra_forbidden",
    "choices.*.delta.tool_calls.*.type literal_error",
    "the end: AttributeError(\"'dict' object has no attribute 'name'\")",
}
WHY_CUSTOM = "the SDK has no type for a custom tool's call in a stream, though its accumulator puts the pieces together"
# Faults that are there: {file: {id: (faults, reason)}}.
KNOWN = {
    "streams.jsonl": {
        "a custom tool's text comes as it is written": (CUSTOM, WHY_CUSTOM),
        "a custom tool's input that is broken": (CUSTOM, WHY_CUSTOM),
    }
}
if OLD:
    KNOWN["in_requests.jsonl"] = {
        "sampling, stops, effort": (
            {"reasoning_effort literal_error", "stream missing"},
            "an effort that is newer than the SDK's old line; `stream` is the other kind of request's",
        )
    }


@pytest.mark.parametrize("name", FILES)
def test_golden_files_have_the_types_of_the_sdk(name, capsys):
    checks_of, checks = FILES[name]
    found = look_through(name, checks_of)
    with capsys.disabled():
        print(f"\n{found}")
    expect_types(found, KNOWN.get(name, {}), checks)


@pytest.mark.parametrize("name", FILES)
def test_golden_values_spoiled_anywhere_are_told(name, capsys):
    tried = expect_spoiling_is_seen(name, FILES[name][0], KNOWN.get(name, {}))
    with capsys.disabled():
        print(f"\n{name}: {tried} spoiled copies told")
    assert tried > 0


LOOP = "tools loop: text, two calls, results, then the user"
CALL = ("chat", "messages", 1, "tool_calls", 0)
TEXT = "S01 text with usage"
THINKING = "R05 thinking shown as an extension field"
PIECE = ("chunks", 6, "choices", 0, "delta", "tool_calls", 0)
TWO_CALLS = "S02 text then two calls: call index is not block index"
SPOILED = {
    "in_requests.jsonl": [
        ("plain", ("chat", "messages"), DROPPED, "messages missing"),
        ("plain", ("chat", "max_tokens"), "4096", "max_tokens int_type"),
        ("plain", ("chat",), DROPPED, "neither a body nor the word that there is none"),
        ("no turns", ("chat",), {}, "a body where there is none"),
        (LOOP, (*CALL, "id"), DROPPED, "messages.*.tool_calls.*.id missing"),
        ("images", ("chat", "messages", 0, "content", 1, "new"), 1, "messages.*.content.*.new extra_forbidden"),
    ],
    "replies.jsonl": [
        ("R01 text", ("choices", 0, "message", "role"), DROPPED, "choices.*.message.role missing"),
        ("R01 text", ("choices", 0, "finish_reason"), "end_turn", "choices.*.finish_reason literal_error"),
        ("R01 text", ("usage", "prompt_tokens"), 1.5, "usage.prompt_tokens int_"),
        ("R01 text", ("choices", 0, "message", "thinking"), "x", "choices.*.message.thinking extra_forbidden"),
        (THINKING, ("choices", 0, "message", "reasoning_content"), 1, "choices.*.message.reasoning_content is"),
    ],
    "streams.jsonl": [
        (TEXT, ("chunks", 0, "choices", 0, "index"), DROPPED, "choices.*.index missing"),
        (TEXT, ("chunks", 2, "choices", 0, "delta", "content"), 5, "choices.*.delta.content string_type"),
        (TEXT, ("chunks", 2, "choices", 0, "delta", "more"), 5, "choices.*.delta.more extra_forbidden"),
        (TEXT, ("chunks", 1), "[DONE]", "marks of a stream"),
        (TWO_CALLS, (*PIECE, "index"), 0, "the arguments of a call are no JSON"),
        (TWO_CALLS, (*PIECE, "index"), 2, "accumulating: "),
        (TWO_CALLS, ("chunks", 7, "choices", 0, "finish_reason"), None, "the end of a whole stream gives no reason"),
        ("S04 error after bytes were sent", ("chunks", 2, "error", "code"), 503, "error.code string_type"),
    ],
    "errors.jsonl": [
        ("E03 rate", ("body_out", "error", "message"), DROPPED, "error.message missing"),
        ("E03 rate", ("body_out", "error", "code"), 429, "error.code string_type"),
        ("E03 rate", ("body_out", "request_id"), "req_1", "request_id extra_forbidden"),
    ],
}


@pytest.mark.parametrize("name, spoiled", [(name, each) for name in FILES for each in SPOILED[name]])
def test_golden_lines_that_are_spoiled_are_told(name, spoiled, tmp_path):
    expect_told(name, FILES, spoiled, tmp_path)


@pytest.mark.parametrize("name", FILES)
def test_golden_files_without_a_line_are_told(name, tmp_path):
    expect_emptiness_told(name, FILES, tmp_path)
