"""What the comparers share: the records of the `differential` program, what makes readings the same, the report."""

import json
from collections import Counter

# Follows each request, so that another reading of its end shows.
NEXT = b"GET /next HTTP/1.1\r\nHost: next\r\nConnection: close\r\n\r\n"
SHOWN = 20


def read(path):
    with open(path) as file:
        for number, line in enumerate(file):
            record = json.loads(line)
            record["number"] = number
            record["raw"] = bytes.fromhex(record["raw"])
            record["body"] = bytes.fromhex(record["body"])
            yield record


def by_name(fields, without=()):
    """Values by name in lower case, in the order sent."""
    values = {}
    for name, value in fields:
        name = name.lower()
        if name not in without:
            values.setdefault(name, []).append(value.strip(" \t"))
    return values


class Report:
    def __init__(self, peer):
        self._peer = peer
        self._verdicts = Counter()
        self._reasons = Counter()
        self._shown = 0
        self._refused_records = []

    def same(self):
        self._verdicts["same"] += 1

    def refused(self, reason, record):
        self._verdicts["refused"] += 1
        self._refused_records.append(record["number"])
        self._reasons[str(reason)[:60]] += 1

    def disagree(self, what, record):
        self._verdicts["disagree"] += 1
        if self._shown < SHOWN:
            self._shown += 1
            print(f"{self._peer} disagrees ({what}): {record['raw']!r}"[:1500], flush=True)

    def known(self, fault):
        """A disagreement that is a documented fault of the peer."""
        self._verdicts["known"] += 1
        self._reasons[f"known: {fault}"] += 1

    def print(self):
        """The counts as one line of JSON; the exit code of the comparer."""
        line = {
            "peer": self._peer,
            **{verdict: self._verdicts[verdict] for verdict in ("same", "refused", "known", "disagree")},
        }
        line |= {"reasons": dict(self._reasons.most_common(12)), "refused_records": self._refused_records}
        print(json.dumps(line))
        return 1 if self._verdicts["disagree"] or not self._verdicts["same"] else 0
