"""What holds of a collection as a whole: its size, sum, extremes and order, and whether a value is in it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from fractions import Fraction
from functools import reduce
from typing import Any, Final

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins.arithmetic import shortest, times, to_mantissa
from authz_service.rego_engine.builtins.objects import child
from authz_service.rego_engine.builtins.registry import builtin, wrong
from authz_service.rego_engine.errors import BuiltinFault, OperandFault
from authz_service.rego_engine.numbers import Number
from authz_service.rego_engine.values import (
    UNDEFINED,
    Value,
    equal,
    key,
    members,
    order,
    ordered,
    plain,
    type_name,
)

MAX_FRACTIONS = 10_000  # numbers that are summed or multiplied where one of them has a fraction: some 30 µs each
_NUMBER_TYPES: Final = frozenset({int, float, Decimal})


@builtin("count")
def count(value: Value) -> Value:
    """Number of members, entries, or code points."""
    kind = type(value)
    if kind is list or kind is str or kind is dict or kind is set:
        return len(value)
    raise wrong(value, 1, "array", "object", "set", "string")


@builtin("sum")
def total(values: Value) -> Value:
    """Sum of an array's or set's numbers; 0 of none."""
    found = _numbers(values)
    if set(map(type, found)) <= {int}:
        return numbers.bounded(sum(found))
    mantissa = Fraction(0)
    for item in _fractions(found):
        mantissa = to_mantissa(mantissa + to_mantissa(item))
    return shortest(mantissa)


@builtin("product")
def product(values: Value) -> Value:
    """Product of an array's or set's numbers; 1 of none.

    Where one of them has a fraction, it is computed with a mantissa of 53 bits, a double's, as OPA does; and it must
    not be nearer to zero, nor farther, than a double can be.
    """
    found = _numbers(values)
    if set(map(type, found)) <= {int}:
        return reduce(times, found, 1)
    double = 1.0
    for item in _fractions(found):
        exact = Fraction(double) * to_mantissa(item)
        try:
            double = float(exact)
        except OverflowError as error:
            raise BuiltinFault("product is out of a double's bounds") from error
        if exact and abs(double) < sys.float_info.min:
            raise BuiltinFault("product is out of a double's bounds")
    return numbers.from_decimal(Decimal(repr(double)))


def _numbers(values: Value) -> list[Any]:
    """Return the members, in order, of an operand that must be an array or a set of numbers."""
    if type(values) is list:
        found = values
    elif type(values) is set:
        found = members(values)
    else:
        raise wrong(values, 1, "set", "array")
    if not set(map(type, found)) <= _NUMBER_TYPES:
        kind, other = type_name(values), next(item for item in found if type(item) not in _NUMBER_TYPES)
        raise OperandFault(f"operand 1 must be {kind} of numbers but got {kind} containing {type_name(other)}")
    return found


def _fractions(values: list[Number]) -> Iterator[Fraction]:
    if len(values) > MAX_FRACTIONS:
        raise BuiltinFault(f"more than {MAX_FRACTIONS} numbers, some of them with fractions")
    return (Fraction(numbers.decimal(item)) for item in values)


@builtin("max")
def greatest(values: Value) -> Value:
    """Last member in Rego's order; of none undefined."""
    return _extreme(max, values)


@builtin("min")
def least(values: Value) -> Value:
    """First member in Rego's order; of none undefined."""
    return _extreme(min, values)


def _extreme(choose: Callable[..., Value], values: Value) -> Value:
    if type(values) is set:
        found = list(map(plain, values))
    elif type(values) is list:
        found = values
    else:
        raise wrong(values, 1, "set", "array")
    if not found:
        return UNDEFINED
    if set(map(type, found)) in ({int}, {str}):
        return choose(found)
    return choose(found, key=order)


@builtin("sort")
def in_order(values: Value) -> Value:
    """Members as an array in Rego's order."""
    if type(values) is list:
        return ordered(values)
    if type(values) is set:
        return members(values)
    raise wrong(values, 1, "set", "array")


@builtin("all")
def all_true(values: Value) -> Value:
    """Whether every member is true; of none, they are."""
    if type(values) is set:
        return values <= _ONLY_TRUE
    if type(values) is list:
        return all(item is True for item in values)
    raise wrong(values, 1, "array", "set")


@builtin("any")
def any_true(values: Value) -> Value:
    """Whether some member is true."""
    if type(values) is set:
        return _TRUE in values
    if type(values) is list:
        return any(item is True for item in values)
    raise wrong(values, 1, "array", "set")


_TRUE = key(True)
_ONLY_TRUE = {_TRUE}


@builtin("internal.member_2")
def is_in(value: Value, values: Value) -> Value:
    """Whether a value is a set's member, an array's item or an object's value: `value in values`."""
    kind = type(values)
    if kind is set:
        return key(value) in values
    if kind is list:
        return _holds(values, value)
    if kind is dict:
        return _holds(values.values(), value)
    return False


def _holds(values: Iterable[Value], value: Value) -> bool:
    """Whether one of some values is that value.

    Python's own `in` is asked first, being much the fastest: what it does not find is not there. What it finds may be
    1 for true, so that only strings and null need no second look.
    """
    if value not in values:
        return False
    return type(value) is str or value is None or any(equal(value, item) for item in values)


@builtin("internal.member_3")
def is_at(name: Value, value: Value, values: Value) -> Value:
    """Whether a value stands at a key, index or member: `name, value in values`."""
    kind = type(values)
    if kind is not list and kind is not dict and kind is not set:
        return False
    found = child(values, name)
    return found is not UNDEFINED and equal(value, found)
