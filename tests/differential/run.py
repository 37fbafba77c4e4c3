"""Makes the streams, lets every peer read them, and first shows that every peer notices records that were spoiled on
purpose. Called by run.sh."""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from pathlib import Path

HERE = Path(__file__).parent
SPOILED_STREAMS = 1500
LEAST_ACCEPTED = 0.2
LEAST_OPERATORS = 13


def run(command):
    """Exit code, the last line as JSON, what came before it."""
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=3600)
    *said, last = result.stdout.splitlines() or [""]
    try:
        return result.returncode, json.loads(last), "\n".join(said)
    except ValueError:
        return result.returncode or 1, {}, result.stdout


def make(streams, seed, file, *flags):
    return run([os.environ["DIFFERENTIAL_BINARY"], str(streams), str(seed), file, *flags])


def commands(file, with_proxies):
    peers = {"h11": [sys.executable, HERE / "compare_h11.py", file], "Node": ["node", HERE / "compare_node.mjs", file]}
    if with_proxies:
        peers |= {name: [sys.executable, HERE / "compare_proxy.py", name, file] for name in ("nginx", "haproxy")}
    return peers


class Cases:
    def __init__(self):
        self._suite = xml.Element("testsuite", name="differential")
        self.failed = 0

    def add(self, name, fault):
        case = xml.SubElement(self._suite, "testcase", classname="differential", name=name)
        if fault:
            self.failed += 1
            print(f"FAILED {name}: {fault}")
            xml.SubElement(case, "failure").text = "".join(c if c.isprintable() or c == "\n" else "?" for c in fault)

    def write(self, path):
        xml.ElementTree(self._suite).write(path, encoding="unicode")


def check_notice(cases, folder, with_proxies):
    """Every peer must disagree with spoiled records."""
    file = str(folder / "spoiled.jsonl")
    results = {"Beast": make(SPOILED_STREAMS, 1, file, "--spoil")}
    results |= {peer: run(command) for peer, command in commands(file, with_proxies).items()}
    for peer, (code, counts, _) in results.items():
        noticed = code == 1 and counts.get("disagree", 0) >= 4
        cases.add(f"{peer} notices spoiled records", "" if noticed else f"exit code {code}, {counts}")


def check_streams(cases, counts, streams):
    accepted, by_operator = counts.get("accepted", 0), counts.get("accepted_by_operator", {})
    fruitless = [name for name, count in by_operator.items() if count == 0]
    enough = accepted >= LEAST_ACCEPTED * streams and len(by_operator) >= LEAST_OPERATORS and not fruitless
    cases.add(
        "enough streams of every operator are accepted", "" if enough else f"{accepted} of {streams}: {by_operator}"
    )


def check_refusals(cases, results):
    """Other parsers may be stricter, but what each of them refuses is hardly a request."""
    by_all = set.intersection(*(set(results[peer][1].get("refused_records", [])) for peer in ("Beast", "h11", "Node")))
    cases.add("no accepted request is refused by Beast, h11 and Node", f"records {sorted(by_all)}" if by_all else "")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--streams", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=20260101)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--junit")
    arguments = parser.parse_args()
    cases = Cases()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="differential-") as name:
        folder = Path(name)
        check_notice(cases, folder, arguments.all)
        file = str(folder / "accepted.jsonl")
        results = {"Beast": make(arguments.streams, arguments.seed, file)}
        made = results["Beast"][1]
        check_streams(cases, made, arguments.streams)
        results |= {peer: run(command) for peer, command in commands(file, arguments.all).items()}
    print(
        f"{arguments.streams} streams, seed {arguments.seed}: "
        f"{made.get('accepted')} accepted, {made.get('distinct')} distinct"
    )
    for peer, (code, counts, said) in results.items():
        whole = sum(counts.get(each, 0) for each in ("same", "refused", "known", "disagree")) == made.get("accepted")
        fault = "" if code == 0 and whole else f"exit code {code}, {counts}\n{said}"[:20000]
        cases.add(f"{peer} reads every accepted request as we do", fault)
        shown = {each: counts.get(each, 0) for each in ("same", "refused", "known", "disagree")}
        print(f"{peer}: {shown} {counts.get('reasons', '')}")
    check_refusals(cases, results)
    if arguments.junit:
        cases.write(arguments.junit)
    print(f"{time.monotonic() - started:.0f} s, {cases.failed} cases failed")
    sys.exit(1 if cases.failed else 0)


if __name__ == "__main__":
    main()
