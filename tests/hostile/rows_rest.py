"""What is too large, what is not HTTP at all, what never ends; and the good controls, which keep a gateway that refuses
everything from passing."""

from rows import (
    BODY,
    HOST,
    INVALID,
    LINE,
    ROW_MARK,
    STRICT,
    Row,
    chunked,
    chunks,
    hidden,
    length,
    request,
    with_coding,
    with_fields,
    with_line,
    with_target,
)


def limits():
    """The limits of the run's configuration: 32 KiB of head, 100 fields, 8 KiB of target, 1 MiB of body."""
    kind = "limits"
    mib = 1 << 20

    def row(name, raw, *statuses, silence=False):
        return Row(f"{kind}: {name}", kind, raw, statuses, STRICT, silence)

    def of_size(size):
        return request(framing=b"Content-Length: %d\r\n" % size, body=b"")

    return [
        row("target of 8 KiB and one", with_target(b"/v1/" + b"a" * 8189), 414),
        row("target of 40 KiB", with_target(b"/" + b"a" * 40960), 414),
        row("target of 1 MiB", with_target(b"/" + b"a" * mib), 414, silence=True),
        row("query of 9 KiB", with_target(b"/v1/chat/completions?" + b"q" * 9000), 414),
        row("method of 1 MiB", with_line(b"A" * mib + b" / HTTP/1.1\r\n"), 400, silence=True),
        row("field of 32 KiB", with_fields(b"X: " + b"v" * 32768 + b"\r\n"), 431),
        row("field of 64 KiB", with_fields(b"X: " + b"v" * 65600 + b"\r\n"), 431),
        row("field of 1 MiB", with_fields(b"X: " + b"v" * mib + b"\r\n"), 431, silence=True),
        row("name of 40 KiB", with_fields(b"X" * 40960 + b": 1\r\n"), 431),
        row("101 fields", with_fields(b"X: 1\r\n" * 97), 431),
        row("129 fields", with_fields(b"X: 1\r\n" * 125), 431),
        row("1000 fields", with_fields(b"X: 1\r\n" * 1000), 431),
        row("10000 fields", with_fields(b"a:\r\n" * 10000), 431),
        row("white space of 40 KiB", with_fields(b"X:" + b" " * 40960 + b"1\r\n"), 431),
        row("Host of 40 KiB", request(host=b"Host: " + b"a" * 40960 + b"\r\n"), 431),
        row("body of 1 MiB and one by its length", of_size(mib + 1), 413),
        row("body of 2 GiB by its length", of_size(1 << 31), 413),
        row("body of 4 GiB by its length", of_size(1 << 32), 413),
        row("body of 2^63 - 1 by its length", of_size((1 << 63) - 1), 413),
        row(
            "body of 1 MiB and one, chunked",
            chunked(b"100001\r\n" + b" " * (mib + 1) + b"\r\n0\r\n\r\n"),
            413,
            silence=True,
        ),
        row("chunks of one byte, then a bad one", chunked(b"1\r\n \r\n" * 20000 + b"x\r\n"), 400),
        row("chunk extension of 1 MiB", chunked(b"5;" + b"e" * mib + b"\r\nhello\r\n0\r\n\r\n"), 400, silence=True),
        row("trailers of 1 MiB", chunked(b"0\r\nX: " + b"v" * mib + b"\r\n\r\n"), 400, silence=True),
        row("chunk size of 1000 zeros", chunked(b"0" * 1000 + b"\r\n\r\n"), 400),
    ]


