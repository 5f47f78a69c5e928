"""The operators on numbers, rounding, ranges, and numbers as text."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins import arithmetic
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import NUMBERS, call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("plus", [20, 22], 42),
    ("plus", [2**70, 1], 2**70 + 1),
    ("plus", [0.7, 0.1], 0.8),
    ("plus", [1.5, 1.5], 3),
    ("minus", [5, 8], -3),
    ("minus", [0.3, 0.1], Decimal("0.20000000000000000002")),
    ("minus", [make_set(["a", True, 1]), make_set(["a", 1])], make_set([True])),
    ("mul", [6, 7], 42),
    ("mul", [0.1, 30], 3),
    ("mul", [2**40, 2**40], 2**80),
    ("div", [84, 2], 42),
    ("div", [-7, 2], -3.5),
    ("div", [2, 3], Decimal("0.6666666666666666667")),
    ("div", [98765432109876543210987654321, 1], 98765432109876543210000000000),
    ("rem", [17, 5], 2),
    ("rem", [-17, 5], -2),
    ("rem", [17, -5], 2),
    ("rem", [10, 2**64], 10),
    ("abs", [-5], 5),
    ("abs", [-0.25], 0.25),
    ("abs", [-98765432109876543210987654321], 98765432109876543210000000000),
    ("abs", [Decimal("-0.66666666666666666666666666666")], Decimal("0.6666666666666666667")),
    ("round", [2.5], 3),
    ("round", [-2.5], -3),
    ("round", [0.49999999999999994], 0),
    ("round", [Decimal("0.49999999999999999999999")], 1),
    ("round", [98765432109876543210987654321], 98765432109876543207199735808),
    ("ceil", [1.001], 2),
    ("ceil", [-1.999], -1),
    ("ceil", [7], 7),
    ("floor", [1.999], 1),
    ("floor", [-1.001], -2),
    ("floor", [Decimal("0.99999999999999999999999999")], 1),
    ("numbers.range", [3, 6], [3, 4, 5, 6]),
    ("numbers.range", [1, -2], [1, 0, -1, -2]),
    ("numbers.range", [4, 4], [4]),
    ("numbers.range", [2**64, 2**64 + 1], [2**64, 2**64 + 1]),
    ("numbers.range_step", [0, 7, 3], [0, 3, 6]),
    ("numbers.range_step", [7, 0, 3], [7, 4, 1]),
    ("numbers.range_step", [0, 5, 10**30], [0]),
    ("format_int", [2**65, 16], "20000000000000000"),
    ("format_int", [-15.9, 16], "-f"),
    ("format_int", [10, 2], "1010"),
    ("format_int", [64, 8], "100"),
    ("format_int", [-7, 10], "-7"),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_a_number_is_computed_as_opa_computes_it(name: str, operands: list[Value], result: Value) -> None:
    found = call(name, *operands)
    assert (found, type(found)) == (result, type(result))


@pytest.mark.parametrize(
    ("name", "operands", "code", "text"),
    [
        ("div", [1, 0], BUILTIN_ERROR, "divide by zero"),
        ("div", [0.5, 0], BUILTIN_ERROR, "divide by zero"),
        ("rem", [1, 0], BUILTIN_ERROR, "modulo by zero"),
        ("rem", [1.5, 0], BUILTIN_ERROR, "modulo on floating-point number"),
        ("plus", [1, "1"], TYPE_ERROR, "operand 2 must be number but got string"),
        ("plus", [True, 1], TYPE_ERROR, "operand 1 must be number but got boolean"),
        ("minus", ["a", 1], TYPE_ERROR, "operand 1 must be one of {number, set} but got string"),
        ("minus", [set(), 1], TYPE_ERROR, "operand 2 must be set but got number"),
        ("minus", [1, set()], TYPE_ERROR, "operand 2 must be number but got set"),
        ("minus", [set(), []], TYPE_ERROR, "operand 2 must be number but got array"),
        ("abs", [None], TYPE_ERROR, "operand 1 must be number but got null"),
        ("numbers.range", ["1", 2], TYPE_ERROR, "operand 1 must be integer but got string"),
        (
            "numbers.range",
            [1, 2.5],
            TYPE_ERROR,
            "operand 2 must be integer number but got floating-point number",
        ),
        ("numbers.range_step", [1, 2, 0], BUILTIN_ERROR, "step must be a positive integer"),
        ("format_int", [1, 3], TYPE_ERROR, "operand 2 must be one of {2, 8, 10, 16}"),
        ("format_int", [1, 2.5], TYPE_ERROR, "operand 2 must be one of {2, 8, 10, 16}"),
    ],
)
def test_a_fault_says_what_is_wrong(name: str, operands: list[Value], code: str, text: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (code, text)


def test_the_ceiling_and_floor_of_what_lies_between_minus_one_and_zero_are_those_of_arithmetic() -> None:
    """OPA 1.22 answers 1 and 0."""
    assert call("ceil", -0.5) == 0
    assert call("floor", -0.5) == -1


def test_a_range_has_a_bound() -> None:
    limit = arithmetic.MAX_RANGE
    assert len(call("numbers.range", 1, limit)) == limit
    assert str(limit) in fault("numbers.range", 0, limit).text
    assert len(call("numbers.range_step", 0, -(10**30), 10**27)) == 1001
    assert "range" in fault("numbers.range", 0, -(10**5000)).text


def test_a_result_has_a_bound() -> None:
    large = 2 ** (numbers.MAX_BITS - 1)
    assert fault("mul", large, large).code == BUILTIN_ERROR
    assert fault("plus", large, large).code == BUILTIN_ERROR
    tiny = Decimal("1e-3999")
    assert fault("mul", tiny, tiny).text == "number is out of bounds"
    assert fault("format_int", 10**5000, 10).code == BUILTIN_ERROR


@given(st.integers(), st.integers().filter(bool))
def test_quotient_and_remainder_make_up_the_dividend(dividend: int, divisor: int) -> None:
    remainder = call("rem", dividend, divisor)
    assert abs(remainder) < abs(divisor)
    assert remainder == 0 or (remainder > 0) == (dividend > 0)
    assert (dividend - remainder) % divisor == 0


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e15, max_value=1e15))
def test_a_number_lies_between_its_floor_and_its_ceiling_and_rounds_to_one_of_them(number: float) -> None:
    value = numbers.normalize(number)
    low, high = call("floor", value), call("ceil", value)
    assert low <= value <= high
    assert high - low <= 1
    assert call("round", value) in {low, high}


@given(NUMBERS, NUMBERS)
def test_a_sum_does_not_depend_on_the_order(left: Value, right: Value) -> None:
    assert call("plus", left, right) == call("plus", right, left)


@given(st.fractions())
def test_a_mantissa_is_within_a_64_bit_rounding_of_the_number(number: Fraction) -> None:
    found = arithmetic.to_mantissa(number)
    assert abs(found - number) <= abs(number) / 2**64
    assert arithmetic.to_mantissa(found) == found


@pytest.mark.parametrize("name", declared(arithmetic))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
