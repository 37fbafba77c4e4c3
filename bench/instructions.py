#!/usr/bin/env python3
"""Counts the user instructions that a request and a streamed event cost the gateway's worker, under callgrind.
Rows "A to B" are of clients of one API in front of a provider of the other; "A to A" of the same bytes passed on.

instructions.py            prints the counts
instructions.py --check    fails where one is more than 5 % above bench/instructions.baseline
instructions.py --record   writes them there
instructions.py --only TEXT        counts only what has the text in its name
instructions.py --keep FOLDER      keeps what callgrind wrote of the longer runs, for callgrind_annotate

The gateway runs with one worker. This program is its client and its upstream at once and moves in lockstep: one thing
is on its way at a time, so neither the scheduler nor the machine's speed has a say in what is counted. Every count is
(Ir(2N) - Ir(N)) / N over two runs, so start and end drop out. Only the worker's thread counts: what else the
process does (log writers that wake every 50 ms) depends on the clock."""

import argparse
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import gateway

BASELINE = gateway.BENCH / "instructions.baseline"
ALLOWED_GROWTH = 0.05
# What a function of glibc picks at start: the same on every machine, whatever its processor and caches are.
# Valgrind 3.19 already shows a fixed processor, which has AVX2 where the real one has.
TUNABLES = ":".join([
    "glibc.cpu.hwcaps=-AVX2,-AVX,-BMI2,-ERMS,-FSRM,-LZCNT,-MOVBE,-AVX_Fast_Unaligned_Load",
    "glibc.cpu.x86_non_temporal_threshold=0xc0000",
    "glibc.cpu.x86_data_cache_size=0x8000",
    "glibc.cpu.x86_shared_cache_size=0x100000",
])
WARM_UP = 50
REPLY = (b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nx-request-id: req_mock\r\nopenai-processing-ms: 1\r\n"
         b"Content-Length: %d\r\n\r\n%s")
STREAM_HEAD = (b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\nCache-Control: no-cache\r\n"
               b"x-request-id: req_mock\r\nTransfer-Encoding: chunked\r\n\r\n")
EVENT = (b'data: {"id":"chatcmpl-mock0123456789abcdef","object":"chat.completion.chunk","created":1700000000,'
         b'"model":"mock-1","system_fingerprint":"fp_mock","choices":[%s]%s}\n\n')
CHOICE = b'{"index":0,"delta":%s,"logprobs":null,"finish_reason":%s}'


def chat_completion():
    text = (b"Thank you for the question. A gateway reads the request, checks the key, picks an upstream, sends the "
            b"bytes on and counts the tokens of the answer; everything else is somebody else's time.")
    body = (b'{"id":"chatcmpl-mock0123456789abcdef","object":"chat.completion","created":1700000000,"model":"mock-1",'
            b'"choices":[{"index":0,"message":{"role":"assistant","content":"%s","refusal":null},"logprobs":null,'
            b'"finish_reason":"stop"}],"usage":{"prompt_tokens":256,"completion_tokens":46,"total_tokens":302,'
            b'"prompt_tokens_details":{"cached_tokens":0}},"system_fingerprint":"fp_mock"}' % text)
    return REPLY % (len(body), body)


def chunk(data):
    return b"%x\r\n%s\r\n" % (len(data), data)


def event(delta, finish=b"null"):
    return chunk(EVENT % (CHOICE % (delta, finish), b""))


def request(port, size, stream):
    command = [gateway.TOOLS / "load", "request", "--url", f"http://127.0.0.1:{port}/v1/chat/completions"]
    return subprocess.run([*command, "--size", str(size), *(["--stream"] if stream else [])], check=True,
                          capture_output=True).stdout


def message_reply():
    """What chat_completion() is, in the Messages API."""
    said = json.loads(chat_completion().partition(b"\r\n\r\n")[2])["choices"][0]["message"]["content"]
    body = json.dumps({"id": "msg_mock0123456789abcdef", "type": "message", "role": "assistant", "model": "mock-1",
                       "content": [{"type": "text", "text": said}], "stop_reason": "end_turn", "stop_sequence": None,
                       "usage": {"input_tokens": 256, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0,
                                 "output_tokens": 46}}, separators=(",", ":")).encode()
    return REPLY % (len(body), body)


def message_request(port, size, stream):
    """The chat request in the Messages API."""
    head, _, body = request(port, size, stream).partition(b"\r\n\r\n")
    asked = json.loads(body)
    asked["system"] = asked["messages"].pop(0)["content"]
    asked.pop("stream_options", None)
    body = json.dumps(asked, separators=(",", ":"), ensure_ascii=False).encode()
    lines = [line for line in head.split(b"\r\n")[1:] if not line.startswith(b"Content-Length")]
    return b"\r\n".join([b"POST /v1/messages HTTP/1.1", *lines, b"anthropic-version: 2023-06-01",
                         b"Content-Length: %d" % len(body), b"", body])


