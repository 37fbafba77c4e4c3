"""What a client of the Messages API does all day: questions, streams, tools, thinking, pictures, counting, models."""

import asyncio
import json

import anthropic
import pytest

TEXT = "Say something about tollgates."
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TEXT_INPUT = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
TOOLS = [
    {"name": "look_up", "description": "Looks a text up", "input_schema": TEXT_INPUT},
    {"name": "write_down", "description": "Writes a text down", "input_schema": TEXT_INPUT},
]
THINKING = {"type": "adaptive", "display": "summarized"}


@pytest.fixture
def asked(target):
    def body(text=TEXT, steering="", name="sim", **more):
        messages = [{"role": "user", "content": text}]
        return {"model": target.model(steering, name), "max_tokens": 2000, "messages": messages, **more}

    return body


def results_of(message):
    return [
        {"type": "tool_result", "tool_use_id": block.id, "content": f"nothing on {block.input['text']}"}
        for block in message.content
        if block.type == "tool_use"
    ]


def test_message_has_text_and_usage(client, asked):
    message = client.messages.create(**asked(steering="tokens=7"))
    assert message.type == "message" and message.role == "assistant"
    assert len(message.content[0].text.split()) == 7
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (len(TEXT.split()), 7)
    assert message._request_id


def test_stream_says_what_the_whole_answer_says(client, asked):
    whole = client.messages.create(**asked(steering="tokens=40"))
    with client.messages.stream(**asked(steering="tokens=40")) as stream:
        pieces = list(stream.text_stream)
        final = stream.get_final_message()
    assert "".join(pieces) == whole.content[0].text
    assert len(pieces) == 40, "the words did not come one by one"
    assert final.content[0].text == whole.content[0].text
    assert final.usage.output_tokens == whole.usage.output_tokens == 40


def test_events_of_a_raw_stream_come_in_order(client, asked):
    events = [event.type for event in client.messages.create(**asked(steering="tokens=2"), stream=True)]
    assert [event for event in events if event != "ping"] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


@pytest.mark.targets("simulator", "claude")
def test_stop_sequence_ends_the_answer(client, asked):
    first, second, *_ = client.messages.create(**asked()).content[0].text.split()
    message = client.messages.create(**asked(stop_sequences=[second]))
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", second)
    assert message.content[0].text.strip() == first


def test_cap_ends_the_answer(client, asked):
    assert client.messages.create(**asked(steering="tokens=30") | {"max_tokens": 3}).stop_reason == "max_tokens"


def test_refusal_is_a_message(client, asked):
    message = client.messages.create(**asked("a refusal, please"))
    assert message.stop_reason == "refusal"
    assert message.stop_details.type == "refusal"


def test_system_and_history_are_taken(client, asked):
    history = [
        {"role": "user", "content": TEXT},
        {"role": "assistant", "content": [{"type": "text", "text": "Tollgates are gates."}]},
        {"role": "user", "content": [{"type": "text", "text": "More."}]},
    ]
    system = [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]
    message = client.messages.create(**asked(system=system, messages=history))
    assert message.content[0].text


@pytest.mark.targets("simulator", "claude")
def test_cache_is_written_then_read(client, asked, target):
    system = [{"type": "text", "text": "seven words that nobody else asks for", "cache_control": {"type": "ephemeral"}}]
    first = client.messages.create(**asked(name=f"sim-cache-{target.kind}", system=system)).usage
    second = client.messages.create(**asked(name=f"sim-cache-{target.kind}", system=system)).usage
    assert (first.cache_creation_input_tokens, first.cache_read_input_tokens) == (7, 0)
    assert (second.cache_creation_input_tokens, second.cache_read_input_tokens) == (0, 7)
    assert second.input_tokens == len(TEXT.split())


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("thinks", [False, True], ids=["plain", "thinking"])
def test_tool_loop_with_parallel_calls(client, asked, target, streamed, thinks):
    more = {"tools": TOOLS} | ({"thinking": THINKING} if thinks else {})
    messages = [{"role": "user", "content": "use the tools"}]

    def ask():
        body = asked(messages=messages, **more)
        if not streamed:
            return client.messages.create(**body)
        with client.messages.stream(**body) as stream:
            return stream.get_final_message()

    answer = ask()
    assert answer.stop_reason == "tool_use"
    thought = thinks and target.kind != "chat"
    assert [block.type for block in answer.content] == ["thinking"] * thought + ["tool_use"] * 2
    assert [block.name for block in answer.content if block.type == "tool_use"] == ["look_up", "write_down"]
    messages += [{"role": "assistant", "content": answer.content}, {"role": "user", "content": results_of(answer)}]
    final = ask()
    assert final.stop_reason == "end_turn"
    assert final.content[-1].type == "text"


