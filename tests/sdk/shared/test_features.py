"""The features of `features.json`, once for every Python lane. `sdk` is the lane's adapter: its exceptions in `ERRORS`,
what it shows of one in `shown`, and `client(base_url, retries, timeout, headers)`, whose calls return plain values."""

import json

import pytest

from lane import ERRORS

TEXT = "Say something about tollgates."
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
TEXT_INPUT = {
    "type": "object",
    "properties": {"text": {"type": "string"}},
    "required": ["text"],
    "additionalProperties": False,
}
TOOLS = [
    {"type": "function", "function": {"name": name, "description": "Does it", "parameters": TEXT_INPUT}}
    for name in ("look_up", "write_down")
]
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "gates": {"type": "integer"}},
    "required": ["name", "gates"],
    "additionalProperties": False,
}
QUIET = "tokens=2,first_token=20s,rate=0.05"
SHORTER_THAN_THE_SILENCE = 10


@pytest.fixture
def client(sdk, stack):
    with sdk.client(stack.base_url) as made:
        yield made


def text_of(deltas):
    return "".join(delta.text for delta in deltas)


def test_route_is_answered_by_its_model(client):
    assert client.chat("auto", TEXT).text == client.chat("sim-small", TEXT).text


def test_chat_answer_is_whole(client, upstream):
    answer = client.chat(f"{upstream}x", TEXT)
    assert answer.text
    assert answer.finish == "stop"
    assert answer.tokens == len(answer.text.split()) + len(TEXT.split())


def test_stream_says_what_the_whole_answer_says(client, upstream):
    model = f"{upstream}x,tokens=40"
    deltas = list(client.stream(model, TEXT))
    assert text_of(deltas) == client.chat(model, TEXT).text
    assert sum(bool(delta.text) for delta in deltas) == 40, "the words did not come one by one"


def test_stream_tells_usage_when_asked(client, upstream):
    deltas = list(client.stream(f"{upstream}x", TEXT, usage=True))
    assert [delta.tokens for delta in deltas if delta.tokens] == [len(text_of(deltas).split()) + len(TEXT.split())]


def test_tools_arrive_at_the_provider(client, stack):
    model = stack.name("record")
    client.chat(f"scripted/{model}", TEXT, tools=[WEATHER])
    body = stack.wait("asked", model=model)["body"]
    assert body["tools"] == [WEATHER]
    assert body["tool_choice"] == "required"


def test_tool_call_is_returned(client, upstream):
    (name, arguments), = client.chat(f"{upstream}x", TEXT, tools=[WEATHER]).calls
    assert name == "weather"
    assert json.loads(arguments)


def test_tool_call_comes_in_deltas(client, upstream):
    (_, whole), = client.chat(f"{upstream}x", TEXT, tools=[WEATHER]).calls
    deltas = list(client.stream(f"{upstream}x", TEXT, tools=[WEATHER]))
    deltas = [delta for delta in deltas if delta.call_name or delta.call_arguments]
    assert [delta.call_name for delta in deltas if delta.call_name] == ["weather"]
    assert json.loads("".join(delta.call_arguments for delta in deltas)) == json.loads(whole)
    assert len(deltas) > 2, "the arguments came in one piece"


def check_tool_loop(client, stack, model, seen, **more):
    """An agent that calls two tools at once and says something when it has their results: two calls each way."""
    used = []

    def use(name, arguments):
        used.append(name)
        return f"nothing on {arguments['text']}"

    for stream in (False, True):
        said = client.agent(model, "use the tools", TOOLS, use, stream=stream, **more)
        assert said.turns == [["look_up", "write_down"], []]
        assert said.text
    assert sorted(used) == ["look_up", "look_up", "write_down", "write_down"]
    calls = stack.calls(seen)
    assert [call["status"] for call in calls] == [200] * 4
    return calls


def named(upstream, stack, steering=""):
    """A model of its own, as the client asks for it and as the provider sees it."""
    model = upstream + stack.name(steering)
    return model, model.partition("/")[2]


def test_tool_loop_with_parallel_calls(client, stack, upstream):
    check_tool_loop(client, stack, *named(upstream, stack))


@pytest.mark.parametrize("model", ["claude-sonnet-4-5", "claude-opus-4-6", "claude-opus-5-5"])
def test_tool_loop_with_thinking(client, stack, model):
    # Clients of the chat API do not bring thoughts back. Claude insists on them, so the gateway has to.
    calls = check_tool_loop(client, stack, *named(f"claude/{model}-", stack), effort="high")
    assert all(call["reasoning_tokens"] for call in calls)


def test_picture_is_seen(client, upstream):
    assert client.chat(f"{upstream}x", TEXT, picture=f"data:image/png;base64,{PNG}").text


def test_picture_at_an_address_is_seen(client, upstream):
    assert client.chat(f"{upstream}x", TEXT, picture="https://img.example/a.jpg").text


def test_answer_has_the_form_of_a_schema(client, upstream):
    answer = client.json(f"{upstream}x", TEXT, SCHEMA)
    assert answer.keys() == {"name", "gates"} and isinstance(answer["gates"], int)


