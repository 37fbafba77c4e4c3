#!/usr/bin/env python3
"""Watches the size of files and functions. A file over 400 lines or a function over 40 is named, a file over 600 or a
function over 80 is a finding; so is a file over 100 lines that does not begin with two lines on why it exists. A table or
a state machine may be longer with `// size: exempt, REASON` on the line above it."""

import re
import statistics

import checks

FILE_WARN, FILE_STOP = 400, 600
FUNCTION_WARN, FUNCTION_STOP = 40, 80
PARAMETERS_WARN = 5
INTRODUCED_FROM, INTRODUCED_WITHIN = 100, 40

EXEMPT = re.compile(r"//\s*size: exempt, \S+")
SCOPE = re.compile(r"\b(?:namespace|class|struct|union|enum|extern)\b")
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.M)
TEMPLATE_HEAD = re.compile(r"^\s*template\s*<(?:[^<>]|<(?:[^<>]|<[^<>]*>)*>)*>\s*(?:requires\s*\([^()]*\))?")
NAME_BEFORE_PARAMETERS = re.compile(r"((?:[\w:~]|<[^<>()]*>)*?(?:operator\s*(?:\(\)|[^\s\w(]+|\w+)|~?\w+))\s*\(")


class Function:
    def __init__(self, name, line, lines, parameters, exempt):
        self.name, self.line, self.lines, self.parameters, self.exempt = name, line, lines, parameters, exempt


def is_scope(head):
    """Whether a brace after `head` opens a namespace, a class or the like, so that functions may stand inside it."""
    head = re.sub(r"\balignas\s*\([^()]*\)", "", TEMPLATE_HEAD.sub("", head))
    return not head.strip() or bool(SCOPE.search(head)) and "(" not in head


def is_function(head):
    """Whether a brace after `head`, met in a scope, opens a function's body."""
    head = TEMPLATE_HEAD.sub("", head)
    return bool(NAME_BEFORE_PARAMETERS.search(head)) and not re.search(r"(?<![=!<>])=\s*$|\boperator\s*=\s*$", head)


def count_parameters(head):
    head = TEMPLATE_HEAD.sub("", head)
    found = NAME_BEFORE_PARAMETERS.search(head)
    opening = found.end() - 1
    inside = head[opening + 1:checks.matching(head, opening, "(", ")")].strip()
    if not inside or inside == "void":
        return 0
    depth, commas = 0, 0
    for character in re.sub(r"->|<=>|>=|<=", "  ", inside):
        depth += character in "(<[{"
        depth -= character in ")>]}"
        commas += character == "," and depth == 0
    return commas + 1


def ends_initializer(code, closing):
    """Whether the brace that closes at `closing` belonged to a member initializer: another one or the body follows."""
    rest = code[closing + 1:closing + 200].lstrip()
    return rest.startswith((",", "{"))


def functions_of(text):
    """Every function of a C++ text; what is nested in one (lambdas, local classes) counts as its lines."""
    raw_lines = text.splitlines()
    code = DIRECTIVE.sub(lambda d: "\n" * d.group().count("\n"), checks.strip_cpp(text))
    found = []
    head_start = offset = 0
    while offset < len(code):
        character = code[offset]
        if character in ";}":
            head_start = offset + 1
        elif character == "(":
            offset = checks.matching(code, offset, "(", ")")
        elif character == "{":
            head = code[head_start:offset]
            if is_scope(head):
                head_start = offset + 1
            else:
                closing = checks.matching(code, offset, "{", "}")
                if re.search(r"\)[^;{}]*:(?!:)", head) and ends_initializer(code, closing):
                    offset = closing + 1
                    continue
                if is_function(head):
                    found.append(describe(code, raw_lines, head_start, head, closing))
                    head_start = closing + 1
                offset = closing
        offset += 1
    return found


def describe(code, raw_lines, head_start, head, closing):
    first = checks.line_of(code, head_start + len(head) - len(head.lstrip()))
    head = TEMPLATE_HEAD.sub("", head)
    name = NAME_BEFORE_PARAMETERS.search(head).group(1)
    if name.startswith("TEST"):
        name = head.strip()
    exempt = first >= 2 and bool(EXEMPT.search(raw_lines[first - 2]))
    return Function(name, first, checks.line_of(code, closing) - first + 1, count_parameters(head), exempt)


