"""Hostile framing: how long the body is, in more than one reading. Content-Length, Transfer-Encoding, both, chunked
bodies, and whole attacks, each of which hides a second request in what one of two readers takes for
the first one's body.
"""

from rows import (
    BODY,
    HOST,
    INVALID,
    LINE,
    REST,
    STRICT,
    Row,
    chunked,
    chunks,
    hidden,
    length,
    request,
    table,
    with_coding,
    with_length,
)

CHUNKED = b"Transfer-Encoding: chunked\r\n"


def content_lengths():
    kind = "content-length"
    bad = [
        b" +%d", b" -%d", b" -0", b" - %d", b" 0x55", b" 55h", b" %d;", b" %d ;a", b" %d a", b" a%d", b" %d.0",
        b" 1e2", b" 1_0", b" 1,000", b"", b" ", b" ,", b" ,%d", b" %d,", b' "%d"', b" '%d'", b" five", b" %d %d",
        b" %d\t%d", b" (%d)", b" %d\x00", b" \x00%d", b" \x0b%d", b" %d\x0c", b" \xa0%d", b" %d\xa0", b" \xd9\xa1",
        b" 0b11", b" 0o17", b" nan", b" inf", b" None", b" %d, 0", b" 0, %d", b" 7, %d", b" 9223372036854775808",
        b" 18446744073709551615", b" 18446744073709551616", b" 18446744073709551701", b" 4294967296000000000000",
        b" " + b"9" * 100,
    ]  # fmt: skip
    # Equal values in a list may be taken for one, and leading zeros are digits.
    strict = [b" %d, %d", b" %d,%d", b" 0%d", b" 000%d", b" 00000000000000000000%d"]

    def both(first, second):
        first, second = (b"%d" % len(BODY) if value is None else value for value in (first, second))
        return request(framing=b"Content-Length: " + first + b"\r\nContent-Length: " + second + b"\r\n")

    pairs = [
        (None, b"0"),
        (b"0", None),
        (None, b"5"),
        (None, b""),
        (b"x", None),
        (None, b"+%d" % len(BODY)),
        (b"7", b"9"),
    ]
    return [
        *table(kind, with_length, bad),
        *table(kind, with_length, strict, basis=STRICT),
        *(Row(f"{kind}: {a} and {b}", kind, both(a, b)) for a, b in pairs),
        Row(f"{kind}: twice, equal", kind, both(None, None), basis=STRICT),
        Row(f"{kind}: three times", kind, request(framing=length() * 3), basis=STRICT),
        Row(f"{kind}: twice, case of the name", kind, request(framing=length() + length().lower()), basis=STRICT),
    ]


