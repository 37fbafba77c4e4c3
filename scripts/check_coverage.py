#!/usr/bin/env python3
"""Judges the line coverage that gcovr has measured: a table by room, and an exit status of 1 where a bar is missed.
A line that no test can reach is taken out where it stands, by a `GCOVR_EXCL_LINE: reason` comment; one without a
reason is a finding.
Usage: check_coverage.py LINES.json            the verdict
       check_coverage.py LINES.json ROOM...    the lines of these rooms that were not reached
       check_coverage.py --self-test"""
import json
import pathlib
import re
import sys

OVERALL = 90.0
BARS = {"protocol": 95.0, "pipeline": 95.0}
MARK = re.compile(r"GCOVR_EXCL_\w+(?P<reason>: \S.*)?")
ROOM = re.compile(r"^(?:src|include/tollgate)/(?P<room>\w+)/")


def files_of(measured):
    """Room, path and counts by line number of each file that belongs to a room."""
    for file in measured["files"]:
        found = ROOM.match(file["file"])
        lines = [line for line in file["lines"] if not line.get("gcovr/noncode") and not line.get("gcovr/excluded")]
        if found:
            yield found["room"], file["file"], {line["line_number"]: line["count"] for line in lines}


def rooms_of(measured):
    """Lines reached and lines in all, by room."""
    rooms = {}
    for room, _, counts in files_of(measured):
        reached, total = rooms.get(room, (0, 0))
        rooms[room] = (reached + sum(count > 0 for count in counts.values()), total + len(counts))
    return rooms


def percent(reached, total):
    return 100.0 * reached / total if total else 0.0


def judge(rooms):
    """The table's lines, and what misses its bar."""
    everything = tuple(map(sum, zip(*rooms.values()))) or (0, 0)
    table, missed = [], []
    for room, counts in [*sorted(rooms.items()), ("overall", everything)]:
        share, bar = percent(*counts), OVERALL if room == "overall" else BARS.get(room)
        note = f"  (bar {bar:g} %)" if bar else ""
        table.append(f"{room:<10} {counts[0]:>6} of {counts[1]:>6} lines  {share:5.1f} %{note}")
        if bar and share < bar:
            missed.append(f"{room}: {share:.1f} % of lines, the bar is {bar:g} %")
    missed += [f"{room}: nothing was measured" for room in BARS if room not in rooms]
    return table, missed


def not_reached(measured, rooms):
    for room, path, counts in files_of(measured):
        lines = [str(line) for line, count in sorted(counts.items()) if count == 0]
        if lines and room in rooms:
            yield f"{path}: {' '.join(lines)}"


def bare_marks(path, text):
    return [
        f"{path}:{number}: takes lines out of the coverage without a reason"
        for number, line in enumerate(text.splitlines(), 1)
        for mark in MARK.finditer(line)
        if not mark["reason"] and "STOP" not in mark[0]
    ]


def self_test():
    def line(number, count, **more):
        return {"line_number": number, "count": count, **more}

    def measured(*files):
        """Files of 100 lines, so many of them reached."""
        lines = {path: [line(n, int(n < reached)) for n in range(100)] for path, reached in files}
        return {"files": [{"file": path, "lines": of_file} for path, of_file in lines.items()]}

    header = "include/tollgate/protocol/b.hpp"
    good = measured(("src/protocol/a.cpp", 97), (header, 95), ("src/pipeline/c.cpp", 95), ("src/io/d.cpp", 80))
    assert rooms_of(good)["protocol"] == (192, 200)
    assert judge(rooms_of(good))[1] == []
    assert list(not_reached(good, ["protocol"]))[0] == "src/protocol/a.cpp: 97 98 99"
    low_room = measured(("src/protocol/a.cpp", 94), ("src/pipeline/c.cpp", 100))
    assert [text.split(":")[0] for text in judge(rooms_of(low_room))[1]] == ["protocol"]
    low_overall = measured(("src/protocol/a.cpp", 95), ("src/pipeline/c.cpp", 95), ("src/io/d.cpp", 70))
    assert [text.split(":")[0] for text in judge(rooms_of(low_overall))[1]] == ["overall"]
    assert len(judge(rooms_of(measured(("tests/a.cpp", 100), ("src/io/d.cpp", 100))))[1]) == 2
    assert judge({})[1]
    no_code = [line(1, 0, **{"gcovr/noncode": True}), line(2, 0, **{"gcovr/excluded": True}), line(3, 1)]
    assert rooms_of({"files": [{"file": "src/io/a.cpp", "lines": no_code}]}) == {"io": (1, 1)}
    assert bare_marks("a", "x;  // GCOVR_EXCL_LINE\n") and bare_marks("a", "x;  // GCOVR_EXCL_START: \n")
    assert not bare_marks("a", "x;  // GCOVR_EXCL_LINE: every kind has returned\n// GCOVR_EXCL_STOP\n")
    print("check_coverage.py: the bad samples are found")


def main(arguments):
    if arguments == ["--self-test"]:
        return self_test()
    if not arguments:
        sys.exit(__doc__)
    measured = json.loads(pathlib.Path(arguments[0]).read_text())
    if arguments[1:]:
        return print(*not_reached(measured, arguments[1:]), sep="\n")
    table, missed = judge(rooms_of(measured))
    for folder in ("src", "include"):
        for path in sorted(pathlib.Path(folder).rglob("*.?pp")):
            missed += bare_marks(path, path.read_text())
    print(*table, *missed, sep="\n")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
