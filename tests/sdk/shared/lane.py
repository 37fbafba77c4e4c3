"""What the Python lanes share, as a plugin of pytest: the stack to run against, the choice of the feature tests that a
lane has, and the long quiet stream that runs beside all other tests of a lane."""

import itertools
import json
import subprocess
import sys
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from features import PLAN, feature_of

HERE = Path(__file__).resolve().parent
PATIENCE = 30  # seconds that an expected event may take; it is late only where something is broken
ERRORS = json.loads((HERE / "errors.json").read_text())
# Who answers: a provider of the chat API itself, or Claude, to whom the request is translated.
UPSTREAMS = {"chat": "sim/", "claude": "claude/claude-sonnet-4-5-"}
HEARTBEATS = "test_heartbeats_keep_a_quiet_stream"


class Stack:
    """The upstreams and the gateway of `stack.py`, and what they told so far."""

    def __init__(self, configuration=None):
        arguments = [sys.executable, HERE / "stack.py", *([configuration] if configuration else [])]
        self._process = subprocess.Popen(
            arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self._told = []
        self._more = threading.Condition()
        self._over = False
        self.said = []
        self._names = itertools.count(1)
        reads = (self._read_events, self._read_diagnostics)
        self._readers = [threading.Thread(target=read, daemon=True) for read in reads]
        for reader in self._readers:
            reader.start()
        try:
            ready = self.wait("ready")
        except AssertionError:
            self.stop()
            raise
        self.origin, self.admin, self.metrics = ready["origin"], ready["admin"], ready["metrics"]
        self.simulator, self.refusing = ready["simulator"], ready["refusing"]
        self.base_url = f"{self.origin}/v1"

    def _read_events(self):
        for line in self._process.stdout:
            with self._more:
                self._told.append(json.loads(line))
                self._more.notify_all()
        with self._more:
            self._over = True
            self._more.notify_all()

    def _read_diagnostics(self):
        self.said.extend(self._process.stderr)

    def all(self, event, **fields):
        """What was told of such events so far, in order."""
        return [told for told in self._told if told["event"] == event and fields.items() <= told.items()]

    def wait(self, event, **fields):
        """The first such event, told already or still to come."""
        with self._more:
            found = self._more.wait_for(lambda: self.all(event, **fields) or self._over, PATIENCE)
            if found is True or not found:
                raise AssertionError(f"no event {event} {fields}:\n{''.join(self.said)}")
            return found[0]

    def name(self, steering):
        """A model at the simulator that no other request names, so that its calls can be told from all others."""
        return f"x{next(self._names)},{steering}"

    def calls(self, model):
        """Every call of a model at the simulator. Entries are written in the order in which requests end: once that of
        a request of our own is there, so are those of all that were answered before."""
        marker = self.name("tokens=1")
        body = json.dumps({"model": marker, "messages": [{"role": "user", "content": "marker"}]}).encode()
        url, headers = f"{self.simulator}/v1/chat/completions", {"content-type": "application/json"}
        request = urllib.request.Request(url, body, headers)
        with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
            answer.read()
        self.wait("upstream", model=marker)
        return self.all("upstream", model=model)

    def gauge(self, name):
        """The value of a metric without labels."""
        with urllib.request.urlopen(f"{self.metrics}/metrics", timeout=PATIENCE) as answer:
            lines = answer.read().decode().splitlines()
        return next(float(line.split()[1]) for line in lines if line.startswith(name + " "))

    def stop(self):
        """Ends it in order; returns the exit code."""
        self._process.stdin.close()
        try:
            code = self._process.wait(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        for reader in self._readers:
            reader.join()
        self._process.stdout.close()
        self._process.stderr.close()
        return code


@pytest.fixture(scope="session")
def stack():
    running = Stack()
    yield running
    assert running.stop() == 0, "".join(running.said)


@pytest.fixture(scope="session", autouse=True)
def quiet_streams(request):
    """One quiet stream per column, begun before the first test where the session has the test that looks at them."""
    wanted = [item for item in request.session.items if item.originalname == HEARTBEATS]
    if not wanted:
        yield {}
        return
    from test_features import read_quiet_stream

    stack = request.getfixturevalue("stack")
    with ThreadPoolExecutor() as pool:
        sdks = [item.callspec.params["sdk"] for item in wanted]
        yield {sdk.COLUMN: pool.submit(read_quiet_stream, sdk, stack) for sdk in sdks}


def pytest_generate_tests(metafunc):
    if "sdk" in metafunc.fixturenames:
        from adapter import SDKS

        metafunc.parametrize("sdk", SDKS, ids=[sdk.COLUMN for sdk in SDKS], scope="session")
    if "upstream" in metafunc.fixturenames:
        metafunc.parametrize("upstream", UPSTREAMS.values(), ids=UPSTREAMS)


def pytest_collection_modifyitems(config, items):
    """Leaves out what `features.json` says an SDK does not have: such a test is not run, and counts nowhere."""
    absent = {(column, each["test"]) for each in PLAN["features"] for column in each.get("absent", {})}
    left_out = [item for item in items if feature_of(item.name) in absent]
    config.hook.pytest_deselected(items=left_out)
    # The test that waits for the quiet stream comes last.
    kept = [item for item in items if item not in left_out]
    items[:] = sorted(kept, key=lambda item: item.originalname == HEARTBEATS)
