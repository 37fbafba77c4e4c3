"""Errors as the official SDK shows them: by class, by type, and what a stream does that breaks."""

import json
from pathlib import Path

import anthropic
import pytest

TURNS = [{"role": "user", "content": "Say something."}]
# By fault, what each target answers: [status, type]; what is not told apart stands under `all`.
FAULTS = json.loads((Path(__file__).resolve().parent.parent / "shared/messages_errors.json").read_text())
CLASSES = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    402: anthropic.PaymentRequiredError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    413: anthropic.RequestTooLargeError,
    429: anthropic.RateLimitError,
    503: anthropic.ServiceUnavailableError,
    504: anthropic.DeadlineExceededError,
    529: anthropic.OverloadedError,
}


@pytest.fixture
def ask(target):
    def body(steering="", **more):
        return {"model": target.model(steering), "max_tokens": 100, "messages": TURNS, **more}

    return body


def check_error(error, status, kind):
    assert isinstance(error, CLASSES.get(status, anthropic.InternalServerError)), repr(error)
    assert error.status_code == status
    assert error.request_id
    if kind:
        assert error.body["error"]["type"] == kind
        # An answer of Claude's comes as it is, with the id that it has there.
        theirs = error.response.headers.get("x-tollgate-upstream-request-id")
        assert error.body["request_id"] in (error.request_id, theirs)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("fault", FAULTS)
def test_error_has_its_class(client, target, ask, fault, stream):
    with pytest.raises(anthropic.APIStatusError) as raised:
        client.messages.create(**ask(f"fault={fault}"), stream=stream)
    expected = FAULTS[fault]
    check_error(raised.value, *expected.get(target.kind, expected.get("all")))


@pytest.mark.targets("claude", "chat")
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_gateway_has_errors_of_its_own(client, target, ask, stream):
    hasty = "hasty-claude" if target.kind == "claude" else "hasty"
    for model, status, kind in (
        ("nobody", 404, "not_found_error"),
        ("gone/x", 502, "api_error"),
        (f"{hasty}/x,fault=hang_before_head", 504, "timeout_error"),
    ):
        with pytest.raises(anthropic.APIStatusError) as raised:
            client.messages.create(**ask() | {"model": model}, stream=stream)
        check_error(raised.value, status, kind)
    with pytest.raises(anthropic.APIStatusError) as raised:
        client.messages.create(**ask(messages=[{"role": "user", "content": "x" * 2_200_000}]), stream=stream)
    check_error(raised.value, 413, "request_too_large")


def test_prompt_that_is_too_long_says_so(client, ask):
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long"):
        client.messages.create(**ask("fault=bad_request"))


@pytest.mark.targets("simulator", "claude")
def test_refused_requests_say_which_field(client, ask):
    empty = [{"role": "user", "content": [{"type": "text", "text": ""}]}]
    with pytest.raises(anthropic.BadRequestError, match="messages: text content blocks must be non-empty"):
        client.messages.create(**ask(messages=empty))


@pytest.mark.targets("chat")
def test_field_without_an_equal_is_refused_by_its_name(client, ask):
    with pytest.raises(anthropic.BadRequestError, match="mcp_servers"):
        client.messages.create(**ask(), extra_body={"mcp_servers": [{"type": "url", "url": "https://mcp.example", "name": "m"}]})


@pytest.mark.targets("simulator", "claude")
def test_sampling_is_refused_by_the_version_that_the_sdk_sends(client, ask):
    with pytest.raises(anthropic.BadRequestError, match="temperature: Extra inputs are not permitted"):
        client.messages.create(extra_body={"temperature": 1}, **ask())
    older = {"anthropic-version": "2023-06-01"}
    assert client.messages.create(extra_body={"temperature": 1}, extra_headers=older, **ask()).content


def test_unknown_model_is_not_found(client):
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nobody")


def test_error_event_raises_after_what_came_before(client, ask, target):
    said = []
    with pytest.raises(anthropic.APIStatusError) as raised:
        with client.messages.stream(**ask("tokens=10,after=4,fault=error_event")) as stream:
            said.extend(stream.text_stream)
    assert len(said) == 4
    assert raised.value.body["error"]["type"] == ("api_error" if target.kind == "chat" else "overloaded_error")


def read_broken_stream(client, body):
    said = []
    with pytest.raises(Exception) as raised:
        with client.messages.stream(**body) as stream:
            said.extend(stream.text_stream)
            stream.get_final_message()
    assert len(said) == 4
    return raised.value


@pytest.mark.parametrize("fault", ["close_mid_stream", "reset_mid_stream"])
def test_broken_stream_raises(client, ask, target, fault):
    error = read_broken_stream(client, ask(f"tokens=10,after=4,fault={fault}"))
    # The gateway says so in an event; the provider itself only breaks off.
    assert isinstance(error, anthropic.APIStatusError) == (target.kind != "simulator")


@pytest.mark.targets("claude", "chat")  # without a gateway the SDK takes such an end for the end
def test_broken_stream_raises_without_its_end(client, ask):
    error = read_broken_stream(client, ask("tokens=10,after=4,fault=short_without_done"))
    assert isinstance(error, anthropic.APIStatusError)


def test_timeout_has_its_class(client, ask):
    with pytest.raises(anthropic.APITimeoutError):
        client.messages.create(**ask("fault=hang_before_head"), timeout=0.3)


def test_retries_reach_the_provider_once_each(options, target, ask):
    for fault, error in (("rate_limit_ms", anthropic.RateLimitError), ("error_529", anthropic.OverloadedError)):
        model, seen = target.counted(f"fault={fault},retry_after=20ms")
        with anthropic.Anthropic(**options | {"max_retries": 2}) as client, pytest.raises(error):
            client.messages.create(**ask() | {"model": model})
        assert not target.stack or len(target.stack.calls(seen)) == 3


def test_abort_in_mid_stream_ends_the_call(client, ask, target):
    model, seen = target.counted("tokens=100000,rate=200")
    with client.messages.stream(**ask() | {"model": model, "max_tokens": 120_000}) as stream:
        for _ in zip(range(5), stream.text_stream):
            pass
    if target.stack:
        call = target.stack.wait("upstream", model=seen)
        assert call["ended"] == "client_gone"
        assert 5 <= call["completion_tokens"] < 10_000
