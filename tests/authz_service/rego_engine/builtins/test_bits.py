"""Whole numbers as bits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins import bits
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("bits.or", [0b1100, 0b1010], 0b1110),
    ("bits.and", [0b1100, 0b1010], 0b1000),
    ("bits.xor", [0b1100, 0b1010], 0b0110),
    ("bits.and", [-1, 2**80], 2**80),
    ("bits.negate", [41], -42),
    ("bits.lsh", [3, 80], 3 * 2**80),
    ("bits.lsh", [-1, 3], -8),
    ("bits.rsh", [1000, 3], 125),
    ("bits.rsh", [-9, 1], -5),
    ("bits.rsh", [-9, 200], -1),
    ("bits.rsh", [9, 200], 0),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_bits_are_those_of_two_s_complement(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


@pytest.mark.parametrize(
    ("name", "operands", "text"),
    [
        ("bits.or", [1.5, 1], "operand 1 must be integer number but got floating-point number"),
        ("bits.and", [1, "1"], "operand 2 must be integer but got string"),
        ("bits.xor", [True, 1], "operand 1 must be integer but got boolean"),
        ("bits.negate", [None], "operand 1 must be integer but got null"),
        ("bits.lsh", [1, -1], "operand 2 must be an unsigned integer number but got a negative integer"),
        ("bits.rsh", [1, -1], "operand 2 must be an unsigned integer number but got a negative integer"),
    ],
)
def test_what_is_no_whole_number_is_a_fault(name: str, operands: list[Value], text: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (TYPE_ERROR, text)


def test_a_shift_cannot_fill_the_memory() -> None:
    assert fault("bits.lsh", 1, 10**18).code == BUILTIN_ERROR
    assert fault("bits.lsh", 1, numbers.MAX_BITS).code == BUILTIN_ERROR
    assert call("bits.lsh", 0, 10**18) == 0
    assert call("bits.rsh", 5, 10**30) == 0


@given(st.integers(), st.integers(0, 200))
def test_shifting_there_and_back_changes_nothing(value: int, places: int) -> None:
    assert call("bits.rsh", call("bits.lsh", value, places), places) == value


@given(st.integers(), st.integers())
def test_either_is_both_and_one_only(left: int, right: int) -> None:
    both, one_only = call("bits.and", left, right), call("bits.xor", left, right)
    assert call("bits.or", left, right) == both + one_only
    assert call("bits.and", both, one_only) == 0


@pytest.mark.parametrize("name", declared(bits))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