def transfer_encodings():
    kind = "transfer-encoding"
    # Unknown codings, and chunked that is not the last one: how the body ends cannot be known (RFC 9112, section 6.3).
    bad = [
        b" gzip", b" identity", b" deflate", b" xchunked", b" chunkedx", b" chunke", b" chunk", b" chunked, identity",
        b" chunked, gzip", b" identity, gzip", b" chunked, chunked", b" chunked chunked", b" chun ked", b" x chunked",
        b" chunked x", b' "chunked"', b" 'chunked'", b" chunked\x00", b" \x00chunked", b" chunked\x0b",
        b" \x0bchunked", b" \x0cchunked", b" \xa0chunked", b" chunked\xa0", b" chunked\x01", b" [chunked]",
        b" chunked;", b" ;chunked", b" chunked/1", b" \xc5\xbfchunked", b" chun\xc4\xb8ed", b" =chunked", b" 0",
        b" true", b" chunked#", b"\\ chunked", b" ch\tunked", b": chunked", b" chunked:",
    ]  # fmt: skip
    strict = [
        b"",
        b" ",
        b" ,chunked",
        b" chunked,",
        b" , chunked ,",
        b" chunked;q=1",
        b" chunked ;a=b",
        b" gzip, chunked",
        b" identity, chunked",
        b" chunked, ",
    ]
    pairs = {
        "chunked twice": (CHUNKED + CHUNKED, INVALID),
        "gzip, then chunked in two fields": (b"Transfer-Encoding: gzip\r\n" + CHUNKED, STRICT),
        "chunked, then identity in two fields": (CHUNKED + b"Transfer-Encoding: identity\r\n", INVALID),
        "chunked, then x in two fields": (CHUNKED + b"Transfer-Encoding: x\r\n", INVALID),
        "chunked, then empty in two fields": (CHUNKED + b"Transfer-Encoding:\r\n", STRICT),
        "empty, then chunked in two fields": (b"Transfer-Encoding:\r\n" + CHUNKED, STRICT),
        "twice, case of the name": (CHUNKED + b"transfer-encoding: chunked\r\n", INVALID),
    }
    old = LINE.replace(b"1.1", b"1.0")
    return [
        *table(kind, lambda value: with_coding(b"Transfer-Encoding:" + value + b"\r\n"), bad),
        *table(kind, lambda value: with_coding(b"Transfer-Encoding:" + value + b"\r\n"), strict, basis=STRICT),
        *(Row(f"{kind}: {name}", kind, with_coding(lines), basis=basis) for name, (lines, basis) in pairs.items()),
        Row(f"{kind}: in HTTP/1.0", kind, request(line=old, framing=CHUNKED, body=chunks()), basis=STRICT),
        Row(
            f"{kind}: in HTTP/1.0, kept alive",
            kind,
            request(line=old, framing=CHUNKED + b"Connection: keep-alive\r\n", body=chunks()),
            basis=STRICT,
        ),
        Row(
            f"{kind}: identity in HTTP/1.0",
            kind,
            request(line=old, framing=b"Transfer-Encoding: identity\r\n" + length()),
        ),
    ]


def both_framings():
    """A server may take such a request by its Transfer-Encoding if it then closes (RFC 9112, section 6.1)."""
    kind = "both framings"
    codings = [
        b"chunked",
        b"Chunked",
        b"gzip",
        b"identity",
        b"xchunked",
        b"chunked, identity",
        b" chunked",
        b"",
        b"chunked\t",
        b"x, chunked",
    ]
    sizes = [b"0", b"%d" % len(chunks()), b"3", b"99999"]
    rows = []
    for coding in codings:
        basis = STRICT if coding.strip().lower() == b"chunked" else INVALID
        first = b"Transfer-Encoding: " + coding + b"\r\n"
        second = b"Content-Length: %d\r\n" % len(chunks())
        rows.append(Row(f"{kind}: {coding!r} first", kind, with_coding(first + second), basis=basis))
        rows.append(Row(f"{kind}: {coding!r} last", kind, with_coding(second + first), basis=basis))
    for size in sizes[:1] + sizes[2:]:
        line = b"Content-Length: " + size + b"\r\n"
        rows.append(Row(f"{kind}: length {size.decode()} first", kind, with_coding(line + CHUNKED), basis=STRICT))
        rows.append(Row(f"{kind}: length {size.decode()} last", kind, with_coding(CHUNKED + line), basis=STRICT))
    spaced = with_coding(b"Transfer-Encoding : chunked\r\nContent-Length: %d\r\n" % len(chunks()))
    rows.append(Row(f"{kind}: space before the colon", kind, spaced))
    rows.append(Row(f"{kind}: bad length", kind, with_coding(CHUNKED + b"Content-Length: x\r\n")))
    return rows