def is_introduced(lines):
    """Whether two comment lines in a row stand near the top."""
    starts = [line.strip().startswith(("//", "#", "/*", '"""')) and not line.strip().startswith(("#include", "#pragma", "#!"))
              for line in lines[:INTRODUCED_WITHIN]]
    in_docstring = any(line.strip().startswith('"""') for line in lines[:INTRODUCED_WITHIN])
    return in_docstring or any(a and b for a, b in zip(starts, starts[1:]))


def check_file(name, text):
    """(findings, warnings) of one file."""
    lines = text.splitlines()
    findings, warnings = [], []
    if len(lines) > FILE_STOP:
        findings.append(f"{name}:1: {len(lines)} lines, at most {FILE_STOP}")
    elif len(lines) > FILE_WARN:
        warnings.append(f"{name}:1: {len(lines)} lines")
    if len(lines) > INTRODUCED_FROM and not is_introduced(lines):
        findings.append(f"{name}:1: over {INTRODUCED_FROM} lines and no word on why it exists near the top")
    for function in functions_of(text) if name.endswith((".hpp", ".cpp")) else []:
        where = f"{name}:{function.line}: {function.name}"
        if function.lines > FUNCTION_STOP and not function.exempt:
            findings.append(f"{where} has {function.lines} lines, at most {FUNCTION_STOP}")
        elif function.lines > FUNCTION_WARN and not function.exempt:
            warnings.append(f"{where} has {function.lines} lines")
        if function.parameters > PARAMETERS_WARN:
            warnings.append(f"{where} takes {function.parameters} parameters")
    return findings, warnings


def check():
    files = checks.project_files(".hpp", ".cpp", ".py", ".sh", ".mjs", below=("include", "src", "tests", "scripts", "bench"))
    texts = {checks.name_of(path): path.read_text() for path in files}
    findings, warnings = [], []
    for name, text in texts.items():
        of_file = check_file(name, text)
        findings += of_file[0]
        warnings += of_file[1]
    for warning in warnings:
        print(f"note: {warning}")
    ours = [len(text.splitlines()) for name, text in texts.items() if name.startswith(("include/", "src/"))]
    median = statistics.median(ours) if ours else 0
    return findings, f"{len(files)} files, median {median:.0f} lines in include and src, {len(warnings)} notes"


SAMPLE = """
namespace a { struct S { S(int x, std::map<int, int> y) : x_(x), y_{y}, z_{} { go(); } int f() const { return 1; } }; }
template <class T, class U = std::pair<T, T>>
Result<T> Outer::g(T a, U b = {}, std::function<void(int, int)> c = [](int, int) {}) noexcept {
  if (a) { return {}; }
  auto l = [&](int i) { return i; };
  switch (a) { case 1: { break; } }
}
const std::array<int, 2> table = {1, 2};
constexpr Row rows[] = {{1, f(2)}, {3, 4}};
struct Local make(struct In in) { return {}; }
bool operator==(const A& a, const A& b) { return true; }
TEST(Suite, does_a_thing) { EXPECT_TRUE(true); }
enum class Kind : std::uint8_t { one, two };
"""


def self_test():
    names = {function.name: function.parameters for function in functions_of(SAMPLE)}
    expected = {"S": 2, "f": 0, "Outer::g": 3, "make": 1, "operator==": 2, "TEST(Suite, does_a_thing)": 2}
    assert names == expected, names

    body = "  step();\n" * 79
    assert not check_file("a.cpp", "void f() {\n" + "  step();\n" * 38 + "}\n")[1]
    assert check_file("a.cpp", "void f() {\n" + "  step();\n" * 39 + "}\n")[1]
    assert not check_file("a.cpp", "void f() {\n" + "  step();\n" * 78 + "}\n")[0]
    assert check_file("a.cpp", "void f() {\n" + body + "}\n")[0]
    assert check_file("a.cpp", "struct S {\n  S() : a_{1},\n    b_{2} {\n" + body + "}\n};\n")[0]
    assert not check_file("a.cpp", "// size: exempt, a table\nvoid f() {\n" + body + "}\n")[0]
    assert check_file("a.cpp", "// size: exempt,\nvoid f() {\n" + body + "}\n")[0]
    assert check_file("a.cpp", "void f(int a, int b, int c, int d, int e, int g) {}\n")[1]
    assert not check_file("a.cpp", "// why\n// it exists\n" + "int a;\n" * 598)[0]
    assert check_file("a.cpp", "// why\n// it exists\n" + "int a;\n" * 599)[0]
    assert check_file("a.cpp", "int a;\n" * 101)[0], "a long file without a word at its top went unseen"


if __name__ == "__main__":
    checks.run(__doc__, check, self_test)
