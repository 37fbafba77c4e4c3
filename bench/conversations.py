"""Requests in the words of both APIs that mean the same, and streams that are spoilt in every way that bench/streams.py is
there for."""

import json

# What the user says last, and how many calls the simulator answers that with; `results`: results of calls come last.
ENDINGS = {"text": ("Say what you have found so far.", 0), "call": ("Use one tool now.", 1),
           "calls": ("Ask both tools at once.", 2), "results": (None, 0)}
KNOWN_IDS = {"toolu_01a", "toolu_01b", "toolu_02a", "toolu_02b"}
WORDS = "one two three four five six seven eight nine ten"
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
TOOLS = [("look_up", "Looks something up."), ("weigh", "Weighs something.")]


def body(api, model, ending, stream):
    """In the middle of a conversation: two rounds of parallel calls and their results, with text around them."""
    make = chat_turns if api == "chat" else messages_turns
    return make(ENDINGS[ending][0]) | {"model": model, "max_tokens": 200, "stream": stream} | (
        {"stream_options": {"include_usage": True}} if api == "chat" and stream else {})


def rounds_of_calls(last):
    """(what the assistant says, ids, results) of each round; without a last word the second one's results end it."""
    return [("Let me look.", ("toolu_01a", "toolu_01b"), ("blue", "12 kg")), ("And once more.", ("toolu_02a", "toolu_02b"),
                                                                          ("green", "error: no scales"))]


def chat_turns(last):
    turns = [{"role": "system", "content": "You are brief."}, {"role": "user", "content": "What is it, and what does it weigh?"}]
    for words, ids, results in rounds_of_calls(last):
        calls = [{"id": each, "type": "function", "function": {"name": name, "arguments": json.dumps({"text": f"of {each}"})}}
                 for each, (name, _) in zip(ids, TOOLS)]
        turns.append({"role": "assistant", "content": words, "tool_calls": calls})
        turns += [{"role": "tool", "tool_call_id": each, "content": result} for each, result in zip(ids, results)]
    if last:
        turns += [{"role": "assistant", "content": "It is green."}, {"role": "user", "content": last}]
    tools = [{"type": "function", "function": {"name": name, "description": about, "parameters": SCHEMA}} for name, about in TOOLS]
    return {"messages": turns, "tools": tools}


def messages_turns(last):
    turns = [{"role": "user", "content": "What is it, and what does it weigh?"}]
    for words, ids, results in rounds_of_calls(last):
        calls = [{"type": "tool_use", "id": each, "name": name, "input": {"text": f"of {each}"}}
                 for each, (name, _) in zip(ids, TOOLS)]
        turns.append({"role": "assistant", "content": [{"type": "text", "text": words}, *calls]})
        turns.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": each, "content": result}
                                                  for each, result in zip(ids, results)]})
    if last:
        turns += [{"role": "assistant", "content": "It is green."}, {"role": "user", "content": last}]
    tools = [{"name": name, "description": about, "input_schema": SCHEMA} for name, about in TOOLS]
    return {"system": "You are brief.", "messages": turns, "tools": tools}


def plain_body(api, model, lead, ttl, stream):
    """Words alone, of which both APIs make the same tokens; `lead` is one more, and with `ttl` the first part is cached."""
    part = {"type": "text", "text": f"{lead} {WORDS}"}
    if ttl:
        part["cache_control"] = {"type": "ephemeral", "ttl": ttl}
    made = {"model": model, "max_tokens": 100, "stream": stream,
            "messages": [{"role": "user", "content": [part, {"type": "text", "text": "and then?"}]}]}
    return made | ({"stream_options": {"include_usage": True}} if api == "chat" and stream else {})


# --- streams to be spoilt ---


def chat_event(delta, finish=None, **more):
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m",
             "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]} | more
    return "data: " + json.dumps(chunk) + "\n\n"


def chat_call(index, name=None, arguments=""):
    head = {"id": f"call_{index}", "type": "function"} if name else {}
    function = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
    return chat_event({"tool_calls": [{"index": index, **head, "function": function}]})


CHAT = [chat_event({"role": "assistant", "content": ""}), chat_event({"content": "Well. "}), chat_event({"content": "So."}),
        chat_call(0, "look_up"), chat_call(0, arguments='{"text":'), chat_call(0, arguments='"a"}'), chat_call(1, "weigh"),
        chat_call(1, arguments='{"text":"b"}'), chat_event({}, "tool_calls"),
        chat_event({}, choices=[], usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}), "data: [DONE]\n\n"]


