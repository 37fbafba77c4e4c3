#!/usr/bin/env python3
"""Whether a ledger is true: its rows against one another, against its own sums, and against what providers say that they
have done. It reads the files beside a gateway and shares nothing with its arithmetic.

books.py LEDGER_FOLDER [TRUTH.jsonl ...]      prints what is wrong; the exit code tells whether anything is"""

import hashlib
import json
import os
import sqlite3
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

OUTCOMES = ("ok", "client_error", "limited", "upstream_error", "timeout", "truncated", "cancelled", "internal")
WASTES = ("none", "retry", "fallback", "hedge", "truncated", "abandoned")
# Sums that the ledger keeps of all rows; those by tag are of rows with tags alone.
ROLLUPS = {"key_task_days": "day, tenant, key, task", "key_model_days": "day, tenant, key, model",
           "route_days": "day, tenant, route, task, model, target", "model_hours": "hour, tenant, model"}
NANOS = 10**9


def nanos(dollars):
    """A decimal text as whole nano-dollars; a fraction of one would be a defect."""
    amount = Decimal(dollars) * NANOS
    if amount != int(amount):
        raise ValueError(f"{dollars} is not whole nano-dollars")
    return int(amount)


def usd(amount):
    return f"{Decimal(amount) / NANOS:.9f}"


@dataclass(frozen=True)
class Price:
    """USD for a million tokens as texts, and for a call."""

    input: str = "0"
    output: str = "0"
    per_call: str = "0"

    def cost(self, input_tokens, output_tokens):
        """Rounded once, half up."""
        millionths = input_tokens * nanos(self.input) + output_tokens * nanos(self.output)
        return (millionths + 500_000) // 1_000_000 + nanos(self.per_call)

    def worst(self, body_size, output_tokens):
        """The most that a call may come to: a token for each byte of its body, and 16 for what is beside the text."""
        return self.cost(body_size + 16, output_tokens)

    def yaml(self):
        rates = [] if (self.input, self.output) == ("0", "0") else [f"input: {self.input}, output: {self.output}"]
        rates += [f"per_call: {self.per_call}"] if self.per_call != "0" else []
        return f"{{{', '.join(rates)}, source: bench}}"


def plain(identifier):
    """An id as the rows have it."""
    return identifier.replace("-", "").lower()


