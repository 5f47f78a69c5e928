"""Rego's values as Python values. JSON is used as it is: nothing is copied, wrapped or changed on the way in.

    null    boolean  number                     string  array  object  set
    None    bool     int, float, Decimal        str     list   dict    set

Keys of an object and members of a set are hashed by Python, where `True == 1` and a list has no hash. So strings,
numbers and null stand there as they are, and any other value stands there inside a `Key`: `key` wraps, `plain` unwraps.
An object from JSON has strings for keys, and is a Rego object as it stands.

Order is null < boolean < number < string < array < object < set. A value that has been handed on is never changed.
"""

from __future__ import annotations

import enum
import functools
import json
from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal
from typing import Any, Final

from authz_service.rego_engine import numbers

Value = Any  # one of the above; a recursive type would say no more, and slow mypy down


class Undefined(enum.Enum):
    """No value: what a reference that leads nowhere has."""

    UNDEFINED = enum.auto()


UNDEFINED: Final = Undefined.UNDEFINED


class Key:
    """A boolean, array, object or set as an object's key or a set's member: equal exactly when the values are."""

    __slots__ = ("_hash", "form", "value")

    def __init__(self, value: Value, form: Hashable) -> None:
        """`form` is equal for equal values, and for no others."""
        self.value = value
        self.form = form
        self._hash = hash(form)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return self is other or (type(other) is Key and self._hash == other._hash and self.form == other.form)

    def __repr__(self) -> str:
        return f"Key({self.value!r})"


_TRUE: Final = Key(value=True, form=("boolean", 1))
_FALSE: Final = Key(value=False, form=("boolean", 0))


def key(value: Value) -> Hashable:
    """Return what stands for a value among an object's keys or a set's members."""
    kind = type(value)
    if kind is str or kind is int or value is None:
        return value  # type: ignore[no-any-return]
    if kind is bool:
        return _TRUE if value else _FALSE
    if kind is list:
        return Key(value, ("array", *map(key, value)))
    if kind is dict:
        return Key(value, ("object", frozenset((name, key(item)) for name, item in value.items())))
    if kind is set:
        return Key(value, ("set", frozenset(value)))
    return value  # type: ignore[no-any-return]  # float or Decimal


def plain(hashed: Hashable) -> Value:
    """Return the value that `key` was given."""
    return hashed.value if type(hashed) is Key else hashed


def make_set(values: Iterable[Value]) -> set[Any]:
    """Return the set of some values."""
    return {key(value) for value in values}


def make_object(items: Iterable[tuple[Value, Value]]) -> dict[Any, Any]:
    """Return the object of some keys and values; of equal keys the last counts."""
    return {key(name): value for name, value in items}


def equal(left: Value, right: Value) -> bool:
    """Whether two values are the same value: 1 is 1.0, and true is not 1."""
    kind = type(left)
    if kind is str:
        return bool(left == right)
    if kind is bool or type(right) is bool:
        return left is right
    if kind is list:
        return type(right) is list and len(left) == len(right) and (left is right or all(map(equal, left, right)))
    if kind is dict:
        if type(right) is not dict or len(left) != len(right):
            return False
        return left is right or all(name in right and equal(value, right[name]) for name, value in left.items())
    return bool(left == right)  # sets hold keys, which know true from 1


_RANKS: Final = {
    type(None): 0, bool: 1, int: 2, float: 2, Decimal: 2, str: 3, list: 4, dict: 5, set: 6,
}  # fmt: skip


def compare(left: Value, right: Value) -> int:
    """Return -1, 0 or 1 by Rego's total order."""
    rank, other = _RANKS[type(left)], _RANKS[type(right)]
    if rank != other:
        return -1 if rank < other else 1
    if rank <= 1:
        return 0 if left is right else (-1 if left is False else 1)
    if rank == 2:  # noqa: PLR2004  (a number)
        return _compare_numbers(left, right)
    if rank == 3:  # noqa: PLR2004  (a string)
        return int(left > right) - int(left < right)
    if rank == 4:  # noqa: PLR2004  (an array)
        return _compare_arrays(left, right)
    if rank == 5:  # noqa: PLR2004  (an object)
        return _compare_objects(left, right)
    return _compare_arrays(members(left), members(right))


