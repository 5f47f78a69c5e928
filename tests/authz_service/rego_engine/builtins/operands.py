"""Operands of all kinds for the built-ins' tests, and how these call a built-in."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from types import ModuleType
from typing import Any

import pytest
from hypothesis import strategies as st

from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.registry import TABLE, find
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, make_object, make_set

WHOLE = st.integers() | st.integers(min_value=-(10**30), max_value=10**30)
FRACTIONS = st.floats(allow_nan=False, allow_infinity=False).filter(lambda number: not number.is_integer())
DECIMALS = st.sampled_from(
    [
        Decimal("0.33333333333333333334"),
        Decimal("-12345678901234567890.5"),
        Decimal("1.5e-3999"),
        Decimal("-7.000000000000000000000000000000000000001"),
    ]
)
HUGE = st.builds(lambda size, sign: sign * 2**size, st.sampled_from([63, 64, 13_000, 17_000]), st.sampled_from([1, -1]))
NUMBERS = WHOLE | FRACTIONS | DECIMALS
TEXTS = st.text(max_size=12) | st.sampled_from(["\ud800", "\x00", "\udfff-\ud800", "1e999999", "9" * 5000, "é" * 36])
SCALARS = st.none() | st.booleans() | NUMBERS | HUGE | TEXTS


def _deep(levels: int) -> Value:
    value: Value = 0
    for _ in range(levels):
        value = [value]
    return value


VALUES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(make_set)
        | st.lists(st.tuples(inner, inner), max_size=4).map(make_object)
    ),
    max_leaves=8,
) | st.just(_deep(60))


def declared(module: ModuleType) -> list[str]:
    """Return the names of the built-ins that a module's functions are."""
    return [name for name, found in TABLE.items() if found.function.__module__ == module.__name__]


def call(name: str, *operands: Value) -> Value:
    """Call a built-in as a policy does."""
    found = find(name)
    assert found is not None, name
    return found.function(*([Context()] if found.wants_context else []), *operands)


def fault(name: str, *operands: Value) -> BuiltinFault:
    """Return the fault of a call that must have no result."""
    with pytest.raises(BuiltinFault) as caught:
        call(name, *operands)
    return caught.value


def call_with_anything(name: str, data: st.DataObject) -> None:
    """Call a built-in with any operands: it may have no result for them, but must say so by a fault."""
    found = find(name)
    assert found is not None, name
    operands = [data.draw(VALUES) for _ in range(found.arity)]
    with contextlib.suppress(BuiltinFault):
        call(name, *operands)