def message_event(kind, more):
    return chunk(b'event: %s\ndata: {"type":"%s"%s}\n\n' % (kind, kind, more))


ASK = {"chat": request, "messages": message_request}
ANSWER = {"chat": chat_completion, "messages": message_reply}
# Of a stream: what it begins with, an event with a text, what it ends with.
OPENING = {"chat": event(b'{"role":"assistant","content":""}'),
           "messages": message_event(b"message_start", b',"message":{"id":"msg_mock0123456789abcdef","type":"message","role":"assistant",'
                                     b'"model":"mock-1","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":256,'
                                     b'"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":1}}')
                       + message_event(b"content_block_start", b',"index":0,"content_block":{"type":"text","text":""}')}
PIECE = {"chat": lambda text: event(b'{"content":"%s"}' % text),
         "messages": lambda text: message_event(b"content_block_delta",
                                                b',"index":0,"delta":{"type":"text_delta","text":"%s"}' % text)}
USAGE = b',"usage":{"prompt_tokens":256,"completion_tokens":46,"total_tokens":302}'
CLOSING = {"chat": event(b"{}", b'"stop"') + chunk(EVENT % (b"", USAGE)) + chunk(b"data: [DONE]\n\n"),
           "messages": message_event(b"content_block_stop", b',"index":0')
                       + message_event(b"message_delta", b',"delta":{"stop_reason":"end_turn","stop_sequence":null},'
                                       b'"usage":{"output_tokens":46}') + message_event(b"message_stop", b"")}
LAST = {"chat": b"data: [DONE]\n\n", "messages": b'"message_stop"}'}


def read_message(connection):
    """One message with a Content-Length, whole."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += receive(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    fields = (line.lower().split(b":") for line in head.split(b"\r\n")[1:])
    length = next(int(field[1]) for field in fields if field[0] == b"content-length")
    while len(body) < length:
        body += receive(connection)
    return head


def read_until(connection, mark):
    data = b""
    while mark not in data:
        data += receive(connection)
    return data


def receive(connection):
    data = connection.recv(1 << 20)
    if not data:
        raise SystemExit("the gateway closed a connection")
    return data


# The caller that the load names, with a limit of each kind; none is met.
LIMITS = "limits: {requests_per_minute: 60000, tokens_per_minute: 20000000, concurrency: 1000}"
TENANT = f"""
tenants:
  measured:
    {LIMITS}
    keys: [{{name: main, secret: test-key-for-measurements-only}}]
"""
# The same caller with a budget and prices: what it calls is held, priced and settled. Tenants bring the ledger.
PRICED = f"""
prices: prices.yaml
tenants:
  measured:
    {LIMITS}
    budgets: [{{name: pot, amount: 1000000 USD, window: month}}]
    keys: [{{name: main, secret: test-key-for-measurements-only}}]
"""
PRICES = "version: 1\nproviders: {upstream: {mock: {input: 2, output: 10, source: made up}}}\n"
# The same three times over: the key's own, its tenant's, its tenant's group's.
THREE_HOLDERS = f"""
groups:
  all: {{{LIMITS}}}
tenants:
  measured:
    group: all
    {LIMITS}
    keys: [{{name: main, secret: test-key-for-measurements-only, {LIMITS}}}]
