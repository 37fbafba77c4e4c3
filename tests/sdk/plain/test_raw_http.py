"""What the SDKs never send but browsers, load balancers and hand-written clients do."""

import json

import httpx
import pytest

HELLO = [{"role": "user", "content": "Say something about tollgates."}]
CHAT = "/v1/chat/completions"


@pytest.fixture
def raw(stack):
    with httpx.Client(base_url=stack.origin, timeout=20) as made:
        yield made


def envelope(response):
    error = response.json()["error"]
    assert set(error) >= {"message", "type", "code", "param"}
    return error


def test_health_answers_without_a_key(raw):
    assert raw.get("/health/live").status_code == 200
    assert raw.get("/health/ready").status_code == 200


def test_head_is_get_without_a_body(raw):
    whole = raw.get("/v1/models")
    head = raw.head("/v1/models")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.content))


def test_options_says_what_is_allowed(raw):
    response = raw.options(CHAT)
    assert response.status_code in (200, 204)
    assert "POST" in response.headers["allow"]


def test_wrong_method_is_a_405(raw):
    response = raw.get(CHAT)
    assert response.status_code == 405
    assert "POST" in response.headers["allow"]
    envelope(response)


def test_unknown_path_is_a_404(raw):
    assert envelope(raw.get("/v2/anything"))["type"] == "invalid_request_error"


def test_broken_json_is_a_400(raw):
    response = raw.post(CHAT, content=b'{"model": "auto"', headers={"content-type": "application/json"})
    assert response.status_code == 400
    envelope(response)


def test_compressed_body_is_a_415(raw):
    response = raw.post(CHAT, content=b"x", headers={"content-encoding": "gzip"})
    assert response.status_code == 415
    envelope(response)


def test_page_of_another_site_is_refused(raw):
    response = raw.post(CHAT, json={"model": "auto", "messages": HELLO}, headers={"origin": "https://elsewhere.example"})
    assert response.status_code == 403
    envelope(response)


def test_foreign_host_is_refused(raw):
    response = raw.post(CHAT, json={"model": "auto", "messages": HELLO}, headers={"host": "elsewhere.example"})
    assert 400 <= response.status_code < 500
    envelope(response)


def test_chunked_body_is_read(raw):
    body = json.dumps({"model": "auto", "messages": HELLO}).encode()
    pieces = (body[i:i + 7] for i in range(0, len(body), 7))
    response = raw.post(CHAT, content=pieces, headers={"content-type": "application/json"})
    assert response.status_code == 200
    assert response.json()["choices"][0]["message"]["content"]


def test_stream_has_the_headers_that_proxies_need(raw):
    with raw.stream("POST", CHAT, json={"model": "auto", "messages": HELLO, "stream": True}) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers["cache-control"] == "no-cache"
        assert response.headers["x-accel-buffering"] == "no"
        assert "content-length" not in response.headers
        events = response.read().decode()
    assert events.endswith("data: [DONE]\n\n")
    assert all(line.startswith("data: ") for line in events.split("\n") if line)


def test_twenty_calls_go_over_one_connection(raw):
    ids = set()
    for _ in range(20):
        response = raw.post(CHAT, json={"model": "auto", "messages": HELLO})
        assert response.headers.get("connection", "keep-alive") != "close"
        ids.add(response.headers["x-request-id"])
    assert len(ids) == 20


def test_every_answer_has_a_request_id(raw):
    assert raw.get("/v1/models").headers["x-request-id"]
    assert raw.get("/nowhere").headers["x-request-id"]


def test_access_log_tells_no_text(stack, raw):
    secret = "unmistakable-words"
    response = raw.post(
        CHAT,
        json={"model": "auto", "messages": [{"role": "user", "content": secret}]},
        headers={"authorization": "Bearer test-key-secret"},
    )
    line = stack.wait("access", request_id=response.headers["x-request-id"])
    assert line["status"] == 200
    log = json.dumps(stack.all("access"))
    assert secret not in log
    assert "test-key-secret" not in log
    assert response.json()["choices"][0]["message"]["content"] not in log
