"""The whole hostile table, and what holds for it as a table."""

import rows_framing
import rows_heads
import rows_rest

LEAST_BAD, LEAST_GOOD = 400, 36


def all_rows():
    rows = [*rows_heads.ROWS, *rows_framing.ROWS, *rows_rest.ROWS]
    bad = [row for row in rows if not row.accept]
    assert len({row.raw for row in bad}) == len(bad) >= LEAST_BAD, "the table has lost rows, or two rows are the same"
    assert len(rows) - len(bad) >= LEAST_GOOD, "too few good controls"
    assert len({row.name for row in rows}) == len(rows), "two rows have one name"
    return rows