def other_protocols():
    kind = "other protocols"
    hello = bytes.fromhex("16030100c8010000c40303") + bytes(range(32)) + b"\x00" * 150
    speech = {
        "TLS client hello": hello,
        "TLS alert": b"\x15\x03\x01\x00\x02\x02\x28",
        "SSLv2 hello": b"\x80\x2e\x01\x00\x02\x00\x15\x00\x00\x00\x10\x07\x00\xc0" + b"\x01" * 32,
        "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
        "PROXY protocol, version 1": b"PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n" + request(),
        "PROXY protocol, version 2": b"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c" + b"\x7f\x00\x00\x01" * 3 + request(),
        "SSH banner": b"SSH-2.0-OpenSSH_9.2\r\n",
        "SMTP": b"EHLO localhost\r\n",
        "FTP": b"USER anonymous\r\n",
        "IMAP": b"a1 LOGIN a b\r\n",
        "Redis, inline": b"SET a b\r\n",
        "Redis": b"*1\r\n$4\r\nPING\r\n",
        "memcached": b"get a\r\n",
        "SOCKS 4": b"\x04\x01\x00\x50\x7f\x00\x00\x01\x00",
        "SOCKS 5": b"\x05\x01\x00",
        "PostgreSQL": b"\x00\x00\x00\x08\x04\xd2\x16\x2f",
        "MQTT": b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00",
        "DNS over TCP": b"\x00\x1d\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01a\x00\x00\x01\x00\x01",
        "JSON": b'{"model":"m"}\r\n\r\n',
        "XML": b'<?xml version="1.0"?>\r\n\r\n',
        "an HTTP response": b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "an HTTP response, HTTP/1.0": b"HTTP/1.0 200 OK\r\n\r\n",
        "zeros": b"\x00" * 64,
        "0xFF": b"\xff" * 64,
        "line feeds": b"\n" * 64,
        "carriage returns": b"\r" * 64,
        "empty lines": b"\r\n" * 64,
        "blanks": b" " * 64 + b"\r\n\r\n",
        "UTF-16": "GET / HTTP/1.1\r\n\r\n".encode("utf-16-le"),
        "a byte order mark": "\ufeffGET / HTTP/1.1\r\n\r\n".encode(),
        "RTSP": b"OPTIONS rtsp://a/ RTSP/1.0\r\nCSeq: 1\r\n\r\n",
        "SIP": b"REGISTER sip:a SIP/2.0\r\nVia: SIP/2.0/TCP a\r\n\r\n",
    }
    statuses = {"HTTP/2 preface": (505,), "SIP": (400, 505)}
    lenient = ("HTTP/2 preface", "line feeds", "carriage returns", "empty lines")
    return [
        Row(f"{kind}: {name}", kind, raw, statuses.get(name, (400,)), STRICT if name in lenient else INVALID)
        for name, raw in speech.items()
    ]


def incomplete():
    """Requests whose end never comes; the run's timeouts are short. Run alone and after a good request only: what is
    pipelined behind would be their missing end."""
    kind = "incomplete"
    whole = request()
    pieces = {
        "one byte": whole[:1],
        "CR": b"\r",
        "half a first line": whole[:10],
        "a first line without its end": LINE[:-2],
        "a first line and CR": LINE[:-1],
        "a first line": LINE,
        "half a field name": LINE + b"Ho",
        "half a field": LINE + b"Host: 127",
        "a head without its empty line": whole.split(b"\r\n\r\n")[0] + b"\r\n",
        "a head and CR": whole.split(b"\r\n\r\n")[0] + b"\r\n\r",
        "an empty line": b"\r\n",
        "a head without its body": whole.split(b"\r\n\r\n")[0] + b"\r\n\r\n",
        "a body but for one byte": whole[:-1],
        "half a body": whole[:-20],
        "a length without a byte": request(framing=b"Content-Length: 1000\r\n", body=b""),
        "a body awaited by Expect": request(extra=b"Expect: 100-continue\r\n", framing=length(), body=b""),
        "chunked without a byte": with_coding(b"Transfer-Encoding: chunked\r\n", b""),
        "half a chunk size": chunked(b"1"),
        "a chunk size": chunked(b"a\r\n"),
        "half a chunk": chunked(b"a\r\n12345"),
        "a chunk without its end": chunked(b"5\r\n12345"),
        "chunks without the last": chunked(chunks()[:-5]),
        "the last size": chunked(chunks()[:-4]),
        "all but the last LF": chunked(chunks()[:-1]),
        "a hidden request for a body": request(framing=b"Content-Length: 10000\r\n", body=hidden()),
        "a hidden request in a chunk": chunked(b"1000\r\n" + hidden()),
        "a chunk whose size wraps at 2^32": chunked(b"1000000005\r\nhello\r\n0\r\n\r\n" + hidden()),
        "a huge chunk": chunked(b"7fffffffffffffff\r\n" + hidden()),
    }  # fmt: skip
    return [Row(f"{kind}: {name}", kind, raw, (408,), STRICT, slow=True) for name, raw in pieces.items()]


