"""A conversation of the chat API as dicts: the loop of an agent, and what a stream's deltas add up to."""

import json
from types import SimpleNamespace


def asked(text, picture=None):
    if picture:
        text = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": picture}}]
    return [{"role": "user", "content": text}]


def json_format(schema):
    return {"type": "json_schema", "json_schema": {"name": "answer", "strict": True, "schema": schema}}


def run_agent(ask, text, use):
    """Asks, `use`s the tools that are called and asks again until there is an answer. `ask(messages)` returns a message."""
    messages, turns = asked(text), []
    while True:
        message = ask(messages)
        calls = message.get("tool_calls") or []
        turns.append([call["function"]["name"] for call in calls])
        if not calls:
            return SimpleNamespace(turns=turns, text=message["content"])
        messages.append(message)
        for call in calls:
            result = use(call["function"]["name"], json.loads(call["function"]["arguments"]))
            messages.append({"role": "tool", "tool_call_id": call["id"], "content": result})


def merged(chunks):
    message, calls = {"role": "assistant", "content": ""}, {}
    for chunk in chunks:
        delta = chunk["choices"][0]["delta"] if chunk["choices"] else {}
        message["content"] += delta.get("content") or ""
        for piece in delta.get("tool_calls") or []:
            whole = calls.setdefault(piece["index"], {"type": "function", "function": {"name": "", "arguments": ""}})
            if piece.get("id"):
                whole["id"] = piece["id"]
            for member in ("name", "arguments"):
                whole["function"][member] += piece["function"].get(member) or ""
    if calls:
        message |= {"tool_calls": [calls[index] for index in sorted(calls)], "content": message["content"] or None}
    return message
