"""Processes that are killed and calls that end in every way there is. Afterwards the books are compared with everybody
who has seen a part."""

import asyncio
import collections
import contextlib
import os
import random
import time
from pathlib import Path

import books
import gateway
import rounds
from books import audit_answers, audit_budgets, audit_counters, audit_truth, first_of, plain
from callers import Caller
from till import (KEY, ODD, PATIENT, PLENTY, QUICK_ANSWERS, Load, Till, ask, chat_body, is_whole, mixed, one_provider, post,
                  tenant)

# --- M1 ---


def killed_at(till, moment, rate, requests):
    """A load that ends with the gateway: what clients had got by then."""
    async def play():
        running = Load(till.port, requests, rate)
        task = asyncio.create_task(running.run(moment + 5))
        await asyncio.sleep(moment)
        till.kill()
        running.over = True
        await task
        return running

    return asyncio.run(play())


def after_restart(till):
    """What is wrong with the books of a gateway that has just come up."""
    if not till.await_rest():
        return ["it does not come to rest"]
    kept = till.ledger()
    return kept.faults + audit_budgets(till.budgets(), kept)


def m1():
    """kill -9 at random moments under load: nothing lost, nothing twice, nothing left open."""
    cycles, rate, chance = 6 if rounds.quick else 50, 200, random.Random(1)
    answers, sent, wrong = [], 0, []
    with Till({"up": QUICK_ANSWERS}, one_provider(), threads=2) as till:
        till.slowest_start = 0.0  # the first one has nothing to recover
        for _ in range(cycles):
            told = killed_at(till, chance.uniform(0.1, 2.0), rate, mixed())
            answers, sent = answers + told.whole, sent + told.sent
            till.start()
            wrong += after_restart(till)
        truth, kept = till.truth(), till.ledger()
        slowest = till.slowest_start
        torn = len(till.told("ledger_torn")) + len(till.told("ledger_damaged"))
    complete = sum(entry["ended"] == "complete" for entry in truth)
    truth_wrong, unseen = audit_truth(kept, truth, ODD)
    wrong += kept.audit() + truth_wrong + audit_answers(kept, answers)
    recovered = sum(row["recovered"] for row in kept.attempts.values())
    return not wrong and slowest < 2 and recovered > 0, (
        f"{cycles} x kill -9 at {rate}/s, half streams: {sent:,} sent, {len(answers):,} got whole, the provider completed "
        f"{complete:,} of {len(truth):,}; ledger {len(kept.attempts):,} attempts, {len(kept.requests):,} requests, "
        f"{recovered:,} recovered, {unseen} that the provider did not see; lost, doubled or open: {len(wrong)} (0), torn or "
        f"damaged files {torn}; ready after at most {slowest:.2f} s (< 2){first_of(wrong)}")


# Where the process may die, and how often that place is passed before; what is only passed at a start comes last.
BY_EACH_CALL = ("journal.unpublished", "journal.reserved", "upstream.connected", "upstream.sent", "pipeline.answered",
                "pipeline.mid_stream", "journal.checkpoint", "pipeline.ended", "journal.before_settle", "journal.settled")
FAILPOINTS = (*BY_EACH_CALL, "journal.segment_full", "journal.segment_ended", "journal.before_commit", "journal.after_commit",
              "journal.before_delete")
FAILPOINTS_AT_START = ("journal.recovery_listed", "journal.recovery_before_commit", "journal.recovery_after_commit",
                       "journal.recovery_before_delete", "journal.recovery_mid_delete")


def has_failpoints():
    return b"journal.recovery_mid_delete" in Path(gateway.binary()).read_bytes()


@contextlib.contextmanager
def armed(place):
    os.environ["TOLLGATE_FAILPOINT"] = place
    try:
        yield
    finally:
        del os.environ["TOLLGATE_FAILPOINT"]


def start_until(till, place):
    """Whether it came up although it was to die at its start."""
    with armed(place), contextlib.suppress(SystemExit):
        till.start()
        return True
    return False


def dies_at(till, place, chance, tally):
    """One death at a place of the running gateway; the calls' whole answers."""
    nth = chance.choice((1, 2, 5, 20)) if place in BY_EACH_CALL else 1
    till.stop()
    if not start_until(till, f"{place}:{nth}"):
        tally[place] += 1  # some places are passed before it is ready
        till.start()
        return []

    async def play():
        # Streams are checkpointed each second.
        model = "long" if place == "journal.checkpoint" else chance.choice(("m", "long"))
        running = Load(till.port, mixed(model=model), 150)
        task = asyncio.create_task(running.run(12))
        while not till.has_died() and not task.done():
            await asyncio.sleep(0.02)
        running.over = True
        await task
        return running

    told = asyncio.run(play())
    tally[place] += till.has_died()
    till.bury() if till.has_died() else till.stop()
    till.start()
    return told.whole


