"""Sizes, sums, extremes, order and membership."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import aggregates
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR
from authz_service.rego_engine.values import UNDEFINED, Value, equal, make_set, ordered, plain
from tests.authz_service.rego_engine.builtins.operands import (
    NUMBERS,
    SCALARS,
    VALUES,
    call,
    call_with_anything,
    declared,
    fault,
)

CASES: list[tuple[str, list[Value], Value]] = [
    ("count", [[1, 1]], 2),
    ("count", [make_set([1, True])], 2),
    ("count", [{"a": 1}], 1),
    ("count", ["naïve \U0001f600"], 7),
    ("sum", [[]], 0),
    ("sum", [[2**63, 2**63]], 2**64),
    ("sum", [[0.7, 0.1, 1]], 1.8),
    ("sum", [make_set([1.5, 2.5])], 4),
    ("sum", [[2**70, 0.5]], 1180591620717411303400),
    ("product", [[]], 1),
    ("product", [[2**40, 2**40]], 2**80),
    ("product", [[7, 0.1, 1e-6]], 7e-07),
    ("product", [[0, 0.25]], 0),
    ("product", [make_set([0.5, 10**25])], 5 * 10**24),
    ("max", [[3, 9, 4]], 9),
    ("max", [[3, "a", [0], None]], [0]),
    ("max", [make_set(["b", "a"])], "b"),
    ("max", [make_set([True, 1])], 1),
    ("min", [[3, -9, 4]], -9),
    ("min", [[3, "a", False]], False),
    ("min", [make_set([[2], [1, 5]])], [1, 5]),
    ("sort", [[3, "b", None, 1.5, "a"]], [None, 1.5, 3, "a", "b"]),
    ("sort", [make_set([2, True, 1])], [True, 1, 2]),
    ("all", [[True, True]], True),
    ("all", [[True, 1]], False),
    ("all", [[]], True),
    ("all", [make_set([True])], True),
    ("all", [make_set([True, 1])], False),
    ("all", [set()], True),
    ("any", [[False, True]], True),
    ("any", [[1, "true"]], False),
    ("any", [[]], False),
    ("any", [make_set([False, True])], True),
    ("any", [make_set([1])], False),
    ("internal.member_2", ["a", ["b", "a"]], True),
    ("internal.member_2", ["a", {"a": "b"}], False),
    ("internal.member_2", ["b", {"a": "b"}], True),
    ("internal.member_2", [True, [1, 2]], False),
    ("internal.member_2", [1, [True, 1]], True),
    ("internal.member_2", [[0], [[False]]], False),
    ("internal.member_2", [[0], [[False], [0]]], True),
    ("internal.member_2", [True, make_set([1])], False),
    ("internal.member_2", [[1], make_set([[1]])], True),
    ("internal.member_2", [None, [None]], True),
    ("internal.member_2", ["a", "abc"], False),
    ("internal.member_3", [1, "b", ["a", "b"]], True),
    ("internal.member_3", [0, "b", ["a", "b"]], False),
    ("internal.member_3", [-1, "b", ["a", "b"]], False),
    ("internal.member_3", [True, "b", ["a", "b"]], False),
    ("internal.member_3", [0.5, "a", ["a", "b"]], False),
    ("internal.member_3", ["k", 1, {"k": 1}], True),
    ("internal.member_3", ["k", True, {"k": 1}], False),
    ("internal.member_3", ["k", "k", make_set(["k"])], True),
    ("internal.member_3", ["k", "j", make_set(["k", "j"])], False),
    ("internal.member_3", [0, "a", "a"], False),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_a_collection_is_summed_up_as_opa_sums_it_up(name: str, operands: list[Value], result: Value) -> None:
    found = call(name, *operands)
    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize("name", ["max", "min"])
@pytest.mark.parametrize("values", [[], set()])
def test_nothing_has_no_extremes_and_that_is_no_fault(name: str, values: Value) -> None:
    assert call(name, values) is UNDEFINED


@pytest.mark.parametrize(
    ("name", "operands", "text"),
    [
        ("count", [5], "operand 1 must be one of {array, object, set, string} but got number"),
        ("sum", ["1"], "operand 1 must be one of {set, array} but got string"),
        ("sum", [[1, "2"]], "operand 1 must be array of numbers but got array containing string"),
        ("sum", [make_set([1, True])], "operand 1 must be set of numbers but got set containing boolean"),
        ("product", [[None]], "operand 1 must be array of numbers but got array containing null"),
        ("max", [{}], "operand 1 must be one of {set, array} but got object"),
        ("min", [1], "operand 1 must be one of {set, array} but got number"),
        ("sort", ["ba"], "operand 1 must be one of {set, array} but got string"),
        ("all", [{}], "operand 1 must be one of {array, set} but got object"),
        ("any", [True], "operand 1 must be one of {array, set} but got boolean"),
    ],
)
def test_what_is_no_such_collection_is_a_fault(name: str, operands: list[Value], text: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (TYPE_ERROR, text)


@pytest.mark.parametrize("name", ["sum", "product"])
def test_numbers_with_fractions_are_added_up_to_a_bound(name: str) -> None:
    limit = aggregates.MAX_FRACTIONS
    assert fault(name, [0.5] * (limit + 1)).code == BUILTIN_ERROR
    assert call("sum", [0.5] * limit) == limit // 2
    assert call("sum", [1] * (limit + 1)) == limit + 1


@pytest.mark.parametrize("values", [[1e300, 1e300, 0.5], [1e-300, 1e-300], [Decimal("1e-400"), 0.5]])
def test_a_product_with_fractions_must_be_one_that_a_double_can_be(values: list[Value]) -> None:
    assert fault("product", values).text == "product is out of a double's bounds"


@given(st.lists(NUMBERS, max_size=6))
def test_a_sum_is_near_the_exact_one(values: list[Any]) -> None:
    exact = sum(map(Fraction, values))
    scale = sum(abs(Fraction(value)) for value in values)
    assert abs(Fraction(call("sum", values)) - exact) <= scale * len(values) / 2**50


@given(st.lists(VALUES, min_size=1, max_size=6))
def test_the_extremes_are_the_ends_of_the_order(values: list[Any]) -> None:
    found = call("sort", values)
    assert equal(found, ordered(values))
    assert equal(call("min", values), found[0])
    assert equal(call("max", values), found[-1])
    members = make_set(values)
    assert equal(call("min", members), found[0])
    assert equal(call("max", members), found[-1])


@given(VALUES | SCALARS, st.lists(VALUES | st.booleans() | st.integers(0, 1), max_size=6))
def test_membership_is_equality_with_some_member(value: Any, values: list[Any]) -> None:
    expected = any(equal(value, item) for item in values)
    assert call("internal.member_2", value, values) is expected
    assert call("internal.member_2", value, make_set(values)) is expected
    assert call("internal.member_2", value, {str(place): item for place, item in enumerate(values)}) is expected
    assert call("internal.member_3", 0, value, values) is (bool(values) and equal(value, values[0]))


@given(st.lists(VALUES, max_size=6).map(make_set))
def test_every_member_of_a_set_is_in_it_at_itself(values: set[Any]) -> None:
    for member in map(plain, values):
        assert call("internal.member_2", member, values)
        assert call("internal.member_3", member, member, values)


@pytest.mark.parametrize("name", declared(aggregates))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
