"""What Prometheus watches: a gateway with tenants, limits, prices, budgets, faults and a bad provider, and clients that call
it."""

import http.client
import json
import re
import socket
import subprocess
import threading
import time
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from process import PLANES, Process

KEY = "key-of-the-large-tenant-in-this-test"
SMALL_KEY = "key-of-the-small-tenant-in-this-test"
CHAT = "/v1/chat/completions"
STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")

CONFIGURATION = """
version: 1
server:
  listen: ["127.0.0.1:0", "unix:{folder}/data.sock"]
  threads: 2
  tls: {{certificate: {folder}/cert.pem, private_key: {folder}/key.pem}}
admin: {{listen: "127.0.0.1:0"}}
metrics: {{listen: "127.0.0.1:0"}}
storage: {{path: {folder}/tollgate.db}}
log: {{access: {folder}/access.log}}
providers:
  flaky:
    simulator: {{first_token: 1ms, tokens_per_second: 1000000, answer_tokens: 8, failure_rate: 25%, faults: {{rate_limit: 1, error_500: 1, close_before_content: 1, close_mid_stream: 3}}}}
    circuit: {{failures: 50, failure_rate: 90%}}
  down:
    simulator: {{first_token: 1ms, failure_rate: 100%, faults: {{error_503: 1}}}}
    circuit: {{open_for: 5m}}
  picky:
    credentials: [{{name: main, key: wrong-key}}]
    simulator: {{accepts: [right-key]}}
  sim: {{simulator: {{first_token: 1ms, tokens_per_second: 1000000, answer_tokens: 8}}}}
models:
  first: {{provider: flaky}}
  second: {{provider: sim}}
  broken: {{provider: down}}
  refused: {{provider: picky}}
  "sim/*": {{provider: sim, name: "*"}}
routes:
  auto:
    primary: first
    fallbacks: [second]
    retry: {{attempts: 4, backoff: {{base: 1ms, max: 2ms}}}}
    tasks: {{coding: {{primary: second, fallbacks: [first]}}}}
  hopeless: {{primary: broken, retry: {{attempts: 2, backoff: {{base: 1ms, max: 2ms}}}}}}
  unpaid: {{primary: refused}}
tenants:
  large:
    keys: [{{name: test, secret: {key}, may_delegate: true}}]
  small:
    keys: [{{name: test, secret: {small_key}}}]
    limits: {{requests_per_minute: 3}}
"""

# What is added where this build of the gateway knows it: texts of the configuration and what takes their place.
ADDITIONS = {
    "prices": {
        "\nserver:\n": "\non_unpriced: flag\nserver:\n",
        "first: {provider: flaky}": "first: {provider: flaky, price: {input: 5, output: 30, source: this test}}",
    },
    "budgets": {"  large:\n": "  large:\n    budgets: [{name: monthly, amount: 500 USD, window: month}]\n"},
}

def families_with_samples(page):
    """Names, without what a histogram appends."""
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", page, re.M))
    names = set(re.findall(r"^([a-zA-Z_:][\w:]*)[{ ]", page, re.M))
    return {
        name
        for name in types
        if name in names or (types[name] == "histogram" and f"{name}_bucket" in names)
    }, types