def dies_at_start(till, place, tally):
    told = killed_at(till, 0.7, 150, mixed())
    tally[place] += not start_until(till, f"{place}:1")
    if till.running:
        till.stop()
    till.start()
    return told.whole


def failpoints():
    """Death at each named place of a call, of the journal and of recovery."""
    if not has_failpoints():
        return True, "left out: this binary has none; TOLLGATE= a debug build"
    times, tally, answers, wrong, chance = 2 if rounds.quick else 5, collections.Counter(), [], [], random.Random(3)
    routes = one_provider("ledger: {max_size: 4MiB}", models="  long: {provider: up, name: 'sim,tokens=60,rate=25', "
                          f"default_max_output: 60, price: {ODD.yaml()}}}\n")
    with Till({"up": QUICK_ANSWERS}, routes) as till:
        for place in FAILPOINTS * times:
            answers += dies_at(till, place, chance, tally)
            wrong += after_restart(till)
        for place in FAILPOINTS_AT_START * times:
            answers += dies_at_start(till, place, tally)
            wrong += after_restart(till)
        truth, kept = till.truth(), till.ledger()
    wrong += kept.audit() + audit_truth(kept, truth, ODD)[0] + audit_answers(kept, answers)
    places = FAILPOINTS + FAILPOINTS_AT_START
    idle = [place for place in places if tally[place] == 0]
    return not wrong and not idle, (
        f"{sum(tally.values())} deaths at {len(places) - len(idle)} of {len(places)} named places "
        f"({'not reached: ' + ', '.join(idle) + '; ' if idle else ''}{times} tries each): {len(answers):,} whole answers, "
        f"{len(truth):,} at the provider, {len(kept.attempts):,} rows; lost, doubled or open: {len(wrong)} (0)"
        f"{first_of(wrong)}")


# --- M2 ---

FAULTS = ("rate_limit", "error_500", "error_502", "error_503", "error_529", "bad_request", "reset_before_head",
          "reset_mid_stream", "close_before_head", "close_before_content", "close_mid_stream", "end_without_done",
          "short_without_done", "malformed_event", "error_event", "error_first", "role_then_hang", "hang_before_head",
          "hang_mid_stream", "garbage_head", "wrong_length", "empty_choices", "quota")
MODELS = ("auto", "auto", "solo", "hedged", "hedged", "steady", "unknown-model")


def chaos_routes():
    timeouts = "timeouts: {connect: 1s, first_token: 250ms, idle: 250ms, attempt: 1500ms}"
    text = "request_tags: [project]\nproviders:\n"
    for name in ("steady", "shaky", "slow"):
        text += f'  {name}: {{base_url: "http://@{name}@/v1", {PATIENT}, {timeouts}, pool: {{max_connections: 500}}}}\n'
    text += "models:\n"
    for name in ("steady", "shaky", "slow"):
        text += f"  {name}: {{provider: {name}, name: sim, default_max_output: 60, price: {ODD.yaml()}}}\n"
    return text + f"""  pair:
    targets: [{{provider: slow, name: sim}}, {{provider: steady, name: sim}}]
    price: {ODD.yaml()}
    default_max_output: 60
routes:
  auto: {{primary: shaky, fallbacks: [steady]}}
  solo: {{primary: shaky}}
  hedged: {{primary: pair, fallbacks: [shaky], hedge: {{after: 15ms, share: 100%}}}}
defaults: {{retry: {{attempts: 3, backoff: {{base: 1ms, max: 20ms}}}}}}
tenants:
""" + tenant("acme", PLENTY) + tenant("tight", "{name: tight, amount: 0.02 USD, window: total}", "end_user_budgets: "
             "[{name: each, amount: 0.001 USD, window: total}]")


def random_call(chance):
    """(request, whether it is a stream, seconds after which its client leaves or None)."""
    stream, owner = chance.random() < 0.5, "tight" if chance.random() < 0.1 else "acme"
    fields = [f"x-tollgate-timeout-ms: {chance.randrange(5, 400)}"] if chance.random() < 0.1 else []
    fields += ["x-tollgate-tags: project=apollo"] if chance.random() < 0.2 else []
    fields += [f"x-tollgate-user: user-{chance.randrange(40)}"] if chance.random() < 0.2 else []
    fields += ["x-tollgate-max-cost: 0.0001"] if chance.random() < 0.03 else []
    raw = post(KEY.format(owner), chat_body(chance.choice(MODELS), stream, chance.choice((None, 1, 30, 60)),
                                            "word " * chance.randrange(1, 30)), fields=fields)
    if chance.random() < 0.02:
        raw = raw[:-2] + b"!!"  # no JSON
    return raw, stream, chance.random() ** 2 * 0.12 if chance.random() < 0.25 else None


