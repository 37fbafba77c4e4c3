#!/usr/bin/env python3
"""Finds aggregates built inside a co_await expression: GCC 12 destroys such a temporary twice. Name it first, or give the
type a constructor and call that with parentheses."""

import re

import checks

CO_AWAIT = re.compile(r"\bco_await\b")
LAMBDA_HEAD = re.compile(r"(?:\]|\)|\bmutable|\bnoexcept|->\s*[\w:<>,\s*&]+)\s*$")


def braces_in_operand(code, start):
    """Offsets of the braces that build a value inside the expression that begins at `start`."""
    found = []
    depth = 0
    offset = start
    while offset < len(code):
        character = code[offset]
        if character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
            if depth < 0:
                break
        elif character == ";" or (character == "," and depth == 0):
            break
        elif character == "}":
            break
        elif character == "{":
            if depth == 0 and code[:offset].rstrip().endswith(")"):
                break  # the body of an if, a for or a while whose condition ended before
            if not LAMBDA_HEAD.search(code[max(start, offset - 80):offset]):
                found.append(offset)
            offset = checks.matching(code, offset, "{", "}")
        offset += 1
    return found


def check_text(name, text):
    code = checks.strip_cpp(text)
    return [
        f"{name}:{checks.line_of(code, brace)}: an aggregate is built inside a co_await expression; name it first"
        for await_ in CO_AWAIT.finditer(code)
        for brace in braces_in_operand(code, await_.end())
    ]


def check():
    files = checks.project_files(".hpp", ".cpp", below=("include", "src", "tests"))
    findings = [f for path in files for f in check_text(checks.name_of(path), path.read_text())]
    return findings, f"{len(files)} files"


def self_test():
    good = [
        "auto x = co_await f(a, b(c));",
        "Options o{.a = 1}; co_await f(o);",
        "if (co_await f(x)) { return {}; }",
        "while (!co_await point.wait()) { A a{1}; }",
        "co_await on_worker([&] { return A{1}; });",
        "co_await on_worker([this, n](int i) mutable { total += i; });",
        "co_await on_worker([](A a) -> std::optional<A> { return a; });",
        "// co_await f({.a = 1});\nco_await f(\"{\");",
        "g(co_await f(x), A{1});",
        "Task<A> t() { co_await f(x); co_return A{1}; }",
    ]
    bad = [
        "co_await f({.a = x});",
        "auto y = co_await f(Aggregate{1, 2});",
        "co_await stream.write(Frame{.data = d}, token);",
        "if (auto r = co_await f(\n  {1}); r) {}",
        "co_await Awaiter{*this};",
        "co_await f([&] { return 1; }, A{});",
        "co_await g([&]() -> Task<> { co_await f({1}); }());",
        "co_await f(std::vector<int>{1, 2});",
    ]
    for text in good:
        assert not check_text("good", text), (text, check_text("good", text))
    for text in bad:
        assert len(check_text("bad", text)) == 1, (text, check_text("bad", text))


if __name__ == "__main__":
    checks.run(__doc__, check, self_test)
