"""What the experiments that print one line each have in common: the choice on the command line, looks at what runs."""

import argparse
import json
import os
import re
import urllib.request

CORE_LOAD, CORE_PROXY = os.environ.get("CORE_LOAD", "0"), os.environ.get("CORE_PROXY", "1")
quick = False  # seconds instead of minutes


def fetch(port, path, method="GET", body=None):
    """An answer's JSON, or its text; without a token, as whoever reaches the admin listener on loopback."""
    data = json.dumps(body).encode() if body is not None else None
    fields = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", data, fields, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
    return json.loads(text) if text[:1] in (b"{", b"[") else text.decode()


def in_flight(gateway):
    """Requests that have begun and not ended."""
    text = fetch(gateway.ports["metrics"], "/metrics")
    return int(float(re.search(r"^tollgate_in_flight_requests (\S+)", text, re.M)[1]))


def run(experiments, about, pinned=True):
    """Those named on the command line, or all: each returns whether its bars were met, and its figures. `pinned`: the
    clients are in Python, so they keep to the load's core. The exit code."""
    global quick
    parser = argparse.ArgumentParser(description=about.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes")
    parser.add_argument("names", nargs="*", help=", ".join(experiments))
    options = parser.parse_args()
    quick = options.quick
    unknown = set(options.names) - set(experiments)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are: {', '.join(experiments)}")
    if pinned:
        os.sched_setaffinity(0, {int(CORE_LOAD)})
    failed = 0
    for name in options.names or experiments:
        good, figures = experiments[name]()
        failed += not good
        print(f"{name} {'pass' if good else 'FAIL'}: {figures}", flush=True)
    return 1 if failed else 0