class Chaos:
    def __init__(self, chance):
        self.chance, self.tally, self.whole = chance, collections.Counter(), []

    async def one(self, port):
        raw, stream, leaves = random_call(self.chance)
        caller = Caller(port)
        try:
            answer = await asyncio.wait_for(ask(caller, raw), leaves)
            self.tally[str(answer.status) if answer else "broken"] += 1
            if is_whole(answer, stream):
                self.whole.append((answer.fields["x-request-id"], answer.fields.get("x-tollgate-cost-usd")))
        except asyncio.TimeoutError:
            self.tally["client left"] += 1
        caller.close(reset=self.chance.random() < 0.5)

    async def run(self, till, count, kill_after=None, clients=64):
        left = iter(range(count))

        async def client():
            for number in left:
                if till.running is None:
                    return
                await self.one(till.port)
                if number == kill_after:
                    till.kill()

        await asyncio.gather(*(client() for _ in range(clients)))


def against_access_log(kept, lines):
    """Every request with an attempt that the log tells of has a row that says the same; (faults, rows without a line)."""
    faults, told = [], set()
    for line in lines:
        identifier = plain(line["request_id"])
        told.add(identifier)
        row = kept.requests.get(identifier)
        if line["attempts"] == 0:
            faults += [f"request {identifier} was refused and has a row"] if row else []
        elif row is None:
            faults.append(f"request {identifier} ({line['status']} {line['outcome']}) has no row")
        elif not row["recovered"]:
            said = (row["attempts"], row["status"], books.OUTCOMES[row["outcome"]])
            due = (line["attempts"], line["status"], line["outcome"])
            faults += [f"request {identifier}: row {said}, access log {due}"] if said != due else []
    return faults, kept.requests.keys() - told


def one_life(till, chaos, count, kill):
    """What is wrong after so many calls and the end of a process; an orderly end also compares the counters."""
    known = till.ledger().attempts.keys()
    if kill:
        asyncio.run(chaos.run(till, count, kill_after=int(count * chaos.chance.uniform(0.3, 0.95))))
        till.start()
        return after_restart(till), True
    asyncio.run(chaos.run(till, count))
    wrong = after_restart(till)
    kept, page = till.ledger(), till.metrics()
    wrong += audit_counters(page, [row for key, row in kept.attempts.items() if key not in known])
    code = till.stop()
    wrong += [f"exit code {code}"] if code else []
    till.start()
    return wrong + after_restart(till), False


def m2():
    """Calls that end in every way there is: afterwards all books agree to the nano-dollar."""
    count, lives, chance = (5_000, 4, random.Random(2)) if rounds.quick else (100_000, 20, random.Random(2))
    count = int(os.environ.get("OUTCOMES", count))
    faults = [word for fault in FAULTS for word in ("--fault", f"{fault}=1")]
    sims = {"steady": QUICK_ANSWERS, "slow": ["--first-token", "30ms", "--jitter", "1", "--tokens-per-second", "800"],
            "shaky": [*QUICK_ANSWERS, "--failure-rate", "50%", *faults]}
    chaos, wrong, killed, began = Chaos(chance), [], 0, time.monotonic()
    with Till(sims, chaos_routes(), threads=2) as till:
        while sum(chaos.tally.values()) < count:
            faults_of_life, was_killed = one_life(till, chaos, count // lives, kill=till.lives % 3 == 0)
            wrong += faults_of_life
            killed += was_killed
        truth, kept, lines = till.truth(), till.ledger(), till.access_log()
        if books.nanos(till.usage()["totals"]["cost_usd"]) != kept.cost():
            wrong.append("the admin API's total is not the rows'")
    seen_wrong, unseen = audit_truth(kept, truth, ODD)
    log_wrong, silent = against_access_log(kept, lines)
    wrong += kept.audit() + seen_wrong + audit_answers(kept, chaos.whole) + log_wrong
    wrong += [f"{len(silent)} rows without a line in the access log, and nobody was killed"] if silent and not killed else []
    twice = sum(number > 1 for number in collections.Counter(entry["client_request_id"] for entry in truth).values())
    wastes = collections.Counter(books.WASTES[row["waste"]] for row in kept.attempts.values())
    outcomes = ", ".join(f"{number:,} x {what}" for what, number in chaos.tally.most_common())
    return not wrong and len(wastes) == len(books.WASTES), (
        f"{sum(chaos.tally.values()):,} calls ({outcomes}) over {till.lives} processes, {killed} of them killed, "
        f"{time.monotonic() - began:.0f} s: {len(kept.requests):,} requests, {len(kept.attempts):,} attempts, "
        f"{len(truth):,} at providers ({twice:,} attempts came twice, on a "
        f"fresh connection after a stale one), {unseen:,} not seen there; wasted {dict(wastes)}; "
        f"{books.usd(kept.cost())} USD in rows, sums, balances, budgets, counters of each orderly life and admin API; "
        f"differences {len(wrong)} (0){first_of(wrong)}")
