#!/usr/bin/env python3
"""Whether money is exact: budgets that cannot be overrun, the same price on every way, what it costs to know. One
experiment a function, one line of figures each; money.sh says how to run them. What goes wrong meanwhile is in
mishaps.py and disks.py.

money.py [--quick] [M8 U4 M2 M1 M4 M5 failpoints overhead]      money.py --self-test

The exit code tells whether all bars were met."""

import asyncio
import itertools
import json
import sys
import time

import disks
import mishaps
import overhead
import rounds
import spoilt
from books import Price, audit_budgets, audit_counters, audit_truth, first_of, nanos
from callers import Caller
from till import (KEY, PATIENT, Till, ask, ask_once, chat_body, error_of, is_whole, percentile, post, spread, tenant)

# --- M8 ---

CALLS, CROWD = 10, 512
LATE, SOON = "late", "soon"  # two names of one length for one model: its answers take a while, or come at once
HANGS = 4.0
# Odd digits, so that a sum that is rounded anywhere on the way shows; and one where every call costs what was held.
BY_TOKEN, BY_CALL = Price("2.000000003", "9.999999997"), Price(per_call="0.000123457")
MOST_OUTPUT = 40
TIMES_BAR = 10.0  # ms


def till_of_one_budget(price, amount, end_user):
    pot = f"{{name: pot, amount: {amount} USD, window: total}}"
    soon = f"name: 'sim,first_token=0,rate=0', default_max_output: {MOST_OUTPUT}"
    return Till({"up": ["--first-token", f"{HANGS}s", "--tokens-per-second", "0"]}, f"""
providers:
  up: {{base_url: "http://@up@/v1", {PATIENT}, pool: {{max_connections: 1000}}}}
models:
  {LATE}: {{provider: up, name: sim, default_max_output: {MOST_OUTPUT}, price: {price.yaml()}}}
  {SOON}: {{provider: up, {soon}, price: {price.yaml()}}}
  gift: {{provider: up, {soon}, free: true}}
tenants:
""" + tenant("acme", *(("", f"end_user_budgets: [{pot}]") if end_user else (pot, ""))), threads=2)


