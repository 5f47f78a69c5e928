"""Values of one type as another's: text to number, array to set and back; and the older `cast_…`, which but check."""

from __future__ import annotations

import math
from decimal import Decimal

import re2

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins.registry import boolean, builtin, collection, obj, string, wrong
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, make_set

MAX_DIGITS = numbers.MAX_EXPONENT  # characters of a number that is read from text
_DIGITS = "[0-9](?:_?[0-9])*"
_DECIMAL = re2.compile(rf"[+-]?(?:{_DIGITS}(?:\.(?:{_DIGITS})?)?|\.{_DIGITS})(?:[eE][+-]?{_DIGITS})?")
_NOT_NUMBERS = frozenset({"inf", "infinity", "nan"})


def read_decimal(text: str) -> Decimal | None:
    """Read a decimal in Go's grammar, as OPA does: `+7`, `007`, `.5`, `5.` and `1_000` are numbers too.

    None if it is none, or has more than `MAX_DIGITS`. Hexadecimal, which OPA hands on unread, is none.
    """
    if len(text) > MAX_DIGITS or not text.isascii() or not _DECIMAL.fullmatch(text):
        return None
    try:
        return Decimal(text)
    except ArithmeticError:  # an exponent that Decimal cannot hold
        return None


@builtin("to_number")
def to_number(value: Value) -> Value:
    """Number that a string spells, that null (0), false (0) or true (1) stands for, or that a number is.

    A string's must not be larger than a double can hold.
    """
    kind = type(value)
    if kind is int or kind is float or kind is Decimal:
        return value
    if kind is bool:
        return 1 if value else 0
    if value is None:
        return 0
    if kind is not str:
        raise wrong(value, 1, "null", "boolean", "number", "string")
    if value.lstrip("+-").lower() in _NOT_NUMBERS:
        raise wrong(value, 1, "valid number string")
    found = read_decimal(value)
    if found is None:
        raise BuiltinFault("invalid syntax")
    if math.isinf(float(found)):
        raise BuiltinFault("value out of range")
    try:
        return numbers.from_decimal(found)
    except ValueError as error:
        raise BuiltinFault("value out of range") from error


@builtin("cast_array")
def cast_array(value: Value) -> Value:
    """An array as it is; a set's members in Rego's order."""
    return collection(value, 1)


@builtin("cast_set")
def cast_set(value: Value) -> Value:
    """A set as it is; the set of an array's items."""
    if type(value) is set:
        return value
    if type(value) is list:
        return make_set(value)
    raise wrong(value, 1, "array", "set")


@builtin("cast_string")
def cast_string(value: Value) -> Value:
    """A string as it is."""
    return string(value, 1)


@builtin("cast_boolean")
def cast_boolean(value: Value) -> Value:
    """A boolean as it is."""
    return boolean(value, 1)


@builtin("cast_object")
def cast_object(value: Value) -> Value:
    """An object as it is."""
    return obj(value, 1)


@builtin("cast_null")
def cast_null(value: Value) -> Value:
    """Null as it is."""
    if value is not None:
        raise wrong(value, 1, "null")
    return None
