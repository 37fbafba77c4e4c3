"""A gateway as a process of its own, for the benchmarks: configured, started, asked for its ports, stopped."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

BENCH = Path(__file__).resolve().parent
ROOT = BENCH.parent
TOOLS = ROOT / "build" / "bench"
DEFAULT_BINARY = ROOT / "build" / "release" / "src" / "app" / "tollgate"


def binary():
    path = Path(os.environ.get("TOLLGATE", DEFAULT_BINARY))
    if not path.is_file():
        raise SystemExit(f"{path}: not there; build it (cmake --preset release && cmake --build --preset release) "
                         "or name it with TOLLGATE=")
    return str(path)


def configuration(folder, upstream_port, server_keys=(), provider_keys=(), pool_idle="600s", more="",
                  base="/v1"):
    """Writes a configuration with one worker, guard, scan, metrics and access log, as the measured target has it.
    `more` is what follows the template: tenants and the like; `base` is the path of the upstream's URL."""
    text = (BENCH / "conf" / "tollgate.yaml.in").read_text()
    for mark, value in (("@PORT@", "0"), ("@ADMIN@", "0"), ("@METRICS@", "0"), ("@LOG@", str(folder / "access.log")),
                        ("@UPSTREAM@/v1", f"{upstream_port}{base}"), ("@SERVER@", "\n  ".join(server_keys)),
                        ("@PROVIDER@", "\n    ".join(provider_keys)), ("@IDLE@", pool_idle)):
        text = text.replace(mark, value)
    path = Path(folder) / "routes.yaml"
    path.write_text(text + more)
    return path


class Gateway:
    """`prefix` is a command that the gateway runs under (taskset, valgrind, prlimit)."""

    def __init__(self, config, folder, prefix=(), seconds=60):
        self.log_path = Path(folder) / "diagnostics.log"
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen([*prefix, binary(), "serve", "--config", str(config)], stderr=self.log,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.ports = {}
        self._await_ready(time.monotonic() + seconds)

    def _await_ready(self, until):
        while time.monotonic() < until:
            for line in self.log_path.read_text(errors="replace").splitlines():
                event = json.loads(line) if line.startswith("{") and line.endswith("}") else {}
                if event.get("event") == "listening":
                    self.ports[event["plane"]] = int(event["address"].rsplit(":", 1)[1])
                if event.get("event") == "ready":
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.02)
        text = self.log_path.read_text(errors="replace")
        self.stop()
        raise SystemExit(f"the gateway did not come up:\n{text}")

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        """Ends it in order, so that whoever runs it (valgrind) can still write down what it saw."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
