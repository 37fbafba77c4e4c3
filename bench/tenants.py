#!/usr/bin/env python3
"""How limits and keys behave under load, one experiment a function, one line of figures each; tenants.sh builds what it
needs.

tenants.py [--quick] [T1 T2 T3 T4]

The mock and the clients run on one core, the gateway with one worker on another. The exit code tells whether all bars
were met."""

import asyncio
import contextlib
import json
import random
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

import gateway
import resilience
import rounds
from callers import Caller, chat, offer
from resilience import Scene, await_true, disturbance, faults, ms
from rounds import CORE_LOAD, fetch, in_flight


def key_of(tenant):
    return f"key-of-{tenant}-0123456789"


def tenants(limits):
    """YAML of tenants with one key each; `limits` by name, as they are written."""
    text = "\nstorage: {path: store.db}\ntenants:\n"
    for name, limit in limits.items():
        text += f"  {name}:\n    keys: [{{name: main, secret: {key_of(name)}}}]\n"
        if limit:
            text += f"    limits: {{{limit}}}\n"
    return text


def seen_by_mock(scene):
    """Requests for answers; asking is one itself, so two looks differ by one more."""
    return fetch(scene.mock_port, "/stats")["requests"]


def refusal_judge(what, limit):
    """What is wrong with a 429: it must say which limit it was, how it stands and when to come back."""

    def judge(answer):
        wrong, fields = [], answer.fields
        if not re.fullmatch(r"[1-9]\d*", fields.get("retry-after", "")):
            wrong.append(f"retry-after {fields.get('retry-after')!r}")
        for part in ("limit", "remaining", "reset"):
            if f"x-ratelimit-{part}-{what}" not in fields:
                wrong.append(f"no x-ratelimit-{part}-{what}")
        if fields.get(f"x-ratelimit-limit-{what}") != str(limit):
            wrong.append(f"x-ratelimit-limit-{what} {fields.get(f'x-ratelimit-limit-{what}')}")
        error = json.loads(answer.body)["error"]
        named = error["param"] == f"tenant_{what}" and str(limit) in error["message"]
        if error["code"] != "rate_limit_exceeded" or not named:
            wrong.append(f"{error}")
        return wrong

    return judge


class Rate:
    """One limit and what is offered to it."""

    def __init__(self, name, burst, clients, **request):
        self.name, self.burst, self.clients, self.request = name, burst, clients, request
        self.told = None

    def capacity(self, rate):
        return rate * self.burst

    def share(self, rate):
        return self.told.used() / self.told.due(rate, self.capacity(rate))

    def words(self, rate, most):
        told = self.told
        over = told.excess(rate) - self.capacity(rate)
        due = told.due(rate, self.capacity(rate))
        return (f"{self.name} {told.used():,.0f} of {due:,.0f} ({self.share(rate):.1%}), "
                f"{told.refused:,} refused, {over:+.1f} over in the worst stretch (<= {most:.0f})")


def run_rates(rates, limit_key, per_minute, offered, seconds, weigh):
    """Offers to all at the same time, each its own tenant's limit; (answers 200, what the mock saw)."""
    what = limit_key.split("_")[0]
    limits = {each.name: f"{limit_key}: {per_minute}, burst: {each.burst}s" for each in rates}
    judge = refusal_judge(what, per_minute)

    async def all_of_them():
        requests = [chat(key_of(each.name), **each.request) for each in rates]
        return await asyncio.gather(*(offer(scene.port, request, offered(each), seconds, each.clients, weigh, judge)
                                      for each, request in zip(rates, requests)))

    with Scene(more=tenants(limits)) as scene:
        before = seen_by_mock(scene)
        for each, told in zip(rates, asyncio.run(all_of_them())):
            each.told = told
        seen = seen_by_mock(scene) - before - 1
    return sum(len(each.told.admitted) for each in rates), seen