def _compare_numbers(left: numbers.Number, right: numbers.Number) -> int:
    if type(left) is not type(right) and Decimal in {type(left), type(right)}:
        left, right = numbers.decimal(left), numbers.decimal(right)
    return (left > right) - (left < right)


def _compare_arrays(left: list[Value], right: list[Value]) -> int:
    for one, two in zip(left, right, strict=False):
        found = compare(one, two)
        if found:
            return found
    return (len(left) > len(right)) - (len(left) < len(right))


def _compare_objects(left: dict[Any, Value], right: dict[Any, Value]) -> int:
    for one, two in zip(entries(left), entries(right), strict=False):
        found = compare(one[0], two[0]) or compare(one[1], two[1])
        if found:
            return found
    return (len(left) > len(right)) - (len(left) < len(right))


order: Final[Callable[[Value], Any]] = functools.cmp_to_key(compare)  # for `sorted(values, key=order)`


def ordered(values: Iterable[Value]) -> list[Value]:
    """Return values in Rego's order."""
    found = list(values)
    if all(type(value) is str for value in found):
        found.sort()
    else:
        found.sort(key=order)
    return found


def members(values: set[Any]) -> list[Value]:
    """Return a set's members in Rego's order."""
    return ordered(map(plain, values))


def keys(values: dict[Any, Value]) -> list[Value]:
    """Return an object's keys in Rego's order."""
    return ordered(map(plain, values))


def entries(values: dict[Any, Value]) -> list[tuple[Value, Value]]:
    """Return an object's keys and values, by the order of the keys."""
    return [(name, values[name if type(name) is str else key(name)]) for name in keys(values)]


_NAMES: Final = {
    type(None): "null", bool: "boolean", int: "number", float: "number", Decimal: "number", str: "string",
    list: "array", dict: "object", set: "set",
}  # fmt: skip


def type_name(value: Value) -> str:
    """Return what Rego calls a value's type."""
    return _NAMES[type(value)]


def to_json(value: Value) -> Any:
    """Return a value as JSON has it: sets become arrays in Rego's order, keys that are no strings their JSON text.

    Raises:
        TypeError: it holds something that is no Rego value.
    """
    return _as_json(value, str)


def to_answer(value: Value) -> Any:
    """Return a value as JSON that can be sent: as `to_json`, with U+FFFD for what is no character.

    Octets that were no UTF-8 when a policy decoded them are lone surrogates in a string; no writer would take them.
    """
    return _as_json(value, _whole_text)


def _as_json(value: Value, text: Callable[[str], str]) -> Any:
    kind = type(value)
    if kind is str:
        return value if value.isascii() else text(value)
    if kind is list:
        return [_as_json(item, text) for item in value]
    if kind is set:
        return [_as_json(item, text) for item in members(value)]
    if kind is dict:
        return {text(name if type(name) is str else write(name)): _as_json(item, text) for name, item in entries(value)}
    if kind in _NAMES:
        return value
    raise TypeError(f"{kind.__name__} is no Rego value")


def _whole_text(text: str) -> str:
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def write(value: Value) -> str:
    """Return a value's JSON text, without spaces, keys in Rego's order."""
    kind = type(value)
    if kind is str:
        return json.dumps(value, ensure_ascii=False)
    if kind is bool:
        return "true" if value else "false"
    if value is None:
        return "null"
    if kind is list:
        return f"[{','.join(map(write, value))}]"
    if kind is set:
        return f"[{','.join(map(write, members(value)))}]"
    if kind is dict:
        parts = (f"{write(name if type(name) is str else write(name))}:{write(item)}" for name, item in entries(value))
        return f"{{{','.join(parts)}}}"
    return numbers.text(value)


def read(text: str | bytes) -> Value:
    """Read JSON text with its numbers exact.

    Raises:
        ValueError: it is no JSON, is nested too deeply, or has a number out of bounds.
    """

    def refuse(constant: str) -> Value:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(text, parse_float=numbers.parse, parse_constant=refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
