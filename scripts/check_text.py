#!/usr/bin/env python3
"""Small things that review should not have to see: unfinished business left as a comment, stray carriage returns and
trailing blanks, a file without its last newline, a lock file that names the registry it was made with."""

import re

import checks

SUFFIXES = (".hpp", ".cpp", ".py", ".sh", ".mjs", ".md", ".yaml", ".txt", ".cmake")
UNFINISHED = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|X" r"XX)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:home|root|Users)/\w")


def check_text(name, text):
    findings = []
    for number, line in enumerate(text.split("\n"), 1):
        where = f"{name}:{number}"
        if UNFINISHED.search(line):
            findings.append(f"{where}: left unfinished")
        if MACHINE_PATH.search(line):
            findings.append(f"{where}: a path of one machine")
        if line != line.rstrip():
            findings.append(f"{where}: blanks at the end of the line")
    if text and not text.endswith("\n"):
        findings.append(f"{name}: does not end with a newline")
    return findings


def check_lock_file(name, text):
    return [f"{name}: names a registry (omit-lockfile-registry-resolved is not set)"] if '"resolved"' in text else []


def check():
    findings = []
    files = checks.project_files(*SUFFIXES)
    for path in files:
        findings += check_text(checks.name_of(path), path.read_bytes().decode(errors="replace"))
    locks = [path for path in checks.project_files(".json") if path.name == "package-lock.json"]
    for path in locks:
        findings += check_lock_file(checks.name_of(path), path.read_text())
    return findings, f"{len(files) + len(locks)} files"


def self_test():
    assert not check_text("good", "a line\n\nthe /homepage/x\n")
    bad = ("// TO" "DO: later\n", "a \n", "a\r\n", "a", "cd /ho" "me/someone\n")
    for text in bad:
        assert len(check_text("bad", text)) == 1, text
    assert check_lock_file("lock", '{"resolved": "https://example.org"}')


if __name__ == "__main__":
    checks.run(__doc__, check, self_test)
