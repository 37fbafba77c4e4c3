"""What the checkers share: which files belong to the project, C++ text without comments and literals, how a finding is
reported, and the self-test that shows that a check is able to fail."""

import argparse
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
IGNORED_PARTS = {".git", ".cache", "build", "node_modules", "__pycache__", "corpus"}

_LEXEME = re.compile(
    r"""//[^\n]*
      | /\*.*?\*/
      | R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)"
      | "(?:\\.|[^"\\\n])*"
      | (?<![0-9a-fA-F])'(?:\\.|[^'\\\n])*'
    """,
    re.S | re.X,
)


def project_files(*suffixes, below=()):
    """Files with one of the suffixes, below the named folders of the project or anywhere in it, in a stable order."""
    roots = [ROOT / folder for folder in below] or [ROOT]
    found = {
        path
        for root in roots
        if root.exists()
        for path in root.rglob("*")
        if path.suffix in suffixes and path.is_file() and not IGNORED_PARTS & set(path.relative_to(ROOT).parts)
    }
    return sorted(found)


def strip_cpp(text, keep_strings=False):
    """C++ text whose comments are blank and whose string literals are empty; every line keeps its number."""

    def blank(match):
        lexeme = match.group()
        newlines = "\n" * lexeme.count("\n")
        if lexeme.startswith(("//", "/*")):
            return " " + newlines
        if keep_strings:
            return lexeme
        return '""' + newlines if lexeme[0] != "'" else "' '"

    return _LEXEME.sub(blank, text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def matching(text, start, opening, closing):
    """Offset of the bracket that closes the one at `start`, or the end of the text."""
    depth = 0
    for offset in range(start, len(text)):
        if text[offset] == opening:
            depth += 1
        elif text[offset] == closing:
            depth -= 1
            if depth == 0:
                return offset
    return len(text)


def name_of(path):
    path = Path(path)
    return str(path.relative_to(ROOT)) if path.is_absolute() and path.is_relative_to(ROOT) else str(path)


def tool_version(tool):
    return subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.splitlines()[0]


def run(description, check, self_test):
    """Entry of every checker. `check()` returns (findings, summary); `self_test()` raises where the check is blind."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--self-test", action="store_true", help="show that good samples pass and bad ones do not")
    if parser.parse_args().self_test:
        self_test()
        print(f"{Path(sys.argv[0]).name}: the self-test passed")
        return
    findings, summary = check()
    for finding in findings:
        print(finding)
    print(f"{Path(sys.argv[0]).name}: {summary}; {len(findings)} findings")
    sys.exit(1 if findings else 0)
