"""The golden requests to Claude, and the golden messages, events and errors for clients of Anthropic's API, have the
types of Anthropic's SDK; its own accumulator makes of each stream what its events say."""

import json

import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from anthropic.types.message_create_params import MessageCreateParams
from anthropic.types.shared import ErrorResponse
from typing_extensions import TypedDict

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

NEWEST = "2026-10-21"
SAMPLING = "the types are of the newest version, without sampling; older models are asked in the one before, with it"
DETAILS = TypedDict("DETAILS", {"error_code": str})
CODE = "the SDK types a list of Anthropic's own codes apart from the error; another provider's code is none of them"
NO_USAGE = dict.fromkeys(
    ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens", "output_tokens"), 0
)
START = {
    "type": "message_start",
    "message": {
        "id": "msg_abc",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": NO_USAGE,
    },
}

NEWEST_REQUEST = StrictParams(MessageCreateParams)
REQUEST = StrictParams(
    MessageCreateParams, {"temperature": (float, SAMPLING), "top_p": (float, SAMPLING), "top_k": (int, SAMPLING)}
)
MESSAGE = Strict(Message)
EVENT = Strict(RawMessageStreamEvent)
ERROR = Strict(ErrorResponse, {"error.details": (DETAILS, CODE)})
STREAM_ERROR = Strict(ErrorResponse, {"error.details": (DETAILS, CODE)})

# What a line names by its bytes alone, put into a request.
AROUND = {
    "temperature": lambda value: {"temperature": value},
    "content": lambda value: {"messages": [{"role": "user", "content": value}]},
    "input_schema": lambda value: {"tools": [{"name": "f", "input_schema": value}]},
    "input": lambda value: {
        "messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "f", "input": value}]}]
    },
}


def around(part):
    """A request with a part that the golden file gives as bytes: `"name":value`, and what may follow."""
    name, end = json.JSONDecoder().raw_decode(part)
    value, _ = json.JSONDecoder().raw_decode(part[end:].lstrip(": "))
    plain = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "q"}]}
    return plain | AROUND[name](value)


class Accumulated:
    """The SDK's accumulator finds what the events say when their pieces are simply put together."""

    def faults(self, events):
        snapshot, buffers = None, {}
        try:
            for event in events:
                snapshot = accumulate_event(event=event, current_snapshot=snapshot, json_bufs=buffers)
            told = put_together(events)
        except Exception as error:  # whatever the accumulator stumbles over is the finding
            return {f"accumulating: {error!r}"}
        if snapshot is None:
            return set()
        made = snapshot.to_dict(mode="json", exclude_unset=True, warnings=False)
        blocks = [dict(block) for block in made["content"]]
        for index, block in enumerate(blocks):
            if block["type"] == "tool_use":
                block["json"] = buffers.get(index, b"").decode()
                parsed = block.pop("input")
                if told.get("stop_reason") == "tool_use" and parsed != json_of(block["json"]):
                    return {"the accumulated input is another"}
        made_of = {**made, "content": blocks}
        faults = {f"the accumulated {name} is another" for name in told if told[name] != made_of[name]}
        return faults | (MESSAGE.faults(made) if events[-1]["type"] == "message_stop" else set())


def json_of(text):
    try:
        return json.loads(text)
    except ValueError:
        return None


def put_together(events):
    """By order alone: a piece belongs to the block that was begun last, whatever its index says."""
    blocks, told = [], {}
    for event in events:
        if event["type"] == "content_block_start":
            blocks.append({name: value for name, value in event["content_block"].items() if name != "input"})
            if event["content_block"]["type"] == "tool_use":
                blocks[-1]["json"] = ""
        elif event["type"] == "content_block_delta":
            [(name, piece)] = [(name, piece) for name, piece in event["delta"].items() if name != "type"]
            name = "json" if name == "partial_json" else name
            blocks[-1][name] = blocks[-1].get(name, "") + piece
        elif event["type"] == "message_delta":
            told = {**event["delta"], "usage": event["usage"]}
    return {"content": blocks, **told}


def whole_event(fact):
    """An event that the golden file abbreviates."""
    if isinstance(fact, str):
        return {"start": START, "ping": {"type": "ping"}, "stop": {"type": "message_stop"}}[fact]
    return fact | {"usage": NO_USAGE} if fact.get("usage") == "zero" else fact


def requests(line):
    if "anthropic" in line:
        yield NEWEST_REQUEST if line.get("version") == NEWEST else REQUEST, line["anthropic"]
    else:
        for part in line.get("contains", ()):
            yield REQUEST, around(part)


def replies(line):
    if "message" in line:
        yield MESSAGE, line["message"]


