"""A child process that tells where it listens: its own word, on stderr, one JSON object a line."""

import json
import subprocess
import threading

PLANES = ("data", "admin", "metrics")


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

    @property
    def pid(self):
        return self._process.pid

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
