"""What the gateway makes for Anthropic's API and its clients, as the golden files have it, against the types of the official
SDK; the golden tests prove that the gateway makes just that."""

import json

import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import ErrorResponse, Message, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming, MessageCreateParamsStreaming

from golden_types import adapter, close, faults, golden

NO_USAGE = {"input_tokens": 0, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0, "output_tokens": 0}
START = {"type": "message_start",
         "message": {"id": "msg_abc", "type": "message", "role": "assistant", "model": "claude-x", "content": [],
                     "stop_reason": None, "stop_sequence": None, "usage": NO_USAGE}}
# Older models are still sampled by these, which the SDK's newest types leave out.
SAMPLING = {f"{name}: Extra inputs are not permitted" for name in ("temperature", "top_p", "top_k")}
# The API's own word for a 413, which its SDK reads without a type for it.
UNTYPED_ERROR = "request_too_large"


@pytest.fixture(scope="module", autouse=True)
def closed():
    close("anthropic")


def event_of(fact):
    """An event that the golden file abbreviates."""
    if fact == "start":
        return START
    if isinstance(fact, str):
        return {"type": {"stop": "message_stop"}.get(fact, fact)}
    return {**fact, "usage": NO_USAGE} if fact.get("usage") == "zero" else fact


def request_faults(request):
    kind = MessageCreateParamsStreaming if request.get("stream") else MessageCreateParamsNonStreaming
    return [fault for fault in faults(kind, request) if fault not in SAMPLING]


def events_of(case):
    return [event for event in map(event_of, case["events"]) if event["type"] not in ("error", "ping")]


def test_requests_are_of_the_declared_types():
    requests = {case["id"]: case["anthropic"] for case in golden("requests.jsonl", 175) if "anthropic" in case}
    assert len(requests) >= 100
    assert {name: found for name, request in requests.items() if (found := request_faults(request))} == {}


def test_messages_are_of_the_declared_types():
    messages = {case["id"]: case["message"] for case in golden("in_replies.jsonl", 15) if "message" in case}
    assert len(messages) >= 12
    assert {name: found for name, message in messages.items() if (found := faults(Message, message))} == {}


def test_events_are_of_the_declared_types_and_add_up():
    events, called = 0, 0
    for case in golden("in_streams.jsonl", 25):
        message, calls = None, {}
        for event in events_of(case):
            assert faults(RawMessageStreamEvent, event) == [], case["id"]
            read = adapter(RawMessageStreamEvent).validate_python(event)
            message = accumulate_event(event=read, current_snapshot=message, json_bufs=calls)
            events += 1
        deltas = [event["delta"] for event in events_of(case) if event["type"] == "content_block_delta"]
        said = "".join(delta.get("text", "") for delta in deltas)
        assert "".join(block.text for block in message.content if block.type == "text") == said, case["id"]
        # An answer that was cut may have been cut within a call.
        for index, arguments in (calls if message.stop_reason == "tool_use" else {}).items():
            assert json.loads(arguments) == message.content[index].input, case["id"]
            called += 1
    assert events >= 150 and called >= 10


def test_errors_are_of_the_declared_types():
    errors = [case["body_out"] for case in golden("in_errors.jsonl", 13)]
    errors += [event for case in golden("in_streams.jsonl", 25) for event in map(event_of, case["events"])
               if event["type"] == "error"]
    for error in errors:
        if error["error"]["type"] == UNTYPED_ERROR:
            error = {**error, "error": {**error["error"], "type": "invalid_request_error"}}
        # `details` is where the API itself puts what its types do not name.
        assert faults(ErrorResponse, error, allowed={".error.details"}) == [], error


@pytest.mark.parametrize("spoil", [
    lambda request: request.pop("max_tokens"), lambda request: request.update(max_tokens="5"),
    lambda request: request.update(seed=1), lambda request: request["messages"][0].update(name="x"),
    lambda request: request["messages"][0].update(content=[{"type": "text"}]),
])
def test_a_spoilt_request_is_found(spoil):
    request = {"model": "m", "max_tokens": 5, "messages": [{"role": "user", "content": "Hi"}]}
    assert request_faults(request) == []
    spoil(request)
    assert request_faults(request) != []
