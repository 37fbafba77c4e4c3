"""One gateway on the simulator for the whole lane, and the clients of the official SDK in front of it."""

import time

import httpx2
import openai
import pytest

from gateway import Gateway

# Retrying is the SDK's own business here and would only hide what the gateway answers.
CLIENT = {"api_key": "test-key-1", "max_retries": 0, "timeout": 20}


@pytest.fixture(scope="session")
def gateway(tmp_path_factory):
    running = Gateway(tmp_path_factory.mktemp("gateway"))
    yield running
    assert running.stop() == 0, "".join(running.said)


@pytest.fixture
def client(gateway):
    with openai.OpenAI(base_url=gateway.base_url, **CLIENT) as made:
        yield made


@pytest.fixture
def raw(gateway):
    """Plain HTTP, for what no SDK would send."""
    with httpx2.Client(base_url=gateway.origin, timeout=20) as made:
        yield made


@pytest.fixture
def eventually():
    """Waits until a condition holds, looking often; fails after ten seconds."""

    def wait(condition, what):
        deadline = time.monotonic() + 10
        while not condition():
            assert time.monotonic() < deadline, what
            time.sleep(0.005)

    return wait
