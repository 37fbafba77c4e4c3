"""Disks that are full, stores that are locked, syncs that fail: the hot path shall not notice while the journal has room,
and nothing shall be missing afterwards."""

import asyncio
import contextlib
import ctypes
import signal
import sqlite3
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import rounds
from books import audit_answers, audit_budgets, audit_truth, first_of, plain
from mishaps import after_restart
from till import (KEY, ODD, PATIENT, QUICK_ANSWERS, Load, Till, ask_once, chat_body, error_of, load, mixed, one_provider,
                  percentile, post, tenant)

UNCHANGED = 1.3  # a p99 that is at most so many times what it was

# --- M4 ---


@contextlib.contextmanager
def small_disk(mebibytes=64):
    """A disk of its own, seen by this process and its children only."""
    clone_new_namespace = 0x00020000
    if ctypes.CDLL(None, use_errno=True).unshare(clone_new_namespace) != 0:
        raise SystemExit("no mount namespace of its own: M4 needs the right to make one")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", folder], check=True)
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill(disk):
    """Leaves nothing."""
    with open(disk / "filler", "ab", buffering=0) as filler, contextlib.suppress(OSError):
        for size in (1 << 20, 4096, 1):
            with contextlib.suppress(OSError):
                while True:
                    filler.write(b"x" * size)


class Phase:
    """Calls under one condition: their p99 as their clients have seen it, and that of the gateway's own part, by its log."""

    def __init__(self, till, seconds, rate=200):
        known = len(till.access_log())
        self.told = load(till.port, mixed(), rate, seconds)
        self.seen = percentile(self.told.times, 0.99)
        self.own = percentile([line["overhead_us"] / 1000 for line in till.access_log()[known:]], 0.99)
        self.bad = self.told.sent - len(self.told.whole)


def compared(calm, beside):
    """(ratio of the medians of the gateway's own part, words)."""
    told, ratios = [], []
    for name in ("seen", "own"):
        one, other = (statistics.median(getattr(phase, name) for phase in phases) for phases in (calm, beside))
        ratios.append(other / one)
        told.append(f"{one:.2f} -> {other:.2f} ms, x {ratios[-1]:.2f}")
    return ratios[1], f"p99 as seen {told[0]}, the gateway's own {told[1]}"


def await_status(port, raw, status, seconds=30):
    """After how many seconds it is answered like that; None: never."""
    began = time.monotonic()
    while time.monotonic() < began + seconds:
        answer = ask_once(port, raw)
        if answer and answer.status == status:
            return time.monotonic() - began
        time.sleep(0.02)
    return None


def full_disk(mode, ratio_rounds):
    """Calls while nothing can be written but what is there already, then while that is used up, then again."""
    routes = one_provider(f"ledger: {{max_size: 64MiB, on_unwritable: {mode}}}", tenant("free"),
                          f"  aside: {{provider: other, name: sim, price: {ODD.yaml()}}}\n")
    routes = routes.replace("models:", f'  other: {{base_url: "http://@other@/v1", {PATIENT}}}\nmodels:', 1)
    seconds, wrong = 2 if rounds.quick else 4, []
    with small_disk() as disk, tempfile.TemporaryDirectory() as outside:
        with Till({"up": QUICK_ANSWERS, "other": QUICK_ANSWERS}, routes, folder=disk, outside=outside) as till:
            filler = disk / "filler"
            calm, beside = [], []
            for _ in range(ratio_rounds):
                calm.append(Phase(till, seconds))
                fill(disk)
                beside.append(Phase(till, seconds))
                filler.unlink()
            ratio, words = compared(calm, beside)
            answers = [each for phase in calm + beside for each in phase.told.whole]
            bad = sum(phase.bad for phase in calm + beside)
            wrong += [f"{bad} calls failed while the journal could be written"] if bad else []
            rows = len(till.ledger().attempts)
            calls, more, last = use_up(till, disk)
            answers += more
            wrong += [f"at last calls got {last}, not only 503"] if last != {503} else []
            codes = [ask_once(till.port, mixed()(0)[0]) for _ in range(20)]
            refused = {(each.status, error_of(each)["code"]) if each.status != 200 else 200 for each in codes}
            free = {ask_once(till.port, post(KEY.format("free"), chat_body("aside"))).status for _ in range(20)}
            filler.unlink()
            back = await_status(till.port, mixed()(0)[0], 200)
            wrong += [] if till.await_rest() else ["it does not come to rest"]
            kept = till.ledger()
            # What is let through without a journal is in no row, and need not be.
            aside = [each for each in till.simulators["other"].truth() if plain(each["client_request_id"]) in kept.attempts]
            truth = till.simulators["up"].truth() + aside
            alarms = len(till.told("ledger_unwritable")) + len(till.told("ledger_store_failed"))
            wrong += kept.audit() + audit_truth(kept, truth, ODD)[0] + audit_answers(kept, answers)
            wrong += audit_budgets(till.budgets(), kept)
    due = {200} if mode == "allow" else {503}
    wrong += [f"unbudgeted calls got {free}, due {due}"] if free != due else []
    wrong += [f"budgeted calls got {refused}"] if {each if each == 200 else each[0] for each in refused} != {503} else []
    wrong += ["never back"] if back is None else [f"back after {back:.1f} s"] if back > 5 else []
    wrong += [] if alarms else ["no alarm in the log"]
    return ratio, wrong, (f"full, {mode}: {words}; {calls:,} more calls until the journal was used up, then budgeted {refused}, "
                   f"unbudgeted {free}; {rows:,} rows before, {len(kept.attempts):,} after, back "
                   f"{'never' if back is None else f'after {back:.2f} s'} (< 5)")