def series_of(page):
    return {line.rsplit(" ", 1)[0] for line in page.splitlines() if line and not line.startswith("#")}


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=20)
        self._path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class World:
    def __init__(self, folder, binary):
        folder.mkdir()
        self.folder = folder
        self.socket_path = folder / "data.sock"
        subprocess.run(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=localhost".split()
            + ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")],
            check=True,
            capture_output=True,
        )
        self.file = folder / "routes.yaml"
        self.good = CONFIGURATION.format(folder=folder, key=KEY, small_key=SMALL_KEY)
        self.file.write_text(self.good)
        self.without = [name for name in ADDITIONS if not self._add(binary, ADDITIONS[name])]
        self._process = Process([binary, "serve", "--config", str(self.file)], PLANES, subprocess.DEVNULL)
        self.metrics_address = self._process.addresses["metrics"]
        self.admin_address = self._process.addresses["admin"]
        self._calling = None

    def _add(self, binary, replacements):
        """Whether this build knows what is added. Anything else that it has to say against it is this test's fault."""
        text = self.good
        for old, new in replacements.items():
            text = text.replace(old, new, 1)
        self.file.write_text(text)
        done = subprocess.run([binary, "check", self.file], capture_output=True, text=True)
        if done.returncode == 0:
            self.good = text
            return True
        self.file.write_text(self.good)
        if not re.search("not supported yet|unknown key", done.stderr):
            raise RuntimeError(done.stderr)
        return False

    def page(self):
        """A scrape, and how many seconds it took."""
        host, port = self.metrics_address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        began = time.monotonic()
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        took = time.monotonic() - began
        connection.close()
        return text, took

    def call(self, model, key=KEY, path=CHAT, connection=None, **more):
        """The status of one call."""
        own = connection or UnixConnection(self.socket_path)
        body = {"model": model, "messages": [{"role": "user", "content": "Hello there"}], **more}
        if path == "/v1/embeddings":
            body = {"model": model, "input": "Hello there"}
        own.request("POST", path, json.dumps(body), {"Authorization": f"Bearer {key}", "Content-Type": "application/json"})
        answer = own.getresponse()
        try:
            answer.read()
        except http.client.HTTPException:
            pass  # a stream that broke off
        if connection is None:
            own.close()
        return answer.status

    def canned_load(self):
        """A little of everything; statuses by what was called."""
        told = {}
        for model, count, more in (
            ("auto", 20, {}),
            ("auto", 20, {"stream": True}),
            ("auto:coding", 5, {"stream": True}),
            ("hopeless", 12, {}),
            ("unpaid", 2, {}),
            ("sim/any", 3, {}),
            ("nobody-has-this", 2, {}),
        ):
            told.setdefault(model, []).extend(self.call(model, **more) for _ in range(count))
        told["embeddings"] = [self.call("second", path="/v1/embeddings")]
        told["small"] = [self.call("auto", key=SMALL_KEY) for _ in range(6)]
        return told

    def reload(self, text):
        self.file.write_text(text)
        host, port = self.admin_address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=20)
        connection.request("POST", "/admin/v1/reload", "{}", {"Content-Type": "application/json"})
        status = connection.getresponse().status
        connection.close()
        return status

    def keep_calling(self):
        """A call every 50 ms from now on, so that rates are not 0."""
        done = threading.Event()

        def calls():
            turn = 0
            while not done.wait(0.05):
                turn += 1
                try:
                    self.call(("auto", "hopeless", "auto:coding")[turn % 3], stream=turn % 2 == 0)
                    if turn % 20 == 0:
                        self.call("auto", key=SMALL_KEY)
                except (OSError, http.client.HTTPException):
                    pass

        self._calling = (done, threading.Thread(target=calls, daemon=True))
        self._calling[1].start()

    def pause_calling(self):
        if self._calling:
            self._calling[0].set()
            self._calling[1].join()
        self._calling = None

    def call_with_names(self, names):
        """One request for each name, which is its model, task, user and id; every tenth reaches a provider. Those of a
        connection go out together. Returns how many answers came back, by status."""
        answers, text = Counter(), b""
        channel = socket.socket(socket.AF_UNIX)
        channel.settimeout(60)
        channel.connect(str(self.socket_path))
        for begin in range(0, len(names), 50):
            batch = names[begin : begin + 50]
            channel.sendall(b"".join(self._named_request(begin + i, name) for i, name in enumerate(batch)))
            left = len(batch)
            while left > 0:
                more = channel.recv(1 << 16)
                if not more:
                    return answers
                text += more
                found = STATUS.findall(text)
                if not found:
                    continue
                answers.update(map(int, found))
                left -= len(found)
                text = text[text.rindex(b"HTTP/1.1 ") + 12 :]
            self._drain(channel, text)
            text = b""
        channel.close()
        return answers

    @staticmethod
    def _drain(channel, text):
        """Reads the last answer of a batch to its end."""
        while b"\r\n\r\n" not in text:
            text += channel.recv(1 << 16)
        head, _, body = text.partition(b"\r\n\r\n")
        size = re.search(rb"\r\ncontent-length: (\d+)", head, re.I)
        while size and len(body) < int(size.group(1)):
            body += channel.recv(1 << 16)

    @staticmethod
    def _named_request(number, name):
        model = f"sim/{name}" if number % 10 == 0 else name
        body = json.dumps({"model": model, "user": name, "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]})
        return (
            f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {KEY}\r\nX-Tollgate-User: {name}\r\n"
            f"X-Tollgate-Task: {name}\r\nX-Request-Id: {name}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()

    def stop(self):
        self.pause_calling()
        code = self._process.stop()
        return [] if code == 0 else [f"the gateway ended with {code}"]


def documented(root):
    """Metric to type, from docs/metrics.md."""
    text = (Path(root) / "docs" / "metrics.md").read_text()
    return dict(re.findall(r"^\| `(\w+)` \| (counter|gauge|histogram) \|", text, re.M))
