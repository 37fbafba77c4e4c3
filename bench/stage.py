"""Simulated providers as processes of their own, a gateway in front of them, and crowds of clients whose calls are judged
one by one: what the experiments on routing are made of."""

import asyncio
import contextlib
import json
import random
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import gateway
from callers import Caller, chat
from rounds import CORE_LOAD, CORE_PROXY, fetch, in_flight

QUICK_ANSWERS = {"--first-token": "50ms", "--tokens-per-second": "400", "--answer-tokens": "16"}
HEAD = """version: 1
server: {listen: ["127.0.0.1:0"], threads: 1}
admin: {listen: "127.0.0.1:0"}
metrics: {listen: "127.0.0.1:0"}
log: {access: "@log@"}
"""


class Simulator:
    """One provider; `options` are those of `tollgate simulate`, by default it answers soon and well."""

    def __init__(self, folder, name, options=()):
        self.truth_file, self.port, self.process = Path(folder) / f"{name}.jsonl", 0, None
        self.become(*options)

    def become(self, *options):
        """Another one on the same port, whose counts begin anew."""
        self.stop()
        self.truth_file.unlink(missing_ok=True)
        usual = [word for name, value in QUICK_ANSWERS.items() if name not in options for word in (name, value)]
        command = ["taskset", "-c", CORE_LOAD, gateway.binary(), "simulate", "--listen", f"127.0.0.1:{self.port}",
                   "--truth", str(self.truth_file), *usual, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        said = self.process.stdout.readline()
        if "http://" not in said:
            raise SystemExit(f"the simulator did not come up: {' '.join(command)}")
        self.port = int(said.split("http://")[1].split("/")[0].rsplit(":", 1)[1])

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    def stats(self):
        return fetch(self.port, "/stats")

    def received(self):
        return self.stats()["requests"]["received"]

    def truth(self):
        """An entry for each finished request, in order of its end."""
        return [json.loads(line) for line in self.truth_file.read_text().splitlines()]

    def stop(self):
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process.stdout.close()


class Stage:
    """Simulators by name and a gateway; `@name@` in `routes` becomes the simulator's address. `addresses` are those of
    other upstreams, by name."""

    def __init__(self, simulators, routes, addresses=None):
        self.stack = contextlib.ExitStack()
        try:
            self._start(simulators, routes, addresses or {})
        except BaseException:  # nothing that was started is left behind
            self.stack.close()
            raise

    def _start(self, simulators, routes, addresses):
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        text = (HEAD + routes).replace("@log@", str(folder / "access.log"))
        self.simulators = {}
        for name, options in simulators.items():
            self.simulators[name] = Simulator(folder, name, options)
            self.stack.callback(self.simulators[name].stop)
            text = text.replace(f"@{name}@", self.simulators[name].address)
        for name, address in addresses.items():
            text = text.replace(f"@{name}@", address)
        config = folder / "routes.yaml"
        config.write_text(text)
        self.gateway = self.stack.enter_context(gateway.Gateway(config, folder, ["taskset", "-c", CORE_PROXY]))
        self.port = self.gateway.ports["data"]

    def __getitem__(self, name):
        return self.simulators[name]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stack.close()

    def target(self, provider):
        """What the gateway knows of a provider's first target. Looking lets its circuit's time go on, no more."""
        listed = fetch(self.gateway.ports["admin"], "/admin/v1/targets")["data"]
        return next(each for each in listed if each["target"].startswith(f"{provider}/"))

    def circuit(self, provider):
        return self.target(provider)["circuit"]

    def told(self, event):
        """Lines of the diagnostic log so far."""
        lines = self.gateway.log_path.read_text().splitlines()
        return [each for each in map(json.loads, lines) if each["event"] == event]

    def is_idle(self):
        listed = fetch(self.gateway.ports["admin"], "/admin/v1/targets")["data"]
        return in_flight(self.gateway) == 0 and all(each["pending"] == 0 for each in listed)


@dataclass
class Call:
    """One request of a client, and what became of it."""

    number: int
    sent: float
    received: float = 0.0
    status: int = 0  # 0: no answer, or a broken one
    good: bool = False
    stream: bool = False
    patient: bool = True  # whether the answer was waited for to its end
    provider: str = ""
    attempts: int = 0

    @property
    def seconds(self):
        return self.received - self.sent

    def repeats(self, primary):
        """How often the primary was asked once more, where others are asked once; and whether it was asked at all."""
        at_primary = self.attempts - (self.provider != primary)
        return max(0, at_primary - 1), at_primary > 0


def is_whole(answer, stream):
    """A failure is also what only looks like an answer: a stream without its end, a body that is not whole JSON."""
    if answer is None or answer.status != 200:
        return False
    if stream:
        return answer.body.endswith(b"data: [DONE]\n\n")
    with contextlib.suppress(ValueError):
        return bool(json.loads(answer.body)["choices"])
    return False


async def ask(caller, requests, number, patience):
    """`requests` gives by its number a request's bytes, and whether it is a stream."""
    raw, stream = requests(number)
    call = Call(number, time.monotonic(), stream=stream)
    answer = None
    try:
        answer = await asyncio.wait_for(caller.ask(raw), patience)
    except asyncio.TimeoutError:
        call.patient = False
        caller.close(reset=True)
    except OSError:
        caller.close()
    call.received = time.monotonic()
    call.good = is_whole(answer, stream)
    if answer:
        call.status = answer.status
        call.provider = answer.fields.get("x-tollgate-provider", "")
        call.attempts = int(answer.fields.get("x-tollgate-attempts", 0))
    return call


def half_streamed(model="auto", fields=()):
    """Requests by their number: every other one is a stream."""
    kinds = [(chat("test-key", model, stream, fields=fields), stream) for stream in (False, True)]
    return lambda number: kinds[number % 2]


async def crowd(port, requests, count, clients, patience=60):
    """So many calls, `clients` at a time, each connection's next one when its last one is over. They begin one after the
    other: of what begins at once all failures end before the first success, and look like a target that is gone."""
    left, calls = iter(range(count)), []

    async def client(place):
        await asyncio.sleep(place * 0.01)
        caller = Caller(port)
        for number in left:
            calls.append(await ask(caller, requests, number, patience))
        caller.close()

    await asyncio.gather(*(client(place) for place in range(clients)))
    return calls


async def timetable(port, requests, rate, seconds, patience=60):
    """`rate` calls a second, however long they take, over as many connections as that needs."""
    begin, idle, calls = time.monotonic(), [], []

    async def one(number):
        caller = idle.pop() if idle else Caller(port)
        calls.append(await ask(caller, requests, number, patience))
        idle.append(caller)

    async with asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            await asyncio.sleep(max(0.0, begin + number / rate - time.monotonic()))
            group.create_task(one(number))
    for caller in idle:
        caller.close()
    return sorted(calls, key=lambda call: call.sent)


async def at_once(port, requests, count, patience=60, leave_within=None):
    """All at the same moment, on connections that are open already. With `leave_within` every other client leaves at a
    random moment within so many seconds; its call is not told."""
    callers = [Caller(port) for _ in range(count)]
    for caller in callers:
        await caller.open()
    chance = random.Random(count)

    async def one(number, caller):
        leaves = leave_within is not None and number % 4 < 2
        call = await ask(caller, requests, number, chance.random() * leave_within if leaves else patience)
        caller.close()
        return None if leaves else call

    told = await asyncio.gather(*(one(number, caller) for number, caller in enumerate(callers)))
    return [call for call in told if call]


def failed(calls):
    return sum(not call.good for call in calls)
