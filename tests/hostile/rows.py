"""What a row of the hostile table is, and the request that nearly every row is a small change of: a chat completion
that the gateway would forward at once, so that nothing but the row's own fault can be what refuses it."""

from dataclasses import dataclass

# Each time a row is sent these ten bytes become a number of their own: of the row, and of a request hidden in the row.
ROW_MARK = b"RMARKRMARK"
HIDDEN_MARK = b"SMARKSMARK"

# No request by the grammar of RFC 9110 and 9112, and nothing in them lets a recipient read it in some way nevertheless.
INVALID = "invalid"
# Valid, or something a recipient may be lenient about (a single LF, folded lines, control bytes in values, white space
# in the first line, an unknown coding before chunked...): refused since two lenient readers can differ, or by a limit.
STRICT = "strict"


@dataclass(frozen=True)
class Row:
    name: str
    kind: str  # the class it is counted under
    raw: bytes
    statuses: tuple = (400,)  # that a refusal may have; of a good control: that the answer may have
    basis: str = INVALID
    silence: bool = False  # whether the connection may also be closed without a byte
    accept: bool = False  # a good control: to be answered, and forwarded unless `local`
    local: bool = False  # answered by the gateway itself, its upstream sees nothing
    closes: bool = False  # a good control after which the connection ends
    slow: bool = False  # its end never comes: to be run with short timeouts


BODY = b'{"model":"m","messages":[{"role":"user","content":"hi"}],"user":"' + ROW_MARK + b'"}'
LINE = b"POST /v1/chat/completions HTTP/1.1\r\n"
HOST = b"Host: 127.0.0.1\r\n"
REST = b"Content-Type: application/json\r\nUser-Agent: " + ROW_MARK + b"\r\n"


def length(body=BODY):
    return b"Content-Length: %d\r\n" % len(body)


def request(line=LINE, host=HOST, extra=b"", framing=None, body=BODY):
    """A whole request; `extra` are field lines before those of the framing."""
    return line + host + REST + extra + (length(body) if framing is None else framing) + b"\r\n" + body


def with_line(line):
    """A request with this first line, whatever ends it included."""
    return request(line=line)


def with_target(target):
    return request(line=b"POST " + target + b" HTTP/1.1\r\n")


def with_fields(extra):
    return request(extra=extra)


def with_length(value):
    """The body's real length follows the field's name where the value has a %d."""
    return request(framing=b"Content-Length:" + value.replace(b"%d", b"%d" % len(BODY)) + b"\r\n")


def chunks(body=BODY):
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def with_coding(lines, body=None):
    """Field lines of the framing as given, before a chunked body."""
    return request(framing=lines, body=chunks() if body is None else body)


def chunked(body):
    return with_coding(b"Transfer-Encoding: chunked\r\n", body)


def hidden():
    """A request that must never be seen: what an attacker puts where a lenient reader finds a second one."""
    body = b'{"model":"m","messages":[],"user":"' + HIDDEN_MARK + b'"}'
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nUser-Agent: "
        + HIDDEN_MARK
        + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
        + body
    )


def good(mark):
    """A request without fault; the answer to it names `mark`."""
    body = BODY.replace(ROW_MARK, mark)
    return request(body=body).replace(ROW_MARK, mark)


def shown(value):
    """A short text for some bytes, for names of rows."""
    text = repr(value)[2:-1] if isinstance(value, bytes) else str(value)
    return text if len(text) <= 60 else f"{text[:50]}... ({len(value)} bytes)"


def table(kind, make, values, **options):
    """One row per value of a list: `make(value)` with the value for its name."""
    return [Row(f"{kind}: {shown(value)}", kind, make(value), **options) for value in values]
