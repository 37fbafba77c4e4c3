"""What the golden translations of tests/golden/anthropic come to, held against the types of an official SDK, strictly:
nothing is converted, and a member that the types do not name is a fault. The SDKs themselves take almost anything, so
that an answer which they read may still be none that their API gives. No gateway is needed: that it gives exactly these
translations is what the C++ runners of the same files show."""

import copy
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

GOLDEN = Path(__file__).resolve().parents[2] / "golden/anthropic"
# Lines with one of these promise no body: a refusal, an answer that is none, fields of a head.
BODILESS = ("refused", "fails", "headers_out")
# Members that hold JSON of the caller's own making: a tool's input, a JSON schema.
FREE = {"input", "input_schema", "parameters", "schema"}


def eager(schema):
    """A core schema that looks into what the types call Iterable at once; pydantic itself would do so by and by."""
    if isinstance(schema, dict):
        inner = {name: eager(value) for name, value in schema.items()}
        return inner | {"type": "list"} if inner.get("type") == "generator" else inner
    return type(schema)(map(eager, schema)) if isinstance(schema, (list, tuple)) else schema


def strip(value, pattern):
    """Takes the members at a pattern (`choices.*.message`, `*` for each entry) out of the value: what they held."""
    head, _, rest = pattern.partition(".")
    if head == "*":
        return [held for each in value for held in strip(each, rest)] if isinstance(value, list) else []
    if not isinstance(value, dict) or head not in value:
        return []
    return strip(value[head], rest) if rest else [value.pop(head)]


def place(value, location, kind):
    """pydantic's location without the names of a union's types, with `*` for each index."""
    steps = []
    for at, step in enumerate(location, 1):
        if isinstance(value, dict) and step in value:
            value = value[step]
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value, step = value[step], "*"
        elif at < len(location) or kind != "missing":
            continue
        steps.append(step)
    return ".".join(steps)


class Strict:
    """A type of an SDK. `own` has the members beside it that are meant: {pattern: (type, reason)}."""

    def __init__(self, kind, own=None):
        self.own = {pattern: (TypeAdapter(own_kind), reason) for pattern, (own_kind, reason) in (own or {}).items()}
        self.unused = set(self.own)
        self._adapter = TypeAdapter(kind)

    def _validate(self, value):
        # As JSON: a strict model takes only its own instances from Python.
        self._adapter.validate_json(json.dumps(value), strict=True, extra="forbid")

    def _faults(self, value):
        try:
            self._validate(value)
        except ValidationError as error:
            found = error.errors(include_url=False, include_context=False)
            return {f"{place(value, each['loc'], each['type'])} {each['type']}" for each in found}
        return set()

    def bare(self, value):
        """(the value without the members of `own`, what is wrong with these)."""
        value, faults = copy.deepcopy(value), set()
        for pattern, (adapter, _) in self.own.items():
            whole = copy.deepcopy(value)
            for held in strip(value, pattern):
                self.unused.discard(pattern)
                if len(self._faults(whole)) <= len(self._faults(value)):
                    faults.add(f"{pattern} is a member that the SDK knows")
                try:
                    adapter.validate_python(held, strict=True, extra="forbid")
                except ValidationError:
                    faults.add(f"{pattern} is of another type than it should be")
        return value, faults

    def faults(self, value):
        value, faults = self.bare(value)
        return faults | self._faults(value)

    def misses(self, value):
        """(number of spoiled copies, places where spoiling goes unnoticed): each object gets a member that nobody
        knows, each other value becomes an object."""
        tried, unnoticed = 0, []
        value = self.bare(value)[0]
        for path in paths(value):
            spoiled = copy.deepcopy(value)
            *parents, last = ("root", *path)
            holder = {"root": spoiled}
            for step in parents:
                holder = holder[step]
            if isinstance(holder[last], dict):
                holder[last]["unknown_member"] = 1
            else:
                holder[last] = {"unknown_member": 1}
            tried += 1
            if not self._faults(spoiled):
                unnoticed.append(path)
        return tried, unnoticed


