"""Sets: the operators `&` and `|`, and the union and intersection of a set of sets. `-` stands with arithmetic."""

from __future__ import annotations

from typing import Any

from authz_service.rego_engine.builtins.registry import builtin, set_, wrong
from authz_service.rego_engine.values import Value, order, plain


@builtin("and")
def shared(left: Value, right: Value) -> Value:
    """Members of both sets."""
    return set_(left, 1) & set_(right, 2)


@builtin("or")
def joined(left: Value, right: Value) -> Value:
    """Members of either set."""
    return set_(left, 1) | set_(right, 2)


@builtin("set_diff")
def difference(left: Value, right: Value) -> Value:
    """Members of the one set that the other has not."""
    return set_(left, 1) - set_(right, 2)


@builtin("union")
def union(sets: Value) -> Value:
    """Members of any of a set's sets."""
    return set().union(*_sets(sets))


@builtin("intersection")
def intersection(sets: Value) -> Value:
    """Members of all of a set's sets; of no sets, none."""
    found = _sets(sets)
    return set.intersection(*found) if found else set()


def _sets(value: Value) -> list[set[Any]]:
    """Return the members of an operand that must be a set of sets."""
    found = list(map(plain, set_(value, 1)))
    others = [item for item in found if type(item) is not set]
    if others:
        raise wrong(min(others, key=order), 1, "set")
    return found
