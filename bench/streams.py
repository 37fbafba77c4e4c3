"""Whether a streamed answer is one coherent answer, by the rules of the API that its client speaks. It knows nothing of the
gateway: it reads bytes, and tells all that no client should have to bear.

`read(api, body)` takes "chat" or "messages" and the body of an answer of status 200."""

import json
import re
from dataclasses import dataclass, field

CALL_ID = re.compile(r"^[a-zA-Z0-9_-]{1,64}$")


@dataclass
class Stream:
    """What was read. `parts`: in their order ("text", words) and ("call", name, arguments)."""

    ended: str = "nowhere"  # "end", "error", or nowhere
    parts: list = field(default_factory=list)
    call_ids: list = field(default_factory=list)
    faults: list = field(default_factory=list)
    usage: dict = field(default_factory=dict)
    error: dict = field(default_factory=dict)

    def expect(self, holds, words):
        if not holds:
            self.faults.append(words)
        return holds

    def text(self):
        return "".join(part[1] for part in self.parts if part[0] == "text")


def events(body, stream):
    """(name or None, data as JSON or the text that is none) of each event; comments are left out."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        stream.faults.append("bytes that are no UTF-8")
        text = body.decode(errors="replace")
    stream.expect(text.endswith("\n\n"), "the last event is not whole")
    for block in filter(None, text.split("\n\n")):
        lines = [line for line in block.split("\n") if not line.startswith(":")]
        names = [line[7:] for line in lines if line.startswith("event: ")]
        data = [line[6:] for line in lines if line.startswith("data: ")]
        stream.expect(len(names) + len(data) == len(lines) and len(names) <= 1, f"lines that are none: {block[:80]!r}")
        if not lines:
            continue
        if stream.expect(len(data) == 1, f"an event with {len(data)} lines of data"):
            yield (names or [None])[0], parsed(data[0], stream)


def parsed(data, stream):
    if data == "[DONE]":
        return data
    try:
        value = json.loads(data)
    except ValueError:
        stream.faults.append(f"no JSON: {data[:80]!r}")
        return None
    return value if stream.expect(isinstance(value, dict), f"no object: {data[:80]!r}") else None


def finish(stream):
    """What holds for both APIs once all events are read."""
    stream.expect(stream.ended != "nowhere", "neither an end nor an error")
    stream.expect(len(set(stream.call_ids)) == len(stream.call_ids), "two calls with one id")
    stream.expect(all(CALL_ID.match(each) for each in stream.call_ids), f"ids out of form: {stream.call_ids}")
    if stream.ended == "end":
        stream.expect(stream.parts, "an end without content")
        for part in stream.parts:
            stream.expect(part[0] != "call" or is_object(part[2]), f"arguments that do not parse: {part[-1][:80]!r}")
    return stream


def is_object(text):
    try:
        return isinstance(json.loads(text), dict)
    except ValueError:
        return False


class ChatReader:
    def __init__(self):
        self.stream, self.heads, self.roles, self.finished, self.usages = Stream(), set(), 0, None, 0
        self.chunks = 0

    def take(self, name, data):
        stream = self.stream
        if not stream.expect(stream.ended == "nowhere", f"something after the {stream.ended}"):
            return
        stream.expect(name is None, f"an event with a name: {name}")
        if data == "[DONE]":
            stream.ended = "end"
        elif data is not None and "error" in data:
            stream.ended, stream.error = "error", data["error"]
            stream.expect(isinstance(data["error"], dict) and data["error"].get("message"), "an error without a message")
        elif data is not None:
            self.chunk(data)

    def chunk(self, data):
        stream = self.stream
        self.chunks += 1
        self.heads.add(tuple(data.get(name) for name in ("id", "object", "model", "created")))
        if data.get("usage"):
            self.usages += 1
            stream.usage = data["usage"]
            stream.expect(not data.get("choices") and self.finished, "usage before the end, or with choices")
        for choice in data.get("choices", []):
            stream.expect(choice.get("index") == 0, f"choice {choice.get('index')}")
            self.delta(choice.get("delta") or {})
            if choice.get("finish_reason"):
                stream.expect(self.finished is None, "two finish reasons")
                self.finished = choice["finish_reason"]

    def delta(self, delta):
        stream = self.stream
        if "role" in delta:
            self.roles += 1
            stream.expect(delta["role"] == "assistant" and self.roles == 1 and self.chunks == 1, "a role that begins nothing")
        if delta.get("content"):
            stream.expect(not self.finished, "text after the finish reason")
            if not stream.parts or stream.parts[-1][0] != "text":
                stream.expect(not stream.parts, "text after calls")
                stream.parts.append(("text", ""))
            stream.parts[-1] = ("text", stream.parts[-1][1] + delta["content"])
        for call in delta.get("tool_calls") or []:
            stream.expect(not self.finished, "a call after the finish reason")
            self.call(call)

    def call(self, call):
        stream, function = self.stream, call.get("function") or {}
        calls = [place for place, part in enumerate(stream.parts) if part[0] == "call"]
        index = call.get("index")
        if "id" in call or "name" in function:
            stream.expect(index == len(calls), f"call {index} begins as number {len(calls)}")
            stream.expect(call.get("id") and function.get("name") and call.get("type") == "function", "a call without a head")
            stream.call_ids.append(call.get("id", ""))
            calls.append(len(stream.parts))
            stream.parts.append(("call", function.get("name"), ""))
        if stream.expect(isinstance(index, int) and 0 <= index < len(calls), f"more of call {index}, which has not begun"):
            kind, name, arguments = stream.parts[calls[index]]
            stream.parts[calls[index]] = (kind, name, arguments + (function.get("arguments") or ""))

    def close(self):
        stream = self.stream
        stream.expect(len(self.heads) <= 1, f"{len(self.heads)} ids, names or times in one answer")
        stream.expect(all(None not in head for head in self.heads), "a chunk without id, object, model or time")
        if stream.ended == "end":
            stream.expect(self.roles == 1, f"{self.roles} roles")
            stream.expect(self.usages == 1, f"{self.usages} usage chunks")
            calls = any(part[0] == "call" for part in stream.parts)
            stream.expect(self.finished == ("tool_calls" if calls else "stop"), f"finish reason {self.finished}")
        return finish(stream)


class MessagesReader:
    def __init__(self):
        self.stream, self.started, self.open, self.blocks, self.reason = Stream(), 0, None, 0, None

    def take(self, name, data):
        stream = self.stream
        if not stream.expect(stream.ended == "nowhere", f"something after the {stream.ended}"):
            return
        if data is None or not stream.expect(data != "[DONE]", "[DONE] of another API"):
            return
        kind = data.get("type")
        stream.expect(name == kind, f"event {name} of type {kind}")
        handler = getattr(self, "on_" + str(kind), None)
        if stream.expect(handler is not None, f"a type that is none: {kind}"):
            stream.expect(self.started or kind in ("message_start", "error"), f"{kind} before message_start")
            handler(data)

    def on_ping(self, data):
        pass

    def on_message_start(self, data):
        self.started += 1
        message = data.get("message") or {}
        self.stream.expect(self.started == 1, "two starts")
        self.stream.expect(message.get("id") and message.get("model") and message.get("role") == "assistant"
                           and message.get("content") == [] and "input_tokens" in (message.get("usage") or {}), "half a start")

    def on_content_block_start(self, data):
        stream, block = self.stream, data.get("content_block") or {}
        stream.expect(self.open is None, f"block {data.get('index')} begins within another")
        stream.expect(data.get("index") == self.blocks and not self.reason, f"block {data.get('index')}, {self.blocks} is due")
        self.open, self.blocks = data.get("index"), self.blocks + 1
        if block.get("type") == "tool_use":
            stream.expect(block.get("name") and block.get("input") == {}, "a call without a head")
            stream.call_ids.append(block.get("id", ""))
            stream.parts.append(("call", block.get("name"), ""))
        else:
            stream.expect(block.get("type") == "text" and block.get("text") == "", f"block {block}")
            stream.parts.append(("text", ""))

    def on_content_block_delta(self, data):
        stream, delta = self.stream, data.get("delta") or {}
        if not stream.expect(self.open is not None and data.get("index") == self.open, f"more of block {data.get('index')}"):
            return
        part = stream.parts[-1]
        due, key = ("input_json_delta", "partial_json") if part[0] == "call" else ("text_delta", "text")
        if stream.expect(delta.get("type") == due and isinstance(delta.get(key), str), f"{delta} in a block of {part[0]}"):
            stream.parts[-1] = (*part[:-1], part[-1] + delta[key])

    def on_content_block_stop(self, data):
        self.stream.expect(self.open is not None and data.get("index") == self.open, f"the end of block {data.get('index')}")
        self.open = None

    def on_message_delta(self, data):
        self.stream.expect(self.open is None and self.reason is None, "message_delta in a block, or twice")
        self.reason, self.stream.usage = (data.get("delta") or {}).get("stop_reason"), data.get("usage") or {}
        calls = any(part[0] == "call" for part in self.stream.parts)
        self.stream.expect(self.reason == ("tool_use" if calls else "end_turn"), f"stop reason {self.reason}")
        self.stream.expect(isinstance(self.stream.usage.get("output_tokens"), int), "message_delta without usage")

    def on_message_stop(self, data):
        self.stream.expect(self.reason is not None, "message_stop without a stop reason")
        self.stream.ended = "end"

    def on_error(self, data):
        self.stream.ended, self.stream.error = "error", data.get("error") or {}
        self.stream.expect(self.stream.error.get("type") and self.stream.error.get("message"), "an error without type or message")

    def close(self):
        for place, part in enumerate(self.stream.parts):  # an input without a piece is an empty one
            if part[0] == "call" and part[2] == "":
                self.stream.parts[place] = (*part[:2], "{}")
        return finish(self.stream)


def read(api, body):
    reader = {"chat": ChatReader, "messages": MessagesReader}[api]()
    for name, data in events(body, reader.stream):
        reader.take(name, data)
    return reader.close()
