#!/usr/bin/env python3
"""Writes src/policy/unicode_classes.txt, the classes of characters that the token encodings ask for. To be run again when
tiktoken goes over to another release of Unicode: what it was built with decides, not what is newest.
Needs the package unicodedata2 of that release (pip install unicodedata2==16.0.0)."""

import itertools
from pathlib import Path

import unicodedata2

UNICODE = "16.0.0"
TARGET = Path(__file__).resolve().parent.parent / "src" / "policy" / "unicode_classes.txt"
# The property White_Space, which no general category tells.
SPACES = {0x09, 0x0B, 0x0C, 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
CLASSES = {"Lu": "upper", "Lt": "upper", "Ll": "lower", "Lm": "letter", "Lo": "letter",
           "Mn": "mark", "Mc": "mark", "Me": "mark", "Nd": "number", "Nl": "number", "No": "number"}


def class_of(code_point):
    if code_point in (0x0A, 0x0D):
        return "newline"
    if code_point in SPACES:
        return "space"
    return CLASSES.get(unicodedata2.category(chr(code_point)), "other")


def runs():
    """(first, last, class) in order; where capitals and small letters take turns, the class is `pairs`."""
    pending = None
    for name, group in itertools.groupby(range(0x110000), class_of):
        group = list(group)
        first, last = group[0], group[-1]
        if name in ("upper", "lower") and first == last and pending and pending[1] == first - 1:
            turn = "upper" if (first - pending[0]) % 2 == 0 else "lower"
            if name == turn:
                pending = (pending[0], last, "pairs")
                continue
        if pending:
            yield pending
        pending = (first, last, name)
        if name == "upper" and first == last:
            continue
        yield pending
        pending = None
    if pending:
        yield pending


def main():
    assert unicodedata2.unidata_version == UNICODE, f"Unicode {UNICODE} is needed, not {unicodedata2.unidata_version}"
    lines = [f"# Made by scripts/unicode_classes.py from Unicode {UNICODE}: first and last code point, class. `pairs`: upper and",
             "# lower take turns. What is not listed is `other`."]
    lines += [f"{first:X} {last:X} {'upper' if name == 'pairs' and first == last else name}"
              for first, last, name in runs() if name != "other"]
    TARGET.write_text("\n".join(lines) + "\n")
    print(f"{TARGET.name}: {len(lines) - 2} runs")


if __name__ == "__main__":
    main()