class Cell:
    """One way in which 512 calls may come to a budget for 10."""

    def __init__(self, stream, capped, who, restart, clients):
        self.stream, self.capped, self.who, self.restart, self.clients = stream, capped, who, restart, clients
        self.price = BY_CALL if restart == "stop" else BY_TOKEN
        self.raw = {name: self.request(name) for name in (LATE, SOON, "gift")}
        size = len(self.raw[LATE].partition(b"\r\n\r\n")[2])
        self.worst = self.price.worst(size, MOST_OUTPUT)
        self.amount = CALLS * self.worst
        self.wrong, self.burst_ms, self.probe_ms, self.own_ms = [], [], [], []

    @property
    def name(self):
        limit = "max_tokens" if self.capped else "no max_tokens"
        return f"{'stream' if self.stream else 'json'}/{limit}/{self.who}/{self.restart}/{self.clients}"

    def request(self, model):
        body = chat_body(model, self.stream, MOST_OUTPUT if self.capped else None)
        return post(KEY.format("acme"), body, fields=["x-tollgate-user: mia"] if self.who == "new end user" else [])

    def check(self, what, said, due):
        if said != due:
            self.wrong.append(f"{self.name}: {what} {said}, due {due}")

    def run(self):
        amount = f"{self.amount // 10**9}.{self.amount % 10**9:09d}"
        with till_of_one_budget(self.price, amount, self.who == "new end user") as till:
            self.till = till
            if self.who == "known tenant":
                self.check("the gift's status", ask_once(till.port, self.raw["gift"]).status, 200)
            before = self.begin_with_five() if self.restart != "fresh" else 0
            admitted = asyncio.run(self.burst(CALLS - before))
            self.check("admitted", before + admitted, CALLS)
            self.check("at rest", till.await_rest(), True)
            self.fill_the_rest()
            self.judge()
        return self

    def begin_with_five(self):
        """Half of the calls before the restart."""
        raw = self.raw[LATE]
        if self.restart == "stop":
            answers = asyncio.run(self.together([raw] * 5))
            self.check("good ones before", sum(is_whole(each, self.stream) for each in answers), 5)
            self.check("exit code", self.till.stop(), 0)
        else:
            asyncio.run(self.killed_with([raw] * 5))
        self.till.start()
        self.check("at rest after the restart", self.till.await_rest(), True)
        return 5

    async def together(self, requests):
        callers = [Caller(self.till.port) for _ in requests]
        answers = await asyncio.gather(*(ask(*each) for each in zip(callers, requests)))
        for caller in callers:
            caller.close()
        return answers

    async def killed_with(self, requests):
        calls = asyncio.create_task(self.together(requests))
        received = self.till.simulators["up"].received
        started = time.monotonic()
        while await asyncio.to_thread(received) < 5 + (self.who == "known tenant") and time.monotonic() < started + 2:
            await asyncio.sleep(0.02)
        self.till.kill()
        await calls

    async def burst(self, room):
        """All at one time; while those that were admitted hang, the refused are counted and looked at."""
        left, refused, admitted = iter(range(CROWD)), [], []
        callers = [Caller(self.till.port) for _ in range(self.clients)]
        for caller in callers:
            await caller.open()

        async def client(caller):
            for _ in left:
                sent = time.monotonic()
                answer = await ask(caller, self.raw[LATE])
                if answer is not None and answer.status == 200:
                    admitted.append((time.monotonic(), answer))
                else:
                    refused.append((time.monotonic(), answer))
                    self.burst_ms.append((time.monotonic() - sent) * 1000)
            caller.close()

        clients = [asyncio.create_task(client(caller)) for caller in callers]
        started = time.monotonic()
        while len(refused) < CROWD - room and time.monotonic() < started + HANGS - 0.5:
            await asyncio.sleep(0.005)
        await self.look_meanwhile(room, started + HANGS - 0.3)
        await asyncio.gather(*clients)
        if admitted and refused:  # else it is no proof: money that is free again may be spent again
            self.check("last refusal before first answer", max(refused)[0] < min(admitted)[0], True)
        for _, answer in refused:
            self.check("a refusal", self.kind_of(answer), (429, "rate_limit_exceeded"))
        for _, answer in admitted:
            self.check("an answer is whole", is_whole(answer, self.stream), True)
            told = answer.fields.get("x-tollgate-max-output")
            self.check("x-tollgate-max-output", told, None if self.capped else str(MOST_OUTPUT))
        return len(admitted)

    def kind_of(self, answer):
        if answer is None:
            return 0, "no answer"
        return answer.status, "an answer" if answer.status == 200 else error_of(answer)["code"]

    async def look_meanwhile(self, room, until):
        if self.who != "new end user":
            held = await asyncio.to_thread(self.till.held, "tenant/acme/pot")
            self.check("held", held, room * self.worst)
        caller = Caller(self.till.port)
        for _ in range(50):
            sent = time.monotonic()
            if sent > until:  # nothing is held any more soon
                break
            answer = await ask(caller, self.raw[LATE])
            self.probe_ms.append((time.monotonic() - sent) * 1000)
            self.check("a late refusal", self.kind_of(answer), (429, "rate_limit_exceeded"))
            await asyncio.sleep(0.004)
        caller.close()

    def fill_the_rest(self):
        """What was held and not spent is free again, to the nano-dollar: one call after the other until there is no room
        for the dearest that it may be."""
        spent, refused = self.till.ledger().cost(), None
        for _ in range(200):
            due = 200 if spent + self.worst <= self.amount else 429
            answer = ask_once(self.till.port, self.raw[SOON])
            self.check(f"status of one more after {spent} of {self.amount}", answer.status, due)
            if answer.status != 200:
                refused = answer
                break
            spent = self.spent_now()
            if not self.stream:
                remaining = answer.fields.get("x-tollgate-budget-remaining-usd")
                self.check("remaining", nanos(remaining), self.amount - spent)
        if refused:
            self.check("the last refusal", error_of(refused)["code"], "insufficient_quota")

    def spent_now(self):
        """Settled before the last byte, so the budget knows at once; one of an end user is told by the ledger alone."""
        if self.who != "new end user":
            return self.till.spent("tenant/acme/pot")
        self.till.await_rest()
        return self.till.ledger().cost()

    def judge(self):
        self.check("at rest at last", self.till.await_rest(), True)
        truth = self.till.truth()
        kept = self.till.ledger()
        self.spent = kept.cost()
        self.overspent = max(0, self.spent - self.amount)
        self.check("overspent", self.overspent, 0)
        self.check("overspent in the admin API", nanos(self.till.usage()["totals"]["cost_usd"]), self.spent)
        self.wrong += [f"{self.name}: {each}" for each in
                       kept.audit() + audit_truth(kept, truth, None)[0] + audit_budgets(self.till.budgets(), kept)]
        refusals = [line["duration_ms"] for line in self.till.access_log() if line["status"] == 429]
        self.own_ms = refusals


