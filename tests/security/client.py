"""A client that sends requests as raw bytes on a kept connection, and a journal of everything that came back."""

import socket
import threading
from dataclasses import dataclass, field

from wire import first_answer

PATIENCE = 10


@dataclass(frozen=True)
class Reply:
    status: int  # 0: the connection ended without an answer
    head: bytes = b""
    body: bytes = b""

    def stable(self):
        """What must not differ between two refusals of the same kind."""
        lines = self.head.split(b"\r\n")
        return [line for line in lines if not line.lower().startswith((b"date:", b"x-request-id:"))], self.body


class Client:
    """One connection at a time, opened again where the gateway has closed it. Not for several threads."""

    def __init__(self, port):
        self._port = port
        self._socket = None

    def ask(self, raw):
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            self._socket.sendall(raw)
        except OSError:
            pass  # it may have answered before it closed
        reply = self._read()
        if reply.status == 0 or b"\r\nconnection: close" in reply.head.lower():
            self.close()
        return reply

    def close(self):
        if self._socket is not None:
            self._socket.close()
        self._socket = None

    def _read(self):
        held, ended = b"", False
        while True:
            answer = first_answer(held, ended)
            if answer is not None and answer.status in range(100, 200):
                held = held[answer.size :]
                continue
            if answer is not None:
                head, _, body = held[: answer.size].partition(b"\r\n\r\n")
                return Reply(answer.status, head, body)
            if ended:
                return Reply(0, held)
            try:
                more = self._socket.recv(65536)
            except OSError:
                more = b""
            held, ended = held + more, not more


@dataclass(frozen=True)
class Entry:
    plane: str
    what: str  # where the request had what, for people
    placed: frozenset = field(default_factory=frozenset)  # marks that its sender wrote where an answer may repeat them
    reply: Reply = Reply(0)


class Journal:
    """Every reply of a run, from any thread."""

    def __init__(self):
        self._lock = threading.Lock()
        self.entries = []

    def add(self, entry):
        with self._lock:
            self.entries.append(entry)


def request(method, target, fields=(), body=b"", host="localhost"):
    """Bytes of a request; `fields` are whole lines. A body is JSON unless a field says otherwise."""
    text = [f"{method} {target} HTTP/1.1", *([f"Host: {host}"] if host is not None else []), *fields]
    head = "\r\n".join(text)
    if body or method in ("POST", "DELETE"):
        if "\r\ncontent-type:" not in head.lower():
            head += "\r\nContent-Type: application/json"
        if "\r\ncontent-length:" not in head.lower() and "\r\ntransfer-encoding:" not in head.lower():
            head += f"\r\nContent-Length: {len(body)}"
    return head.encode("utf-8", "surrogateescape") + b"\r\n\r\n" + body
