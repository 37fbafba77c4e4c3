"""An upstream that asks for waits in every form that there is, and how long a gateway really waits."""

import asyncio
import email.utils
import json
import math
import time

from callers import Caller
from stage import Stage, ask, half_streamed

# What the head says of a wait of so many seconds: a date has whole seconds only, and is rounded up.
FORMS = {
    "seconds": lambda wait: f"retry-after: {wait:g}",
    "date": lambda wait: f"retry-after: {email.utils.formatdate(math.ceil(time.time() + wait), usegmt=True)}",
    "ms": lambda wait: f"retry-after-ms: {wait * 1000:.0f}",
}
STATUSES = (429, 503)
WAIT = 2.0

PROVIDER = """  {name}:
    base_url: "http://@scripted@/{name}/v1"
    credentials: [{{name: main, key: test-key}}]
"""


class Scripted:
    """The first request below each path is refused with a wait, the next ones are answered."""

    def __init__(self):
        self.arrived, self.connections = {}, []

    async def serve(self, reader, writer):
        self.connections.append(asyncio.current_task())
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                body = await reader.readexactly(int(head.lower().split("\r\ncontent-length:")[1].split("\r\n")[0]))
                name = head.split()[1].split("/")[1]
                times = self.arrived.setdefault(name, [])
                times.append(time.time())
                writer.write(self._refusal(name) if len(times) == 1 else self._answer(json.loads(body)["model"]))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    @staticmethod
    def _bytes(status, body, *fields):
        lines = [f"HTTP/1.1 {status} Scripted", "content-type: application/json", f"content-length: {len(body)}", *fields]
        return "\r\n".join([*lines, "", body]).encode()

    def _refusal(self, name):
        status, form = name.split("-")
        error = {"error": {"message": "wait", "type": "requests", "param": None, "code": "rate_limit_exceeded"}}
        return self._bytes(status, json.dumps(error), FORMS[form](WAIT))

    def _answer(self, model):
        choice = {"index": 0, "message": {"role": "assistant", "content": "well"}, "finish_reason": "stop"}
        return self._bytes(200, json.dumps({"object": "chat.completion", "model": model, "choices": [choice]}))


async def ask_all(names):
    """(what went wrong, seconds between the two attempts by name)"""
    scripted = Scripted()
    server = await asyncio.start_server(scripted.serve, "127.0.0.1", 0)
    address = "127.0.0.1:%d" % server.sockets[0].getsockname()[1]
    routes = "\nproviders:\n" + "".join(PROVIDER.format(name=name) for name in names)
    routes += "models:\n" + "".join(f"  m-{name}: {{provider: {name}}}\n" for name in names)
    with Stage({}, routes, {"scripted": address}) as stage:
        calls = await asyncio.gather(
            *(ask(Caller(stage.port), half_streamed(f"m-{name}"), 0, 30) for name in names))
    server.close()
    await asyncio.gather(*scripted.connections)
    lost = [name for name, call in zip(names, calls) if not call.good or len(scripted.arrived[name]) != 2]
    return lost, {name: times[1] - times[0] for name, times in scripted.arrived.items() if len(times) > 1}


def run_forms():
    """Whether every form was a floor, and the words on it."""
    names = [f"{status}-{form}" for status in STATUSES for form in FORMS]
    lost, distances = asyncio.run(ask_all(names))
    early = [name for name, seconds in distances.items() if seconds < WAIT - 0.002]
    told = ", ".join(f"{name} {seconds:.2f}" for name, seconds in distances.items())
    return not lost and not early, (
        f"told to wait {WAIT:g} s, seconds between the attempts (>= {WAIT:g}): {told}"
        f"{f'; too early: {early}' if early else ''}{f'; not answered by the second attempt: {lost}' if lost else ''}"
    )
