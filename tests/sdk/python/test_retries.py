"""The SDK with its own two retries in front of a gateway that retries as well: they must not multiply."""

import openai
import pytest

from lane import Stack
from test_chat import HELLO

ROUTES = """
version: 1
server: {listen: ["127.0.0.1:0"]}
admin: {listen: "127.0.0.1:0"}
metrics: {listen: "127.0.0.1:0"}
providers:
  sim: {base_url: "http://${LANE_SIMULATOR}/v1", circuit: {failures: 1000, min_requests: 1000000}}
models:
  "sim/*": {provider: sim, name: "*"}
"""


@pytest.fixture(scope="module")
def retrying(tmp_path_factory):
    """A gateway with the retries of a file that says nothing of them."""
    routes = tmp_path_factory.mktemp("gateway") / "routes.yaml"
    routes.write_text(ROUTES)
    running = Stack(routes)
    yield running
    assert running.stop() == 0, "".join(running.said)


@pytest.mark.parametrize("stream", [False, True], ids=["json", "stream"])
@pytest.mark.parametrize("fault", ["error_500", "error_503", "rate_limit_ms"])
def test_one_call_makes_three_attempts(retrying, fault, stream):
    model = retrying.name(f"fault={fault},retry_after=50ms,first_token=0")
    with openai.OpenAI(base_url=retrying.base_url, api_key="test-key-1", max_retries=2, timeout=30) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            client.chat.completions.create(model=f"sim/{model}", messages=HELLO, stream=stream)
    assert len(retrying.calls(model)) == 3, "the gateway asks three times, and the SDK does not ask again"
    assert caught.value.response.headers["x-should-retry"] == "false"