class Books:
    """All rows of a ledger, read once. Names stand as texts, ids as hex digits."""

    def __init__(self, folder):
        self.attempts, self.requests, self.faults = {}, {}, []
        self.balances, self.rollups, self.files = Counter(), defaultdict(Counter), 0
        for path in sorted(Path(folder).glob("ledger-*.db")):
            self._read(path)
            self.files += 1

    def _read(self, path):
        with sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30) as file:
            file.row_factory = sqlite3.Row
            file.execute("BEGIN")  # one look at all tables
            names = {0: ""} | dict(file.execute("SELECT id, text FROM names").fetchall())
            self._take(file, "attempts", self.attempts, names)
            self._take(file, "requests", self.requests, names)
            for budget, window, spent in file.execute("SELECT budget, window, spent FROM balances"):
                self.balances[budget % 2**64, window] += spent
            for table, by in ROLLUPS.items():
                for row in file.execute(f"SELECT {by}, requests, attempts, cost, recovered FROM {table}"):
                    self.rollups[table] += Counter({measure: row[measure] for measure in
                                                    ("requests", "attempts", "cost", "recovered")})
            for (words,) in file.execute("PRAGMA integrity_check"):
                self.faults += [f"{path.name}: {words}"] if words != "ok" else []
        file.close()

    def _take(self, file, table, rows, names):
        texts = ("tenant", "key", "route", "task", "model", "target", "budgets")
        for row in file.execute(f"SELECT * FROM {table}"):
            entry = {name: names[row[name]] if name in texts else row[name] for name in row.keys()}
            entry["id"] = entry["id"].hex()
            if "request" in entry:
                entry["request"] = entry["request"].hex()
            if entry["id"] in rows:
                self.faults.append(f"{table}: {entry['id']} is there twice")
            rows[entry["id"]] = entry

    def cost(self, where=lambda row: True):
        return sum(row["cost"] or 0 for row in self.attempts.values() if where(row))

    def audit(self):
        """What does not agree with itself."""
        return [*self.faults, *self._audit_requests(), *self._audit_sums(), *self._audit_waste()]

    def _audit_requests(self):
        faults, attempts = [], defaultdict(list)
        for row in self.attempts.values():
            attempts[row["request"]].append(row)
        for identifier, rows in attempts.items():
            request = self.requests.get(identifier)
            if request is None:
                faults.append(f"request {identifier} has {len(rows)} attempts and no row")
                continue
            cost, wasted = (sum(row["cost"] or 0 for row in some) for some in
                            (rows, [row for row in rows if row["waste"]]))
            if request["attempts"] != len(rows):
                faults.append(f"request {identifier} says {request['attempts']} attempts, has {len(rows)}")
            if request["cost"] is not None and request["cost"] != cost:
                faults.append(f"request {identifier} says {request['cost']}, its attempts {cost} ({shape(request, rows)})")
            if request["wasted"] != wasted:
                faults.append(f"request {identifier} says {request['wasted']} wasted, its attempts {wasted} "
                              f"({shape(request, rows)})")
        return faults + [f"request {each} has a row and no attempt" for each in self.requests.keys() - attempts.keys()]

    def _audit_sums(self):
        faults, balances = [], Counter()
        for row in self.attempts.values():
            for share in row["budgets"].split():
                budget, window = share.split(":")
                balances[int(budget, 16), int(window)] += row["cost"] or 0
        faults += [f"balance {key}: {self.balances[key]}, its rows {balances[key]}"
                   for key in self.balances.keys() | balances.keys() if self.balances[key] != balances[key]]
        sums = {"requests": len(self.requests), "attempts": len(self.attempts), "cost": self.cost(),
                "recovered": sum(row["recovered"] for row in self.attempts.values())}
        for table in ROLLUPS:
            faults += [f"{table}: {measure} {self.rollups[table][measure]}, rows {due}" for measure, due in sums.items()
                       if self.rollups[table][measure] != due and (self.attempts or due)]
        return faults

    def _audit_waste(self):
        """Of an attempt that another one followed: a retry is followed by the same target, and nothing follows where
        content had gone out."""
        faults, attempts = [], {(row["request"], row["number"]): row for row in self.attempts.values()}
        hedged = {row["request"] for row in self.attempts.values() if WASTES[row["waste"]] == "hedge"}
        for (request, number), row in attempts.items():
            after, reason = attempts.get((request, number + 1)), WASTES[row["waste"]]
            if not after or request in hedged or row["recovered"] or not row["cost"] or reason == "abandoned":
                continue
            if reason not in ("fallback", *(["retry"] if after["target"] == row["target"] else [])):
                faults.append(f"attempt {row['id']} of {row['target']} is wasted as {reason}, {after['target']} followed")
        return faults

    def spent(self, path):
        """What the balances say of a budget, by its path (`tenant/acme/monthly`), over all windows."""
        identity = int.from_bytes(hashlib.sha256(path.encode()).digest()[:8], "big")
        return sum(spent for (budget, _), spent in self.balances.items() if budget == identity)


def shape(request, rows):
    """In a few words what kind of request it was."""
    told = ", ".join(f"{OUTCOMES[row['outcome']]}/{WASTES[row['waste']]} {row['cost']}" for row in rows)
    return f"{'stream' if request['stream'] else 'json'} {request['status']} {OUTCOMES[request['outcome']]}: {told}"


def read_truth(*paths):
    return [json.loads(line) for path in paths for line in Path(path).read_text().splitlines()]


def is_whole(entry):
    """The provider has given all of an answer and said what it has used."""
    return entry["ended"] == "complete" and entry["status"] == 200 and entry["fault"] in ("", "none")


def audit_truth(books, truth, price=None):
    """What providers have seen against the rows: (what is wrong, how many attempts no provider has seen to its end).
    `price`: of every call."""
    faults, seen = [], set()
    for entry in truth:
        identifier = plain(entry.get("client_request_id") or "")
        row = books.attempts.get(identifier)
        seen.add(identifier)
        if row is None:
            faults.append(f"attempt {identifier} ({entry['ended']}, {entry['status']}) has no row")
        elif price and is_whole(entry) and not row["recovered"] and OUTCOMES[row["outcome"]] == "ok":
            due = price.cost(entry["prompt_tokens"], entry["completion_tokens"])
            said = (row["input_tokens"], row["output_tokens"], row["cost"])
            if said != (entry["prompt_tokens"], entry["completion_tokens"], due):
                faults.append(f"attempt {identifier}: {said}, the provider gave {entry['prompt_tokens']}, "
                              f"{entry['completion_tokens']}, which is {due}")
    unseen = [row for identifier, row in books.attempts.items() if identifier not in seen]
    # Of an answer somebody has to know; of the rest the connection may have gone before the request was read.
    faults += [f"attempt {row['id']} of status {row['status']} is not known to any provider" for row in unseen
               if OUTCOMES[row["outcome"]] == "ok" and not row["recovered"]]
    return faults, len(unseen)


