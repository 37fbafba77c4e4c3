#!/usr/bin/env python3
"""Looks at the release binary for what the build promises: a position-independent executable, relocations read-only and
bound at start, a stack that is not executable, the stack protector and the checked libc calls of _FORTIFY_SOURCE."""

import re
import subprocess

import checks

BINARY = checks.ROOT / "build" / "release" / "src" / "app" / "tollgate"


def missing(header, segments, dynamic, symbols):
    """What the four outputs of readelf do not show."""
    stack = re.search(r"GNU_STACK[^\n]*\s(R[W ]?E?)\s+0x", segments)
    shown = {
        "position-independent executable": re.search(r"Type:\s+DYN", header) and re.search(r"FLAGS_1.*\bPIE\b", dynamic),
        "read-only relocations": "GNU_RELRO" in segments,
        "binding at start": re.search(r"\(FLAGS(?:_1)?\).*\b(?:BIND_)?NOW\b", dynamic),
        "a stack that is not executable": stack and "E" not in stack.group(1),
        "the stack protector": "__stack_chk_fail" in symbols,
        "checked libc calls": re.search(r"\b__(?:mem\w+|str\w+|\w*printf|read|recv|fd\w+)_chk\b", symbols),
    }
    return [what for what, seen in shown.items() if not seen]


def readelf(*options):
    return subprocess.run(["readelf", *options, str(BINARY)], capture_output=True, text=True, check=True).stdout


def check():
    absent = missing(readelf("-hW"), readelf("-lW"), readelf("-dW"), readelf("--dyn-syms", "-W"))
    return [f"{checks.name_of(BINARY)}: lacks {what}" for what in absent], checks.name_of(BINARY)


def self_test():
    header = "  Type:      DYN (Position-Independent Executable file)"
    segments = ("  GNU_STACK      0x000000 0x0000000000000000 0x0000000000000000 0x000000 0x000000 RW  0x10\n"
                "  GNU_RELRO      0x0f0000 0x00000000000f1000 0x00000000000f1000 0x00f000 0x00f000 R   0x1\n")
    dynamic = "0x1e (FLAGS)  BIND_NOW\n0x6ffffffb (FLAGS_1)  Flags: NOW PIE\n"
    symbols = "UND __stack_chk_fail@GLIBC_2.4\nUND __memcpy_chk@GLIBC_2.3.4\n"
    assert not missing(header, segments, dynamic, symbols), missing(header, segments, dynamic, symbols)
    assert missing(header.replace("DYN", "EXEC"), segments, dynamic, symbols)
    assert missing(header, segments.replace("RW ", "RWE"), dynamic, symbols)
    assert missing(header, segments.replace("GNU_RELRO", "LOAD"), dynamic, symbols)
    assert missing(header, segments, dynamic.replace("NOW", ""), symbols)
    assert missing(header, segments, dynamic, symbols.replace("__stack_chk_fail", "x"))
    assert missing(header, segments, dynamic, symbols.replace("_chk@", "@"))


if __name__ == "__main__":
    checks.run(__doc__, check, self_test)
