#!/usr/bin/env python3
"""Follows every relative link of the Markdown pages: the file must exist, and where the link names a heading, so must
the heading."""

import re
import tempfile
from pathlib import Path

import checks

LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\s{0,3}\[[^\]]+\]:\s+<?(\S+?)>?\s*$", re.M)
CODE = re.compile(r"^(```|~~~).*?^\1[^\n]*$|`[^`\n]+`", re.S | re.M)
HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*\s*$", re.M)
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:")


def anchors(text):
    """The names under which a page's headings can be linked to."""
    found = {}
    for heading in HEADING.findall(re.sub(r"^```.*?^```", "", text, flags=re.S | re.M)):
        plain = re.sub(r"[^\w\- ]", "", re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).lower()).replace(" ", "-")
        found[plain] = found.get(plain, -1) + 1
    return {name if n == 0 else f"{name}-{n}" for name, count in found.items() for n in range(count + 1)}


def check_page(page, root):
    text = page.read_text()
    prose = CODE.sub(lambda code: "\n" * code.group().count("\n"), text)
    findings = []
    for link in [*LINK.finditer(prose), *REFERENCE.finditer(prose)]:
        target = link.group(1)
        if ELSEWHERE.match(target):
            continue
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        where = f"{page.relative_to(root)}:{checks.line_of(prose, link.start())}"
        if not path.is_relative_to(root) or not path.exists():
            findings.append(f"{where}: leads nowhere: {target}")
        elif anchor and path.suffix == ".md" and anchor not in anchors(path.read_text()):
            findings.append(f"{where}: no such heading: {target}")
    return findings


def check():
    pages = checks.project_files(".md")
    return [f for page in pages for f in check_page(page, checks.ROOT)], f"{len(pages)} pages"


def self_test():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "other.md").write_text("# First call, from `curl`\n## Same\n## Same\n")
        page = root / "page.md"
        page.write_text(
            "[a](other.md) [b](other.md#first-call-from-curl) [c](https://example.org/x) [d](other.md#same-1)\n"
            "```\n[not a link](nowhere.md)\n```\n`[nor this](nowhere.md)`\n[ref]: other.md\n"
        )
        assert not check_page(page, root), check_page(page, root)
        for bad in ("[a](gone.md)", "[a](other.md#gone)", "[a](../outside.md)", "![a](gone.png)", "[ref]: gone.md"):
            page.write_text(bad + "\n")
            assert len(check_page(page, root)) == 1, bad


if __name__ == "__main__":
    checks.run(__doc__, check, self_test)
