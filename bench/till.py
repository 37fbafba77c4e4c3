"""A gateway with prices, budgets and a ledger between simulated providers and raw clients, which can be ended in any way
and started again over what it has left behind: what the experiments on money are made of."""

import asyncio
import collections
import contextlib
import json
import math
import re
import signal
import tempfile
import time
from pathlib import Path

import books
import gateway
from books import Price
from callers import Answer, Caller
from rounds import CORE_LOAD, CORE_PROXY, fetch
from stage import Simulator

HEAD = """version: 1
server: {listen: ["127.0.0.1:0"], threads: @threads@, drain: {limit: 20s}}
admin: {listen: "127.0.0.1:0"}
metrics: {listen: "127.0.0.1:0"}
log: {access: "@logs@/access.log"}
storage: {path: var/store.db}
"""
# A provider that is never given up on, so that what happens to a call is what was asked for.
PATIENT = "circuit: {failures: 1000, min_requests: 1000000}"
KEY = "key-of-{}-0123456789"
ODD = Price("1.234567891", "7.654321987")  # odd digits, so that a sum that is rounded on the way shows
QUICK_ANSWERS = ["--first-token", "10ms", "--tokens-per-second", "800"]
PLENTY = "{name: plenty, amount: 1000 USD, window: total}"


def tenant(name, budgets="", more=""):
    text = f"  {name}:\n    keys: [{{name: main, secret: {KEY.format(name)}, may_delegate: true}}]\n"
    return text + (f"    budgets: [{budgets}]\n" if budgets else "") + (f"    {more}\n" if more else "")


