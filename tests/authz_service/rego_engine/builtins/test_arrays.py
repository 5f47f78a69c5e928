"""Joining, slicing, reversing and flattening arrays."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import arrays
from authz_service.rego_engine.errors import TYPE_ERROR
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import VALUES, call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("array.concat", [["a"], ["b", "c"]], ["a", "b", "c"]),
    ("array.concat", [[], [1]], [1]),
    ("array.concat", [[1], []], [1]),
    ("array.slice", [["a", "b", "c", "d"], 1, 3], ["b", "c"]),
    ("array.slice", [["a", "b"], -5, 1], ["a"]),
    ("array.slice", [["a", "b"], 0, 9], ["a", "b"]),
    ("array.slice", [["a", "b"], 2, 1], []),
    ("array.slice", [["a", "b"], 0, -1], []),
    ("array.reverse", [[1, [2, 3], "x"]], ["x", [2, 3], 1]),
    ("array.reverse", [[]], []),
    ("array.flatten", [[1, [2, [3]], [], "x"]], [1, 2, [3], "x"]),
    ("array.flatten", [[make_set([1]), {"a": [1]}]], [make_set([1]), {"a": [1]}]),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_an_array_is_made_of_others_as_opa_makes_it(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


@pytest.mark.parametrize(
    ("name", "operands", "text"),
    [
        ("array.concat", [[], "a"], "operand 2 must be array but got string"),
        ("array.slice", [set(), 0, 1], "operand 1 must be array but got set"),
        ("array.slice", [[], "0", 1], "operand 2 must be number but got string"),
        ("array.slice", [[], 0, 1.5], "operand 3 must be integer number but got floating-point number"),
        ("array.reverse", ["ab"], "operand 1 must be array but got string"),
        ("array.flatten", [{}], "operand 1 must be array but got object"),
    ],
)
def test_what_is_no_array_is_a_fault(name: str, operands: list[Value], text: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (TYPE_ERROR, text)


@given(st.lists(VALUES, max_size=8), st.integers(-3, 10))
def test_two_slices_that_meet_make_up_the_array(values: list[Any], place: int) -> None:
    kept = list(values)
    first, rest = call("array.slice", values, 0, place), call("array.slice", values, place, len(values))
    assert call("array.concat", first, rest) == kept
    assert values == kept


@given(st.lists(VALUES, max_size=8))
def test_reversing_twice_changes_nothing(values: list[Any]) -> None:
    assert call("array.reverse", call("array.reverse", values)) == values


@pytest.mark.parametrize("name", declared(arrays))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
