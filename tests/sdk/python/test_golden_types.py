"""What the gateway makes for providers and clients of the chat API out of Anthropic's, as the golden files have it, against
the types of the official SDK; the golden tests prove that the gateway makes just that."""

import pytest
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.chat.completion_create_params import CompletionCreateParams

from golden_types import adapter, close, faults, golden

# What answers have beyond the SDK's types: the field for what was thought that others use too, and what OpenAI itself
# sends in chunks though its SDK declares it for whole answers only.
MESSAGE = {".choices[].message.reasoning_content"}
CHUNK = {".choices[].delta.reasoning_content", ".choices[].delta.annotations", ".choices[].delta.tool_calls[].custom"}
CUSTOM_CALL = "choices.0.delta.tool_calls.0.type: Input should be 'function'"


@pytest.fixture(scope="module", autouse=True)
def closed():
    close("openai")


def completion(case):
    usage = {"usage": case["usage"]} if case.get("usage") else {}
    return {"id": "a", "object": "chat.completion", "created": 1, "model": "m", "choices": case["choices"], **usage}


def chunks_of(case):
    chunks = [chunk for chunk in case["chunks"] if isinstance(chunk, dict) and "error" not in chunk]
    return [{"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "m", **chunk} for chunk in chunks]


def chunk_faults(chunk):
    return [fault for fault in faults(ChatCompletionChunk, chunk, allowed=CHUNK) if fault != CUSTOM_CALL]


def test_requests_are_of_the_declared_types():
    chats = {case["id"]: case["chat"] for case in golden("in_requests.jsonl", 51) if "chat" in case}
    assert len(chats) >= 30
    assert {name: found for name, chat in chats.items() if (found := faults(CompletionCreateParams, chat))} == {}


def test_completions_are_of_the_declared_types():
    completions = {case["id"]: completion(case) for case in golden("replies.jsonl", 52) if "choices" in case}
    assert len(completions) >= 45
    assert {name: found for name, one in completions.items()
            if (found := faults(ChatCompletion, one, allowed=MESSAGE))} == {}


def test_chunks_are_of_the_declared_types_and_add_up():
    chunks = 0
    for case in golden("streams.jsonl", 60):
        # The SDK cannot add up what it does not declare.
        known = not any(CUSTOM_CALL in faults(ChatCompletionChunk, chunk) for chunk in chunks_of(case))
        state, deltas = ChatCompletionStreamState(), []
        for chunk in chunks_of(case):
            assert chunk_faults(chunk) == [], case["id"]
            deltas += [choice["delta"] for choice in chunk["choices"]]
            chunks += 1
            if known:
                state.handle_chunk(adapter(ChatCompletionChunk).validate_python(chunk))
        if not deltas or not known:
            continue
        message = state.current_completion_snapshot.choices[0].message
        assert (message.content or "") == "".join(delta.get("content") or "" for delta in deltas), case["id"]
    assert chunks >= 220


@pytest.mark.parametrize("spoil", [
    lambda chunk: chunk.pop("created"), lambda chunk: chunk.update(created="1"), lambda chunk: chunk.update(cost=1),
    lambda chunk: chunk["choices"][0].update(finish_reason="end_turn"),
    lambda chunk: chunk["choices"][0]["delta"].update(thinking="hm"),
])
def test_a_spoilt_chunk_is_found(spoil):
    chunk = {"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "m",
             "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": None}]}
    assert chunk_faults(chunk) == []
    spoil(chunk)
    assert chunk_faults(chunk) != []
