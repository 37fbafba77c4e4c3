#!/usr/bin/env python3
"""What the translation between the two APIs costs by itself, beside what is read of bytes that are only passed on: user
instructions under callgrind, (Ir(2N) - Ir(N)) / N, and CPU time, the least of five runs. bench/translate.sh builds it."""

import os
import re
import subprocess
import tempfile

from gateway import TOOLS
from instructions import TUNABLES


def run(way, count, prefix=()):
    return subprocess.run([*prefix, TOOLS / "translate", way, str(count)], check=True, capture_output=True, text=True)


def instructions(way, count):
    with tempfile.NamedTemporaryFile() as out:
        run(way, count, ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out.name}"])
        return int(re.findall(r"^(?:totals|summary): (\d+)", out.read().decode(), re.M)[-1])


def main():
    os.environ["GLIBC_TUNABLES"] = TUNABLES
    print("| from the client's API to the provider's | user instructions | CPU time |\n|---|---|---|")
    for way in subprocess.run([TOOLS / "translate"], check=True, capture_output=True, text=True).stdout.splitlines():
        count = 20 if "100 KB" in way else 500
        each = (instructions(way, 2 * count) - instructions(way, count)) / count
        times = [float(run(way, 2000 if "100 KB" in way else 100_000).stdout) for _ in range(5)]
        print(f"| {way} | {each:,.0f} | {min(times) / 1000:,.2f} µs |", flush=True)


if __name__ == "__main__":
    main()
