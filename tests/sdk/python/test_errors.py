"""Each way in which a provider fails must reach the application as the SDK's own class of error, never as a short success."""

import openai
import pytest

from conftest import CLIENT
from test_chat import HELLO, text_of

# fault of the provider: what the client must see
BY_STATUS = {
    "bad_request": (openai.BadRequestError, 400),
    "rate_limit": (openai.RateLimitError, 429),
    "rate_limit_date": (openai.RateLimitError, 429),
    "rate_limit_ms": (openai.RateLimitError, 429),
    "rate_limit_plain": (openai.RateLimitError, 429),
    "quota": (openai.RateLimitError, 429),
    "error_500": (openai.InternalServerError, 500),
    "error_502": (openai.InternalServerError, 502),
    "error_503": (openai.InternalServerError, 503),
    "error_529": (openai.InternalServerError, 529),
    "unauthorized": (openai.InternalServerError, 502),  # our credential was refused, not the client's
    "reset_before_head": (openai.InternalServerError, 502),
    "garbage_head": (openai.InternalServerError, 502),
}


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
@pytest.mark.parametrize("fault", BY_STATUS)
def test_failure_before_the_answer_has_its_class(client, fault, stream):
    error, status = BY_STATUS[fault]
    with pytest.raises(error) as caught:
        client.chat.completions.create(model=f"sim/x,fault={fault}", messages=HELLO, stream=stream)
    assert caught.value.status_code == status
    assert caught.value.response.headers["x-request-id"]


def test_code_of_the_provider_is_kept(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(model="sim/x,fault=bad_request", messages=HELLO)
    assert caught.value.code == "context_length_exceeded"
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="sim/x,fault=quota", messages=HELLO)
    assert caught.value.code == "insufficient_quota"


def test_wait_that_the_provider_asks_for_is_kept(client):
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="sim/x,fault=rate_limit,retry_after=7s", messages=HELLO)
    assert caught.value.response.headers["retry-after"] == "7"


def test_error_as_first_event_is_a_status(client):
    with pytest.raises(openai.APIStatusError):
        client.chat.completions.create(model="sim/x,fault=error_first", messages=HELLO, stream=True)


@pytest.mark.parametrize(
    "fault", ["reset_mid_stream", "close_mid_stream", "short_without_done", "error_event", "malformed_event"]
)
def test_stream_that_breaks_raises(client, fault):
    received = []
    # The SDK reports an event that is no JSON with the error of its JSON parser.
    with pytest.raises((openai.APIError, ValueError)):
        for chunk in client.chat.completions.create(
            model=f"sim/x,fault={fault},tokens=40,after=10", messages=HELLO, stream=True
        ):
            received.append(chunk)
    assert received, "nothing came before the break"


@pytest.mark.parametrize("fault", ["reset_mid_stream", "close_mid_stream", "short_without_done"])
def test_break_is_told_in_a_frame_of_its_own(client, fault):
    with pytest.raises(openai.APIError) as caught:
        list(client.chat.completions.create(model=f"sim/x,fault={fault},tokens=40", messages=HELLO, stream=True))
    assert not isinstance(caught.value, openai.APIConnectionError), "the connection broke where a frame was due"
    assert caught.value.message
    assert caught.value.code


def test_body_cut_short_is_no_answer(client):
    with pytest.raises(openai.APIError):
        client.chat.completions.create(model="sim/x,fault=wrong_length", messages=HELLO)


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
def test_client_gives_up_by_its_own_timeout(stack, client, stream):
    model = f"hang-{stack.name('')}"
    with pytest.raises(openai.APITimeoutError):
        client.with_options(timeout=0.5).chat.completions.create(model=f"scripted/{model}", messages=HELLO, stream=stream)
    stack.wait("left", model=model)
    stack.wait("access", outcome="cancelled", stream=stream, model="scripted/*")


def test_client_leaves_in_mid_stream(fresh_stack):
    with openai.OpenAI(base_url=fresh_stack.base_url, **CLIENT) as client:
        stream = client.chat.completions.create(model="sim/x,tokens=100000,rate=200", messages=HELLO, stream=True)
        for _ in zip(range(5), stream):
            pass
        assert fresh_stack.gauge("tollgate_streams_active") == 1
        stream.close()
        line = fresh_stack.wait("access", request_id=stream.response.headers["x-request-id"])
    assert (line["outcome"], line["ended_by"]) == ("cancelled", "client")
    assert fresh_stack.wait("upstream")["ended"] == "client_gone"
    assert fresh_stack.gauge("tollgate_streams_active") == 0
    assert fresh_stack.gauge("tollgate_in_flight_requests") == 0


def test_missing_model_is_a_400(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.post("/chat/completions", body={"messages": HELLO}, cast_to=object)
    assert caught.value.type == "invalid_request_error"


def test_answer_that_only_lacks_the_end_marker_is_completed(client):
    chunks = list(
        client.chat.completions.create(model="sim/x,fault=end_without_done,tokens=40", messages=HELLO, stream=True)
    )
    assert len(text_of(chunks).split(" ")) == 40
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_wrong_method_is_refused_in_the_envelope(client):
    with pytest.raises(openai.APIStatusError) as caught:
        client.get("/chat/completions", cast_to=object)
    assert caught.value.status_code == 405
    assert set(caught.value.body) >= {"message", "type", "code", "param"}
