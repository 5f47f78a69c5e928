"""The operators `== != < <= > >=`, over values of any types, by the total order of `values`.

Each of them looks at whole numbers and strings first: that is what policies compare.
"""

from __future__ import annotations

from authz_service.rego_engine.builtins.registry import builtin
from authz_service.rego_engine.values import Value, compare
from authz_service.rego_engine.values import equal as equal_values

equal = builtin("equal", "eq")(equal_values)


@builtin("neq")
def unequal(left: Value, right: Value) -> Value:
    """Whether two values are different values."""
    return not equal_values(left, right)


@builtin("lt")
def less(left: Value, right: Value) -> Value:
    """Whether one value comes before another."""
    kind = type(left)
    if kind is type(right) and (kind is int or kind is str):
        return left < right
    return compare(left, right) < 0


@builtin("lte")
def less_or_equal(left: Value, right: Value) -> Value:
    """Whether one value comes before another, or is it."""
    kind = type(left)
    if kind is type(right) and (kind is int or kind is str):
        return left <= right
    return compare(left, right) <= 0


@builtin("gt")
def greater(left: Value, right: Value) -> Value:
    """Whether one value comes after another."""
    kind = type(left)
    if kind is type(right) and (kind is int or kind is str):
        return left > right
    return compare(left, right) > 0


@builtin("gte")
def greater_or_equal(left: Value, right: Value) -> Value:
    """Whether one value comes after another, or is it."""
    kind = type(left)
    if kind is type(right) and (kind is int or kind is str):
        return left >= right
    return compare(left, right) >= 0
