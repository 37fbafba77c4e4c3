"""Hostile heads: first lines, targets, line ends, field lines, hosts, fields that may not be repeated or named."""

from rows import (
    HOST,
    INVALID,
    LINE,
    REST,
    ROW_MARK,
    STRICT,
    Row,
    length,
    request,
    shown,
    table,
    with_fields,
    with_line,
    with_target,
)

END = b" HTTP/1.1\r\n"
PATH = b"/v1/chat/completions"


def first_lines():
    kind = "first line"
    not_http = [
        b"\x00" + LINE, b"\x0b" + LINE, b"\xef\xbb\xbf" + LINE, b"\xfe\xff" + LINE, b"PO(ST " + PATH + END,
        b"PO@ST " + PATH + END, b"PO/ST " + PATH + END, b"POST: " + PATH + END, b"PO\xc3\x89 " + PATH + END,
        b"PO\x01ST " + PATH + END, b"PO\x7fST " + PATH + END, b"POST;a " + PATH + END, b"POST\xa0" + PATH + END,
        b'"POST" ' + PATH + END, b"{POST} " + PATH + END, b"POST" + PATH + END, b"POST\r\n", b"POST " + b"\r\n",
        b"POST " + PATH + b"\r\n", b"POST  HTTP/1.1\r\n", b"POST HTTP/1.1\r\n", b"HTTP/1.1 POST " + PATH + b"\r\n",
        b"POST " + PATH + b" HTTP/1.1\x00\r\n", b"POST " + PATH + b" a HTTP/1.1\r\n", b"POST a " + PATH + END,
        b"POST " + PATH + b" HTTP/1.1 HTTP/1.1\r\n",
    ]  # fmt: skip
    lenient = [
        b"POST  " + PATH + END, b"POST " + PATH + b"  HTTP/1.1\r\n", b"POST " + PATH + b" HTTP/1.1 \r\n",
        b"POST " + PATH + b" \r\n", b"A" * 33 + b" " + PATH + END, b" " + LINE, b"\t" + LINE, b"\r\n\r\n" + LINE,
        b"\r\n " + LINE, b"POST\t" + PATH + END, b"POST\x0b" + PATH + END, b"POST\x0c" + PATH + END,
        b"POST " + PATH + b"\tHTTP/1.1\r\n", b"POST " + PATH + b" HTTP/1.1\t\r\n",
    ]  # fmt: skip
    bad_versions = [
        b"http/1.1", b"Http/1.1", b"HTTp/1.1", b"HTTP/11", b"HTTP/1.1.1", b"HTTP/1,1", b"HTTP/01.1", b"HTTP/1.01",
        b"HTTP/1.", b"HTTP/.1", b"HTTP/1.1a", b"HTTP/+1.1", b"HTTP/-1.1", b"HTTP/1.-1", b"HTTP/1.1;a", b"HTTP/1",
        b"HTTP/", b"HTTP", b"HTTP /1.1", b"HTTP/ 1.1", b"HTTP/1 .1", b"HTTPS/1.1", b"HTTP\\1.1", b"ICY/1.1",
        b"SIP/2.0", b"RTSP/1.0", b"\x00HTTP/1.1", b"HTTP/1.\xb9", b"HTTP/x.1", b"HTTP/0x1.1",
    ]  # fmt: skip
    other_versions = [b"HTTP/0.9", b"HTTP/1.2", b"HTTP/1.9", b"HTTP/2.0", b"HTTP/3.0", b"HTTP/9.9"]

    def version(value):
        return with_line(b"POST " + PATH + b" " + value + b"\r\n")

    return [
        *table(kind, with_line, not_http),
        *table(kind, with_line, lenient, basis=STRICT),
        *table(kind, version, bad_versions, statuses=(400, 505)),
        *table(kind, version, other_versions, statuses=(505,), basis=STRICT),
        Row(f"{kind}: CONNECT", kind, with_line(b"CONNECT 127.0.0.1:443 HTTP/1.1\r\n"), basis=STRICT),
        Row(f"{kind}: CONNECT with a path", kind, with_line(b"CONNECT " + PATH + END)),
        Row(f"{kind}: of HTTP/0.9", kind, b"GET /v1/models?" + ROW_MARK + b"\r\n", basis=STRICT),
    ]