def message_event(kind, **more):
    return f"event: {kind}\ndata: " + json.dumps({"type": kind} | more) + "\n\n"


def block(index, content, *deltas):
    return [message_event("content_block_start", index=index, content_block=content),
            *(message_event("content_block_delta", index=index, delta=delta) for delta in deltas),
            message_event("content_block_stop", index=index)]


def tool_block(index, name, *pieces):
    return block(index, {"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": {}},
                 *({"type": "input_json_delta", "partial_json": piece} for piece in pieces))


MESSAGES = [message_event("message_start", message={"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
                                                    "usage": {"input_tokens": 1, "output_tokens": 1}}),
            message_event("ping"), *block(0, {"type": "text", "text": ""}, {"type": "text_delta", "text": "Well. So."}),
            *tool_block(1, "look_up", '{"text":', '"a"}'), *tool_block(2, "weigh", '{"text":', '"b"}'),
            message_event("message_delta", delta={"stop_reason": "tool_use"}, usage={"output_tokens": 2}),
            message_event("message_stop")]
ERRORS = {"chat": 'data: {"error": {"message": "no"}}\n\n',
          "messages": message_event("error", error={"type": "api_error", "message": "no"})}


def sound_stream(api):
    return "".join(CHAT if api == "chat" else MESSAGES).encode()


def spoilt_streams(api, sound):
    """(what was done, the stream)."""
    whole = CHAT if api == "chat" else MESSAGES
    text = sound.decode()

    def without(*places):
        return "".join(each for place, each in enumerate(whole) if place not in places)

    def changed(before, after, count=1):
        if before not in text:
            raise SystemExit(f"{before!r} is not in the stream of the {api} API")
        return text.replace(before, after, count)

    for place, each in enumerate(whole):
        if "ping" in each or '"content": "So."' in each or '"content": "Well. "' in each or "text_delta" in each:
            continue  # less text is no fault that can be seen
        yield f"event {place} left out", without(place).encode()
    last = len(whole)
    for place in range(2, last):
        if "ping" not in whole[place] and '"So."' not in whole[place] and "_delta\n" not in whole[place]:
            yield f"event {place} twice", "".join([*whole[: place + 1], *whole[place:]]).encode()
    yield "another answer's begin within", "".join([*whole[:4], whole[0], *whole[4:]]).encode()
    yield "an error and then more", "".join([*whole[:4], ERRORS[api], *whole[4:]]).encode()
    yield "two errors", "".join([*whole[:4], ERRORS[api] * 2]).encode()
    yield "an error after the end", (text + ERRORS[api]).encode()
    yield "broken off between two events", without(*range(4, last)).encode()
    yield "broken off within an event", sound[: len(sound) // 2]
    yield "no event at all", b""
    yield "half an event's JSON", changed('"delta": {', '"delta": {"').encode()
    yield "a letter torn apart", sound.replace(b"Well", b"Wel\xc3")
    yield "arguments that do not parse", changed('"a\\"}', '"a\\"').encode()
    yield "calls with one id", changed("call_1" if api == "chat" else "toolu_weigh", "call_0" if api == "chat" else "toolu_look_up").encode()
    yield "an id out of form", changed("call_1" if api == "chat" else "toolu_weigh", "call 1").encode()
    if api == "chat":
        yield "another id in one chunk", "".join([*whole[:5], whole[5].replace("chatcmpl-1", "chatcmpl-2"), *whole[6:]]).encode()
        yield "another model in one chunk", "".join([*whole[:5], whole[5].replace('"m"', '"n"'), *whole[6:]]).encode()
        yield "the second call under the first one's index", text.replace('"index": 1', '"index": 0').encode()
        yield "another finish reason", changed('"finish_reason": "tool_calls"', '"finish_reason": "stop"').encode()
        yield "another choice", changed('"choices": [{"index": 0', '"choices": [{"index": 1').encode()
    else:
        yield "a name that is not the type", changed("event: content_block_stop", "event: content_block_start").encode()
        yield "an index left out", text.replace('"index": 2', '"index": 3').encode()
        yield "a piece of another block", changed('"index": 2, "delta"', '"index": 1, "delta"').encode()
        yield "text in a call", changed('"delta": {"type": "input_json_delta", "partial_json"', '"delta": {"type": "text_delta", "text"').encode()
        yield "another stop reason", changed('"stop_reason": "tool_use"', '"stop_reason": "end_turn"').encode()
        yield "the end of another API", (text + "data: [DONE]\n\n").encode()
