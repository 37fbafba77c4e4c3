"""What the suites are made of: parts with a name, their faults, and a JUnit report of them."""

import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass, field

MOST_TOLD = 20  # faults of one part; more say nothing new


@dataclass
class Part:
    name: str  # "canaries: echoes of a provider"
    faults: list = field(default_factory=list)
    seconds: float = 0.0


class Suite:
    """Runs parts by name and keeps what went wrong in each. An exception is a fault of its part, not the end."""

    def __init__(self, name, wanted):
        self.name = name
        self._wanted = wanted
        self.parts = []

    def wants(self, name):
        return self._wanted in f"{self.name}: {name}"

    def run(self, name, action, always=False):
        """`action` returns a list of faults. `always`: whatever parts were asked for."""
        if not (always or self.wants(name)):
            return
        part = Part(f"{self.name}: {name}")
        started = time.monotonic()
        try:
            part.faults = list(action())
        except Exception as problem:  # noqa: BLE001, a broken part is told with the others
            part.faults = [f"{type(problem).__name__}: {problem}"]
        part.seconds = time.monotonic() - started
        self.parts.append(part)


def write_junit(path, parts, name="security"):
    root = xml.Element("testsuite", name=name)
    for part in parts:
        case = xml.SubElement(root, "testcase", classname=name, name=part.name, time=f"{part.seconds:.2f}")
        if part.faults:
            xml.SubElement(case, "failure").text = printable("\n".join(part.faults[:MOST_TOLD]))
    xml.ElementTree(root).write(path, encoding="unicode")


def printable(text):
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
