#!/usr/bin/env python3
"""Adds up what test runners reported in JUnit XML: `count_results.py FILE...` prints `PASSED FAILED SKIPPED` over all
files. A case counts as passed only where its runner ran it to the end; a file that cannot be read counts as one failure."""

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


def count(path):
    """(passed, failed, skipped) of one report."""
    try:
        outcomes = [outcome(case) for case in xml.parse(path).iter("testcase")]
    except (OSError, xml.ParseError):
        return 0, 1, 0
    return tuple(outcomes.count(kind) for kind in ("passed", "failed", "skipped"))


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        report.write_text(
            '<testsuites><testsuite><testcase name="a" status="run"/><testcase name="b" status="fail"><failure/></testcase>'
            '<testcase name="c"><error/></testcase><testcase name="d"><skipped/></testcase>'
            '<testcase name="e" status="notrun"/><testcase name="f" status="disabled"/></testsuite></testsuites>'
        )
        assert count(report) == (1, 2, 3), count(report)
        report.write_text("<testsuites>")
        assert count(report) == (0, 1, 0)
        assert count(Path(folder) / "absent.xml") == (0, 1, 0)
    print("count_results.py: the self-test passed")


if __name__ == "__main__":
    if sys.argv[1:] == ["--self-test"]:
        self_test()
    else:
        print(*(sum(column) for column in zip((0, 0, 0), *map(count, sys.argv[1:]))))