def chunk_framing():
    kind = "chunks"
    size, rest = b"%x" % len(BODY), b"\r\n" + BODY + b"\r\n0\r\n\r\n"
    bad_sizes = [
        b"", b" ", b"g", b"x", b"+" + size, b"-" + size, b"-0", b"0x" + size, b"0X" + size, size + b"h", size + b"g",
        b" " + size, b"\t" + size, size + b",", size + b"_", b"_" + size, size + b".0", b'"' + size + b'"',
        size + b"\x00", b"\x00" + size, size + b"\x0b", size + b"\xa0", b"\r\n" + size, b"\n" + size,
        size + b" " + size, b"ffffffffffffffff", b"8000000000000000", b"10000000000000000", b"fffffffffffffffffffff",
        b"1" + b"0" * 16 + size, size + b"\\", b"\xef\xbc\x95", b"%" + size,
    ]  # fmt: skip
    # Blanks after the size are bad white space, which a reader may skip.
    strict_sizes = [size + b" ", size + b"\t", size + b"  ", b"0" * 40 + size]
    bodies = {
        "LF after the size": (size + b"\n" + BODY + b"\r\n0\r\n\r\n", INVALID),
        "CR after the size": (size + b"\r" + BODY + b"\r\n0\r\n\r\n", INVALID),
        "CR CR LF after the size": (size + b"\r\r\n" + BODY + b"\r\n0\r\n\r\n", INVALID),
        "LF CR after the size": (size + b"\n\r" + BODY + b"\r\n0\r\n\r\n", INVALID),
        "nothing after the data": (size + b"\r\n" + BODY + b"0\r\n\r\n", INVALID),
        "LF after the data": (size + b"\r\n" + BODY + b"\n0\r\n\r\n", INVALID),
        "CR after the data": (size + b"\r\n" + BODY + b"\r0\r\n\r\n", INVALID),
        "blank after the data": (size + b"\r\n" + BODY + b" \r\n0\r\n\r\n", INVALID),
        "empty line after the data": (size + b"\r\n" + BODY + b"\r\n\r\n0\r\n\r\n", INVALID),
        "two other bytes after the data": (size + b"\r\n" + BODY + b"XX0\r\n\r\n", INVALID),
        "one byte too many": (b"%x" % (len(BODY) - 1) + rest, INVALID),
        "one byte too few": (b"%x" % (len(BODY) + 1) + rest, INVALID),
        "LF at the end": (size + b"\r\n" + BODY + b"\r\n0\n\n", INVALID),
        "LF after the last size": (size + b"\r\n" + BODY + b"\r\n0\n\r\n", INVALID),
        "LF for the last line": (size + b"\r\n" + BODY + b"\r\n0\r\n\n", STRICT),
        "CR for the last line": (size + b"\r\n" + BODY + b"\r\n0\r\n\rX", INVALID),
        "no size before the last": (size + b"\r\n" + BODY + b"\r\n\r\n", INVALID),
        "the body is not chunked": (BODY, INVALID),
        "second chunk without a size": (b"1\r\n{\r\n" + BODY[1:] + b"\r\n0\r\n\r\n", INVALID),
        "negative second chunk": (size + b"\r\n" + BODY + b"\r\n-1\r\n\r\n", INVALID),
    }
    extensions = [
        b";", b";a", b";a=b", b"; a = b", b" ;a", b';a="b"', b";" + b"e" * 255, b";" + b"e" * 300, b";a;b;c",
        b';a="\\"',
    ]  # fmt: skip
    bad_extensions = [
        b";a\nb",
        b";\n",
        b";a\rb",
        b";\x00",
        b';a="',
        b";a\x7f",
        b';a="\n"',
        b";=",
        b";a=",
        b";(",
        b';a="b',
        b";\r",
    ]
    trailers = [
        b"X: 1",
        b"Authorization: Bearer test-key",
        b"Content-Length: 5",
        b"Transfer-Encoding: chunked",
        b"Host: elsewhere",
        b"X-Api-Key: test-key",
    ]
    bad_trailers = [
        b"X : 1", b" X: 1", b": 1", b"nocolon", b"X: \x00", b"X\x00: 1", b"X: 1\n", b"X: 1\rY: 2", b"X: 1\r\n Y",
        b"GET / HTTP/1.1", b"X_Y@: 1", b"\nX: 1",
    ]  # fmt: skip

    def sized(value):
        return chunked(value + rest)

    def trailed(value):
        return chunked(size + b"\r\n" + BODY + b"\r\n0\r\n" + value + b"\r\n\r\n")

    return [
        *table(kind, sized, bad_sizes),
        *table(kind, sized, strict_sizes, basis=STRICT),
        *(Row(f"{kind}: {name}", kind, chunked(body), basis=basis) for name, (body, basis) in bodies.items()),
        *table("chunk extensions", lambda value: sized(size + value), extensions, basis=STRICT),
        *table("chunk extensions", lambda value: sized(size + value), bad_extensions),
        Row(
            "chunk extensions: on the last chunk",
            "chunk extensions",
            chunked(size + b"\r\n" + BODY + b"\r\n0;a\r\n\r\n"),
            basis=STRICT,
        ),
        *table("trailers", trailed, trailers, basis=STRICT),
        *table("trailers", trailed, bad_trailers),
        Row("trailers: 10 KiB", "trailers", trailed(b"X: " + b"v" * 10000), basis=STRICT),
        Row("trailers: 500 of them", "trailers", trailed(b"\r\n".join(b"X: 1" for _ in range(500))), basis=STRICT),
    ]


