"""The worst of providers: it repeats what it was sent, its credentials above all, in every place that an answer has.
What it does is asked for by the model's name: "error/401/json", "field/500/openai-version", "event/first", ..."""

import gzip
import html
import json
import re
import socket
import threading
from urllib.parse import quote

from upstream import request_size

MODEL = re.compile(rb'"model"\s*:\s*"([^"]*)"')
CREDENTIALS = ("authorization", "x-api-key", "api-key", "x-extra-secret", "x-more-secret")
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


class Sent:
    """A request as this provider got it."""

    def __init__(self, raw):
        self.raw = raw.decode("latin-1")
        head, _, self.body = self.raw.partition("\r\n\r\n")
        self.line, *lines = head.split("\r\n")
        self.fields = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
        found = MODEL.search(raw.partition(b"\r\n\r\n")[2])
        self.model = found[1].decode() if found else "ok"
        self.streams = '"stream":true' in self.body.replace(" ", "")

    def value(self, name):
        return next((value for key, value in self.fields if key == name), "")

    @property
    def secrets(self):
        """What stands in fields of credentials, the scheme and the rest apart."""
        found = [value for name, value in self.fields if name in CREDENTIALS]
        return [value.removeprefix("Bearer ") for value in found]

    @property
    def everything(self):
        return " ".join(self.secrets) + " in " + self.raw


def error_json(message, **more):
    return json.dumps(
        {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": "echo", **more}}
    )


BODIES = {  # form -> (what it is said to be, how it is made)
    "json": ("application/json", lambda sent: error_json(f"you sent {sent.everything}", code=sent.secrets[:1])),
    "json-twice": ("application/json", lambda sent: error_json(json.dumps({"request": sent.everything}))),
    "json-slashes": ("application/json", lambda sent: error_json(sent.everything).replace("/", "\\/")),
    "json-escapes": ("application/json", lambda sent: '{"error":{"message":"%s"}}' % escaped(" ".join(sent.secrets))),
    "json-keys": ("application/json", lambda sent: json.dumps({"error": {secret: secret for secret in sent.secrets}})),
    "text": ("text/plain", lambda sent: sent.everything),
    "html": ("text/html", lambda sent: f"<html><pre>{html.escape(sent.everything)}</pre></html>"),
    "percent": ("text/plain", lambda sent: "/echo?key=" + "&key=".join(quote(each, safe="") for each in sent.secrets)),
    "percent-json": ("application/json", lambda sent: error_json(quote(" ".join(sent.secrets), safe=""))),
}  # fmt: skip


def escaped(text):
    return "".join(f"\\u{ord(c):04x}" for c in text)


def answer(status, body, kind="application/json", fields=(), reason="Echo"):
    body = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *fields]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def chunked(*pieces):
    data = [piece.encode() for piece in pieces]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in data) + b"0\r\n\r\n"


def completion(sent, text):
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
    return json.dumps(
        {"id": "c", "object": "chat.completion", "created": 1, "model": "e", "choices": [choice], "usage": usage}
    )


def event(text, finish=None):
    delta = {"content": text} if text else {}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return (
        "data: "
        + json.dumps({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "e", "choices": [choice]})
        + "\n\n"
    )


def ids(sent, form):
    secret = (sent.secrets or ["none"])[-1]
    return {
        "plain": secret,
        "first": (sent.secrets or ["none"])[0],
        "prefixed": f"req_{secret}",
        "percent": quote(secret, safe=""),
        "escaped": "".join(f"%{ord(c):02x}" for c in secret),
        "twice": quote("".join(f"%{ord(c):02x}" for c in secret), safe=""),
        "everything": quote(sent.everything, safe="")[:4000],
    }[form]


def play_event(sent, kind):
    """A stream that fails: before its first content, in its middle, under the name of an error."""
    failure = "data: " + error_json(sent.everything) + "\n\n"
    if kind == "first":
        return EVENTS + chunked(failure)
    if kind == "named":
        return EVENTS + chunked(event("x"), "event: error\n" + failure)
    if kind == "lines":
        lines = "".join(f"data: {line}\n" for line in json.dumps(json.loads(failure[6:]), indent=1).split("\n"))
        return EVENTS + chunked(event("x"), lines + "\n")
    return EVENTS + chunked(event("x"), failure, "data: [DONE]\n\n")


def play_broken(sent, kind):
    """Answers that are none, with the secret where the fault is."""
    secret = " ".join(sent.secrets)
    return {
        "status-line": f"HTTP/1.1 {secret} 200\r\n\r\n".encode("latin-1"),
        "field": f"HTTP/1.1 500 x\r\n{secret}\r\nContent-Length: 0\r\n\r\n".encode("latin-1"),
        "length": f"HTTP/1.1 500 x\r\nContent-Length: {secret}\r\n\r\n".encode("latin-1"),
        "chunk": f"HTTP/1.1 500 x\r\nTransfer-Encoding: chunked\r\n\r\n{secret}\r\n".encode("latin-1"),
        "reason": answer(500, "{}", reason=secret),
        "cut": answer(500, error_json(sent.everything))[:-20],
        "gzip": answer(500, gzip.compress(error_json(sent.everything).encode()), fields=["Content-Encoding: gzip"]),
        "huge": answer(500, error_json(sent.everything + "x" * (1 << 20) + sent.everything)),
        "not-json": answer(200, f"<html>{secret}</html>", "text/html")[:-5],
        "event": EVENTS + chunked(event("x"), f"data: {{{secret}\n\n"),
        "event-cut": EVENTS + chunked(event("x"))[:-5] + f"data: {secret}".encode("latin-1"),
    }[kind]


def play(sent, completion_text):
    """The bytes of the answer, and whether the connection ends behind them."""
    action, _, rest = sent.model.partition("/")
    first, _, second = rest.partition("/")
    if action == "error":
        kind, make = BODIES[second]
        return answer(int(first), make(sent), kind), False
    if action == "field":
        value = " ".join(sent.secrets) or "none"
        return (
            answer(int(first), completion(sent, "ok") if first == "200" else "{}", fields=[f"{second}: {value}"]),
            False,
        )
    if action == "id":
        body = completion(sent, "ok") if first == "200" else "{}"
        return answer(int(first), body, fields=[f"x-request-id: {ids(sent, second)}"]), False
    if action == "event":
        return play_event(sent, first), False
    if action == "broken":
        return play_broken(sent, first), True
    if action == "redirect":
        return answer(int(first), "", fields=[f"Location: {second}"]), False
    if sent.streams:
        usage = {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8}
        last = "data: " + json.dumps({"id": "c", "choices": [], "usage": usage}) + "\n\n"
        return EVENTS + chunked(event(completion_text), event("", "stop"), last, "data: [DONE]\n\n"), False
    return answer(200, completion(sent, completion_text)), False


class Echo:
    """Listens on a port of its own. `completion_text` is what its good answers say."""

    def __init__(self, completion_text="hi"):
        self.requests = []
        self._text = completion_text
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        held = b""
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while True:
                    size = request_size(held)
                    if size is None:
                        more = connection.recv(65536)
                        if not more:
                            return
                        held += more
                        continue
                    sent, held = Sent(held[:size]), held[size:]
                    self.requests.append(sent)
                    data, ends = play(sent, self._text)
                    connection.sendall(data)
                    if ends:
                        return
            except (OSError, KeyError, ValueError):
                return
