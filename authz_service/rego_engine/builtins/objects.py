"""Objects: looking up, choosing keys, merging, and whether one value is part of another."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins.registry import array, builtin, obj, wrong
from authz_service.rego_engine.errors import OperandFault
from authz_service.rego_engine.values import UNDEFINED, Undefined, Value, equal, key, type_name


def child(value: Value, step: Value) -> Value | Undefined:
    """Return what a step leads to: a key's value, the item at an index, a set's member; or `UNDEFINED`."""
    kind = type(value)
    if kind is dict:
        return value.get(step if type(step) is str else key(step), UNDEFINED)
    if kind is list:
        if type(step) is bool or not isinstance(step, numbers.Number) or not numbers.is_whole(step):
            return UNDEFINED
        return value[int(step)] if 0 <= step < len(value) else UNDEFINED
    if kind is set:
        return step if key(step) in value else UNDEFINED
    return UNDEFINED


@builtin("object.get")
def get(value: Value, path: Value, default: Value) -> Value:
    """Value of a key, or at the end of an array of steps; the default where there is none."""
    if type(value) is not dict:
        raise wrong(value, 1, "object")
    if type(path) is str:
        return value.get(path, default)
    if type(path) is not list:
        return value.get(key(path), default)
    found: Value = value
    for step in path:
        found = child(found, step)
        if found is UNDEFINED:
            return default
    return found


@builtin("object.keys")
def keys(value: Value) -> Value:
    """Set of an object's keys."""
    return set(obj(value, 1))


@builtin("object.remove")
def remove(value: Value, names: Value) -> Value:
    """Object without some keys: those of an array, set or object."""
    found, removed = obj(value, 1), _names(names)
    return {name: item for name, item in found.items() if name not in removed}


@builtin("object.filter")
def filtered(value: Value, names: Value) -> Value:
    """Object with only some keys: those of an array, set or object."""
    found, kept = obj(value, 1), _names(names)
    return {name: item for name, item in found.items() if name in kept}


def _names(value: Value) -> Container[Any]:
    """Return the keys that an operand lists."""
    if type(value) is list:
        return set(map(key, value))
    if type(value) is set or type(value) is dict:
        return value
    raise wrong(value, 2, "object", "set", "array")


@builtin("object.union")
def union(left: Value, right: Value) -> Value:
    """Both objects' keys. Where both have a key, two objects are merged again; else the second one's value counts."""
    return _merged(obj(left, 1), obj(right, 2))


def _merged(left: dict[Any, Value], right: dict[Any, Value]) -> dict[Any, Value]:
    if not left or not right:
        return right or left
    found = dict(left)
    for name, item in right.items():
        mine = found.get(name)
        found[name] = _merged(mine, item) if type(mine) is dict and type(item) is dict else item
    return found


@builtin("object.union_n")
def union_n(values: Value) -> Value:
    """All keys of an array's objects, merged as by `object.union` from first to last."""
    found = array(values, 1)
    for item in found:
        if type(item) is not dict:
            raise OperandFault(f"operand 1 must be array of objects but got array containing {type_name(item)}")
    result: dict[Any, Value] = {}
    for item in found:
        _merge(result, item)
    return result


def _merge(target: dict[Any, Value], source: dict[Any, Value]) -> None:
    """Merge into an object that is ours, as all within it are: merging pairs would copy the first ones each time."""
    for name, item in source.items():
        mine = target.get(name)
        if type(item) is not dict:
            target[name] = item
        elif type(mine) is dict:
            _merge(mine, item)
        else:
            target[name] = {}
            _merge(target[name], item)


@builtin("object.subset")
def subset(whole: Value, part: Value) -> Value:
    """Whether a value has another as its part.

    An object: all of its keys, their values being equal or again part. A set: all of its members. An array: all of
    its items, in a row. A set may also be part of an array, having each of its members somewhere in it: an item that
    the array has twice still stands for one member, and the empty set is part of any array, which OPA 1.22 sees
    otherwise.
    """
    kind, other = type(whole), type(part)
    if kind is list and other is set:
        return part <= set(map(key, whole))
    if kind is not other or (kind is not dict and kind is not set and kind is not list):
        raise OperandFault("both arguments object.subset must be of the same type or array and set")
    return _has(whole, part)


def _has(whole: Value, part: Value) -> bool:
    """Whether a value equals another or has it as its part."""
    kind = type(whole)
    if kind is not type(part):
        return equal(whole, part)
    if kind is dict:
        return len(part) <= len(whole) and all(name in whole and _has(whole[name], item) for name, item in part.items())
    if kind is set:
        return part <= whole  # type: ignore[no-any-return]
    if kind is list:
        return _has_run([*map(key, whole)], [*map(key, part)])
    return equal(whole, part)


def _has_run(items: list[Any], run: list[Any]) -> bool:
    """Whether a run of items stands somewhere among others (Knuth, Morris and Pratt: in linear time)."""
    if not run:
        return True
    if len(run) > len(items):
        return False
    shorter = [0]  # by the number of matched items: how many still match when the run moves on
    matched = 0
    for item in run[1:]:
        while matched and run[matched] != item:
            matched = shorter[matched - 1]
        matched += run[matched] == item
        shorter.append(matched)
    matched = 0
    for item in items:
        while matched and run[matched] != item:
            matched = shorter[matched - 1]
        matched += run[matched] == item
        if matched == len(run):
            return True
    return False
