"""Whether the checkers of the experiments on money find what is wrong: true books are spoilt in every way that they are
there for."""

import contextlib
import shutil
import sqlite3
import tempfile
from pathlib import Path

import books
from books import audit_answers, audit_budgets, audit_counters, audit_truth
from till import ODD, QUICK_ANSWERS, Till, load, mixed, one_provider

def spoil(folder, words):
    """A ledger beside the true one, with something done to it."""
    copy = Path(tempfile.mkdtemp(dir=folder.parent))
    for path in folder.glob("ledger-*.db"):
        with contextlib.closing(sqlite3.connect(path)) as source, contextlib.closing(sqlite3.connect(copy / path.name)) as to:
            source.backup(to)
            if words:
                to.executescript(words)
    return copy


A_SUCCESS = "(SELECT id FROM attempts WHERE outcome = 0 AND recovered = 0 LIMIT 1)"
SPOILT = {
    "a row dropped": f"DELETE FROM attempts WHERE id = {A_SUCCESS}",
    "a row and its request dropped": f"DELETE FROM requests WHERE id = (SELECT request FROM attempts WHERE id = {A_SUCCESS}); "
                                     f"DELETE FROM attempts WHERE id = {A_SUCCESS}",
    "a request dropped": "DELETE FROM requests WHERE id = (SELECT id FROM requests LIMIT 1)",
    "a nano-dollar more": f"UPDATE attempts SET cost = cost + 1 WHERE id = {A_SUCCESS}",
    "a nano-dollar more in a request": "UPDATE requests SET cost = cost + 1 WHERE id = (SELECT id FROM requests LIMIT 1)",
    "a token more": f"UPDATE attempts SET output_tokens = output_tokens + 1 WHERE id = {A_SUCCESS}",
    "a nano-dollar more in a sum": "UPDATE model_hours SET cost = cost + 1",
    "a nano-dollar more in a balance": "UPDATE balances SET spent = spent + 1",
    "a row that was not settled": f"UPDATE attempts SET recovered = 1 WHERE id = {A_SUCCESS}; UPDATE requests SET recovered = 1",
    "a row of nobody": f"UPDATE attempts SET id = randomblob(16) WHERE id = {A_SUCCESS}",
}


def self_test():
    """Spoils true books in every way that the checkers are there for; how many of them were not found."""
    missed = []

    def expect(what, found, wanted=True):
        print(f"{what}: {'found: ' + found[0] if found else 'nothing'}")
        if bool(found) != wanted:
            missed.append(what)

    with Till({"up": QUICK_ANSWERS}, one_provider()) as till:
        told = load(till.port, mixed(), 50, 2)
        till.await_rest()
        page, budgets, truth, folder = till.metrics(), till.budgets(), till.truth(), till.folder / "var" / "ledger"

        def all_of(where, page=page, budgets=budgets, truth=truth, answers=told.whole):
            kept = books.Books(where)
            return (kept.audit() + audit_truth(kept, truth, ODD)[0] + audit_answers(kept, answers)
                    + audit_counters(page, kept.attempts.values()) + audit_budgets(budgets, kept))

        expect("true books", all_of(spoil(folder, "")), wanted=False)
        for what, words in SPOILT.items():
            expect(what, all_of(spoil(folder, words)))
        twice = spoil(folder, "")
        path = next(twice.glob("ledger-*.db"))
        shutil.copy(path, twice / "ledger-1999-01.db")
        expect("every row twice", all_of(twice))
        expect("an attempt that has no row", all_of(folder, truth=[*truth, truth[0] | {"client_request_id": "0" * 32}]))
        expect("an answer that has no row", all_of(folder, answers=[("0" * 32, None)]))
        expect("an answer that told another cost", all_of(folder, answers=[(next(
            (key for key, cost in told.whole if cost)), "0.5")]))
        expect("something held", all_of(folder, budgets=[budgets[0] | {"held_usd": "0.000000001"}]))
        expect("a nano-dollar more spent", all_of(folder, budgets=[budgets[0] | {"spent_usd": "0.000000001"}]))
        expect("a counter without its rows", all_of(folder, page=page.replace("tollgate_cost_usd_total{", "gone{")))
    print("".join(f"MISSED: {what}\n" for what in missed), end="")
    return len(missed)
