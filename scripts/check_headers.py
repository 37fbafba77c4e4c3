#!/usr/bin/env python3
"""Compiles every header alone, so that none leans on what its includers happen to include before it. A header whose own
text and whose project headers are unchanged since it last passed is not compiled again."""

import hashlib
import json
import os
import re
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import checks

COMPILER = "g++-12"
# Separate compilation as in the build: without it every header would compile the bodies of Asio and Beast too.
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror",
         "-DBOOST_ASIO_SEPARATE_COMPILATION", "-DBOOST_BEAST_SEPARATE_COMPILATION"]
QUOTED_INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*"([^"]+)"', re.M)
PASSED = checks.ROOT / ".cache" / "checks" / "headers.json"


def closure(header, include_dirs, seen):
    """The header and every project header that it reaches."""
    if header in seen:
        return seen
    seen.add(header)
    for target in QUOTED_INCLUDE.findall(header.read_text()):
        for folder in (header.parent, *include_dirs):
            if (folder / target).is_file():
                closure((folder / target).resolve(), include_dirs, seen)
                break
    return seen


def digest(header, include_dirs, version):
    sha = hashlib.sha256(f"{version} {FLAGS}".encode())
    for path in sorted(closure(header, include_dirs, set())):
        sha.update(str(path).encode() + b"\0" + path.read_bytes())
    return sha.hexdigest()


def compile_alone(header, include_dirs):
    """The compiler's complaint, or an empty string."""
    command = [COMPILER, *FLAGS, *(f"-I{folder}" for folder in include_dirs), "-x", "c++", "-"]
    result = subprocess.run(command, input=f'#include "{header}"\n', capture_output=True, text=True)
    return result.stderr or "refused" if result.returncode else ""


def check():
    include_dirs = [checks.ROOT / "include", checks.ROOT / "src"]
    headers = checks.project_files(".hpp", below=("include", "src"))
    version = checks.tool_version(COMPILER)
    try:
        passed = set(json.loads(PASSED.read_text()))
    except (OSError, ValueError):
        passed = set()
    digests = {header: digest(header, include_dirs, version) for header in headers}
    changed = [header for header in headers if digests[header] not in passed]
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        complaints = dict(zip(changed, pool.map(lambda header: compile_alone(header, include_dirs), changed)))
    findings = [f"{checks.name_of(header)}:1: does not compile alone\n{complaint}"
                for header, complaint in complaints.items() if complaint]
    PASSED.parent.mkdir(parents=True, exist_ok=True)
    PASSED.write_text(json.dumps(sorted(digests[header] for header in headers if not complaints.get(header))))
    return findings, f"{len(headers)} headers, {len(changed)} compiled"


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder).resolve()
        alone, leaning = folder / "alone.hpp", folder / "leaning.hpp"
        alone.write_text("#pragma once\n#include <string>\nstd::string name();\n")
        leaning.write_text('#pragma once\n#include "alone.hpp"\nstd::vector<int> numbers();\n')
        assert not compile_alone(alone, [folder])
        assert "vector" in compile_alone(leaning, [folder])
        before = digest(leaning, [folder], "")
        alone.write_text("#pragma once\n#include <vector>\n")
        assert digest(leaning, [folder], "") != before, "a change in an included header went unseen"


if __name__ == "__main__":
    checks.run(__doc__, check, self_test)
