"""Arrays: joining, slicing, reversing, flattening. An array that a function need not change is returned as it is."""

from __future__ import annotations

from authz_service.rego_engine.builtins.registry import array, builtin, integer
from authz_service.rego_engine.values import Value


@builtin("array.concat")
def concat(left: Value, right: Value) -> Value:
    """One array's items, then the other's."""
    first, second = array(left, 1), array(right, 2)
    if not first:
        return second
    return first + second if second else first


@builtin("array.slice")
def sliced(values: Value, start: Value, stop: Value) -> Value:
    """Items from index `start` up to, without it, index `stop`; an index beyond either end stands for that end."""
    found = array(values, 1)
    first, last = max(integer(start, 2), 0), max(integer(stop, 3), 0)
    if first == 0 and last >= len(found):
        return found
    return found[first:last] if first < last else []


@builtin("array.reverse")
def backwards(values: Value) -> Value:
    """Items from last to first."""
    return array(values, 1)[::-1]


@builtin("array.flatten")
def flatten(values: Value) -> Value:
    """Items, with those of an array in place of that array; arrays within these stay as they are."""
    found = []
    for item in array(values, 1):
        if type(item) is list:
            found.extend(item)
        else:
            found.append(item)
    return found