def attacks():
    """One request for one reader, two for the other. The hidden one carries its own mark and must never be answered."""
    kind = "smuggling"
    inner = hidden()
    last = b"0\r\n\r\n"
    whole = chunks()
    rows = []

    def add(name, framing, body, basis=INVALID, line=LINE):
        rows.append(Row(f"{kind}: {name}", kind, line + HOST + REST + framing + b"\r\n" + body, basis=basis))

    def size(body):
        return b"Content-Length: %d\r\n" % len(body)

    # The first reader goes by length and takes all, the second by chunks and finds the hidden one; or the reverse.
    add("CL.TE", size(last + inner) + CHUNKED, last + inner, STRICT)
    add("TE.CL", CHUNKED + b"Content-Length: 4\r\n", b"%x\r\n" % len(inner) + inner + b"\r\n" + last, STRICT)
    add("CL.TE with a body before", size(whole + inner) + CHUNKED, whole + inner, STRICT)
    disguises = [
        b"Transfer-Encoding: xchunked", b"Transfer-Encoding : chunked", b"Transfer-Encoding:\x0bchunked",
        b"Transfer-Encoding: \x00chunked", b" Transfer-Encoding: chunked", b"Transfer-Encoding\r\n: chunked",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: x", b"Transfer-Encoding: 'chunked'",
        b"Transfer-Encoding: chunked, identity", b"Transfer-Encoding\t: chunked", b"Transfer-Encoding: ch\x00unked",
        b"Transfer-Encoding: chunked\x00", b"Transfer-Encoding: identity, chunked, identity",
        b"\x00Transfer-Encoding: chunked", b"Transfer Encoding: chunked", b"Transfer-Encoding=chunked",
        b"Transfer-Encoding;chunked", b"Transfer\xc2\xadEncoding: chunked", b"Transfer-Encoding: chunk\xc3\xa9d",
        b"Transfer-Encoding:chunked;ext=\"\x0a\"",
    ]  # fmt: skip
    for line in disguises:
        add(f"CL.TE as {line!r}", size(last + inner) + line + b"\r\n", last + inner)
    lenient = [
        b"Transfer_Encoding: chunked", b"X: a\rTransfer-Encoding: chunked", b"Transfer-Encoding:\r\n chunked",
        b"Transfer-Encoding: chunked\r", b"X: a\nTransfer-Encoding: chunked", b"Transfer-Encoding: chunked\nX: a",
        b"Transfer-Encoding: ,chunked",
    ]  # fmt: skip
    for line in lenient:
        add(f"CL.TE as {line!r}", size(last + inner) + line + b"\r\n", last + inner, STRICT)
    for value in (b"0, %d", b"%d, 0", b"+0", b"-1", b"0x0", b"0 ", b"%d\x00", b"00,%d", b"0;%d", b"0\x0b"):
        if value == b"0 ":
            continue
        text = value.replace(b"%d", b"%d" % len(inner))
        add(f"CL.0 as {value!r}", b"Content-Length: " + text + b"\r\n", inner)
    add("CL.CL, none first", b"Content-Length: 0\r\n" + size(inner), inner)
    add("CL.CL, none last", size(inner) + b"Content-Length: 0\r\n", inner)
    add("CL.CL, the second in disguise", b"Content-Length: 0\r\nContent-Length : %d\r\n" % len(inner), inner)
    add("CL.CL, the second folded", b"Content-Length: 0\r\n X: %d\r\n" % len(inner), inner)
    add("CL.CL by a bare CR", b"Content-Length: 0\r\nX: a\r" + size(inner), inner, STRICT)
    add("CL.CL by a bare LF", b"Content-Length: 0\r\nX: a\n" + size(inner), inner, STRICT)
    # The hidden request in what only one reader takes for the framing of a chunk (TERM.EXT, EXT.TERM, SPILL).
    add("chunk extension ends at LF", CHUNKED, b"2;\n" + b"xx\r\n%x\r\n" % len(inner) + last + inner)
    add("chunk extension over lines", CHUNKED, b'5;a="\r\nhello\r\n0\r\n\r\n' + inner)
    add("chunk size ends at LF", CHUNKED, b"0\n\n" + inner)
    add("chunk size ends at CR", CHUNKED, b"0\r\r" + inner)
    add("chunk data ends nowhere", CHUNKED, b"5\r\nhelloXX0\r\n\r\n" + inner)
    add("chunk size wraps at 2^64", CHUNKED, b"10000000000000000\r\n\r\n" + inner)
    add("chunk size with a sign", CHUNKED, b"-0\r\n\r\n" + inner)
    add("chunk size in disguise", CHUNKED, b"0x0\r\n\r\n" + inner)
    add("chunk size empty", CHUNKED, b"\r\n\r\n" + inner)
    add("trailer ends at LF", CHUNKED, b"0\r\nX: 1\n\n" + inner, STRICT)
    add("trailer names a length", CHUNKED, b"0\r\n" + size(inner) + b"\r\n" + inner, STRICT)
    add("the request for a trailer", CHUNKED, b"0\r\n" + inner)
    old = LINE.replace(b"1.1", b"1.0")
    add("chunked in HTTP/1.0", CHUNKED, last + inner, STRICT, old)
    add("chunked and length in HTTP/1.0", CHUNKED + size(last + inner), last + inner, STRICT, old)
    add("chunked in HTTP/1.0, kept alive", CHUNKED + b"Connection: keep-alive\r\n", last + inner, STRICT, old)
    # The head's own fields taken away on the way.
    add("Connection names the length", b"Connection: Content-Length\r\n" + size(inner), inner, STRICT)
    add("Connection names the coding", b"Connection: Transfer-Encoding\r\n" + CHUNKED, last + inner, STRICT)
    add("Expect in disguise", b"Expect: y 100-continue\r\n" + size(inner), inner, STRICT)
    # A second head inside the first.
    add("head split by LF LF", b"X: a\n\n" + inner, b"", STRICT)
    add("head split by CR CR", b"X: a\r\r" + inner, b"", STRICT)
    add("head split by NUL", b"X: a\x00\r\n\x00\r\n" + size(b""), inner)
    add("request in a folded field", b"X: a\r\n " + inner.replace(b"\r\n", b"\r\n ") + b"\r\n", b"", STRICT)
    add(
        "request in a target",
        length(b""),
        b"",
        INVALID,
        b"POST /v1/chat/completions HTTP/1.1\r\n\r\n"[:-4] + b" " + inner.split(b"\r\n")[0] + b"\r\n",
    )
    statuses = {"Expect in disguise": (417,)}
    return [
        Row(row.name, row.kind, row.raw, statuses.get(row.name.split(": ", 1)[1], (400,)), row.basis) for row in rows
    ]


ROWS = [*content_lengths(), *transfer_encodings(), *both_framings(), *chunk_framing(), *attacks()]
