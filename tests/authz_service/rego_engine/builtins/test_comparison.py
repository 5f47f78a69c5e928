"""Equality and order of any two values."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from authz_service.rego_engine.builtins import comparison
from authz_service.rego_engine.builtins.registry import TABLE
from authz_service.rego_engine.values import Value, compare, make_set
from tests.authz_service.rego_engine.builtins.operands import VALUES, call

ASCENDING: list[Value] = [
    None,
    False,
    True,
    -3,
    0.5,
    Decimal("0.50000000000000000000001"),
    1,
    10**30,
    "",
    "Z",
    "a",
    "é",
    "\U0001f600",
    [],
    [1],
    [1, None],
    [2],
    {},
    {"a": 1},
    {"a": 2},
    {"b": 0},
    set(),
    make_set([True]),
    make_set([1]),
]


@pytest.mark.parametrize(("place", "left"), [*enumerate(ASCENDING)])
def test_values_of_all_types_stand_in_one_order(place: int, left: Value) -> None:
    for other, right in enumerate(ASCENDING):
        assert call("lt", left, right) is (place < other)
        assert call("lte", left, right) is (place <= other)
        assert call("gt", left, right) is (place > other)
        assert call("gte", left, right) is (place >= other)
        assert call("equal", left, right) is (place == other)
        assert call("neq", left, right) is (place != other)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, True, False),
        (0, False, False),
        ([1], [True], False),
        ({"a": [0]}, {"a": [False]}, False),
        (make_set([1]), make_set([True]), False),
        (1, 1.0, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, True),
        ("é", "e\u0301", False),
    ],
)
def test_equal_values_have_one_type(left: Value, right: Value, same: bool) -> None:  # noqa: FBT001  (the table's)
    assert comparison.equal(left, right) is same
    assert call("eq", left, right) is same
    assert call("neq", left, right) is not same


@given(VALUES, VALUES)
def test_the_operators_agree_with_the_order_of_values(left: Any, right: Any) -> None:
    found = compare(left, right)
    assert call("lt", left, right) is (found < 0)
    assert call("lte", left, right) is (found <= 0)
    assert call("gt", left, right) is (found > 0)
    assert call("gte", left, right) is (found >= 0)
    assert call("equal", left, right) is (found == 0)
    assert call("neq", left, right) is (found != 0)


def test_none_of_them_needs_more_than_its_operands() -> None:
    for name in ("eq", "equal", "neq", "lt", "lte", "gt", "gte"):
        assert TABLE[name].arity == 2
        assert TABLE[name].pure