def targets():
    kind = "target"
    bad = [
        b"v1/chat/completions", b"?x", b"*", b"*/", b"\\\\a", b"//\\a#", b"/v1/chat/completions#a", b"#", b"/#",
        b"/v1/a?q#b", b"/v1/chat/completions\x00", b"/v1/\x01", b"/v1/\x7f", b"/v1/\x0b", b"/v1/\x1f",
        b"/v1/caf\xc3\xa9", b"/v1/\xa0", b"/v1/\xff", b"/v1/a?\xe2\x80\xa8", b"127.0.0.1:443", b"@127.0.0.1/",
        b"http:/v1", b"://a", b"/v1/a%", b"/v1/a%2", b"/v1/a%zz", b"/v1/a%%20", b"/v1/a?b=%", b"/v1/a?b=%g0",
        b"/v1/a%u002e",
    ]  # fmt: skip
    strict = [
        b"http://127.0.0.1/v1/chat/completions", b"HTTP://127.0.0.1/v1/chat/completions",
        b"https://a/v1/chat/completions", b"http://elsewhere/v1/chat/completions", b"file:///v1", b"/v1/../admin",
        b"/v1/./chat/completions", b"/../v1/chat/completions", b"/v1/chat/completions/..", b"/v1/chat/completions/.",
        b"/v1/%2e%2e/admin", b"/v1/.%2e/admin", b"/v1/%2e/chat/completions", b"/v1%2fchat%2fcompletions",
        b"/v1%2Fchat/completions", b"/v1%5cchat", b"/v1\\chat\\completions", b"/v1/chat/completions?\\",
        b"/v1/chat%00", b"/v1/chat%0d%0aX:%201", b"/v1/chat%0a", b"/v1/chat%7f", b"/v1/chat;a=b/completions",
        b"/v1/chat/completions;jsessionid=1", b"/v1/..;/admin/v1/config", b"/v1/chat/completions%3b%2e%2e",
    ]  # fmt: skip
    return [
        *table(kind, with_target, bad),
        *table(kind, with_target, strict, basis=STRICT),
    ]


def line_ends():
    """CR and LF in every place where a lenient reader ends a line and a strict one does not."""
    kind = "line ends"
    whole = request()
    head, body = whole.split(b"\r\n\r\n", 1)
    lines = head.split(b"\r\n")
    rows = []

    def add(name, raw, basis=INVALID):
        rows.append(Row(f"{kind}: {name}", kind, raw, basis=basis))

    # A recipient may take a single LF for a line's end, and a single CR for a space (RFC 9112, section 2.2).
    add("LF throughout", head.replace(b"\r\n", b"\n") + b"\n\n" + body, STRICT)
    add("CR throughout", head.replace(b"\r\n", b"\r") + b"\r\r" + body)
    add("LF CR throughout", head.replace(b"\r\n", b"\n\r") + b"\n\r\n\r" + body)
    for number, name in enumerate(("first line", "Host", "Content-Type", "User-Agent", "Content-Length")):
        for end, said in ((b"\n", "LF"), (b"\r", "CR"), (b"\r\r\n", "CR CR LF"), (b"\n\r\n", "LF CR LF")):
            joined = b"".join(line + (end if at == number else b"\r\n") for at, line in enumerate(lines))
            add(f"{said} after {name}", joined + b"\r\n" + body, STRICT)
    for end, said in (
        (b"\n", "LF"),
        (b"\r", "CR"),
        (b"\r\r\n", "CR CR LF"),
        (b"\n\n", "LF LF"),
        (b"\r\n\n"[1:], "LF LF late"),
    ):
        add(f"{said} for the empty line", head + b"\r\n" + end + body, STRICT if end.startswith(b"\n") else INVALID)
    add("LF before the first line", b"\n" + whole, STRICT)
    add("CR before the first line", b"\r" + whole, STRICT)
    add("CR LF LF before the first line", b"\r\n\n" + whole, STRICT)
    for value in (
        b"X: a\rb",
        b"X: a\nb",
        b"X: a\r",
        b"X: \r",
        b"X:\r a",
        b"X: a\r\rb",
        b"X\r: a",
        b"X\n: a",
        b"\rX: a",
        b"\nX: a",
    ):
        rows.append(Row(f"{kind}: {value!r}", kind, with_fields(value + b"\r\n"), basis=STRICT))
    return list({row.raw: row for row in rows}.values())


def field_lines():
    kind = "field lines"
    bad_names = [
        b": a", b"X : a", b"X\t: a", b"X Y: a", b"no colon", b"nocolon", b"X@Y: a", b"X(Y): a", b'"X": a', b"X/Y: a",
        b"X;Y: a", b"X,Y: a", b"X=Y: a", b"X?: a", b"[X]: a", b"{X}: a", b"X\\Y: a", b"<X>: a", b"X\x00: a",
        b"\x00X: a", b"X\x01: a", b"X\x0b: a", b"X\x7f: a", b"X\xc3\xa9: a", b"\xa0X: a", b"Content-Length : 5",
        b"Content-Length\x00: 5", b"Content-Length\x0b: 5", b"Transfer-Encoding : chunked",
        b"Transfer-Encoding\t: chunked", b"Transfer-Encoding\x00: chunked", b"Transfer\xadEncoding: chunked",
        b"Transfer-Encoding\x0b: chunked", b"Host : 127.0.0.1", b"Authorization : Bearer test-key", b"GET / HTTP/1.1",
    ]  # fmt: skip
    bad_values = [
        b"X: a\x00b",
        b"X: \x00",
        b"X: a\x01",
        b"X: \x08a",
        b"X: a\x0bb",
        b"X: a\x0cb",
        b"X: a\x1bb",
        b"X: a\x7fb",
        b"X: \x1f",
    ]
    strict = [
        b"X_Y: a", b"_: a", b"Content_Length: 5", b"Transfer_Encoding: chunked", b"X_: a", b"X: caf\xc3\xa9",
        b"X: \xa0", b"X: \xff", b"X: a\x85b", b"X: \xe2\x80\xa8",
    ]  # fmt: skip
    folds = [
        b"X: a\r\n b", b"X: a\r\n\tb", b"X: a\r\n ", b"X:\r\n a", b"Transfer-Encoding:\r\n chunked",
        b"Transfer-Encoding: chunked\r\n , identity", b"Content-Length:\r\n 5", b"X: a\r\n : b",
        b"X: a\r\n Transfer-Encoding: chunked", b"Connection: close,\r\n x",
    ]  # fmt: skip

    def lines(value):
        return with_fields(value + b"\r\n")

    def before_the_first(value):
        return LINE + value + HOST + REST + length() + b"\r\n" + request().split(b"\r\n\r\n", 1)[1]

    return [
        *table(kind, lines, bad_names),
        *table(kind, lines, bad_values + strict, basis=STRICT),
        *table("folding", lines, folds, basis=STRICT),
        *table("folding", before_the_first, [b" ", b"\t", b" X: a\r\n", b"\tX: a\r\n", b" \r\n"], basis=STRICT),
    ]


