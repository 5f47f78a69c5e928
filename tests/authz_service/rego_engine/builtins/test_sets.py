"""Union, intersection and difference."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import sets
from authz_service.rego_engine.errors import TYPE_ERROR
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import VALUES, call, call_with_anything, declared, fault

SETS = st.lists(VALUES, max_size=4).map(make_set)

CASES: list[tuple[str, list[Value], Value]] = [
    ("and", [make_set([1, True, "a"]), make_set([True, "b"])], make_set([True])),
    ("and", [make_set([1]), make_set([True])], set()),
    ("or", [make_set([1, [2]]), make_set([[2], True])], make_set([1, True, [2]])),
    ("or", [set(), make_set([1])], make_set([1])),
    ("union", [make_set([make_set([1, 2]), make_set([2, 3]), set()])], make_set([1, 2, 3])),
    ("union", [set()], set()),
    ("intersection", [make_set([make_set([1, 2]), make_set([2, 3])])], make_set([2])),
    ("intersection", [make_set([make_set([1, 2])])], make_set([1, 2])),
    ("intersection", [set()], set()),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_sets_are_put_together_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


def test_the_older_name_of_the_difference_is_known() -> None:
    assert call("set_diff", make_set([1, 2]), make_set([2])) == make_set([1])


@pytest.mark.parametrize(
    ("name", "operands", "text"),
    [
        ("and", [[1], set()], "operand 1 must be set but got array"),
        ("or", [set(), "a"], "operand 2 must be set but got string"),
        ("set_diff", [set(), {}], "operand 2 must be set but got object"),
        ("union", [[set()]], "operand 1 must be set but got array"),
        ("union", [make_set([set(), "a", 5])], "operand 1 must be set but got number"),
        ("intersection", [make_set([[1]])], "operand 1 must be set but got array"),
    ],
)
def test_what_is_no_set_is_a_fault(name: str, operands: list[Value], text: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (TYPE_ERROR, text)


@given(SETS, SETS)
def test_a_set_of_two_sets_is_treated_as_the_operators_treat_them(left: set[Any], right: set[Any]) -> None:
    before = set(left), set(right)
    assert call("union", make_set([left, right])) == call("or", left, right)
    assert call("intersection", make_set([left, right])) == call("and", left, right)
    assert (left, right) == before


@given(SETS, SETS)
def test_difference_and_intersection_make_up_the_set(left: set[Any], right: set[Any]) -> None:
    assert call("or", call("set_diff", left, right), call("and", left, right)) == left


@pytest.mark.parametrize("name", declared(sets))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