def cells():
    who = ("first-seen tenant", "known tenant", "new end user")
    all_of_them = itertools.product((False, True), (True, False), who, ("fresh", "kill -9", "stop"))
    clients = itertools.cycle((64, 128, 256, 512))
    made = [Cell(*each, next(clients)) for each in all_of_them]
    return made[::5] if rounds.quick else made


def m8():
    """A budget for exactly 10 calls, 512 at one time: exactly 10 are admitted, and nothing is spent beyond it."""
    done = [cell.run() for cell in cells()]
    wrong = [fault for cell in done for fault in cell.wrong]
    own, probe, burst = ([ms for cell in done for ms in getattr(cell, name)] for name in ("own_ms", "probe_ms", "burst_ms"))
    good = not wrong and percentile(own, 0.99) <= TIMES_BAR and percentile(probe, 0.99) <= TIMES_BAR
    by_call = sum(cell.price is BY_CALL for cell in done)
    return good, (
        f"{len(done)} cells, {CROWD} calls at one time over 64 to 512 connections in each, room for {CALLS}: "
        f"{len(done) - len({fault.split(':')[0] for fault in wrong})} cells exact, overspent "
        f"{sum(cell.overspent for cell in done)} nano-dollars (0); calls hang {HANGS:.0f} s, so that all come before any "
        f"settles, {by_call} cells priced by the call; afterwards room is the amount less what calls have cost; refusals "
        f"p50/p99/max by the gateway's own log {spread(own)}, one after the other beside the crowd {spread(probe)} "
        f"(p99 <= {TIMES_BAR:.0f} each), within the crowd, its own queue counted in, {spread(burst)}{first_of(wrong)}")


# --- U4 ---

WORDS, ANSWER = "one two three four five six seven", 21
STEERED = f"sim,tokens={ANSWER},rate=0"
PARITY = Price("1.234567891", "7.654321987")
ALIASES = {"direct": "{kind}", "route": "via-{kind}", "wildcard": "{kind}-family/" + STEERED, "provider/name": "{kind}/" + STEERED}


def parity_routes():
    text = "prices: prices.yaml\nproviders:\n"
    for kind in ("plain", "flaky", "broken"):
        text += f'  {kind}: {{base_url: "http://@{kind}@/v1", {PATIENT}, prices: sim}}\n'
    text += "models:\n"
    for kind in ("plain", "flaky", "broken"):
        text += f"  {kind}: {{provider: {kind}, name: '{STEERED}'}}\n  \"{kind}-family/*\": {{provider: {kind}, name: \"*\"}}\n"
    text += "routes:\n  via-plain: {primary: plain}\n  via-flaky: {primary: flaky}\n"
    text += "  via-broken: {primary: broken, fallbacks: [plain]}\n"
    text += "defaults: {retry: {attempts: 3, backoff: {base: 1ms, max: 2ms}}}\ntenants:\n"
    return text + tenant("acme", "{name: pot, amount: 100 USD, window: total}")


def parity_body(endpoint, model, stream):
    inputs = {"chat/completions": {"messages": [{"role": "user", "content": WORDS}]}, "completions": {"prompt": WORDS},
              "responses": {"input": WORDS}, "embeddings": {"input": WORDS}}
    body = {"model": model, **inputs[endpoint]}
    if stream:
        body |= {"stream": True}
        body |= {"stream_options": {"include_usage": True}} if endpoint != "responses" else {}
    return body


def cost_in_stream(body):
    """`usage.cost_usd` of the last event that has one, exactly as it was written."""
    found = None
    for line in body.decode().splitlines():
        if line.startswith("data: {"):
            event = json.loads(line[6:], parse_float=str, parse_int=str)
            usage = event.get("usage") or (event.get("response") or {}).get("usage") or {}
            found = usage.get("cost_usd", found)
    return found


