"""Random numbers within an evaluation."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import random_numbers
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.errors import TYPE_ERROR
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault


def test_a_random_number_is_the_same_for_the_same_operands_within_one_evaluation() -> None:
    context = Context()
    first = random_numbers.random_below(context, "a", 2**60)
    assert random_numbers.random_below(context, "a", 2**60) == first
    assert random_numbers.random_below(context, "a", -(2**60)) == first
    assert random_numbers.random_below(context, "b", 2**60) != first
    assert random_numbers.random_below(Context(), "a", 2**60) != first


def test_a_name_that_looks_like_another_s_operands_is_its_own() -> None:
    context = Context()
    assert random_numbers.random_below(context, "a-1", 2**60) != random_numbers.random_below(context, "a", 2**60 + 1)


def test_a_random_number_comes_from_the_evaluation_s_source() -> None:
    one, two = (random_numbers.random_below(Context(random=random.Random(7)), "a", 100) for _ in range(2))
    assert one == two


def test_below_zero_there_is_only_zero() -> None:
    assert call("rand.intn", "a", 0) == 0
    assert call("rand.intn", "a", 1) == 0


@pytest.mark.parametrize(
    ("operands", "text"),
    [
        ([1, 10], "operand 1 must be string but got number"),
        (["a", "10"], "operand 2 must be number but got string"),
        (["a", 1.5], "operand 2 must be integer number but got floating-point number"),
        (["a", 2**63], "operand 2 must be a number of at most 63 bits"),
    ],
)
def test_what_is_no_limit_is_a_fault(operands: list[Value], text: str) -> None:
    found = fault("rand.intn", *operands)
    assert (found.code, found.text) == (TYPE_ERROR, text)


@given(st.text(), st.integers(-(2**63) + 1, 2**63 - 1).filter(bool))
def test_a_random_number_is_below_the_limit(name: str, limit: int) -> None:
    assert 0 <= call("rand.intn", name, limit) < abs(limit)


@pytest.mark.parametrize("name", declared(random_numbers))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
