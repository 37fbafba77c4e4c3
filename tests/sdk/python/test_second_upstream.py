"""The gateway in front of a provider that we did not write: fakellm, a FastAPI application on uvicorn. Its echo holds a
digest of the request's JSON, so an answer through the gateway shows whether the question arrived as it was asked."""

import os
import re
import subprocess
import sys
import threading

import openai
import pytest

from conftest import CLIENT
from lane import Stack
from test_chat import text_of

RULES = """
version: 1
rules:
  - {name: greeting, when: {messages_contain: "hello"}, respond: {content: "Grüße aus 東京 🙂 👩‍👩‍👧‍👦 and a good day"}}
  - {name: limited, when: {messages_contain: "too often"}, respond: {status: 429, error: "Slow down (test)"}}
  - {name: broken, when: {messages_contain: "break"}, respond: {status: 500, error: "Broken (test)"}}
  - name: tool
    when: {messages_contain: "weather"}
    respond: {tool_calls: [{name: weather, arguments: {city: "Zürich", days: [1, 2]}}]}
"""

ROUTES = """
version: 1
server: {{listen: ["127.0.0.1:0"]}}
admin: {{listen: "127.0.0.1:0"}}
metrics: {{listen: "127.0.0.1:0"}}
providers:
  other: {{protocol: openai, base_url: "http://127.0.0.1:{port}/v1", stream_usage: {stream_usage}}}
models:
  echo: {{provider: other}}
routes:
  auto: {{primary: echo}}
"""


@pytest.fixture(scope="module")
def upstream_port(tmp_path_factory):
    rules = tmp_path_factory.mktemp("fakellm") / "fakellm.yaml"
    rules.write_text(RULES)
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "fakellm.server:app", "--host", "127.0.0.1", "--port", "0"],
        env={**os.environ, "FAKELLM_CONFIG": str(rules)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    port = None
    for line in server.stderr:
        if found := re.search(r"running on http://127\.0\.0\.1:(\d+)", line):
            port = int(found.group(1))
            break
    drain = threading.Thread(target=server.stderr.read, daemon=True)
    drain.start()
    assert port, "the second upstream did not start"
    yield port
    server.terminate()
    server.wait(timeout=10)
    drain.join()
    server.stderr.close()


@pytest.fixture(scope="module", params=["inject", '"off"'], ids=["usage injected", "usage left alone"])
def through(upstream_port, request, tmp_path_factory):
    routes = tmp_path_factory.mktemp("gateway") / "routes.yaml"
    routes.write_text(ROUTES.format(port=upstream_port, stream_usage=request.param))
    stack = Stack(routes)
    with openai.OpenAI(base_url=stack.base_url, **CLIENT) as client:
        yield client
    assert stack.stop() == 0


@pytest.fixture(scope="module")
def direct(upstream_port):
    with openai.OpenAI(base_url=f"http://127.0.0.1:{upstream_port}/v1", **CLIENT) as client:
        yield client


def ask(client, text, **more):
    return client.chat.completions.create(model="echo", messages=[{"role": "user", "content": text}], **more)


@pytest.mark.parametrize(
    "text", ["plain", "Grüße, Ängste", "日本語の文章", "🙂 👩‍👩‍👧‍👦", "\u2028\u0000\"\\/\t", "long " * 50_000],
    ids=["plain", "umlauts", "japanese", "emoji", "escapes", "long"],
)
def test_question_arrives_as_it_was_asked(through, direct, text):
    more = {"temperature": 0.25, "seed": 2**53 + 1, "extra_body": {"unknown_field": {"ä": [1.0, True, None]}}}
    assert ask(through, text, **more).choices[0].message.content == ask(direct, text, **more).choices[0].message.content


def test_digest_sees_a_changed_question(direct):
    assert ask(direct, "one").choices[0].message.content != ask(direct, "another").choices[0].message.content


def test_answer_arrives_as_it_was_given(through, direct):
    expected = ask(direct, "hello").choices[0].message.content
    assert "👩‍👩‍👧‍👦" in expected
    assert ask(through, "hello").choices[0].message.content == expected
    chunks = list(ask(through, "hello", stream=True))
    assert text_of(chunks) == expected
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_route_name_is_replaced_by_the_model(through, direct):
    answer = through.chat.completions.create(model="auto", messages=[{"role": "user", "content": "plain"}])
    assert answer.model == "echo"
    assert answer.choices[0].message.content == ask(direct, "plain").choices[0].message.content


def test_tool_call_passes_in_both_forms(through):
    tools = [{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]
    called = ask(through, "weather", tools=tools).choices[0].message.tool_calls[0].function
    chunks = ask(through, "weather", tools=tools, stream=True)
    deltas = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or []]
    assert called.arguments == "".join(call.function.arguments or "" for call in deltas)
    assert "Z" in called.arguments


def test_errors_keep_their_class_and_message(through):
    with pytest.raises(openai.RateLimitError, match="Slow down"):
        ask(through, "too often")
    with pytest.raises(openai.InternalServerError, match="Broken"):
        ask(through, "break")


def test_provider_that_is_gone_is_a_502(client):
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="gone/x", messages=[{"role": "user", "content": "hello"}])
    assert caught.value.status_code == 502
    assert caught.value.code == "upstream_error"
