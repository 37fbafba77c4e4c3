"""A gateway that one suite plays on, with its folder, its logs and its database."""

import json
import subprocess
from pathlib import Path

from process import PLANES, Process


class Stage:
    """`text` is the configuration; `prefix` a command that the gateway runs under."""

    def __init__(self, folder, binary, text, prefix=()):
        folder.mkdir()
        self.folder = folder
        self.file = folder / "routes.yaml"
        self.file.write_text(text)
        arguments = [*prefix, binary, "serve", "--config", str(self.file)]
        self._process = Process(arguments, PLANES, subprocess.DEVNULL)
        self.pid = self._process.pid
        self.ports = {plane: int(address.rsplit(":", 1)[1]) for plane, address in self._process.addresses.items()}
        self._code = None

    @property
    def access_log(self):
        return folder_bytes(self.folder / "access.log")

    @property
    def said(self):
        """What it wrote to stderr."""
        return "".join(self._process.said).encode()

    def stop(self):
        """Faults of its end."""
        code = self._process.stop()
        faults = [] if code == 0 else [f"the gateway ended with {code}"]
        return faults + [
            f"the gateway said: {line.strip()[:300]}"
            for line in self._process.said
            if "session_failed" in line or "request_failed" in line or "Sanitizer" in line
        ]


def folder_bytes(path):
    return Path(path).read_bytes() if Path(path).exists() else b""


def lines_that_are_no_json(text):
    """Of a log: each line must be one JSON object."""
    bad = []
    for line in text.split(b"\n")[:-1]:
        try:
            good = isinstance(json.loads(line), dict)
        except ValueError:
            good = False
        if not good:
            bad.append(line)
    return bad + ([text.split(b"\n")[-1]] if text and not text.endswith(b"\n") else [])