"""


class Bench:
    """A gateway under callgrind between a client and an upstream that are both here; `more` is what it is told beside
    the usual, `provider_api` what the upstream speaks."""

    def __init__(self, folder, more="", provider_api="chat"):
        self.folder = Path(folder)
        self.more = more
        self.provider = {"provider_keys": ["protocol: anthropic"], "base": ""} if provider_api == "messages" else {}
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(60)
        self.upstream = None
        self.pid = 0

    def totals(self, drive, count):
        """Instructions by thread of a run in which `drive(client, upstream, count)` happened."""
        for old in self.folder.glob("callgrind.out*"):
            old.unlink()
        (self.folder / "prices.yaml").write_text(PRICES)
        config = gateway.configuration(self.folder, self.listener.getsockname()[1], more=self.more, **self.provider)
        prefix = ["valgrind", "--quiet", "--tool=callgrind", "--separate-threads=yes",
                  f"--callgrind-out-file={self.folder}/callgrind.out"]
        with gateway.Gateway(config, self.folder, prefix) as running:
            port, self.pid = running.ports["data"], running.pid
            with socket.create_connection(("127.0.0.1", port), timeout=60) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                drive(client, self, port, count)
            self.hang_up()
        found = {}
        for path in self.folder.glob("callgrind.out-*"):
            total = [line for line in path.read_text().splitlines() if line.startswith(("totals:", "summary:"))]
            found[path.name.rsplit("-", 1)[1]] = int(total[-1].split()[1])
        return found

    def send(self, connection, data):
        """Sends when every thread of the gateway sleeps: else it would at times find what comes next without a wait."""
        while not (self.is_asleep() and self.is_asleep()):
            pass
        connection.sendall(data)

    def is_asleep(self):
        for thread in Path(f"/proc/{self.pid}/task").iterdir():
            if (thread / "stat").read_bytes().rpartition(b")")[2].split()[0] != b"S":
                return False
        return True

    def accepted(self):
        if not self.upstream:
            self.upstream, _ = self.listener.accept()
            self.upstream.settimeout(60)
            self.upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.upstream

    def hang_up(self):
        if self.upstream:
            self.upstream.close()
        self.upstream = None


def requests(size, client_api="chat", provider_api="chat"):
    def drive(client, bench, port, count):
        message, reply = ASK[client_api](port, size, False), ANSWER[provider_api]()
        for _ in range(WARM_UP + count):
            bench.send(client, message)
            upstream = bench.accepted()
            read_message(upstream)
            bench.send(upstream, reply)
            head = read_message(client)
            if not head.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"unexpected answer: {head[:200]!r}")
    return drive


def events(client_api="chat", provider_api="chat"):
    """One stream with so many content events; each is at the client before the next begins."""
    def drive(client, bench, port, count):
        bench.send(client, ASK[client_api](port, 1024, True))
        upstream = bench.accepted()
        read_message(upstream)
        bench.send(upstream, STREAM_HEAD + OPENING[provider_api])
        for number in range(WARM_UP + count):
            mark = b"n=%08d tok" % number
            bench.send(upstream, PIECE[provider_api](mark))
            read_until(client, mark)
        bench.send(upstream, CLOSING[provider_api] + b"0\r\n\r\n")
        read_until(client, LAST[client_api])
    return drive


MEASURED = {
    "request of 1 KB": (requests(1024), 500, ""),
    "request of 1 KB with key and limits": (requests(1024), 500, TENANT),
    "request of 1 KB with key and limits of three": (requests(1024), 500, THREE_HOLDERS),
    "request of 1 KB with key, limits, price and budget": (requests(1024), 500, PRICED),
    "request of 100 KB": (requests(102400), 200, ""),
    "streamed event": (events(), 1000, ""),
}
# From the client's API to the provider's.
WAYS = [("messages", "messages"), ("chat", "messages"), ("messages", "chat")]
MEASURED |= {f"request of {words}, {a} to {b}": (requests(size, a, b), count, "", b)
             for words, size, count in (("1 KB", 1024, 500), ("100 KB", 102400, 200)) for a, b in WAYS}
MEASURED |= {f"streamed event, {a} to {b}": (events(a, b), 1000, "", b) for a, b in WAYS}


def measure(keep, only=""):
    counts = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (drive, count, *how) in MEASURED.items():
            if only not in name:
                continue
            bench = Bench(folder, *how)
            once, twice = bench.totals(drive, count), bench.totals(drive, 2 * count)
            if keep:
                shutil.copytree(folder, Path(keep) / name.replace(" ", "-"), dirs_exist_ok=True,
                                ignore=lambda _, files: [f for f in files if not f.startswith("callgrind.out-")])
            growth = {thread: twice[thread] - once.get(thread, 0) for thread in twice}
            worker = max(growth)  # the thread that is started last; with a ledger others may have more to do
            counts[name] = growth.pop(worker) / count
            others = sum(growth.values()) / count
            print(f"{name}: {counts[name]:,.0f} instructions (other threads: {others:,.0f})", flush=True)
    return counts


def read_baseline():
    lines = [line for line in BASELINE.read_text().splitlines() if line and not line.startswith("#")]
    return {name: int(value) for name, _, value in (line.rpartition(" ") for line in lines)}


def compare(counts):
    failed = False
    for name, expected in read_baseline().items():
        if name not in counts:
            continue
        growth = counts[name] / expected - 1
        failed |= growth > ALLOWED_GROWTH
        verdict = "TOO MANY" if growth > ALLOWED_GROWTH else "ok"
        print(f"{name}: {growth:+.2%} against the recorded {expected:,}: {verdict}")
        if growth < -ALLOWED_GROWTH:
            print(f"{name}: much better than recorded; `bench/instructions.sh --record` keeps it so")
    return 1 if failed else 0


def record(counts):
    text = ("# User instructions of the worker, release build; made by bench/instructions.sh --record.\n"
            + "".join(f"{name} {value:.0f}\n" for name, value in counts.items()))
    BASELINE.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="fail on growth against the recorded counts")
    parser.add_argument("--record", action="store_true", help="record the counts")
    parser.add_argument("--only", metavar="TEXT", default="", help="count only what has the text in its name")
    parser.add_argument("--keep", metavar="FOLDER", help="keep callgrind's files of the longer runs")
    options = parser.parse_args()
    os.environ["GLIBC_TUNABLES"] = TUNABLES
    counts = measure(options.keep, options.only)
    if options.record and not options.only:
        record(counts)
    return compare(counts) if options.check else 0


if __name__ == "__main__":
    sys.exit(main())
