"""Chat completions by the synchronous client, as one JSON answer and as a stream: the calls nearly every application makes."""

import json

import openai
import pytest

HELLO = [{"role": "user", "content": "Say something about tollgates."}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
ASK_FOR_TOOL = {"messages": HELLO, "tools": [WEATHER], "tool_choice": "required"}


def text_of(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def test_json_answer_is_whole(client):
    answer = client.chat.completions.create(model="auto", messages=HELLO)
    assert answer.object == "chat.completion"
    assert answer.choices[0].message.role == "assistant"
    assert answer.choices[0].message.content
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 0


def test_stream_says_what_the_json_answer_says(client):
    whole = client.chat.completions.create(model="sim/a", messages=HELLO).choices[0].message.content
    chunks = list(client.chat.completions.create(model="sim/a", messages=HELLO, stream=True))
    assert text_of(chunks) == whole
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert len({chunk.id for chunk in chunks}) == 1


def test_stream_without_usage_asked_for_carries_none(client):
    chunks = list(client.chat.completions.create(model="auto", messages=HELLO, stream=True))
    assert all(chunk.choices for chunk in chunks)
    assert all(chunk.usage is None for chunk in chunks)


def test_stream_with_usage_asked_for_ends_with_it(client):
    chunks = list(
        client.chat.completions.create(model="auto", messages=HELLO, stream=True, stream_options={"include_usage": True})
    )
    with_usage = [chunk for chunk in chunks if chunk.usage]
    assert with_usage == [chunks[-1]]
    assert with_usage[0].choices == []
    assert with_usage[0].usage.completion_tokens == len(text_of(chunks).split())


def test_stream_helper_collects_the_answer(client):
    with client.chat.completions.stream(model="auto", messages=HELLO) as stream:
        final = stream.get_final_completion()
    assert final.choices[0].message.content


def test_tool_call_in_json(client):
    choice = client.chat.completions.create(model="auto", **ASK_FOR_TOOL).choices[0]
    assert choice.finish_reason == "tool_calls"
    assert choice.message.tool_calls[0].function.name == "weather"
    json.loads(choice.message.tool_calls[0].function.arguments)


def test_tool_call_in_stream(client):
    chunks = list(client.chat.completions.create(model="auto", stream=True, **ASK_FOR_TOOL))
    deltas = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert [call.function.name for call in deltas if call.function.name] == ["weather"]
    json.loads("".join(call.function.arguments or "" for call in deltas))
    assert chunks[-1].choices[0].finish_reason == "tool_calls"


def test_tool_result_is_accepted(client):
    call = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Ulm"}'}}
    messages = [
        *HELLO,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "rain"},
    ]
    assert client.chat.completions.create(model="auto", messages=messages, tools=[WEATHER]).choices[0].message.content


def test_several_choices(client):
    answer = client.chat.completions.create(model="auto", messages=HELLO, n=3)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]


def test_stream_of_many_scripts_loses_nothing(client):
    model = "sim/x,tokens=3000,rate=0"
    whole = client.chat.completions.create(model=model, messages=HELLO).choices[0].message.content
    assert len(whole.split(" ")) == 3000
    assert len(whole.encode()) > len(whole), "the text is all ASCII and shows nothing"
    assert text_of(client.chat.completions.create(model=model, messages=HELLO, stream=True)) == whole


def test_max_tokens_reaches_the_provider(client):
    answer = client.chat.completions.create(model="sim/x,tokens=50", messages=HELLO, max_tokens=3)
    assert answer.usage.completion_tokens == 3
    assert answer.choices[0].finish_reason == "length"


def test_one_connection_serves_many_calls(client):
    answers = [client.chat.completions.create(model="sim/a", messages=HELLO) for _ in range(20)]
    assert len({answer.choices[0].message.content for answer in answers}) == 1
    assert len({answer._request_id for answer in answers}) == 20


def test_raw_response_shows_our_request_id(client):
    response = client.chat.completions.with_raw_response.create(
        model="auto", messages=HELLO, extra_headers={"x-request-id": "client-1"}
    )
    assert response.headers["x-request-id"] not in ("", "client-1")
    assert response.headers["x-client-request-id"] == "client-1"
    assert response.headers["x-tollgate-provider"] == "sim"


def test_legacy_completion(client):
    answer = client.completions.create(model="auto", prompt="Once upon a time")
    assert answer.object == "text_completion"
    assert answer.choices[0].text
    streamed = client.completions.create(model="auto", prompt="Once upon a time", stream=True)
    assert "".join(chunk.choices[0].text for chunk in streamed) == answer.choices[0].text


def test_unknown_model_is_named_in_a_404(client):
    with pytest.raises(openai.NotFoundError) as caught:
        client.chat.completions.create(model="autp", messages=HELLO)
    assert caught.value.code == "model_not_found"
    assert "autp" in caught.value.message
    assert "auto" in caught.value.message, "the near name is not offered"