def test_embeddings_as_floats(client):
    one, other = client.embed("auto", ["a", "b"], "float")
    assert len(one) == len(other) == 1536
    assert sum(number * number for number in one) == pytest.approx(1, abs=1e-3)


def test_embeddings_as_base64(client):
    packed, plain = (client.embed("auto", ["a", "b"], encoding) for encoding in ("base64", "float"))
    for one, other in zip(packed, plain, strict=True):
        assert one == pytest.approx(other, abs=1e-6)


def test_models_are_those_of_the_configuration(client):
    assert client.models() == ["auto", "sim-small"]


def provoke(sdk, stack, case, use):
    """What the call raises that is to fail as `case` says."""
    at = stack.admin if case.get("at") == "admin" else stack.origin
    with sdk.client(f"{at}/v1", headers=case.get("headers", {})) as client:
        with pytest.raises(sdk.ERRORS[case["status"]]) as caught:
            use(client, case["model"], "x" * case.get("prompt_bytes", 1))
    return sdk.shown(caught.value)


@pytest.mark.parametrize("case", ERRORS)
def test_error_has_its_class(sdk, stack, case):
    shown = provoke(sdk, stack, ERRORS[case], lambda client, *asked: client.chat(*asked))
    assert shown["status"] == ERRORS[case]["status"]
    if "code" in shown:
        assert shown["code"] == ERRORS[case]["code"]


def test_error_before_a_stream_has_the_same_class(sdk, stack):
    for case in ("error_400", "error_404", "error_429", "error_500", "error_503", "error_504", "claude_429"):
        shown = provoke(sdk, stack, ERRORS[case], lambda client, *asked: list(client.stream(*asked)))
        assert shown["status"] == ERRORS[case]["status"]


def test_error_tells_code_message_and_request_id(sdk, stack):
    shown = provoke(sdk, stack, ERRORS["error_404"], lambda client, *asked: client.chat(*asked))
    assert shown["code"] == "model_not_found"
    assert "the model 'autp' does not exist here" in shown["message"]
    assert stack.wait("access", request_id=shown["request_id"])["status"] == 404


def test_refused_connection_has_its_class(sdk, stack):
    with sdk.client(f"{stack.refusing}/v1") as client, pytest.raises(sdk.ERRORS["connection"]):
        client.chat("auto", TEXT)


def test_timeout_of_the_client_has_its_class_and_ends_the_call(sdk, stack):
    model = f"hang-{stack.name('')}"
    with sdk.client(stack.base_url, timeout=1) as client, pytest.raises(sdk.ERRORS["timeout"]):
        client.chat(f"scripted/{model}", TEXT)
    stack.wait("asked", model=model)
    stack.wait("left", model=model)


def test_retries_reach_the_provider_once_each(sdk, stack, upstream):
    for fault, status in (("rate_limit", 429), ("error_503", 503)):
        model, seen = named(upstream, stack, f"fault={fault},retry_after=50ms")
        with sdk.client(stack.base_url, retries=2) as client, pytest.raises(sdk.ERRORS["retried"][status]):
            client.chat(model, TEXT)
        assert len(stack.calls(seen)) == 3, "the SDK asks three times, and the gateway once for each"


def test_abort_in_mid_stream_ends_the_call(client, stack, upstream):
    model, seen = named(upstream, stack, "tokens=100000,rate=200")
    stream = client.stream(model, TEXT)
    for _ in zip(range(5), (delta for delta in stream if delta.text)):
        pass
    stream.close()
    call = stack.wait("upstream", model=seen)
    assert call["ended"] == "client_gone"
    assert 5 <= call["completion_tokens"] < 10_000


@pytest.mark.parametrize("fault", ["reset_mid_stream", "close_mid_stream", "short_without_done", "error_event"])
def test_broken_stream_raises(sdk, client, upstream, fault):
    received = []
    with pytest.raises(sdk.ERRORS["stream"]) as caught:
        for delta in client.stream(f"{upstream}x,fault={fault},tokens=40,after=10", TEXT):
            received.append(delta)
    assert len(text_of(received).split()) == 10
    assert not isinstance(caught.value, sdk.ERRORS["connection"]), "the connection broke where an error event was due"
    assert sdk.shown(caught.value)["message"]


def read_quiet_stream(sdk, stack):
    """Two words and the end, each after 20 s of silence at the provider; the client never waits so long for a byte."""
    model = stack.name(QUIET)
    with sdk.client(stack.base_url, timeout=SHORTER_THAN_THE_SILENCE) as client:
        return model, text_of(client.stream(f"sim/{model}", TEXT))


def test_heartbeats_keep_a_quiet_stream(sdk, quiet_streams, stack):
    model, text = quiet_streams[sdk.COLUMN].result(timeout=90)
    assert len(text.split()) == 2
    call = stack.wait("upstream", model=model)
    assert call["ended"] == "complete"
    assert call["finished_us"] > 55_000_000, "the stream was not quiet for so long"
