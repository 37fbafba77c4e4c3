"""A real Prometheus, on loopback and in a folder of its own, that watches whom it is told to with the shipped rules."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

PATIENCE = 30


def free_port():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Watcher:
    def __init__(self, folder, shipped, targets):
        self._folder = folder
        shutil.copytree(shipped, folder)
        self._log = open(folder / "log", "w+")
        for _ in range(5):  # somebody else may take the port first
            self.port = free_port()
            self._write(targets)
            self._process = subprocess.Popen(
                [
                    "prometheus",
                    f"--config.file={folder / 'prometheus.yml'}",
                    f"--storage.tsdb.path={folder / 'data'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--log.level=warn",
                ],
                stdin=subprocess.DEVNULL,
                stdout=self._log,
                stderr=self._log,
            )
            if self._ready():
                return
            self.stop()
        raise RuntimeError(f"Prometheus does not start: {(folder / 'log').read_text()[-2000:]}")

    def _write(self, targets):
        """The shipped configuration with other addresses and a faster clock."""
        file = self._folder / "prometheus.yml"
        shipped = getattr(self, "_shipped", None) or file.read_text()
        self._shipped = text = shipped
        addresses = ", ".join(f'"{each}"' for each in targets)
        for was, now in (('"tollgate:9464"', addresses), ("localhost:9090", f"127.0.0.1:{self.port}"), (": 15s", ": 1s")):
            if was not in text:
                raise RuntimeError(f"prometheus.yml: no {was}")
            text = text.replace(was, now)
        file.write_text(text)

    def _ready(self):
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=2) as answer:
                    if answer.status == 200:
                        return True
            except OSError:
                pass
            time.sleep(0.1)
        return False

    def ask(self, path, **parameters):
        """`data` of an answer; a refusal is a ValueError with Prometheus' words."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters, doseq=True)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as refusal:
            raise ValueError(json.load(refusal).get("error", refusal.reason)) from None

    def query(self, text):
        """[(labels, value as text)]"""
        data = self.ask("query", query=text)
        if data["resultType"] == "scalar":
            return [({}, data["result"][1])]
        return [(each["metric"], each["value"][1]) for each in data["result"]]

    def stop(self):
        self._process.terminate()
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def promtool(*arguments, text=None):
    """What it has to say, or nothing where it is content."""
    # It keeps the samples of each test in files and waits for the disk, which nothing here is about.
    memory = {"TMPDIR": "/dev/shm"} if os.access("/dev/shm", os.W_OK) else {}
    done = subprocess.run(
        ["promtool", *arguments], input=text, capture_output=True, text=True, env={**os.environ, **memory}
    )
    said = (done.stdout + done.stderr).strip()
    return [] if done.returncode == 0 else [f"promtool {' '.join(map(str, arguments[:2]))}: {said[:2000]}"]


def shipped_folder(root):
    return Path(root) / "docker" / "prometheus"
