"""Lets sqlmap at a gateway, one place after the other: sqlmap.py BINARY SQLMAP [-k TEXT]. Called by sqlmap.sh."""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from echo import Echo
from injection import CONFIGURATION, KEY, TOKEN, stored
from stage import Stage

TOTAL_SECONDS = 600
FOUND, CLEAN = "identified the following injection point", "do not appear to be injectable"
# The star is where sqlmap writes. Bodies name a tenant that is not there, so that no key is made.
ADMIN = {
    "tenant": ["keys?tenant=acme*"],
    "include_revoked": ["keys?include_revoked=true*"],
    "after": ["audit?after=0*"],
    "limit": ["audit?limit=10*"],
    "id of a key": ["keys/key_1*"],
    "id of a tenant": ["tenants/acme*"],
    "id of a revocation": ["keys/key_1*", "--method=DELETE"],
    "JSON body": ["keys", "--method=POST", "--data=" + json.dumps(
        {"tenant": "nobody*", "name": "n*", "expires_at": "2030-01-01*", "sha256": "0*", "allow": {"routes": ["x*"]}})],
    "admin token": ["keys", "--headers=Authorization: Bearer x*"],
}  # fmt: skip
DATA = {
    "Authorization": ["v1/models", "--headers=Authorization: Bearer x*"],
    "x-api-key": ["v1/models", "--headers=x-api-key: x*"],
    "x-tollgate-key": ["v1/models", "--headers=x-tollgate-key: x*"],
    "model": ["v1/chat/completions", "--method=POST", f"--headers=Authorization: Bearer {KEY}",
              "--data=" + json.dumps({"model": "m*", "messages": []})],
}  # fmt: skip


def attack(program, base, name, arguments, folder, deadline):
    """What sqlmap came to: a fault, or nothing."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        return f"{name}: the time was up before it began"
    target, *more = arguments
    command = [program, f"--url={base}{target}", *more, "--batch", "--level=3", "--risk=2", "--dbms=sqlite", "--timeout=10",
               "--retries=0", "--threads=1", "--ignore-code=*", "--skip-waf", "--flush-session", "--disable-coloring",
               f"--output-dir={folder / name.replace(' ', '-')}"]  # fmt: skip
    if base.endswith("/admin/v1/"):
        command.append("--delay=0.025")  # below what the admin API takes in a second
        if not any(each.startswith("--headers=Authorization") for each in more):
            command.append(f"--headers=Authorization: Bearer {TOKEN}")
    started = time.monotonic()
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds, stdin=subprocess.DEVNULL, check=False
        )
    except subprocess.TimeoutExpired:
        return f"{name}: not finished in time"
    text = done.stdout + done.stderr
    verdict = "FOUND" if FOUND in text else "nothing" if CLEAN in text else "unclear"
    print(f"{name}: {verdict} ({time.monotonic() - started:.0f} s)", flush=True)
    return None if verdict == "nothing" else f"{name}: {verdict}\n{text[-3000:]}"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary")
    parser.add_argument("program")
    parser.add_argument("-k", default="", help="only targets whose name holds this text")
    arguments = parser.parse_args()
    deadline = time.monotonic() + TOTAL_SECONDS
    with tempfile.TemporaryDirectory(prefix="sqlmap-") as name:
        folder, echo = Path(name), Echo()
        stage = Stage(folder / "gateway", arguments.binary, CONFIGURATION.format(port=echo.port, key=KEY, token=TOKEN))
        before = stored(stage.folder / "store.db")

        def lane(plane, path, targets):
            base = f"http://localhost:{stage.ports[plane]}/{path}"
            wanted = [(each, more) for each, more in targets.items() if arguments.k in each]
            return [attack(arguments.program, base, each, more, folder, deadline) for each, more in wanted]

        with ThreadPoolExecutor(2) as pool:
            lanes = [pool.submit(lane, "admin", "admin/v1/", ADMIN), pool.submit(lane, "data", "", DATA)]
            results = [result for each in lanes for result in each.result()]
        faults = [result for result in results if result]
        if stored(stage.folder / "store.db") != before:
            faults.append("the store is not as it was")
        faults += stage.stop()
        echo.stop()
    print(*faults, sep="\n", end="\n" if faults else "")
    print(f"{len(results)} targets, {len(faults)} faults")
    sys.exit(1 if faults or not results else 0)


if __name__ == "__main__":
    main()
