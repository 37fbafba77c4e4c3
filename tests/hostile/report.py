"""Counts of a run, as a table that sets servers side by side, and as JUnit XML."""

import xml.etree.ElementTree as xml
from collections import defaultdict

from rows import INVALID


def accepted(cell):
    """Whether a row that is to be refused was taken for a request."""
    first = cell.answers[0] if cell.answers else None
    return bool(cell.reached & {"R", "S"}) or (first is not None and first.status < 400)


def smuggled(cell):
    """Whether a hidden request was taken for one, or an answer is not for what was asked in its place."""
    own = [cell.marks["R"], cell.marks.get("G", "")]
    marks = [answer.mark for answer in cell.answers if answer.mark]
    return "S" in cell.reached or cell.marks["S"] in marks or marks != [mark for mark in own if mark in marks]


def count(cells):
    """Per class: rows wrongly accepted, rows of which a byte reached the upstream, rows smuggled, in any cell."""
    found = defaultdict(lambda: [set(), set(), set()])
    for cell in cells:
        if cell.row.accept:
            continue
        for each, test in zip(found[cell.row.kind], (accepted(cell), cell.touched, smuggled(cell))):
            if test:
                each.add(cell.row.name)
    return found


def refused_controls(cells):
    return {
        cell.row.name
        for cell in cells
        if cell.row.accept and not (cell.answers and cell.answers[0].status in (200, *cell.row.statuses))
    }


def comparison(rows, runs):
    """A Markdown table: per class and server `accepted / reached / smuggled`; then the same for invalid rows alone."""
    lines = ["| class | rows | invalid | " + " | ".join(runs) + " |", "|---" * (3 + len(runs)) + "|"]
    bad = [row for row in rows if not row.accept]
    counts = {name: count(cells) for name, cells in runs.items()}
    of_invalid = {name: count([cell for cell in cells if cell.row.basis == INVALID]) for name, cells in runs.items()}

    def sums(found):
        return [sum(len(sets[which]) for sets in found.values()) for which in range(3)]

    def shown(numbers):
        return " / ".join(map(str, numbers))

    for kind in dict.fromkeys(row.kind for row in bad):
        of_kind = [row for row in bad if row.kind == kind]
        invalid = sum(row.basis == INVALID for row in of_kind)
        cells = [shown(map(len, counts[name][kind])) for name in runs]
        lines.append(f"| {kind} | {len(of_kind)} | {invalid} | " + " | ".join(cells) + " |")
    invalid = sum(row.basis == INVALID for row in bad)
    lines.append(
        f"| **all** | {len(bad)} | {invalid} | " + " | ".join(shown(sums(counts[name])) for name in runs) + " |"
    )
    lines.append(
        f"| **invalid ones only** | {invalid} | {invalid} | "
        + " | ".join(shown(sums(of_invalid[name])) for name in runs)
        + " |"
    )
    good_rows = len(rows) - len(bad)
    lines.append(
        f"| good controls refused | {good_rows} | | "
        + " | ".join(str(len(refused_controls(cells))) for cells in runs.values())
        + " |"
    )
    return "\n".join(lines)


def print_names(runs):
    """Each row that a server accepted, answered for a hidden request, or, of the good ones, refused."""
    for peer, cells in runs.items():
        bad = [cell for cell in cells if not cell.row.accept]
        for word, test in (("accepted", accepted), ("smuggled", smuggled)):
            for basis, name in sorted({(cell.row.basis, cell.row.name) for cell in bad if test(cell)}):
                print(f"{peer} {word} ({basis}) {name}")
        for name in sorted(refused_controls(cells)):
            print(f"{peer} refused {name}")


def write_junit(path, cells, general):
    suite = xml.Element("testsuite", name="hostile")
    by_row = defaultdict(list)
    for cell in cells:
        by_row[cell.row.kind, cell.row.name].extend(
            f"{cell.transport}, {cell.position}: {fault}" for fault in cell.faults
        )
    by_row["hostile", "the gateways live, end in order and have sent on nothing unknown"] = general
    for (kind, name), faults in by_row.items():
        case = xml.SubElement(suite, "testcase", classname=f"hostile.{kind}", name=printable(name))
        if faults:
            xml.SubElement(case, "failure").text = printable("\n".join(faults))
    xml.ElementTree(suite).write(path, encoding="unicode")


def printable(text):
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
