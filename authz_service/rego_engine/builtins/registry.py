"""How a built-in function is declared, and the checks that all of them share.

    @builtin("startswith")
    def startswith(search: Value, base: Value) -> Value:
        return string(search, 1).startswith(string(base, 2))

A function gets Rego values (see `values`) and returns one, never changing what it was given. It raises `BuiltinFault`
where it has no result for its operands, and `OperandFault` (by the checks below) where one has the wrong type: the
expression is then undefined, or in strict mode the evaluation ends. Any other exception is a fault of ours. Everything
that grows with its operands has a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib import import_module
from inspect import signature
from typing import Any, Final, TypeVar

from authz_service.rego_engine import numbers
from authz_service.rego_engine.errors import OperandFault
from authz_service.rego_engine.numbers import Number
from authz_service.rego_engine.values import Value, members, type_name

Function = TypeVar("Function", bound=Callable[..., Value])


@dataclass(frozen=True, slots=True)
class Builtin:
    """A built-in by the name that policies call it by; `arity` counts a policy's operands.

    `wants_context`: its first parameter is the evaluation's `Context`. `pure`: the same operands always have the same
    result, and nothing else happens, so that a call over constants can be made once at load.
    """

    name: str
    function: Callable[..., Value]
    arity: int
    wants_context: bool
    pure: bool


TABLE: dict[str, Builtin] = {}

# Families that are loaded when a policy names one of theirs, by how their names begin: their libraries take long.
LATER: Final[Mapping[str, tuple[str, ...]]] = {
    "crypto.": ("certificates", "hashing", "private_keys"),
    "graphql.": ("graphql",),
    "http.": ("http_sending",),
    "io.jwt.": ("tokens", "token_signing", "token_verification"),
    "json.match_schema": ("json_schema",),
    "json.verify_schema": ("json_schema",),
    "providers.aws.": ("aws_signing",),
}


def find(name: str) -> Builtin | None:
    """Return a built-in by its name, with its family loaded; None where there is none."""
    if name not in TABLE:
        for start, modules in LATER.items():
            if name.startswith(start):
                for module in modules:
                    import_module(f"authz_service.rego_engine.builtins.{module}")
    return TABLE.get(name)


def builtin(*names: str, context: bool = False, pure: bool = True) -> Callable[[Function], Function]:
    """Declare a function under its names. One that takes the context is never pure."""

    def declare(function: Function) -> Function:
        arity = len(signature(function).parameters) - context
        for name in names:
            if name in TABLE:
                raise ValueError(f"built-in {name} is declared twice")
            TABLE[name] = Builtin(name, function, arity, context, pure and not context)
        return function

    return declare


def wrong(value: Value, position: int, *expected: str) -> OperandFault:
    """Return the fault of an operand of the wrong type, worded as OPA words it."""
    wanted = f"one of {{{', '.join(expected)}}}" if len(expected) > 1 else expected[0]
    return OperandFault(f"operand {position} must be {wanted} but got {type_name(value)}")


def string(value: Value, position: int) -> str:
    """Return an operand that must be a string."""
    if type(value) is not str:
        raise wrong(value, position, "string")
    return value


def number(value: Value, position: int) -> Number:
    """Return an operand that must be a number."""
    if type(value) is int or type(value) is float or type(value) is Decimal:
        return value
    raise wrong(value, position, "number")


def integer(value: Value, position: int) -> int:
    """Return an operand that must be a whole number."""
    if type(value) is int:
        return value
    found = number(value, position)
    if not numbers.is_whole(found):
        raise OperandFault(f"operand {position} must be integer number but got floating-point number")
    return int(found)


def boolean(value: Value, position: int) -> bool:
    """Return an operand that must be a boolean."""
    if type(value) is not bool:
        raise wrong(value, position, "boolean")
    return value


def array(value: Value, position: int) -> list[Any]:
    """Return an operand that must be an array."""
    if type(value) is not list:
        raise wrong(value, position, "array")
    return value


def obj(value: Value, position: int) -> dict[Any, Any]:
    """Return an operand that must be an object."""
    if type(value) is not dict:
        raise wrong(value, position, "object")
    return value


def set_(value: Value, position: int) -> set[Any]:
    """Return an operand that must be a set."""
    if type(value) is not set:
        raise wrong(value, position, "set")
    return value


def collection(value: Value, position: int) -> list[Any]:
    """Return the members, in order, of an operand that must be an array or a set."""
    if type(value) is list:
        return value
    if type(value) is set:
        return members(value)
    raise wrong(value, position, "array", "set")


def strings(value: Value, position: int) -> list[str]:
    """Return the members, in order, of an operand that must be an array or a set of strings."""
    found = collection(value, position)
    for item in found:
        if type(item) is not str:
            kind = type_name(value)
            raise OperandFault(
                f"operand {position} must be {kind} of strings but got {kind} containing {type_name(item)}"
            )
    return found
