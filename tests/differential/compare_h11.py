#!/usr/bin/env python3
"""Lets Python's h11 read each accepted request: compare_h11.py RECORDS. Ends with 1 where it reads one differently."""

import sys

import h11

import records

LIMIT = 256 * 1024


def read(raw):
    """(request, body, what is left of the stream) as h11 reads them."""
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=LIMIT)
    connection.receive_data(raw + records.NEXT)
    request, body = connection.next_event(), b""
    assert isinstance(request, h11.Request), request
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Data):
            body += bytes(event.data)
        else:
            return request, body, event, connection.trailing_data[0]


def values(fields):
    """By name; h11 hands out the one coding that it knows in lower case."""
    found = records.by_name(fields)
    if "transfer-encoding" in found:
        found["transfer-encoding"] = [value.lower() for value in found["transfer-encoding"]]
    return found


def difference(record):
    request, body, end, left = read(record["raw"].removeprefix(b"\r\n"))  # h11 skips no empty line
    fields = [(name.decode(), value.decode()) for name, value in request.headers.raw_items()]
    version = b"1.0" if record["http_1_0"] else b"1.1"
    if not isinstance(end, h11.EndOfMessage):
        return f"no end: {end}"
    if request.method.decode() != record["method"]:
        return "method"
    if request.target.decode() != record["target"]:
        return "target"
    if request.http_version != version:
        return "version"
    if values(fields) != values(record["fields"]):
        return "fields"
    if body != record["body"]:
        return "body"
    if list(end.headers):
        return "trailers"
    return "" if left == records.NEXT else "another end"


def main():
    report = records.Report("h11")
    for record in records.read(sys.argv[1]):
        try:
            what = difference(record)
        except h11.RemoteProtocolError as refusal:
            report.refused(refusal, record)
            continue
        if what:
            report.disagree(what, record)
        else:
            report.same()
    sys.exit(report.print())


if __name__ == "__main__":
    main()
