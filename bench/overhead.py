"""What it costs a request to be accounted for: user instructions of the worker under callgrind, and CPU time under load,
with storage, prices, a budget and the ledger against none of them."""

import os
import statistics
import tempfile
from pathlib import Path

import gateway
import instructions
import rounds
from resilience import Scene, disturbance, faults

# The same name of a model by the same way in both, so that what differs is the money.
OFF = "routes: {measured: {match: [mock], primary: mock}}\n"
ON = """storage: {path: var/store.db}
prices: prices.yaml
routes:
  measured:
    match: [mock]
    primary: mock
    budgets: [{name: pot, amount: 1000000 USD, window: total}]
"""
MOST = 3_000  # instructions


def fresh(folder):
    """Where nothing has been kept yet: a ledger that grows from run to run would be a part of what is measured."""
    (Path(folder) / "prices.yaml").write_text(instructions.PRICES)
    return folder


def counted(more):
    """Instructions of a request, of the worker and of all other threads."""
    drive, count = instructions.requests(1024), 100 if rounds.quick else 500
    totals = []
    for times in (1, 2):
        with tempfile.TemporaryDirectory() as folder:
            totals.append(instructions.Bench(fresh(folder), more).totals(drive, times * count))
    growth = {thread: totals[1][thread] - totals[0].get(thread, 0) for thread in totals[1]}
    worker = growth.pop(max(growth, key=growth.get))
    return worker / count, sum(growth.values()) / count


class MoneyScene(Scene):
    def _start(self, *settings):
        made = gateway.configuration

        def with_prices(folder, *more):
            return made(fresh(folder), *more)

        gateway.configuration = with_prices
        try:
            super()._start(*settings)
        finally:
            gateway.configuration = made


def cpu_of(more, seconds):
    """Microseconds of the gateway's CPU for a request at 2,000/s, and the run."""
    with MoneyScene(more=more) as scene:
        run = scene.load("--rate", 2000, "--conns", 32, "--size", 1024, "--warm", 1, "--secs", seconds)
    return run["cpu_us_per_req"], run


def overhead():
    """What accounting costs a request of 1 KB, in instructions and in CPU time."""
    os.environ["GLIBC_TUNABLES"] = instructions.TUNABLES
    (off, off_others), (on, on_others) = counted(OFF), counted(ON)
    del os.environ["GLIBC_TUNABLES"]
    ratios, runs = [], []
    for turn in range(3 if rounds.quick else 7):
        pair = {name: cpu_of(more, 3 if rounds.quick else 6) for name, more in
                (("off", OFF), ("on", ON))[:: 1 if turn % 2 else -1]}
        ratios.append((pair["on"][0], pair["off"][0]))
        runs += [pair["on"][1], pair["off"][1]]
    cpu_on, cpu_off = (statistics.median(column) for column in zip(*ratios))
    bad = sum(map(faults, runs))
    return on - off <= MOST and bad == 0, (
        f"a request of 1 KB: {off:,.0f} -> {on:,.0f} user instructions of the worker, {on - off:+,.0f} (<= {MOST:,}); other "
        f"threads {off_others:,.0f} -> {on_others:,.0f}; CPU of the process {cpu_off:.1f} -> {cpu_on:.1f} us, median ratio of "
        f"{len(ratios)} rounds in turns {statistics.median(a / b for a, b in ratios):.3f}; {bad} bad answers"
        f"{disturbance(*runs)}")
