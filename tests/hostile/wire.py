"""A client connection as raw bytes, plain or TLS: it sends while it reads, since a server may answer and close before
it has taken everything, and it tells what answers came and how the connection ended."""

import re
import select
import socket
import ssl
import time
from dataclasses import dataclass

MARK_IN_ANSWER = re.compile(rb'"id": ?"([GRS]\d{9})"')


@dataclass(frozen=True)
class Answer:
    status: int  # 0: bytes that are no HTTP answer
    mark: str  # whose answer it is, or empty
    size: int  # bytes of it


class Wire:
    def __init__(self, port, tls):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls:
            self._socket = tls.wrap_socket(self._socket, server_hostname="127.0.0.1")
        self._socket.setblocking(False)
        self._unsent = memoryview(b"")
        self._cuts = None
        self._held = b""
        self.answers = []
        self.ended = False
        self.first_byte_at = self.ended_at = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, data, cuts=None):
        """Sends it whole, or in pieces of the sizes that `cuts` goes on giving."""
        self._unsent = memoryview(data)
        self._cuts = cuts

    def run(self, until, seconds):
        """Sends and reads until the condition holds, the connection ends, or the time is up. True unless it is up."""
        deadline = time.monotonic() + seconds
        while not until() and not self.ended:
            left = deadline - time.monotonic()
            if left <= 0:
                return False
            if self._push() | self._pull():
                continue
            poll = select.poll()
            poll.register(self._socket, select.POLLIN | (select.POLLOUT if self._unsent else 0))
            poll.poll(left * 1000)
        return True

    def _push(self):
        if not self._unsent:
            return False
        try:
            sent = self._socket.send(self._unsent[: next(self._cuts)] if self._cuts else self._unsent)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:  # it may have answered before it closed: that is read before the end is believed
            sent = len(self._unsent)
        self._unsent = self._unsent[sent:]
        return True

    def _pull(self):
        try:
            data = self._socket.recv(65536)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return False
        except OSError:
            data = b""
        now = time.monotonic()
        if not data:
            self.ended, self.ended_at = True, now
        elif self.first_byte_at is None:
            self.first_byte_at = now
        self._held += data
        self._take_answers()
        return True

    def _take_answers(self):
        while self._held:
            answer = first_answer(self._held, self.ended)
            if answer is None:
                return
            self._held = self._held[answer.size :]
            if answer.status not in range(100, 200):
                self.answers.append(answer)


def first_answer(held, ended):
    """The answer at the front, None while it is not whole."""
    if not b"HTTP/"[: len(held)] == held[:5]:
        return Answer(0, mark_in(held), len(held)) if ended else None
    head, separator, body = held.partition(b"\r\n\r\n")
    if not separator:
        return Answer(0, mark_in(held), len(held)) if ended else None
    status = int(head[9:12])
    start = len(head) + 4
    lines = head.lower().split(b"\r\n")[1:]
    fields = {line.split(b":")[0]: line.split(b":", 1)[1].strip() for line in lines if b":" in line}
    if status < 200 or status in (204, 304):
        size = 0
    elif b"chunked" in fields.get(b"transfer-encoding", b""):
        end = body.find(b"0\r\n\r\n")
        size = len(body) if end < 0 and ended else end + 5 if end >= 0 else None
    elif b"content-length" in fields:
        length = int(fields[b"content-length"])
        size = length if len(body) >= length else len(body) if ended else None
    else:
        size = len(body) if ended else None
    return None if size is None else Answer(status, mark_in(body[:size]), start + size)


def mark_in(body):
    found = MARK_IN_ANSWER.search(body)
    return found[1].decode() if found else ""