class Till:
    """`@name@` in `routes` becomes a simulator's address. `folder`: where everything is kept, if not in one of its own;
    `outside`: where logs and what providers say are."""

    def __init__(self, simulators, routes, threads=1, folder=None, prefix=(), outside=None):
        self.stack = contextlib.ExitStack()
        self.folder = Path(folder or self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.logs = Path(outside or self.folder)
        self.prefix, self.running, self.lives, self.slowest_start = list(prefix), None, 0, 0.0
        self.cores = CORE_PROXY if threads == 1 else f"{CORE_LOAD},{CORE_PROXY}"
        try:
            self.simulators, text = {}, (HEAD + routes).replace("@threads@", str(threads)).replace("@logs@", str(self.logs))
            for name, options in simulators.items():
                self.simulators[name] = Simulator(self.logs, name, options)
                self.stack.callback(self.simulators[name].stop)
                text = text.replace(f"@{name}@", self.simulators[name].address)
            (self.folder / "routes.yaml").write_text(text)
            self.stack.callback(self.stop)
            self.start()
        except BaseException:  # nothing that was started is left behind
            self.stack.close()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def start(self):
        """The time it took until it was ready, in seconds."""
        self.lives += 1
        logs = self.logs / f"life-{self.lives}"
        logs.mkdir()
        began = time.monotonic()
        self.running = gateway.Gateway(self.folder / "routes.yaml", logs,
                                       ["taskset", "-c", self.cores, *self.prefix])
        took = time.monotonic() - began
        self.slowest_start = max(self.slowest_start, took)
        return took

    def stop(self):
        """In order: what is in flight is served, what is in the journal is in the store."""
        if self.running:
            code, self.running = self.running.stop(), None
            return code
        return 0

    def kill(self):
        running, self.running = self.running, None
        running.process.send_signal(signal.SIGKILL)
        running.process.wait()
        running.log.close()

    def has_died(self):
        return self.running.process.poll() is not None

    def bury(self):
        self.running.log.close()
        self.running = None

    @property
    def port(self):
        return self.running.ports["data"]

    def admin(self, path, *more):
        return fetch(self.running.ports["admin"], path, *more)

    def budgets(self):
        return self.admin("/admin/v1/budgets")["data"]

    def budget(self, identifier):
        return next(each for each in self.budgets() if each["id"] == identifier)

    def held(self, identifier):
        return books.nanos(self.budget(identifier)["held_usd"])

    def spent(self, identifier):
        return books.nanos(self.budget(identifier)["spent_usd"])

    def usage(self, by=""):
        return self.admin(f"/admin/v1/usage?since=1d&by={by}")

    def metrics(self):
        return fetch(self.running.ports["metrics"], "/metrics")

    def gauge(self, name):
        return float(re.search(rf"^{name} (\S+)", self.metrics(), re.M)[1])

    def await_rest(self, seconds=60):
        """Until nothing is in flight and all of the journal is in the store."""
        quiet, until = 0, time.monotonic() + seconds
        while quiet < 3:
            page = self.metrics()
            at_rest = all(float(re.search(rf"^{name} (\S+)", page, re.M)[1]) == 0
                          for name in ("tollgate_in_flight_requests", "tollgate_ledger_lag_seconds"))
            quiet = quiet + 1 if at_rest else 0
            if time.monotonic() > until:
                return False
            time.sleep(0.05)
        return True

    def ledger(self):
        return books.Books(self.folder / "var" / "ledger")

    def truth(self):
        """Of all providers, when none of them has a request left."""
        until = time.monotonic() + 10
        while any(each.stats()["requests"]["active"] for each in self.simulators.values()):
            if time.monotonic() > until:
                break
            time.sleep(0.05)
        return [entry for each in self.simulators.values() for entry in each.truth()]

    def access_log(self):
        """Lines so far; they are written within 50 ms."""
        time.sleep(0.2)
        lines = (self.logs / "access.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.endswith("}")]

    def told(self, event):
        """Lines of the diagnostic logs of all lives."""
        lines = [line for log in self.logs.glob("life-*/diagnostics.log") for line in log.read_text().splitlines()]
        return [each for each in map(json.loads, filter(lambda line: line.endswith("}"), lines)) if each["event"] == event]


def post(key, body, path="/v1/chat/completions", fields=()):
    data = json.dumps(body).encode()
    head = (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n")
    return "".join([head, *(f"{line}\r\n" for line in fields), "\r\n"]).encode() + data


def chat_body(model, stream=False, max_tokens=None, words="hi there, how are you today"):
    body = {"model": model, "messages": [{"role": "user", "content": words}]}
    if max_tokens:
        body["max_tokens"] = max_tokens
    return body | ({"stream": True, "stream_options": {"include_usage": True}} if stream else {})


def is_whole(answer: Answer | None, stream):
    if answer is None or answer.status != 200:
        return False
    if stream:
        return answer.body.endswith(b"data: [DONE]\n\n") and b'"error"' not in answer.body
    with contextlib.suppress(ValueError):
        return "error" not in json.loads(answer.body)
    return False


async def ask(caller: Caller, raw):
    with contextlib.suppress(OSError):
        return await caller.ask(raw)
    caller.close()
    return None


def ask_once(port, raw):
    async def one():
        caller = Caller(port)
        answer = await ask(caller, raw)
        caller.close()
        return answer

    return asyncio.run(one())


def error_of(answer):
    return json.loads(answer.body)["error"]


def percentile(values, share):
    """The smallest value that so many are at or below."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else float("nan")


def spread(values, unit="ms"):
    return "/".join(f"{value:.2f}" for value in (percentile(values, 0.5), percentile(values, 0.99), max(values))) + f" {unit}"


def one_provider(ledger="", more_tenants="", models=""):
    return f"""{ledger}
providers:
  up: {{base_url: "http://@up@/v1", {PATIENT}, pool: {{max_connections: 2000}}}}
models:
  m: {{provider: up, name: sim, default_max_output: 60, price: {ODD.yaml()}}}
{models}tenants:
""" + tenant("acme", PLENTY) + more_tenants


def mixed(key=KEY.format("acme"), model="m"):
    """Requests by their number: every other one is a stream, every third one has no limit of its own."""
    kinds = [(post(key, chat_body(model, number % 2 == 1, 60 if number % 3 else None)), number % 2 == 1)
             for number in range(6)]
    return lambda number: kinds[number % 6]


class Load:
    """Calls on a timetable, each judged by what its client has got; `over` ends it."""

    def __init__(self, port, requests, rate):
        self.port, self.requests, self.rate = port, requests, rate
        self.sent, self.whole, self.statuses, self.times = 0, [], collections.Counter(), []
        self.over = False

    async def run(self, seconds):
        begin, idle = time.monotonic(), []

        async def one(number):
            caller = idle.pop() if idle else Caller(self.port)
            raw, stream = self.requests(number)
            due = begin + number / self.rate
            answer = await ask(caller, raw)
            self.times.append((time.monotonic() - due) * 1000)
            self.statuses[answer.status if answer else 0] += 1
            if is_whole(answer, stream):
                self.whole.append((answer.fields["x-request-id"], answer.fields.get("x-tollgate-cost-usd")))
            idle.append(caller)

        async with asyncio.TaskGroup() as group:
            while not self.over and self.sent < self.rate * seconds:
                await asyncio.sleep(max(0.0, begin + self.sent / self.rate - time.monotonic()))
                group.create_task(one(self.sent))
                self.sent += 1
        for caller in idle:
            caller.close()
        return self


def load(port, requests, rate, seconds):
    return asyncio.run(Load(port, requests, rate).run(seconds))
