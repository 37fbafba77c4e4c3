#!/usr/bin/env python3
"""Finds what GCC 12 miscompiles in coroutines. An aggregate built inside a co_await expression is destroyed twice: name it
first, or give the type a constructor and call that with parentheses. A co_await in a condition, or in an operand of &&, ||
or ?:, can overwrite the start of the coroutine's frame: await into a named variable first."""

import re

import checks

CO_AWAIT = re.compile(r"\bco_await\b")
CONDITION = re.compile(r"\b(?:if|while)\s*\(")
DECLARATION = re.compile(r"\s*(?:const\s+)?(?:auto|bool)\s+\w+\s*=")
OPERATOR_BEFORE = re.compile(r"(?:&&|\|\||\?)\s*[!(\s]*$")
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


def awaits_in_conditions(code):
    """Offsets of co_await in what an if or a while judges. An initializer before it (`if (auto x = co_await f(); !x)`) is a
    named variable."""
    found = []
    for head in CONDITION.finditer(code):
        end = checks.matching(code, head.end() - 1, "(", ")")
        condition = code[head.end():end]
        judged = head.end() + (condition.rfind(";") + 1 if ";" in condition else 0)
        declared = ";" not in condition and DECLARATION.match(condition)
        found += [] if declared else [judged + m.start() for m in CO_AWAIT.finditer(code[judged:end])]
    return found


def awaits_in_operands(code):
    """Offsets of co_await that stand behind a logical operator or a question mark of the same statement."""
    return [m.start() for m in CO_AWAIT.finditer(code) if OPERATOR_BEFORE.search(code[:m.start()][-40:])]


def check_text(name, text):
    code = checks.strip_cpp(text)
    found = [
        f"{name}:{checks.line_of(code, brace)}: an aggregate is built inside a co_await expression; name it first"
        for await_ in CO_AWAIT.finditer(code)
        for brace in braces_in_operand(code, await_.end())
    ]
    judged = sorted(set(awaits_in_conditions(code) + awaits_in_operands(code)))
    return found + [
        f"{name}:{checks.line_of(code, at)}: co_await in a condition or operand; await into a named variable first" for at in judged
    ]


def check():
    files = checks.project_files(".hpp", ".cpp", below=("include", "src", "tests"))
    findings = [f for path in files for f in check_text(checks.name_of(path), path.read_text())]
    return findings, f"{len(files)} files"


def self_test():
    good = [
        "auto x = co_await f(a, b(c));",
        "Options o{.a = 1}; co_await f(o);",
        "if (const bool ok = co_await f(x); ok) { return {}; }",
        "if (auto ok = co_await f(x)) { return {}; }",
        "for (;;) { const bool ok = co_await point.wait(); A a{1}; }",
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
        "if (!co_await f(x)) co_return;",
        "if (tls && !co_await f(x)) co_return;",
        "while (co_await f(x)) g();",
        "if (const int n = 1; co_await f(n)) g();",
        "co_return co_await f(x) && co_await g(x);",
        "y = ready ? co_await f(x) : 0;",
    ]
    for text in good:
        assert not check_text("good", text), (text, check_text("good", text))
    for text in bad:
        assert len(check_text("bad", text)) == 1, (text, check_text("bad", text))


if __name__ == "__main__":
    checks.run(__doc__, check, self_test)
