"""The upstream of a hostile run: it records every byte that a proxy sends it, connection by connection, takes requests
apart as a plain back end would, and answers each with the mark in its head, so that an answer shows whose it is.
"""

import json
import re
import socket
import threading
from dataclasses import dataclass

MARK = re.compile(rb"[GRS]\d{9}")
USER_AGENT = re.compile(rb"(?im)^user-agent:[ \t]*([GRS]\d{9})")


@dataclass(frozen=True)
class Arrived:
    connection: int
    raw: bytes
    whole: bool  # a request from its first byte to its last; else what was left when the connection ended
    mark: str  # of its head, or empty


class Upstream:
    def __init__(self):
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._arrived = []
        self._open = {}
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def arrived(self):
        with self._lock:
            return list(self._arrived)

    def stop(self):
        """Ends every connection, so that what was left on them is on record."""
        self._listener.close()
        with self._lock:
            for connection in self._open.values():
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self._changed.wait_for(lambda: not self._open, timeout=10)

    def _accept(self):
        number = 0
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            number += 1
            with self._lock:
                self._open[number] = connection
            threading.Thread(target=self._serve, args=(number, connection), daemon=True).start()

    def _serve(self, number, connection):
        held = b""
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                size = request_size(held)
                if size is None:
                    more = connection.recv(65536)
                    if not more:
                        break
                    held += more
                    continue
                raw, held = held[:size], held[size:]
                mark = mark_of(raw)
                self._record(Arrived(number, raw, True, mark))
                connection.sendall(answer(mark, raw.startswith(b"HEAD ")))
        except OSError:
            pass
        finally:
            connection.close()
            if held:
                self._record(Arrived(number, held, False, mark_of(held)))
            with self._lock:
                del self._open[number]
                self._changed.notify_all()

    def _record(self, arrived):
        with self._lock:
            self._arrived.append(arrived)


def mark_of(raw):
    found = USER_AGENT.search(raw.split(b"\r\n\r\n", 1)[0] + b"\r\n")
    return found[1].decode() if found else ""


def request_size(held):
    """Bytes of the request at the front, None while its end is missing. Transfer-Encoding goes over Content-Length."""
    head, separator, body = held.partition(b"\r\n\r\n")
    if not separator:
        return None
    start = len(head) + 4
    fields = [line.partition(b":") for line in head.split(b"\r\n")[1:]]
    values = {name.strip().lower(): value.strip() for name, _, value in fields}
    if b"chunked" in values.get(b"transfer-encoding", b"").lower():
        size = chunked_size(body)
        return None if size is None else start + size
    length = values.get(b"content-length", b"0")
    length = int(length) if length.isdigit() else 0
    return start + length if len(body) >= length else None


def chunked_size(body):
    at = 0
    while True:
        line_end = body.find(b"\r\n", at)
        if line_end < 0:
            return None
        digits = re.match(rb"[0-9a-fA-F]*", body[at:line_end])[0]
        size = int(digits or b"0", 16)
        at = line_end + 2
        if size == 0:
            end = at if body[at : at + 2] == b"\r\n" else body.find(b"\r\n\r\n", at) + 2
            return end + 2 if end >= at and len(body) >= end + 2 else None
        at += size + 2
        if at > len(body):
            return None


def answer(mark, head_only):
    choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    body = json.dumps(
        {"id": mark, "object": "chat.completion", "created": 1, "model": "m", "choices": [choice], "usage": usage}
    ).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    return head if head_only else head + body
