"""Clients of the experiments on limits and routing: raw HTTP over asyncio, with every answer judged."""

import asyncio
import contextlib
import json
import socket
import struct
import time
from dataclasses import dataclass, field

API = "/v1/chat/completions"


def chat(key, model="mock", stream=False, max_tokens=64, size=0, fields=()):
    """Bytes of a request; `size` pads its body to so many bytes, `fields` are further lines of its head."""
    members = {"model": model, "max_tokens": max_tokens, "messages": [{"role": "user", "content": "hi"}]}
    if stream:
        members |= {"stream": True, "stream_options": {"include_usage": True}}
    missing = size - len(json.dumps(members))
    members["messages"][0]["content"] += "x" * max(0, missing)
    body = json.dumps(members).encode()
    head = (f"POST {API} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n")
    return "".join([head, *(f"{line}\r\n" for line in fields), "\r\n"]).encode() + body


@dataclass
class Answer:
    status: int
    fields: dict
    body: bytes

    def tokens(self):
        """Usage that the provider reported; 0 where none came."""
        text = self.body
        at = text.rfind(b'"total_tokens":')
        return int(text[at + 15 :].split(b"}")[0].split(b",")[0]) if at >= 0 else 0


class Caller:
    """One connection, opened again where it was closed."""

    def __init__(self, port):
        self.port = port
        self.reader = self.writer = None

    async def open(self):
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)

    async def ask(self, raw):
        """The answer, or None where the connection ended without one."""
        if self.writer is None:
            await self.open()
        try:
            self.writer.write(raw)
            answer = await self.read()
        except (OSError, asyncio.IncompleteReadError):
            self.close()
            return None
        if answer.fields.get("connection") == "close":
            self.close()
        return answer

    async def read(self):
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        if "chunked" in fields.get("transfer-encoding", ""):
            body = b""
            while size := int(await self.reader.readuntil(b"\r\n"), 16):
                body += await self.reader.readexactly(size)
                await self.reader.readexactly(2)
            await self.reader.readexactly(2)
        else:
            body = await self.reader.readexactly(int(fields.get("content-length", 0)))
        return Answer(int(head[0].split()[1]), fields, body)

    def close(self, reset=False):
        if self.writer is None:
            return
        if reset:
            raw = self.writer.get_extra_info("socket")
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
        else:
            self.writer.close()
        self.reader = self.writer = None


@dataclass
class Offer:
    """What was offered to one limit and what became of it."""

    admitted: list = field(default_factory=list)  # (sent, received, weight), in order of sending
    refused: int = 0
    lost: int = 0
    first_sent: float = 0.0
    last_sent: float = 0.0
    faults: list = field(default_factory=list)

    def used(self):
        return sum(weight for _, _, weight in self.admitted)

    def due(self, rate, burst):
        """What an exact limit would have let through."""
        return burst + rate * (self.last_sent - self.first_sent)

    def excess(self, rate):
        """The most by which any stretch of time had more than the rate allows; at most the burst, if all is well."""
        worst, best_start, sum_before = 0.0, float("-inf"), 0.0
        for sent, received, weight in sorted(self.admitted):
            best_start = max(best_start, rate * sent - sum_before)
            sum_before += weight
            worst = max(worst, sum_before - rate * received + best_start)
        return worst


async def offer(port, raw, rate, seconds, clients, weigh, judge):
    """`rate` requests a second on a fixed timetable over so many connections. `weigh` tells what an answer used,
    `judge` what is wrong with a refusal."""
    told = Offer(first_sent=time.monotonic())
    begin = told.first_sent

    async def client(number):
        caller = Caller(port)
        for turn in range(number, int(rate * seconds), clients):
            await asyncio.sleep(max(0.0, begin + turn / rate - time.monotonic()))
            sent = time.monotonic()
            answer = await caller.ask(raw)
            told.last_sent = max(told.last_sent, sent)
            if answer is None or answer.status not in (200, 429):
                told.lost += 1
            elif answer.status == 200:
                told.admitted.append((sent, time.monotonic(), weigh(answer)))
            else:
                told.refused += 1
                told.faults += judge(answer)
        caller.close()

    await asyncio.gather(*(client(number) for number in range(clients)))
    return told
