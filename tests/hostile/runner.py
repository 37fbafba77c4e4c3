#!/usr/bin/env python3
"""Sends every row of the hostile table alone, whole and in pieces of a few bytes, behind a good request on a kept
connection, and before a pipelined good one, over plain TCP and TLS, and judges what came back and what a recording
upstream saw.

    runner.py BINARY [--junit FILE] [-k TEXT]     tollgate: every cell must hold
    runner.py BINARY --compare [--accepted]       also nginx and HAProxy, as counts side by side
    runner.py --self-test
"""

import argparse
import itertools
import ssl
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import servers
from cells import GATEWAY_PATIENCE, PEER_PATIENCE, POSITIONS, attribute, cells_of, judge, numbers, play, wanted_upstream
from report import comparison, count, print_names, write_junit
from rows import good
from table import all_rows
from upstream import Upstream
from wire import Wire


def run_gateway(rows, binary, folder, certificate, tls):
    """All cells of tollgate, and the faults that belong to no cell."""
    cells, general = [], []
    for transport, slow in itertools.product(("plain", "tls"), (False, True)):
        part = cells_of([row for row in rows if row.slow == slow], (transport,))
        if not part:
            continue
        name = f"{transport}{' with short timeouts' if slow else ''}"
        gateway = servers.Gateway(
            folder / f"tollgate-{transport}-{slow}",
            binary,
            certificate if transport == "tls" else None,
            "500ms" if slow else "10s",
        )
        play(part, lambda _, port=gateway.port: port, tls, True, GATEWAY_PATIENCE)
        general += end_of_gateway(name, gateway, part, tls if transport == "tls" else None)
        cells += part
    return cells, general


def self_test(rows):
    """Shows that the judge can fail: the upstream itself, which refuses nothing, must fail bad rows, not good ones."""
    bad = list({row.kind: row for row in reversed(rows) if not row.accept}.values())  # the first of each class
    good_ones = [row for row in rows if row.accept and not row.local and not row.closes][:10]
    upstream = Upstream()
    cells = cells_of(bad, ("plain",))
    play(cells, lambda _: upstream.port, None, True, 0.3, len(cells))
    good_cells = cells_of(good_ones, ("plain",))
    play(good_cells, lambda _: upstream.port, None, True, GATEWAY_PATIENCE)
    cells += good_cells
    upstream.stop()
    attribute(cells, upstream.arrived())
    for cell in cells:
        judge(cell)
    wrong = [cell for cell in cells if bool(cell.faults) == cell.row.accept]
    counted = count(cells)
    for cell in wrong:
        print(f"{cell.row.name} ({cell.position}) was judged wrongly: {cell.faults}")
    blind = [
        word
        for which, word in enumerate(("accepted", "reached", "smuggled"))
        if not any(sets[which] for sets in counted.values())
    ]
    print(
        f"self-test: {len(cells)} cells, {len(wrong)} judged wrongly"
        + "".join(f", nothing counted as {word}" for word in blind)
    )
    return 1 if wrong or blind else 0


def end_of_gateway(name, gateway, cells, tls):
    """Judges the cells, and that the gateway lives, has nothing in flight, ends in order, sent on nothing else."""
    faults = []
    with Wire(gateway.port, tls) as wire:
        last = f"G{next(numbers):09d}"
        wire.send(good(last.encode()))
        wire.run(lambda: wire.answers, GATEWAY_PATIENCE)
        if [(each.status, each.mark) for each in wire.answers] != [(200, last)]:
            faults.append(f"{name}: a good request at the end was not answered")
    deadline = time.monotonic() + 5
    while gateway.in_flight() != 0 and time.monotonic() < deadline:
        time.sleep(0.01)
    if gateway.in_flight() != 0:
        faults.append(f"{name}: {gateway.in_flight():.0f} requests are still in flight")
    code, said = gateway.stop()
    if code != 0 or "session_failed" in said or "Sanitizer" in said:
        faults.append(f"{name}: ended with {code}:\n{said[-3000:]}")
    arrived = gateway.upstream.arrived()
    for stranger in attribute(cells, [each for each in arrived if each.mark != last]):
        faults.append(f"{name}: reached the upstream: {stranger.raw[:300]!r}")
    seen = Counter(each.mark for each in arrived)
    for cell in cells:
        judge(cell)
        wanted = wanted_upstream(cell)
        for mark in cell.marks.values():
            if seen[mark] != wanted.count(mark):
                cell.faults.append(f"the upstream saw {mark} {seen[mark]} times instead of {wanted.count(mark)}")
        if cell.touched and not cell.row.accept:
            cell.faults.append("bytes of the row reached the upstream")
    return faults


def run_peer(name, rows, folder, certificate, tls):
    peer = servers.Peer(name, folder / name, certificate)
    cells = cells_of(rows, ("plain", "tls"), [position for position in POSITIONS if position != "in pieces"])
    play(cells, lambda cell: peer.secure if cell.transport == "tls" else peer.plain, tls, False, PEER_PATIENCE)
    peer.stop()
    attribute(cells, peer.upstream.arrived())
    return cells


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", nargs="?")
    parser.add_argument("--self-test", action="store_true", help="show that the judge can fail")
    parser.add_argument("--junit")
    parser.add_argument("-k", default="", help="only rows whose name holds this text")
    parser.add_argument("--compare", action="store_true")
    parser.add_argument("--accepted", action="store_true", help="with --compare: also name what each server accepted")
    arguments = parser.parse_args()
    rows = [row for row in all_rows() if arguments.k in row.name]
    threading.stack_size(256 * 1024)
    if arguments.self_test:
        sys.exit(self_test(rows))
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="hostile-") as name:
        folder = Path(name)
        certificate = servers.make_certificate(folder)
        tls = ssl.create_default_context(cafile=certificate[0])
        cells, general = run_gateway(rows, arguments.binary, folder, certificate, tls)
        runs = {"tollgate": cells}
        if arguments.compare:
            runs |= {peer: run_peer(peer, rows, folder, certificate, tls) for peer in ("nginx", "haproxy")}
    failed = [cell for cell in cells if cell.faults]
    for cell in failed[:100]:
        print(f"{cell.row.name} ({cell.transport}, {cell.position}): {'; '.join(cell.faults)}")
    print(*general, sep="\n", end="\n" if general else "")
    if arguments.compare:
        print(comparison(rows, runs))
    if arguments.accepted:
        print_names(runs)
    if arguments.junit:
        write_junit(arguments.junit, cells, general)
    good_rows = sum(row.accept for row in rows)
    print(
        f"{len(rows) - good_rows} hostile rows, {good_rows} good controls, {len(cells)} cells "
        f"in {time.monotonic() - started:.0f} s: {len(failed)} cells failed, {len(general)} faults beside them"
    )
    sys.exit(1 if failed or general or not cells else 0)


if __name__ == "__main__":
    main()
