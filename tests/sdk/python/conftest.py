"""The clients of the official SDK in front of the lane's gateway."""

import openai
import pytest

from lane import Stack

# Retrying is the SDK's own business here and would only hide what the gateway answers.
CLIENT = {"api_key": "test-key-1", "max_retries": 0, "timeout": 20}


@pytest.fixture
def client(stack):
    with openai.OpenAI(base_url=stack.base_url, **CLIENT) as made:
        yield made


@pytest.fixture
def fresh_stack():
    """A stack of its own, for a test that looks at gauges."""
    running = Stack()
    yield running
    assert running.stop() == 0, "".join(running.said)