class StrictParams(Strict):
    """A TypedDict of an SDK's parameters. Unions in it name models of answers too, which no request brings as such:
    from Python they would have to be instances, so that they cannot stand in for the parameters' types."""

    def __init__(self, kind, own=None):
        super().__init__(kind, own)
        self._adapter.rebuild(force=True)
        self._validator = SchemaValidator(eager(self._adapter.core_schema))

    def _validate(self, value):
        self._validator.validate_python(value, strict=True, extra="forbid")


def paths(value, path=()):
    """Of every value within, objects and lists too, but for what is free."""
    if path and path[-1] in FREE and isinstance(value, dict):
        return
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, each in inner:
        yield from paths(each, (*path, step))


@dataclass
class Found:
    """What came of a file."""

    name: str
    lines: int = 0
    values: int = 0
    bodiless: Counter = field(default_factory=Counter)
    faults: dict = field(default_factory=dict)

    def __str__(self):
        without = "".join(f", {count} {name}" for name, count in sorted(self.bodiless.items()))
        checked = f"{self.values} values checked, {len(self.faults)} lines with faults"
        return f"{self.name}: {self.lines} lines{without}, {checked}"


def lines_of(name, folder=GOLDEN):
    with open(folder / name, encoding="utf-8", newline="\n") as file:  # a string may hold other ends of lines
        return [json.loads(line) for line in file]


def look_through(name, checks_of, folder=GOLDEN):
    """`checks_of(line)` has the checks of a line, each with the value to check; a check has `faults(value)`."""
    found = Found(name)
    for line in lines_of(name, folder):
        found.lines += 1
        checks = list(checks_of(line))
        without = [kind for kind in BODILESS if kind in line]
        found.bodiless.update(without)
        found.values += len(checks)
        faults = set().union(*(check.faults(value) for check, value in checks))
        if bool(checks) == bool(without):
            faults.add("a body where there is none" if without else "neither a body nor the word that there is none")
        if faults:
            found.faults[line["id"]] = faults
    if found.lines == 0:
        found.faults["no line"] = {"the file is empty"}
    return found


def expect_types(found, known, checks):
    """Only the faults that are known, and each of those; members beside the types only where there are some."""
    told = {line: faults for line, faults in found.faults.items() if line not in known or faults != known[line][0]}
    assert not told, f"{found}: {json.dumps({line: sorted(told[line])[:8] for line in told}, indent=1)}"
    assert found.faults.keys() == known.keys(), "what is said to be known is no fault any more"
    for check in checks:
        assert not check.unused, f"{found.name}: no line has {check.unused}"


def expect_spoiling_is_seen(name, checks_of, known):
    """Spoils every value of a file in every place. How many copies that were."""
    tried = 0
    for line in lines_of(name):
        for check, value in checks_of(line) if line["id"] not in known else ():
            if isinstance(check, Strict):
                count, unnoticed = check.misses(value)
                assert not unnoticed, f"{name}, {line['id']}: nobody sees what is wrong at {unnoticed}"
                tried += count
    return tried


DROPPED = object()


def spoiled_copy(name, line_id, path, value, folder):
    """A copy of a file, with another value at a path of one line, or none where it is DROPPED."""
    lines = lines_of(name)
    [holder] = [line for line in lines if line["id"] == line_id]
    for step in path[:-1]:
        holder = holder[step]
    if value is DROPPED:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    (folder / name).write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")


def expect_told(name, files, spoiled, folder):
    """The spoiled copy of a file fails, and by the fault that was made."""
    checks_of, checks = files[name]
    line, path, value, fault = spoiled
    spoiled_copy(name, line, path, value, folder)
    found = look_through(name, checks_of, folder)
    assert any(told.startswith(fault) for told in found.faults[line]), found.faults[line]
    with pytest.raises(AssertionError, match="lines with faults"):
        expect_types(found, {}, checks)


def expect_emptiness_told(name, files, folder):
    (folder / name).write_text("")
    with pytest.raises(AssertionError, match="empty"):
        expect_types(look_through(name, files[name][0], folder), {}, [])