def judge_rates(rates, rate, most, answered, seen):
    """Whether all bars were met, and the words on it. `most`: by how much a stretch may be over its burst, by name."""
    good = answered == seen
    for each in rates:
        told = each.told
        good &= not told.faults and told.lost == 0 and told.refused > 0 and each.share(rate) >= 0.98
        good &= told.excess(rate) <= each.capacity(rate) + most(each)
    wrong = [fault for each in rates for fault in each.told.faults]
    lost = sum(each.told.lost for each in rates)
    tail = f"{answered:,} answered, the mock saw {seen:,}, {lost} lost, {len(wrong)} bad refusals"
    return good, "; ".join([*(each.words(rate, most(each)) for each in rates), tail, *wrong[:1]])


def t1():
    """Requests per minute at five times the limit: no more than limit and burst, and nearly all of that."""
    seconds, per_minute = 20 if rounds.quick else 60, 1200
    rates = [Rate(f"{clients}-{burst}s", burst, clients) for clients in (1, 64) for burst in (1, 60)]
    rate = per_minute / 60
    answered, seen = run_rates(rates, "requests_per_minute", per_minute, lambda _: 5 * rate, seconds, lambda _: 1)
    good, words = judge_rates(rates, rate, lambda _: 1, answered, seen)
    return good, f"{per_minute:,}/min offered {5 * rate:.0f}/s for {seconds} s (clients-burst, >= 98 %): {words}"