def audit_answers(books, answers):
    """`answers`: (x-request-id, x-tollgate-cost-usd or None) of every answer that a client has got whole: settled before
    its last byte, so whatever happened then, the row is no recovered one."""
    faults = []
    for identifier, cost in answers:
        request = books.requests.get(plain(identifier))
        if request is None:
            faults.append(f"answer {identifier} has no row")
        elif request["recovered"] or OUTCOMES[request["outcome"]] != "ok":
            faults.append(f"answer {identifier} was whole, its row says {OUTCOMES[request['outcome']]}"
                          f"{', recovered' if request['recovered'] else ''}")
        elif cost is not None and nanos(cost) != request["cost"]:
            faults.append(f"answer {identifier} said {nanos(cost)}, its row {request['cost']}")
    return faults


def by_counter(rows):
    """What the counters have to say of attempts: cost by (tenant, task, model), waste by (tenant, model, reason)."""
    costs, wasted = Counter(), Counter()
    for row in rows:
        tenant, task, model = (row[name] or "none" for name in ("tenant", "task", "model"))
        costs[tenant, task, model] += row["cost"] or 0
        if row["waste"]:
            wasted[tenant, model, WASTES[row["waste"]]] += row["cost"] or 0
    return costs, wasted


def read_counter(page, name, labels):
    """A metric's samples by the values of some labels, in nano-dollars."""
    found = Counter()
    for line in page.splitlines():
        if line.startswith(name + "{"):
            inside, _, value = line[len(name) + 1 :].rpartition("} ")
            pairs = dict(pair.split("=", 1) for pair in inside.split(","))
            found[tuple(pairs[label].strip('"') for label in labels)] += nanos(value)
    return found


def audit_counters(page, rows):
    costs, wasted = by_counter(rows)
    faults = []
    for name, labels, due in (("tollgate_cost_usd_total", ("tenant", "task", "model"), costs),
                              ("tollgate_wasted_cost_usd_total", ("tenant", "model", "reason"), wasted)):
        told = read_counter(page, name, labels)
        faults += [f"{name} {key}: {told[key]}, rows {due[key]}" for key in told.keys() | due.keys()
                   if told[key] != due[key]]
    return faults


def audit_budgets(budgets, books):
    """`budgets`: the list of the admin API. Nothing is held at rest, and what is spent is what the rows have cost."""
    faults = []
    for budget in budgets:
        held, spent = nanos(budget["held_usd"]), nanos(budget["spent_usd"])
        if held:
            faults.append(f"budget {budget['id']}: {held} held, nothing in flight")
        if spent != books.spent(budget["id"]):
            faults.append(f"budget {budget['id']}: {spent} spent, the ledger has {books.spent(budget['id'])}")
        if spent > nanos(budget["limit_usd"]) and budget["when_spent"] == "reject":
            faults.append(f"budget {budget['id']}: {spent - nanos(budget['limit_usd'])} over its limit")
    return faults


def first_of(wrong):
    """Some words on what is wrong; all of it goes to the file that FAULTS names."""
    if wrong and "FAULTS" in os.environ:
        with open(os.environ["FAULTS"], "a", encoding="utf-8") as file:
            file.write("".join(f"{fault}\n" for fault in wrong))
    return f"; {len(wrong):,} WRONG: " + " | ".join(wrong[:3]) if wrong else ""


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    kept = Books(sys.argv[1])
    wrong = kept.audit() + audit_truth(kept, read_truth(*sys.argv[2:]))[0] * (len(sys.argv) > 2)
    print("\n".join(wrong) or f"{len(kept.attempts)} attempts, {len(kept.requests)} requests: nothing wrong")
    sys.exit(1 if wrong else 0)
