"""The clients of the official SDK in front of each API that is to be taken for Anthropic's: the simulator itself, and the
gateway with Claude behind it or with a provider of the chat API; or the one API that the environment names."""

import os
from dataclasses import dataclass

import anthropic
import pytest

GIVEN = os.environ.get("ANTHROPIC_BASE_URL")
TARGETS = ["simulator"] if GIVEN else ["simulator", "claude", "chat"]
PREFIXES = {"simulator": "", "claude": "claude/", "chat": "sim/"}


@dataclass
class Target:
    """One of them. `origin` is without the /v1 that this SDK adds itself; `stack` is None where the environment's is meant."""

    kind: str
    origin: str
    stack: object

    def model(self, steering="", name="sim"):
        return PREFIXES[self.kind] + ",".join(filter(None, (name, steering)))

    def counted(self, steering):
        """A model that no other test names, as the SDK asks for it and as the upstream sees it."""
        seen = self.stack.name(steering)
        return PREFIXES[self.kind] + seen, seen


def pytest_configure(config):
    config.addinivalue_line("markers", "targets(kinds): the only targets that a test is for")


def pytest_generate_tests(metafunc):
    if "target" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("targets")
        kinds = [kind for kind in TARGETS if not marker or kind in marker.args]
        metafunc.parametrize("target", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def target(request):
    if GIVEN:
        return Target(request.param, GIVEN, None)
    stack = request.getfixturevalue("stack")
    return Target(request.param, stack.simulator if request.param == "simulator" else stack.origin, stack)


@pytest.fixture(scope="session")
def options(target):
    # Retrying is the SDK's own business here and would only hide what is answered.
    key = os.environ.get("ANTHROPIC_API_KEY", "test-key-1")
    return {"base_url": target.origin, "api_key": key, "max_retries": 0, "timeout": 20}


@pytest.fixture
def client(options):
    with anthropic.Anthropic(**options) as made:
        yield made