class Parity:
    """Calls that use the same tokens, each on a way of its own."""

    def __init__(self, till):
        self.till, self.wrong, self.cells, self.repeats = till, [], {}, 0

    def run(self, endpoint, stream, alias, kind):
        """One whole answer; of a retry, the first one that needed two attempts."""
        name = f"{endpoint}/{'stream' if stream else 'json'}/{alias}/{kind}"
        raw = post(KEY.format("acme"), parity_body(endpoint, ALIASES[alias].format(kind=kind), stream),
                   f"/v1/{endpoint}", ["x-tollgate-include: cost"])
        for _ in range(60):
            answer = ask_once(self.till.port, raw)
            attempts = int(answer.fields.get("x-tollgate-attempts", 0)) if answer else 0
            if answer and answer.status == 200 and (kind == "plain" or attempts == 2):
                told = cost_in_stream(answer.body) if stream else answer.fields.get("x-tollgate-cost-usd")
                self.cells[name] = (plain_id(answer), told, endpoint, stream)
                return
            if kind == "plain" or not answer or answer.status == 400:
                break
        self.wrong.append(f"{name}: {answer and answer.status} after {attempts} attempts "
                          f"{answer.body[:200] if answer and answer.status != 200 else ''}")

    def judge(self, kept):
        """In nano-dollars: what each cell has cost by the rows, which all have to be the same for the same tokens."""
        costs = {}
        for name, (identifier, told, endpoint, stream) in self.cells.items():
            request = kept.requests.get(identifier)
            if request is None:
                self.wrong.append(f"{name}: no row")
                continue
            rows = [row for row in kept.attempts.values() if row["request"] == identifier]
            due = PARITY.cost(len(WORDS.split()), 0 if endpoint == "embeddings" else ANSWER)
            costs.setdefault(endpoint == "embeddings", set()).add(request["cost"])
            if request["cost"] != due or sum(row["cost"] for row in rows) != due or request["wasted"]:
                self.wrong.append(f"{name}: row {request['cost']}, attempts {[row['cost'] for row in rows]}, due {due}")
            if (told is None or nanos(told) != due) and not (stream and endpoint == "responses" and told is None):
                self.wrong.append(f"{name}: the client was told {told}, due {due}")
        return costs


def plain_id(answer):
    return answer.fields["x-request-id"].replace("-", "")


def u4():
    """The same tokens cost the same nano-dollars, whichever endpoint, way and name they come by."""
    sims = {"plain": ["--first-token", "1ms"], "flaky": ["--failure-rate", "40%", "--fault", "error_500=1"],
            "broken": ["--failure-rate", "100%", "--fault", "error_503=1"]}
    sims = {name: [*options, *([] if "--first-token" in options else ["--first-token", "1ms"])] for name, options in sims.items()}
    with TillWithPrices(sims, parity_routes(), f"version: 1\nproviders:\n  sim:\n    \"sim*\": {PARITY.yaml()}\n") as till:
        parity = Parity(till)
        for endpoint, stream, alias in itertools.product(("chat/completions", "completions", "responses", "embeddings"),
                                                         (False, True), ALIASES):
            if endpoint == "embeddings" and stream:
                continue
            for kind in ("plain", "flaky", *(["broken"] if alias == "route" else [])):
                parity.run(endpoint, stream, alias, kind)
        parity.wrong += [] if till.await_rest() else ["it does not come to rest"]
        kept = till.ledger()
        costs = parity.judge(kept)
        wrong = parity.wrong + kept.audit() + audit_truth(kept, till.truth(), PARITY)[0]
        wrong += audit_counters(till.metrics(), kept.attempts.values()) + audit_budgets(till.budgets(), kept)
        if nanos(till.usage()["totals"]["cost_usd"]) != kept.cost():
            wrong.append("the admin API's total is not the rows'")
    answers, inputs = (sorted(costs.get(key, ())) for key in (False, True))
    return not wrong, (
        f"{len(parity.cells)} cells of endpoint x stream x name x (plain, retry, fallback): {len(WORDS.split())} tokens in and "
        f"{ANSWER} out cost {answers} nano-dollars, {len(WORDS.split())} in alone {inputs} (one each) in header, usage chunk, "
        f"request row, attempt rows, counters, budget and admin API{first_of(wrong)}")


class TillWithPrices(Till):
    def __init__(self, simulators, routes, prices, **more):
        self.prices = prices
        super().__init__(simulators, routes, **more)

    def start(self):
        (self.folder / "prices.yaml").write_text(self.prices)
        return super().start()


def self_test():
    """A budget that is a nano-dollar short of ten calls, and one with room for eleven, have to be noticed as well."""
    missed = spoilt.self_test()
    for what, more in (("a nano-dollar less than ten calls", -1), ("room for eleven calls", 1)):
        cell = Cell(stream=False, capped=True, who="first-seen tenant", restart="fresh", clients=64)
        cell.amount += more if more < 0 else cell.worst
        found = [fault for fault in cell.run().wrong if ": admitted " in fault]
        print(f"{what}: {'found: ' + found[0] if found else 'NOTHING'}")
        missed += not found
    print(f"{missed} MISSED" if missed else "every one was found")
    return 1 if missed else 0


EXPERIMENTS = {"M8": m8, "U4": u4, "M2": mishaps.m2, "M1": mishaps.m1, "M4": disks.m4, "M5": disks.m5, "failpoints": mishaps.failpoints,
               "overhead": overhead.overhead}


if __name__ == "__main__":
    if "--self-test" in sys.argv:
        sys.exit(self_test())
    sys.exit(rounds.run(EXPERIMENTS, __doc__))
