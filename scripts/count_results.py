#!/usr/bin/env python3
"""Adds up what test runners reported in JUnit XML: `count_results.py FILE...` prints `PASSED FAILED SKIPPED` over all
files. A case counts as passed only where its runner ran it to the end; a file that cannot be read counts as one failure.
`count_results.py --failures FILE...` names the cases that failed instead, each with the end of what it printed."""

import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path


def outcome(case):
    status = case.get("status", "run")
    if case.find("failure") is not None or case.find("error") is not None or status == "fail":
        return "failed"
    if case.find("skipped") is not None or status in ("notrun", "disabled"):
        return "skipped"
    return "passed"


def cases(path):
    """The cases of one report, None where it cannot be read."""
    try:
        return list(xml.parse(path).iter("testcase"))
    except (OSError, xml.ParseError):
        return None


def count(path):
    """(passed, failed, skipped) of one report."""
    found = cases(path)
    if found is None:
        return 0, 1, 0
    outcomes = [outcome(case) for case in found]
    return tuple(outcomes.count(kind) for kind in ("passed", "failed", "skipped"))


def failures(path, lines=25):
    """One text per failed case: its report, its name, and the last lines that it printed."""
    found = cases(path)
    if found is None:
        return [f"{Path(path).stem}: the report cannot be read"]
    texts = []
    for case in (each for each in found if outcome(each) == "failed"):
        said = "\n".join(text for part in ("failure", "error", "system-out", "system-err") for text in [case.findtext(part)] if text)
        texts.append("\n".join([f"{Path(path).stem}: {case.get('name')}", *("    " + line for line in said.splitlines()[-lines:])]))
    return texts


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        report.write_text(
            '<testsuites><testsuite><testcase name="a" status="run"/><testcase name="b" status="fail"><failure/><system-out>1\n2\n3</system-out></testcase>'
            '<testcase name="c"><error/></testcase><testcase name="d"><skipped/></testcase>'
            '<testcase name="e" status="notrun"/><testcase name="f" status="disabled"/></testsuite></testsuites>'
        )
        assert count(report) == (1, 2, 3), count(report)
        assert failures(report, lines=2) == ["report: b\n    2\n    3", "report: c"], failures(report, lines=2)
        report.write_text("<testsuites>")
        assert count(report) == (0, 1, 0)
        assert failures(report) == ["report: the report cannot be read"]
        assert count(Path(folder) / "absent.xml") == (0, 1, 0)
    print("count_results.py: the self-test passed")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    elif sys.argv[1:2] == ["--failures"]:
        print(*(text for path in sys.argv[2:] for text in failures(path)), sep="\n")
    else:
        print(*(sum(column) for column in zip((0, 0, 0), *map(count, sys.argv[1:]))))
