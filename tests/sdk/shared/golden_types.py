"""Checks JSON against the types of an official SDK, more strictly than the SDK itself does: a value must have the very type
that is declared, and a member that no type declares is a fault."""

import collections.abc
import functools
import importlib
import inspect
import json
import pkgutil
import types
import typing
from pathlib import Path

import pydantic
import typing_extensions

GOLDEN = Path(__file__).resolve().parents[2] / "golden/anthropic"


def golden(name, least):
    """The cases of a file; a file that has lost its cases is a fault."""
    cases = [json.loads(line) for line in (GOLDEN / name).read_text().split("\n") if line.strip()]
    assert len(cases) >= least, f"{name} has only {len(cases)} cases"
    return cases


def with_lists(hint):
    """The type with lists where it has iterables: pydantic would take those without a look inside."""
    origin, parts = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return typing.Annotated[with_lists(parts[0]), *hint.__metadata__]
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(map(with_lists, parts))]
    if origin in (typing_extensions.Required, typing_extensions.NotRequired):
        return origin[with_lists(parts[0])]
    if origin is collections.abc.Iterable:
        return list[with_lists(parts[0])]
    return hint


@functools.cache
def close(package):
    """Forbids members that are not declared, in all TypedDicts of an SDK's `types`, and looks into all lists."""
    declared = importlib.import_module(f"{package}.types")
    for module in pkgutil.walk_packages(declared.__path__, f"{declared.__name__}."):
        for _, kind in inspect.getmembers(importlib.import_module(module.name), typing_extensions.is_typeddict):
            kind.__pydantic_config__ = pydantic.ConfigDict(extra="forbid", arbitrary_types_allowed=True)
            try:
                hints = typing_extensions.get_type_hints(kind, include_extras=True)
            except NameError:  # of what an SDK names for type checkers alone; none of it is in a request's body
                continue
            kind.__annotations__ = {name: with_lists(hint) for name, hint in hints.items()}


@functools.cache
def adapter(kind):
    return pydantic.TypeAdapter(kind)


def undeclared(value, path=""):
    """Paths of the members that the models of `value` do not declare. Looks at each element of what pydantic reads only
    when it is asked for."""
    if isinstance(value, pydantic.BaseModel):
        for name in value.model_extra or {}:
            yield f"{path}.{name}"
        for name in type(value).model_fields:
            yield from undeclared(getattr(value, name), f"{path}.{name}")
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from undeclared(member, f"{path}.{name}")
    elif not isinstance(value, (str, bytes)) and isinstance(value, typing.Iterable):
        for element in value:
            yield from undeclared(element, f"{path}[]")


def faults(kind, value, allowed=()):
    """What is wrong with `value` as one of `kind`, a list of sentences. `allowed`: paths that may be undeclared."""
    try:
        read = adapter(kind).validate_json(json.dumps(value), strict=True)
        return [f"{path} is not declared" for path in undeclared(read) if path not in allowed]
    except pydantic.ValidationError as error:
        return [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