@pytest.mark.targets("claude", "chat")
@pytest.mark.parametrize("thinks", [None, {"type": "enabled", "budget_tokens": 1024}], ids=["plain", "thinking"])
def test_conversation_goes_on_at_the_other_api(client, asked, target, thinks):
    # As when a route falls back in the midst of a loop, and when it comes back from there.
    name, more = "claude-sonnet-4-5-moving", {"tools": TOOLS} | ({"thinking": thinks} if thinks else {})
    other = {"claude": "sim/", "chat": "claude/"}[target.kind] + name
    body = asked("use the tools", name=name, **more)
    first = client.messages.create(**body)
    turns = [{"role": "assistant", "content": first.content}, {"role": "user", "content": results_of(first)}]
    final = client.messages.create(**body | {"messages": body["messages"] + turns, "model": other})
    assert final.stop_reason == "end_turn"
    # What called without a thought is answered without one; then the user speaks, and all is as it was.
    assert [block.type for block in final.content] == ["text"]
    turns += [{"role": "assistant", "content": final.content}, {"role": "user", "content": TEXT}]
    again = client.messages.create(**body | {"messages": body["messages"] + turns, "model": other})
    assert [block.type for block in again.content] == ["thinking"] * bool(thinks and target.kind == "chat") + ["text"]


@pytest.mark.targets("simulator", "claude")
@pytest.mark.parametrize("asks", [{"thinking": THINKING}, {"thinking": {"type": "enabled", "budget_tokens": 1024}}])
def test_thinking_comes_back_unchanged(client, asked, asks):
    body = asked("use a redacted tool", tools=TOOLS, **asks)
    with client.messages.stream(**body) as stream:
        answer = stream.get_final_message()
    assert [block.type for block in answer.content] == ["thinking", "redacted_thinking", "tool_use"]
    assert answer.usage.output_tokens_details.thinking_tokens == len(answer.content[0].thinking.split())
    turns = [{"role": "assistant", "content": answer.content}, {"role": "user", "content": results_of(answer)}]
    assert client.messages.create(**body | {"messages": body["messages"] + turns}).stop_reason == "end_turn"

    turns[0]["content"] = [block.model_copy(update={"thinking": "else"}) for block in answer.content[:1]] + [
        *answer.content[1:]
    ]
    with pytest.raises(anthropic.BadRequestError, match="Invalid `signature` in `thinking` block"):
        client.messages.create(**body | {"messages": body["messages"] + turns})


def test_tool_choice_is_obeyed(client, asked):
    message = client.messages.create(**asked(tools=TOOLS, tool_choice={"type": "tool", "name": "write_down"}))
    assert [block.name for block in message.content] == ["write_down"]
    assert client.messages.create(**asked("use a tool", tools=TOOLS, tool_choice={"type": "none"})).content[0].text


def test_pictures_and_documents_are_taken(client, asked):
    parts = [
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
        {"type": "image", "source": {"type": "url", "url": "https://img.example/a.jpg"}},
        {"type": "document", "source": {"type": "text", "media_type": "text/plain", "data": "a page"}, "title": "P"},
        {"type": "text", "text": "What is this?"},
    ]
    assert client.messages.create(**asked(parts)).content[0].text


def test_answer_has_the_form_of_a_schema(client, asked):
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "gates": {"type": "integer"}},
        "required": ["name", "gates"],
        "additionalProperties": False,
    }
    message = client.messages.create(**asked(output_config={"format": {"type": "json_schema", "schema": schema}}))
    assert json.loads(message.content[0].text).keys() == {"name", "gates"}


def test_tokens_are_counted(client, target):
    turns = [{"role": "user", "content": TEXT}]
    counted = client.messages.count_tokens(model=target.model(), messages=turns, tools=TOOLS)
    assert counted.input_tokens > len(TEXT.split())


def test_models_are_listed_page_by_page(client, target):
    models = list(client.models.list(limit=1))
    assert len(models) > 1 and all(model.type == "model" for model in models)
    if target.kind != "simulator":
        assert [model.id for model in models] == ["auto", "sim-small"]
    assert client.models.retrieve(models[0].id).id == models[0].id


def test_betas_are_no_hindrance(client, asked, target):
    # What agents send with each request, by another part of the SDK: `?beta=true` and a field of the head.
    betas = ["interleaved-thinking-2025-05-14"]
    with client.beta.messages.stream(**asked(steering="tokens=5"), betas=betas) as stream:
        assert stream.get_final_message().stop_reason == "end_turn"
    turns = [{"role": "user", "content": TEXT}]
    assert client.beta.messages.count_tokens(model=target.model(), messages=turns, betas=betas).input_tokens


def test_async_client_streams_too(options, asked):
    async def run():
        async with anthropic.AsyncAnthropic(**options) as client:
            async with client.messages.stream(**asked(steering="tokens=5")) as stream:
                return [text async for text in stream.text_stream]

    assert len(asyncio.run(run())) == 5
