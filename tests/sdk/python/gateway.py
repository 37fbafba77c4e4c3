"""Runs tollgate for the tests: a configuration of its own, addresses chosen by the system, and the gateway's own word on
when and where it listens."""

import json
import os
import subprocess
import threading
import urllib.request
from pathlib import Path

PLANES = ("data", "admin", "metrics")

SIMULATOR = """
version: 1
server: {listen: ["127.0.0.1:0"]}
admin: {listen: "127.0.0.1:0"}
metrics: {listen: "127.0.0.1:0"}
providers:
  sim: {protocol: openai, simulator: {first_token: 5ms, tokens_per_second: 2000}}
models:
  sim-small: {provider: sim}
  "sim/*": {provider: sim, name: "*"}
routes:
  auto: {match: ["gpt-4*"], primary: sim-small}
"""


class Process:
    """A child process that says on stderr where it listens, one JSON object a line."""

    def __init__(self, arguments, planes, stdout):
        self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, text=True)
        self.addresses = {}
        self.said = []
        self._listening = threading.Event()
        self._planes = set(planes)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        if not self._listening.wait(timeout=30) or self._planes - self.addresses.keys():
            self.stop()
            raise RuntimeError("not listening:\n" + "".join(self.said))

    def _read(self):
        for line in self._process.stderr:
            self.said.append(line)
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict) and event.get("event") == "listening":
                self.addresses[event["plane"]] = event["address"]
            if self._planes <= self.addresses.keys():
                self._listening.set()
        self._listening.set()

    def stop(self):
        """Ends it in order; returns the exit code."""
        self._process.terminate()
        try:
            code = self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        self._reader.join()
        self._process.stderr.close()
        return code


class Gateway(Process):
    def __init__(self, folder, configuration=SIMULATOR):
        file = Path(folder) / "routes.yaml"
        file.write_text(configuration)
        self.access_log = Path(folder) / "access.jsonl"
        with self.access_log.open("w") as log:
            super().__init__([os.environ["TOLLGATE_BINARY"], "serve", "--config", str(file)], PLANES, log)
        self.origin = f"http://{self.addresses['data']}"
        self.base_url = f"{self.origin}/v1"
        # A gateway that listens and does not answer would cost every test its timeout.
        try:
            urllib.request.urlopen(f"{self.origin}/health/ready", timeout=5).close()
        except OSError as fault:
            self.stop()
            raise RuntimeError(f"not ready: {fault}\n" + "".join(self.said)) from fault

    def metric(self, name):
        """The value of a metric without labels."""
        with urllib.request.urlopen(f"http://{self.addresses['metrics']}/metrics", timeout=5) as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(name + " "):
                    return float(line.split()[1])
        raise KeyError(name)