def controls():
    kind = "good controls"
    old = LINE.replace(b"1.1", b"1.0")
    empty_line = b"\r\n"

    def row(name, raw, status=200, **options):
        return Row(f"{kind}: {name}", kind, raw, (status,), accept=True, **options)

    def get(line, extra=b""):
        return line + HOST + b"User-Agent: " + ROW_MARK + b"\r\n" + extra + b"\r\n"

    plain = [
        b"X:\r\n", b"X: a\tb\r\n", b"X:\ta \t\r\n", b"X: !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\r\n",
        b"!#$%&'*+-.^`|~09aZ: 1\r\n", b"X: 1\r\nX: 2\r\n", b"X: " + b"v" * 8000 + b"\r\n",
        b"Connection: keep-alive\r\n", b"Connection: , keep-alive,,\r\n", b"Connection: TE, x\r\nTE: trailers\r\n",
        b"Accept: */*\r\nAccept: a\r\n", b"Cookie: a=b\r\nCookie: c=d\r\n", b"Upgrade: websocket\r\n",
        b"Trailer: x\r\n", b"Content-Lengths: 5\r\n", b"X-Forwarded-For: 1.2.3.4\r\n",
        b"X-HTTP-Method-Override: DELETE\r\n", b"Forwarded: for=1.2.3.4;host=a\r\n", b"Max-Forwards: 0\r\n",
        b"Authorization: Bearer test-key\r\nX-Api-Key: test-key\r\n", b"X: 1\r\n" * 90,
    ]  # fmt: skip
    hosts = [b"localhost", b"LOCALHOST:80", b"127.0.0.1:65535", b"[::1]", b"[::1]:8080", b"127.1.2.3"]
    size = b"%x" % len(BODY)
    bodies = {
        "one chunk": chunks(),
        "upper-case size": size.upper() + chunks()[len(size):],
        "leading zeros": b"000" + chunks(),
        "16 digits": size.rjust(16, b"0") + chunks()[len(size):],
        "one byte a chunk": b"".join(b"1\r\n%c\r\n" % byte for byte in BODY) + b"0\r\n\r\n",
        "last size of four zeros": chunks()[:-5] + b"0000\r\n\r\n",
    }  # fmt: skip
    # Refused for what they ask, not for how: whole requests, whose body, where it was not read, ends the connection.
    nowhere = LINE.replace(b"/v1/chat/completions", b"/nowhere")
    wrong_method = LINE.replace(b"POST", b"PUT")
    compressed = b"Content-Encoding: gzip\r\n"
    unread = {
        "an unknown path": (404, request(line=nowhere, body=hidden())),
        "an unknown path, chunked": (
            404,
            request(line=nowhere, framing=b"Transfer-Encoding: chunked\r\n", body=chunks(hidden())),
        ),
        "a wrong method": (405, request(line=wrong_method, body=hidden())),
        "a foreign origin": (403, request(extra=b"Origin: https://elsewhere.example\r\n", body=hidden())),
        "a foreign host": (403, request(host=b"Host: elsewhere.example\r\n", body=hidden())),
        "a compressed body": (415, request(extra=compressed, body=hidden())),
        "a compressed body, awaited": (415, request(extra=compressed + b"Expect: 100-continue\r\n", body=hidden())),
    }
    return [
        *(row(name, raw, status, local=True, closes=True) for name, (status, raw) in unread.items()),
        row("broken JSON", request(body=b'{"model"'), 400, local=True),
        row("an unknown model", request(body=BODY.replace(b'"m"', b'"x"')), 404, local=True),
        row("an unknown path without a body", request(line=nowhere, framing=b"", body=b""), 404, local=True),
        row("a body behind Expect", request(extra=b"Expect: 100-continue\r\n")),
        row("a chat completion", request()),
        row("an empty line before", empty_line + request()),
        *(row(f"field {value[:40]!r}", with_fields(value)) for value in plain),
        *(row(f"Host {value.decode()}", request(host=b"Host: " + value + b"\r\n")) for value in hosts),
        *(row(f"chunked, {name}", chunked(body)) for name, body in bodies.items()),
        row("names in other cases", request(framing=length().upper()).replace(b"Host", b"hOST")),
        row("no blank after the colon", request(host=b"Host:127.0.0.1\r\n")),
        row("CHUNKED", with_coding(b"transfer-encoding:\tCHUNKED \r\n")),
        row("a query", with_target(b"/v1/chat/completions?a=b&c=%20")),
        row("slashes doubled", with_target(b"//v1//chat/completions")),
        row("a length with blanks", request(framing=b"Content-Length: \t%d \t\r\n" % len(BODY))),
        row("asked to close", with_fields(b"Connection: close\r\n"), closes=True),
        row("HTTP/1.0", request(line=old), closes=True),
        row("HTTP/1.0, kept alive", request(line=old, extra=b"Connection: keep-alive\r\n")),
        row("HTTP/1.0 without Host", request(line=old, host=b""), closes=True),
        row("models", get(b"GET /v1/models HTTP/1.1\r\n"), local=True),
        row("models with an empty body", get(b"GET /v1/models HTTP/1.1\r\n", b"Content-Length: 0\r\n"), local=True),
        row(
            "models with a hidden body",
            get(b"GET /v1/models HTTP/1.1\r\n", b"Content-Length: %d\r\n" % len(hidden())) + hidden(),
            local=True,
            closes=True,
        ),
        row(
            "models with a chunked body",
            get(b"GET /v1/models HTTP/1.1\r\n", b"Transfer-Encoding: chunked\r\n") + chunks(hidden()),
            local=True,
            closes=True,
        ),
    ]


ROWS = [*limits(), *other_protocols(), *incomplete(), *controls()]
