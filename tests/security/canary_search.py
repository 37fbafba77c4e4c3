"""Where a mark may be found and where it may not: in answers, in the files of the database, in its rows."""

import sqlite3
from bisect import bisect_right

from marks import Search


def search_entries(search, entries):
    """Faults of replies that hold what they may not."""
    starts, pieces, at = [], [], 0
    for entry in entries:
        starts.append(at)
        piece = entry.reply.head + b"\r\n\r\n" + entry.reply.body + b"\n"
        pieces.append(piece)
        at += len(piece)
    text = b"".join(pieces)
    faults = {}
    for each, form, where in search.in_text(text):
        entry = entries[bisect_right(starts, where) - 1]
        if each.name in entry.placed:
            continue
        faults.setdefault(
            (each.name, form, entry.what),
            f"{entry.plane}: {each.name} {form} in the answer to: {entry.what} "
            f"({entry.reply.status}): {text[max(0, where - 80) : where + 40]!r}",
        )
    return list(faults.values())


def search_files(files, secrets):
    faults = []
    for name, data in files.items():
        faults += [
            f"store.db{name}: {each.name} {form}, at byte {at}" for each, form, at in Search(secrets).in_text(data)
        ]
    return faults


def search_rows(path, marks):
    """Kept answers hold completions by design, and what providers made of prompts; keys are known by their digests."""
    faults = []
    by_digest = {each.digest: each for each in marks}
    words = Search([each for each in marks if not each.secret])
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    for table in tables:
        names = [row[1] for row in connection.execute(f'PRAGMA table_info("{table}")')]
        for row in connection.execute(f'SELECT * FROM "{table}"'):
            for name, value in zip(names, row):
                data = value if isinstance(value, bytes) else str(value).encode()
                if data in by_digest and (table, name) not in (("api_key", "digest"), ("answer", "key_digest")):
                    faults.append(f"{table}.{name} is the digest of: {by_digest[data].name}")
                if (table, name) in (("answer", "body"), ("answer", "fields")):
                    continue
                faults += [f"{table}.{name}: {each.name} {form}" for each, form, _ in words.in_text(data)]
    connection.close()
    return faults