def t2():
    """Tokens per minute at five times the limit, by JSON and by streams, estimated above and below what is used."""
    seconds, per_minute, prompt = 20 if rounds.quick else 60, 120_000, 800
    kinds = {
        "json": {"model": "mock,size=400", "max_tokens": 110},
        "stream": {"model": "mock,chunks=100", "max_tokens": 110, "stream": True},
        "short": {"model": "mock,size=2000", "max_tokens": 16},  # uses 500 where 16 are asked for
    }
    used = {"json": 300, "stream": 300, "short": 700}
    # What one request of a kind uses beyond what was reserved for it.
    over = {"json": 0, "stream": 0, "short": 700 - (16 + prompt // 4 + prompt // 40)}
    cells = [("json", 1), ("json", 64), ("stream", 1), ("stream", 64), ("short", 1)]
    rates = [Rate(f"{kind}-{clients}-{burst}s", burst, clients, size=prompt, **kinds[kind])
             for kind, clients in cells for burst in (1, 60)]
    rate = per_minute / 60

    def kind_of(each):
        return each.name.split("-")[0]

    answered, seen = run_rates(rates, "tokens_per_minute", per_minute, lambda each: 5 * rate / used[kind_of(each)],
                               seconds, lambda answer: answer.tokens())
    good, words = judge_rates(rates, rate, lambda each: over[kind_of(each)], answered, seen)
    return good, f"{per_minute:,} tokens/min offered fivefold for {seconds} s (kind-clients-burst, >= 98 %): {words}"


WAYS = ("whole", "head", "body", "leave", "reset", "half", "stream", "stream reset", "status", "broken", "hang")


async def mistreat(port, chance, key, tally):
    """One request that ends in one of the ways in which requests end."""
    way = chance.choice(WAYS)
    models = {
        "stream": "mock,chunks=40,gap_ms=1", "stream reset": "mock,chunks=40,gap_ms=1", "hang": "mock,fail=hang",
        "status": f"mock,fail={chance.choice((400, 401, 429, 500, 503))}",
        "broken": f"mock,fail={chance.choice(('close', 'mid', 'garbage'))}",
    }
    streams = way.startswith("stream") or way == "broken" and chance.random() < 0.5
    raw = chat(key, models.get(way, f"mock,latency_ms={chance.randrange(4)}"), stream=streams, size=600)
    caller = Caller(port)
    with contextlib.suppress(OSError, asyncio.IncompleteReadError):
        await caller.open()
        if way in ("whole", "status", "broken"):
            answer = await caller.ask(raw)
            tally[answer.status if answer else 0] = tally.get(answer.status if answer else 0, 0) + 1
            return caller.close()
        head = raw.index(b"\r\n\r\n") + 4
        cut = {"head": chance.randrange(1, head), "body": chance.randrange(head, len(raw))}.get(way, len(raw))
        caller.writer.write(raw[:cut])
        await caller.writer.drain()
        if way == "half":
            caller.writer.write_eof()
        if way.startswith("stream"):
            await asyncio.wait_for(caller.reader.read(chance.randrange(1, 4000)), 5)
        await asyncio.sleep(chance.random() * 0.006)
    tally["cut"] = tally.get("cut", 0) + 1
    caller.close(reset=way in ("reset", "stream reset") or chance.random() < 0.3)


async def mistreat_all(port, key, count, workers=24):
    tally, chance = {}, random.Random(7)
    left = iter(range(count))

    async def worker():
        for _ in left:
            await mistreat(port, chance, key, tally)

    await asyncio.gather(*(worker() for _ in range(workers)))
    return tally


async def at_one_time(port, key, count):
    """Statuses of so many slow requests that are sent together."""
    callers = [Caller(port) for _ in range(count)]
    answers = await asyncio.gather(*(caller.ask(chat(key, "mock,latency_ms=700")) for caller in callers))
    for caller in callers:
        caller.close()
    return [answer.status if answer else 0 for answer in answers]


def t3():
    """A limit of 8 at one time after thousands of requests that ended in every way: 8 fit, not 7, not 9."""
    count = 2_000 if rounds.quick else 10_000
    # Thousands of faults that are asked for are no reason to leave the mock alone.
    patient = ["circuit: {failures: 1000, min_requests: 1000000}"]
    with Scene(more=tenants({"narrow": "concurrency: 8"}), provider_keys=patient) as scene:
        tally = asyncio.run(mistreat_all(scene.port, key_of("narrow"), count))
        settled = await_true(lambda: in_flight(scene.gateway) == 0, 15)
        fits = []
        for _ in range(3):
            statuses = asyncio.run(at_one_time(scene.port, key_of("narrow"), 16))
            fits.append((statuses.count(200), statuses.count(429)))
        empty = await_true(lambda: in_flight(scene.gateway) == 0, 5) is not None
    good = settled is not None and empty and all(fit == (8, 8) for fit in fits) and tally.get("cut", 0) > count / 2
    ended = ", ".join(f"{number:,} x {way}" for way, number in sorted(tally.items(), key=str))
    through = "/".join(str(fit[0]) for fit in fits)
    return good, (f"{count:,} requests ({ended}); then of 16 at one time {through} went through (8 each time), "
                  f"in flight {'0' if settled is not None and empty else 'NOT 0'}")


async def revoke_under_load(scene, connections=64, before=1.0, after=1.5):
    """A key that all connections use is revoked: (successes, those of requests that were sent after the answer, and
    how long after it the last one came)."""
    made = fetch(scene.admin_port, "/admin/v1/keys", "POST", {"tenant": "free", "name": f"k{time.monotonic_ns()}"})
    raw, successes, over = chat(made["key"]), [], False

    async def client():
        caller = Caller(scene.port)
        while not over:
            sent = time.monotonic()
            answer = await caller.ask(raw)
            if answer and answer.status == 200:
                successes.append((sent, time.monotonic()))
            elif answer and answer.status == 401:
                await asyncio.sleep(0.001)  # it asks again and again
        caller.close()

    clients = [asyncio.create_task(client()) for _ in range(connections)]
    await asyncio.sleep(before)
    await asyncio.to_thread(fetch, scene.admin_port, f"/admin/v1/keys/{made['id']}", "DELETE")
    answered = time.monotonic()
    await asyncio.sleep(after)
    await asyncio.to_thread(fetch, scene.admin_port, "/admin/v1/reload", "POST")  # which must not bring it back
    await asyncio.sleep(0.3)
    over = True
    await asyncio.gather(*clients)
    late = [received for sent, received in successes if sent > answered]
    last = max((received - answered for _, received in successes), default=0.0)
    return len(successes), len(late), last


def flood(scene, seconds):
    """A driver that sends 2,000 bad keys a second meanwhile."""
    url = f"http://127.0.0.1:{scene.port}{resilience.API}"
    return subprocess.Popen(
        ["taskset", "-c", CORE_LOAD, str(gateway.TOOLS / "load"), "run", "--url", url, "--rate", "2000",
         "--conns", "64", "--warm", "0", "--secs", str(seconds),
         "--header", "Authorization: Bearer nobody-has-this-key-0123456789"],
        stdout=subprocess.PIPE, text=True)


def flooded_rounds(scene):
    """Ratios of the good traffic's p99 with the flood over that without it, and what went wrong."""
    ratios, runs, bad, refused = [], [], 0, 0
    good = ("--rate", 2000, "--conns", 64, "--warm", 1, "--header", f"Authorization: Bearer {key_of('free')}", "--secs")
    seconds = 3 if rounds.quick else 8
    for _ in range(3 if rounds.quick else 7):
        calm = scene.load(*good, seconds)
        flooder = flood(scene, seconds + 3)
        beside = scene.load(*good, seconds, also=[flooder.pid])
        refused += json.loads(flooder.communicate(timeout=60)[0])["not_ok"]
        ratios.append(ms(beside, "latency_us") / ms(calm, "latency_us"))
        runs += [calm, beside]
        bad += faults(calm) + faults(beside)
    return ratios, runs, bad, refused


async def bad_keys(port, count, distinct, connections=4, batch=20):
    """Sends so many keys that nobody has, all different or all the same; how many were refused."""
    left, refused = iter(range(0, count, batch)), 0

    async def client():
        nonlocal refused
        caller = Caller(port)
        for begin in left:
            if caller.writer is None:
                await caller.open()
            heads = (f"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer bad-{number:032d}\r\n\r\n"
                     for number in (range(begin, begin + batch) if distinct else [count] * batch))
            caller.writer.write("".join(heads).encode())
            for _ in range(batch):
                answer = await caller.read()
                refused += answer.status == 401
        caller.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    return refused


def pss_kib(pid):
    return int(re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.M)[1])


def t4():
    """Keys that end: in force at once, on every connection. Keys that nobody has: they cost no time and no memory."""
    keys, distinct = 3 if rounds.quick else 10, 100_000 if rounds.quick else 200_000
    with Scene(more=tenants({"free": ""})) as scene:
        revoked = [asyncio.run(revoke_under_load(scene)) for _ in range(keys)]
        ratios, runs, bad, flooded = flooded_rounds(scene)
        # As many requests before with one and the same key: queues and pools have their size then, whatever else runs.
        asyncio.run(bad_keys(scene.port, distinct, distinct=False))
        time.sleep(3)  # memory is given back in the first quiet second
        base = pss_kib(scene.pid)
        refused = asyncio.run(bad_keys(scene.port, distinct, distinct=True))
        time.sleep(3)
        grown = pss_kib(scene.pid) - base
    late, last = sum(each[1] for each in revoked), max(each[2] for each in revoked)
    ratio = statistics.median(ratios)
    good = all(each[0] > 100 for each in revoked) and last <= 5 and late == 0
    good &= ratio <= 1.2 and bad == 0 and flooded > 0 and refused == distinct and grown * 1024 <= 10 * distinct
    successes, told = sum(each[0] for each in revoked), ", ".join(f"{each:.2f}" for each in ratios)
    return good, (
        f"{keys} keys revoked under 64 connections and {successes:,} successes: {late} requests sent after the answer "
        f"went through (0), last success {last * 1000:.1f} ms after it (<= 5 s); p99 beside {flooded:,.0f} bad keys "
        f"x {ratio:.2f} (<= 1.2; rounds {told}), {bad} bad answers; {refused:,} distinct bad keys: {grown:+} KiB, "
        f"{grown * 1024 / distinct:.1f} bytes each (<= 10; a digest is 32){disturbance(*runs)}"
    )


EXPERIMENTS = {"T1": t1, "T2": t2, "T3": t3, "T4": t4}


if __name__ == "__main__":
    sys.exit(rounds.run(EXPERIMENTS, __doc__))
