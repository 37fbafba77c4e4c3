#!/usr/bin/env python3
"""How fast the ledger's store takes rows, how large they are, and how long reports on them take.

Needs an optimised build of both programs, which the release preset has not, since it leaves tests and tools out:
cmake --preset release -B build/usage -DTOLLGATE_TESTS=ON && cmake --build build/usage -t ledger_rows tollgate
Ten million requests take some minutes and a few GB of a folder that is removed afterwards.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

GROUPINGS = ["", "tenant", "model", "tenant,model", "task", "key", "tenant,key,model", "key,task",
             "route,task,model,target", "user", "tag", "day", "hour,model", "tenant,user"]
FROM_ROWS = ["key,user"]


def measured(command):
    """Seconds on the clock and of the processor, and peak memory in MiB of a command."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    if status != 0:
        sys.exit(f"{' '.join(command)}: failed")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=pathlib.Path, default=pathlib.Path("build/usage"))
    parser.add_argument("--requests", type=int, default=10_000_000)
    parser.add_argument("--folder", help="where the rows go; a temporary one where it is not given")
    arguments = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="ledger-", dir=arguments.folder)
    try:
        writer = next(arguments.build.glob("**/ledger_rows"))
        tollgate = next(path for path in arguments.build.glob("**/tollgate") if path.is_file())
        written = measured([str(writer), folder, str(arguments.requests)])
        print(f"{arguments.requests} requests written in {written[0]:.1f} s, {written[1]:.1f} s of the processor, "
              f"{written[2]:.1f} MiB", flush=True)
        size = sum(file.stat().st_size for file in pathlib.Path(folder).iterdir())
        print(f"{size / 1e9:.2f} GB, {size / arguments.requests:.0f} bytes a request", flush=True)
        for by in GROUPINGS + FROM_ROWS:
            command = [str(tollgate), "usage", "--ledger", folder, "--since", "2026-11-01", "--until", "2026-12-01"]
            runs = [measured(command + (["--by", by] if by else [])) for _ in range(1 if by in FROM_ROWS else 3)]
            best = min(runs)
            print(f"{by or '(all)':24} {best[0]:7.3f} s, {best[1]:7.3f} s of the processor, {best[2]:6.1f} MiB", flush=True)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
