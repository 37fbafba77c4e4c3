#!/usr/bin/env python3
"""Plays the suites, each with gateways of its own and at the same time.

runner.py BINARY [--junit FILE] [-k TEXT]     parts whose name ("ssrf: header fields") holds the text
runner.py --self-test                         shows that what judges can fail
"""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import canaries
import injection
import marks
import ssrf
from suite import MOST_TOLD, Suite, printable, write_junit

SUITES = {"canaries": canaries, "ssrf": ssrf, "injection": injection}


def play(name, wanted, folder, binary):
    """In a process of its own: the parts, and a line of figures."""
    suite = Suite(name, wanted)
    try:
        figures = SUITES[name].play(suite, Path(folder) / name, binary)
    except Exception as problem:  # noqa: BLE001, the other suites are told all the same
        fault = f"{type(problem).__name__}: {problem}"
        suite.run("goes to its end", lambda: [fault], always=True)
        figures = f"{name}: broken off"
    return suite.parts, figures


def self_test():
    wrong = [f"{module.__name__}: {fault}" for module in (marks, *SUITES.values()) for fault in module.self_test()]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    print(f"self-test: {len(SUITES) + 1} judges, {len(wrong)} faults")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?")
    parser.add_argument("--self-test", action="store_true")
    parser.add_argument("--junit")
    parser.add_argument("-k", default="", help="only parts whose name holds this text")
    arguments = parser.parse_args()
    if arguments.self_test:
        sys.exit(self_test())
    started = time.monotonic()
    wanted = [
        name
        for name in SUITES
        if any(arguments.k in part for part in [f"{name}: {each}" for each in SUITES[name].PARTS])
    ]
    with tempfile.TemporaryDirectory(prefix="security-") as folder, ProcessPoolExecutor(len(SUITES)) as pool:
        runs = [pool.submit(play, name, arguments.k, folder, arguments.binary) for name in wanted]
        results = [run.result() for run in runs]
    parts = [part for found, _ in results for part in found]
    for part in parts:
        print(f"{part.name}: {'ok' if not part.faults else f'{len(part.faults)} FAULTS'} ({part.seconds:.1f} s)")
        for fault in part.faults[:MOST_TOLD]:
            print(f"    {printable(fault)}")
    print(*(figures for _, figures in results), sep="\n")
    if arguments.junit:
        write_junit(arguments.junit, parts)
    failed = sum(bool(part.faults) for part in parts)
    print(f"{len(parts)} parts in {time.monotonic() - started:.0f} s: {failed} failed")
    sys.exit(1 if failed or not parts else 0)


if __name__ == "__main__":
    main()
