"""Every value within a value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import walking
from authz_service.rego_engine.builtins.objects import child
from authz_service.rego_engine.values import Value, equal, make_object, make_set
from tests.authz_service.rego_engine.builtins.operands import VALUES, call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("walk", ["a"], [[[], "a"]]),
    ("walk", [[]], [[[], []]]),
    (
        "walk",
        [{"b": [10, {"c": 20}], "a": None}],
        [
            [[], {"a": None, "b": [10, {"c": 20}]}],
            [["a"], None],
            [["b"], [10, {"c": 20}]],
            [["b", 0], 10],
            [["b", 1], {"c": 20}],
            [["b", 1, "c"], 20],
        ],
    ),
    (
        "walk",
        [make_set([2, [3], True])],
        [[[], make_set([2, [3], True])], [[True], True], [[2], 2], [[[3]], [3]], [[[3], 0], 3]],
    ),
    (
        "walk",
        [make_object([("k", 1), (False, 2), ([0], 3)])],
        [[[], make_object([("k", 1), (False, 2), ([0], 3)])], [[False], 2], [["k"], 1], [[[0]], 3]],
    ),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_a_value_is_walked_through_in_rego_s_order(name: str, operands: list[Value], result: Value) -> None:
    assert equal(call(name, *operands), result)


@given(VALUES)
def test_each_path_leads_to_its_value(value: Any) -> None:
    for path, found in call("walk", value):
        current = value
        for step in path:
            current = child(current, step)
        assert current is found or equal(current, found)


def test_a_walk_has_a_bound() -> None:
    """Deep in a value, each value of many has a long path."""
    value: Value = [0] * 2_000
    assert len(call("walk", value)) == 2_001
    for _ in range(walking.MAX_STEPS // 2_000):
        value = [value]
    assert str(walking.MAX_STEPS) in fault("walk", value).text


def test_a_deep_value_is_no_matter() -> None:
    value: Value = 0
    for _ in range(1_200):
        value = [value]
    assert len(call("walk", value)) == 1_201


@pytest.mark.parametrize("name", declared(walking))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
