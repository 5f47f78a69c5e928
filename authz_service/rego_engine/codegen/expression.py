"""Operands and comparisons → Python expressions.

A comparison with a constant needs no call: only a string equals a string, so `==` is exact there; true and false are
told from 1 and 0 by identity.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from authz_service.rego_engine.literals import literal
from authz_service.rego_engine.plan import Constant, Local, Operand
from authz_service.rego_engine.values import equal

_SCALARS = (str, int, float, bool, type(None))


class Constants:
    """The constants of a module: scalars stand where they are used, composites get a name at its top."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def expression(self, value: Any, path: tuple[Any, ...] | None = None) -> str:
        """Return the expression for a constant; `path` is where it stands in the base document."""
        if isinstance(value, _SCALARS):
            return literal(value)
        source = literal(value) if path is None else f"DATA{''.join(f'[{literal(part)}]' for part in path)}"
        return self._names.setdefault(source, f"CONSTANT_{len(self._names)}")

    def lines(self) -> list[str]:
        """Return the assignments."""
        return [f"{name} = {source}" for source, name in self._names.items()]


def local(number: int) -> str:
    """Return a local's name."""
    return {0: "input", 1: "data"}.get(number, f"l{number}")


def operand(found: Operand, constants: Constants) -> str:
    """Return the expression for an operand."""
    return local(found.number) if isinstance(found, Local) else constants.expression(found.value, found.path)


def comparison(left: Operand, right: Operand, constants: Constants) -> tuple[str, str]:
    """Return expressions for "they are equal" and "they are not"."""
    if isinstance(left, Constant) and isinstance(right, Constant):
        same = equal(left.value, right.value)
        return str(same), str(not same)
    if isinstance(left, Constant):
        left, right = right, left
    shown = operand(left, constants)
    if isinstance(right, Constant):
        value = right.value
        if value is None or isinstance(value, bool):
            return f"{shown} is {value}", f"{shown} is not {value}"
        if isinstance(value, str):
            return f"{shown} == {literal(value)}", f"{shown} != {literal(value)}"
        if isinstance(value, int | float | Decimal) and value not in {0, 1}:
            written = operand(right, constants)
            return f"{shown} == {written}", f"{shown} != {written}"
    other = operand(right, constants)
    call = f"({shown} == {other} if type({shown}) is str else equal({shown}, {other}))"
    return call, f"not {call}"


def look_up(source: Operand, name: Operand, constants: Constants) -> str:
    """Return the expression for what a key leads to, or UNDEFINED."""
    if isinstance(source, Constant) and isinstance(source.value, _SCALARS):
        return "UNDEFINED"
    shown, key = operand(source, constants), operand(name, constants)
    if isinstance(name, Constant) and isinstance(name.value, str):
        return f"{shown}.get({key}, UNDEFINED) if type({shown}) is dict else dot({shown}, {key})"
    if isinstance(name, Constant) and type(name.value) is int and name.value >= 0:
        return f"{shown}[{key}] if type({shown}) is list and len({shown}) > {key} else dot({shown}, {key})"
    return f"dot({shown}, {key})"