def hosts():
    kind = "host"
    bad = [
        b"", b"a b", b"a,b", b"127.0.0.1, 127.0.0.1", b"a/b", b"a?b", b"a#b", b"a\\b", b"user@127.0.0.1",
        b"http://127.0.0.1", b"127.0.0.1:", b"127.0.0.1:a", b"127.0.0.1:-1", b"127.0.0.1:99999", b"127.0.0.1:80:80",
        b"127.0.0.1:80 ,a", b":80", b"[::1", b"::1", b"[::1]a", b"[::g]", b"[]", b"[127.0.0.1]", b"[::1]:99999",
        b"[v1.a]", b"a%20b", b"<a>", b'"a"', b"a;b", b"{a}", b"a|b", b"a^b", b"[fe80::1%25lo]", b"a" * 256,
    ]  # fmt: skip
    # Sub-delimiters and an empty port are in the grammar; no real host has them.
    lenient = {
        b"127.0.0.1:",
        b"a,b",
        b"a;b",
        b"a%20b",
        b"127.0.0.1:99999",
        b"[::1]:99999",
        b"[v1.a]",
        b"[fe80::1%25lo]",
        b"a" * 256,
        b"",
        b":80",
    }

    def host(value):
        return request(host=b"Host: " + value + b"\r\n")

    doubled = [
        (b"Host: 127.0.0.1\r\n", "equal"),
        (b"Host: elsewhere\r\n", "different"),
        (b"host: 127.0.0.1:80\r\n", "other case"),
        (b"Host:\r\n", "empty"),
    ]
    return [
        Row(f"{kind}: none", kind, request(host=b"")),
        *(Row(f"{kind}: second one, {name}", kind, with_fields(line)) for line, name in doubled),
        *table(kind, host, [value for value in bad if value not in lenient]),
        *table(kind, host, [value for value in bad if value in lenient], basis=STRICT),
    ]


def repeated_and_named():
    kind = "repeated or named fields"
    once = [
        b"Content-Type",
        b"Content-Encoding",
        b"Authorization",
        b"Api-Key",
        b"X-Api-Key",
        b"Idempotency-Key",
        b"X-Request-Id",
        b"x-tollgate-task",
    ]
    named = [
        b"Content-Length", b"Transfer-Encoding", b"Host", b"Expect", b"Content-Type", b"User-Agent", b"Authorization",
        b"X-Api-Key", b"Origin", b"Accept", b"Idempotency-Key", b"x-tollgate-task", b"content-length, close",
        b"close, transfer-encoding", b"keep-alive,Host,x",
    ]  # fmt: skip
    malformed = [b"close;x", b"close x", b'"close"', b"close/1", b"a b, c", b"close,,(", b"{}", b"\\"]
    expectations = [
        b"100-continu",
        b"200-ok",
        b"100-continue, x",
        b"x",
        b"",
        b"100-continue;q=1",
        b"100 continue",
        b'"100-continue"',
        b"0100-continue",
    ]

    def twice(name):
        return with_fields(b"%s: a\r\n%s: a\r\n" % (name, name.lower()))

    def connection(value):
        return with_fields(b"Connection: " + value + b"\r\n")

    def expect(value):
        return with_fields(b"Expect: " + value + b"\r\n")

    return [
        *table(kind, twice, once, basis=STRICT),
        *(Row(f"{kind}: Connection: {shown(value)}", kind, connection(value), basis=STRICT) for value in named),
        *(Row(f"{kind}: Connection: {shown(value)}", kind, connection(value)) for value in malformed),
        *table("expect", expect, expectations, statuses=(417,), basis=STRICT),
        Row("expect: twice", "expect", with_fields(b"Expect: 100-continue\r\nExpect: 100-continue\r\n"), basis=STRICT),
    ]


ROWS = [*first_lines(), *targets(), *line_ends(), *field_lines(), *hosts(), *repeated_and_named()]
