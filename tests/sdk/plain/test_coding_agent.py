"""A session of a coding agent that speaks the Messages API, as `coding_agent.json` has it, against either kind of provider.
What the model says differs, so its turns and the ids of its calls are put in as they come; all else is as recorded."""

import json
from pathlib import Path

import httpx

SESSION = json.loads((Path(__file__).resolve().parent / "coding_agent.json").read_text())


def filled(value, parts):
    """The body with its `$name`s replaced."""
    if isinstance(value, dict):
        return {name: filled(member, parts) for name, member in value.items()}
    return parts[value[1:]] if isinstance(value, str) and value[1:] in parts and value.startswith("$") else value


def events_of(text):
    for event in text.strip().split("\n\n"):
        name, data = event.split("\n")
        assert name.startswith("event: ") and data.startswith("data: "), event
        data = json.loads(data.removeprefix("data: "))
        assert data["type"] == name.removeprefix("event: ")
        if data["type"] != "ping":
            yield data


def message_of(events):
    """The message that a stream adds up to. Each block must be opened, filled and closed before the next."""
    first, *events, change, last = events
    assert (first["type"], change["type"], last["type"]) == ("message_start", "message_delta", "message_stop")
    content, is_open, text = [], False, ""
    for event in events:
        kind = event["type"].removeprefix("content_block_")
        assert is_open == (kind != "start")
        assert event["index"] == len(content) - is_open
        if kind == "start":
            content.append(event["content_block"])
            is_open, text = True, ""
        elif kind == "stop":
            is_open = False
            if content[-1]["type"] == "tool_use":
                content[-1]["input"] = json.loads(text or "{}")
        elif event["delta"]["type"] == "input_json_delta":
            text += event["delta"]["partial_json"]
        else:
            member = event["delta"]["type"].removesuffix("_delta")
            content[-1][member] = content[-1].get(member, "") + event["delta"][member]
    assert not is_open
    return first["message"] | change["delta"] | {"content": content, "usage": change["usage"]}


def answered(response, body):
    """The message of a whole or streamed answer."""
    if body.get("stream"):
        assert response.headers["content-type"].startswith("text/event-stream")
        return message_of(list(events_of(response.text)))
    return response.json()


def check_step(step, response, body):
    assert response.status_code == 200, (step["does"], response.text)
    assert response.headers.get("request-id") or step["path"] == "/"
    if "count_tokens" in step["path"]:
        assert response.json()["input_tokens"] > 0
    if "models" in step["path"]:
        assert [model["id"] for model in response.json()["data"]] == ["auto", "sim-small"]
    if "stops" not in step:
        return None
    message = answered(response, body)
    assert message["stop_reason"] == step["stops"], step["does"]
    assert message["model"]
    assert message["usage"]["output_tokens"] > 0
    calls = [block for block in message["content"] if block["type"] == "tool_use"]
    assert [call["name"] for call in calls] == step.get("calls", [])
    return message


def test_session_of_a_coding_agent(stack, upstream):
    seen = stack.name("")
    model = upstream + seen
    parts, last = SESSION["parts"] | {"messages": []}, {}
    turns = parts["messages"]
    counted = 0
    with httpx.Client(base_url=stack.origin, headers=SESSION["headers"], timeout=20) as http:
        for step in SESSION["steps"]:
            if "results" in step or "says" in step:
                calls = [block["id"] for block in last.get("content", []) if block["type"] == "tool_use"]
                results = [
                    {"type": "tool_result", "tool_use_id": call, **result}
                    for call, result in zip(calls, step.get("results", []), strict=True)
                ]
                turns.append({"role": "user", "content": results + step.get("says", [])})
            body = filled(step["body"], parts) | {"model": model} if "body" in step else None
            response = http.request(step.get("method", "POST"), step["path"], json=body)
            message = check_step(step, response, body or {})
            counted += message is not None
            if message and "$messages" in step["body"].values():
                turns.append({"role": "assistant", "content": message["content"]})
                last = message
    assert [turn["role"] for turn in turns] == ["user", "assistant"] * 4
    check_upstream(stack, model.partition("/")[2], upstream, counted)


def check_upstream(stack, seen, upstream, asked):
    """Claude has thought each time and read from the cache what the marks told it to keep; the others were asked as often."""
    calls = [call for call in stack.calls(seen) if call["completion_tokens"]]
    assert [call["status"] for call in calls] == [200] * asked
    if upstream.startswith("claude"):
        session = calls[2:5]
        assert all(call["reasoning_tokens"] for call in session)
        assert all(call["cache_read_tokens"] for call in session[1:])