def use_up(till, disk):
    """Calls until not one is answered any more; what the drainer frees meanwhile is taken at once. None: there was always
    an answer."""
    calls, answers = 0, []
    for _ in range(60):
        fill(disk)
        told = load(till.port, mixed(), 600, 1)
        calls, answers = calls + told.sent, answers + told.whole
        if not told.statuses[200]:
            return calls, answers, set(told.statuses)
    return calls, answers, None


def locked_store():
    """Somebody else holds the store: nobody notices, and what waits is in it afterwards."""
    seconds, wrong, highest = 8 if rounds.quick else 60, [], 0.0
    with Till({"up": QUICK_ANSWERS}, one_provider()) as till:
        calm = [Phase(till, 2) for _ in range(4)]
        stranger = sqlite3.connect(next((till.folder / "var" / "ledger").glob("ledger-*.db")), timeout=30,
                                   isolation_level=None)
        stranger.execute("BEGIN EXCLUSIVE")
        locked, until = [], time.monotonic() + seconds
        while time.monotonic() < until:
            locked.append(Phase(till, 2))
            highest = max(highest, till.gauge("tollgate_ledger_lag_seconds"))
        rows_then = stranger.execute("SELECT count(*) FROM attempts").fetchone()[0]
        stranger.execute("ROLLBACK")
        stranger.close()
        freed = time.monotonic()
        wrong += [] if till.await_rest() else ["it does not come to rest"]
        caught_up = time.monotonic() - freed
        calm += [Phase(till, 2) for _ in range(4)]
        wrong += [] if till.await_rest() else ["it does not come to rest"]
        kept = till.ledger()
        every = calm + locked
        wrong += kept.audit() + audit_truth(kept, till.truth(), ODD)[0] + audit_budgets(till.budgets(), kept)
        wrong += audit_answers(kept, [each for phase in every for each in phase.told.whole])
        lag = till.gauge("tollgate_ledger_lag_seconds")
        wrong += [] if till.told("ledger_store_failed") else ["no alarm in the log"]
    bad = sum(phase.bad for phase in every)
    ratio, words = compared(calm, locked)
    wrong += [f"{bad} calls failed"] if bad else []
    wrong += [f"the lag rose to {highest:.1f} s only"] if highest < seconds / 2 else []
    wrong += [f"the lag is still {lag} s"] if lag else []
    return ratio, wrong, (f"locked for {seconds} s: {words}; lag up to {highest:.1f} s, 0 again {caught_up:.1f} s after its end, "
                          f"{rows_then:,} rows meanwhile, {len(kept.attempts):,} after")


def m4():
    """The store's disk is full, the store is locked: the hot path does not notice while the journal has room."""
    ratio, wrong, words = locked_store()
    told, ratios = [words], [ratio]
    for mode in ("allow", "reject"):
        ratio, faults, words = full_disk(mode, 3 if rounds.quick else 5)
        wrong += faults
        told.append(words)
        ratios.append(ratio)
    return not wrong and max(ratios) <= UNCHANGED, f"{'; '.join(told)}; lost or doubled: {len(wrong)} (0){first_of(wrong)}"


# --- M5 ---


SYNCS = "fsync,fdatasync,msync,sync_file_range"


def with_failing_syncs(till, which, seconds):
    """A load beside which `which` of the syncs fail, and how many did."""
    trace = till.folder / f"trace-{time.monotonic_ns()}"
    tracer = subprocess.Popen(
        ["strace", "-f", "-qq", "-o", str(trace), "-p", str(till.running.pid), "-e", f"trace={SYNCS}", "-e",
         f"inject={SYNCS}:error=EIO:when={which}"], stderr=subprocess.DEVNULL)
    told = load(till.port, mixed(), 100, seconds)
    tracer.send_signal(signal.SIGINT)
    tracer.wait(30)
    return told, trace.read_text().count("(INJECTED)")


def m5():
    """Syncs fail for a while, now and then or all of them: the gateway goes on, tells of it, and has lost nothing."""
    seconds, wrong, answers, words = 4 if rounds.quick else 15, [], [], []
    with Till({"up": QUICK_ANSWERS}, one_provider(), threads=2) as till:
        for name, which, may_refuse in (("every fifth", "2+5", False), ("all", "2+", True)):
            told, injected = with_failing_syncs(till, which, seconds)
            back = await_status(till.port, mixed()(0)[0], 200)
            after = load(till.port, mixed(), 100, 2)
            answers += told.whole + after.whole
            wrong += [] if injected else [f"{name}: no sync was made to fail"]
            wrong += [] if set(told.statuses) <= ({200, 503} if may_refuse else {200}) else [f"{name}: {dict(told.statuses)}"]
            wrong += [] if back is not None and set(after.statuses) == {200} else [f"{name}, after: {dict(after.statuses)}"]
            words.append(f"{name}: {injected} failed with EIO, {told.statuses[200]} calls answered, {told.statuses[503]} "
                         f"refused, afterwards {after.statuses[200]} of {after.sent} answered")
        wrong += after_restart(till)
        alarms = {event: len(till.told(event)) for event in ("ledger_sync_failed", "ledger_store_failed", "ledger_unwritable")}
        till.kill()  # what was not synced is still the kernel's
        till.start()
        wrong += after_restart(till)
        kept = till.ledger()
        wrong += kept.audit() + audit_truth(kept, till.truth(), ODD)[0] + audit_answers(kept, answers)
    wrong += [] if any(alarms.values()) else ["no alarm in the log"]
    return not wrong, (f"syncs under 100/s for {seconds} s each: {'; '.join(words)}; then kill -9: {len(answers):,} whole answers, "
                       f"{len(kept.attempts):,} rows, lost or doubled {len(wrong)} (0); told in the log: {alarms}"
                       f"{first_of(wrong)}")