def streams(line):
    events = [whole_event(fact) for fact in line["events"]]
    # The SDK passes pings over by their name alone; no type is theirs.
    told = [event for event in events if event != {"type": "ping"}]
    for event in told:
        yield STREAM_ERROR if event["type"] == "error" else EVENT, event
    yield Accumulated(), [event for event in told if event["type"] != "error"]


def errors(line):
    yield ERROR, line["body_out"]


FILES = {
    "requests.jsonl": (requests, [REQUEST, NEWEST_REQUEST]),
    "in_replies.jsonl": (replies, [MESSAGE]),
    "in_streams.jsonl": (streams, [EVENT, STREAM_ERROR]),
    "in_errors.jsonl": (errors, [ERROR]),
}
# Faults that are there: {file: {id: (faults, reason)}}.
KNOWN = {
    "in_errors.jsonl": {
        "nothing": (
            {"error.type literal_error"},
            "Anthropic's API answers 413 by request_too_large, which the SDK knows by its status alone",
        )
    }
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


BLOCK = ("anthropic", "messages", 1, "content", 0)
SPOILED = {
    "requests.jsonl": [
        ("plain", ("anthropic", "max_tokens"), DROPPED, "max_tokens missing"),
        ("plain", ("anthropic", "max_tokens"), "4096", "max_tokens int_type"),
        ("plain", ("anthropic",), DROPPED, "neither a body nor the word that there is none"),
        ("two results then user text", (*BLOCK, "id"), DROPPED, "messages.*.content.*.id missing"),
        ("two results then user text", (*BLOCK, "new"), 1, "messages.*.content.*.new extra_forbidden"),
        ("sampling in the newer version", ("anthropic", "top_k"), 3, "top_k extra_forbidden"),
        ("stop, clamp, user", ("anthropic", "temperature"), "1", "temperature is of another type"),
        ("temperature as written", ("contains",), ['"content":0.2'], "messages.*.content list_type"),
    ],
    "in_replies.jsonl": [
        ("text", ("message", "usage", "output_tokens"), DROPPED, "usage.output_tokens missing"),
        ("text", ("message", "content", 0, "text"), 5, "content.*.text string_type"),
        ("text", ("message", "stop_reason"), "stop", "stop_reason literal_error"),
        ("no choices", ("message",), {}, "a body where there is none"),
    ],
    "in_streams.jsonl": [
        ("text with usage", ("events", 2, "index"), "0", "index int_type"),
        ("text with usage", ("events", 2, "delta", "more"), 1, "delta.more extra_forbidden"),
        ("text with usage", ("events", 2, "delta", "type"), "thinking_delta", "delta.thinking missing"),
        ("text then two calls", ("events", 9, "index"), 1, "the accumulated input is another"),
        ("text then two calls", ("events", 2, "index"), 1, "accumulating: "),
        ("text then two calls", ("events", 0), "stop", "accumulating: "),
        ("thinking then text, cut by the limit", ("events", 7, "index"), 0, "the accumulated content is another"),
        ("error in the stream", ("events", 3, "error", "type"), "slow", "error.type literal_error"),
    ],
    "in_errors.jsonl": [
        ("rate", ("body_out", "error", "details"), {"code": 1}, "error.details is of another type"),
        ("rate", ("body_out", "error", "message"), DROPPED, "error.message missing"),
    ],
}


@pytest.mark.parametrize("name, spoiled", [(name, each) for name in FILES for each in SPOILED[name]])
def test_golden_lines_that_are_spoiled_are_told(name, spoiled, tmp_path):
    expect_told(name, FILES, spoiled, tmp_path)


def test_members_beside_the_types_are_told_where_the_types_have_them():
    message = {**START["message"], "mood": "good"}
    assert MESSAGE.faults(message) == {"mood extra_forbidden"}
    assert Strict(Message, {"mood": (str, "a reason")}).faults(message) == set()
    known = Strict(Message, {"mood": (str, "a reason"), "stop_sequence": (type(None), "a reason")})
    assert known.faults(message) == {"stop_sequence is a member that the SDK knows"}
    found = look_through("in_replies.jsonl", replies)
    with pytest.raises(AssertionError, match="no line has"):
        expect_types(found, {}, [Strict(Message, {"mood": (str, "a reason")})])


def test_known_faults_are_told_where_they_are_none():
    found = look_through("in_replies.jsonl", replies)
    with pytest.raises(AssertionError, match="no fault any more"):
        expect_types(found, {"text": ({"id missing"}, "a reason")}, [MESSAGE])


@pytest.mark.parametrize("name", FILES)
def test_golden_files_without_a_line_are_told(name, tmp_path):
    expect_emptiness_told(name, FILES, tmp_path)
