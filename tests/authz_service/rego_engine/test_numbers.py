"""Numbers: whole ones exactly, the others by a mantissa of 64 bits."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine import numbers
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.numbers import MAX_BITS, MAX_EXPONENT, Number, parse, text
from tests.authz_service.rego_engine.builtins.operands import NUMBERS

WORK: Final[dict[str, Callable[[Number, Number], Number]]] = {
    "+": numbers.add, "-": numbers.subtract, "*": numbers.multiply, "/": numbers.divide,
}  # fmt: skip

# Each result as `opa eval -f raw` prints it.
RESULTS: Final = """
0.1 + 0.2 = 0.3
0.3 - 0.1 = 0.20000000000000000002
1 / 3 = 0.33333333333333333334
2 / 3 = 0.6666666666666666667
10 / 4 = 2.5
7 / 7 = 1
1 / 7 = 0.14285714285714285714
-1 / 3 = -0.33333333333333333334
0.1 * 3 = 0.3
1.1 * 1.1 = 1.21
0.5 + 0.5 = 1
1.5 * 2 = 3
1e-7 + 0 = 1e-07
1e-7 + 1e-8 = 1.1e-07
1e20 + 0.5 = 100000000000000000000
1e22 * 1.5 = 15000000000000000000000
9007199254740993 + 0 = 9007199254740993
18446744073709551615 + 1 = 18446744073709551616
18446744073709551616 * 18446744073709551616 = 340282366920938463463374607431768211456
18446744073709551615 + 0.5 = 18446744073709551616
100000000000000000000000 / 3 = 33333333333333333334000
100000000000000000000000 - 1 = 99999999999999999999999
1e-300 * 1e-300 = 9.9999999999999999994e-601
0.000001 * 0.1 = 1.00000000000000000005e-07
4.35 * 100 = 435
1.005 * 1000 = 1005
3.3 - 1.1 = 2.1999999999999999998
2.675 * 100 = 267.5
1 / 1024 = 0.0009765625
1 / 1e10 = 1e-10
-0.1 - 0.2 = -0.3
0.1 - 0.1 = 0
5e-324 / 2 = 2.5e-324
99999999999999999999 + 0.1 = 100000000000000000000
0.333333333333333333333333333333 + 0 = 0.33333333333333333334
1e3 / 8 = 125
22 / 7 = 3.1428571428571428572
1e-3 * 1e-1 = 9.9999999999999999995e-05
1000000000000000000000.5 + 0 = 1000000000000000000000
""".strip().splitlines()

# Those of a million or more that have a fraction: the value alone, which is spelt in another way here.
VALUES: Final = """
123456789.123 + 0.001 = 1.23456789123999999996e+08
9007199254740993 + 0.5 = 9.0071992547409935e+15
1e10 / 3 = 3.3333333333333333333e+09
1e15 + 0.3 = 1.0000000000000003e+15
1234567.5 + 0.25 = 1.23456775e+06
""".strip().splitlines()


def worked_out(row: str) -> tuple[Number, str]:
    """Return what one row of a table comes to, and what it should."""
    left, sign, right, _, expected = row.split()
    return WORK[sign](parse(left), parse(right)), expected


@pytest.mark.parametrize("row", RESULTS)
def test_results_are_written_as_opa_writes_them(row: str) -> None:
    found, expected = worked_out(row)
    assert text(found) == expected


@pytest.mark.parametrize("row", VALUES)
def test_results_have_the_value_that_opa_gives_them(row: str) -> None:
    found, expected = worked_out(row)
    assert found == parse(expected)


@given(st.integers(), st.integers())
def test_sums_and_products_of_whole_numbers_are_exact(left: int, right: int) -> None:
    assert numbers.add(left, right) == left + right
    assert numbers.subtract(left, right) == left - right
    assert numbers.multiply(left, right) == left * right


@given(NUMBERS, NUMBERS, st.sampled_from(sorted(WORK)))
def test_a_result_is_within_half_a_unit_of_the_sixty_fourth_bit(left: Number, right: Number, sign: str) -> None:
    """Of operands that have been rounded so themselves; and what is written reads as the same number."""
    if sign == "/" and right == 0:
        return
    try:
        found = WORK[sign](left, right)
    except (BuiltinFault, ValueError):
        return
    one, two = (Fraction(numbers.decimal(each)) for each in (left, right))
    near = Fraction(1, 2**63)
    exact = {"+": one + two, "-": one - two, "*": one * two, "/": one / two if two else one}[sign]
    slack = (abs(one) + abs(two)) * near if sign in "+-" else abs(exact) * near * 4
    assert abs(Fraction(numbers.decimal(found)) - exact) <= slack + abs(exact) * near
    assert parse(text(found)) == found


@given(NUMBERS)
def test_a_number_reads_as_what_it_was_written_from(value: Number) -> None:
    found = parse(text(value))
    assert found == numbers.from_decimal(numbers.decimal(value))
    assert text(found) == text(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**25), max_value=10**25))
def test_one_number_has_one_representation(value: Decimal) -> None:
    """Whole numbers are int; a fraction is a float only where the float is spelt as that very decimal."""
    found = numbers.from_decimal(value)
    assert numbers.decimal(found) == value
    assert (type(found) is int) == (value == value.to_integral_value())
    if type(found) is float:
        assert Decimal(repr(found)) == value


@given(NUMBERS)
def test_equal_numbers_are_equal_for_python_and_have_one_hash(value: Number) -> None:
    again = numbers.from_decimal(numbers.decimal(value))
    assert again == numbers.normalize(value)
    assert hash(again) == hash(numbers.normalize(value))


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "+1",
        ".5",
        "1.",
        "01",
        "-01",
        "1e",
        "1e+",
        "0x1",
        "1_000",
        " 1",
        "1 ",
        "1\n",
        "NaN",
        "inf",
        "\uff11",
        "--1",
        "1e1.5",
    ],
)  # fmt: skip
def test_text_outside_the_grammar_is_no_number(wrong: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        parse(wrong)


@pytest.mark.parametrize(
    "large",
    [
        f"1e{MAX_EXPONENT + 1}", f"-1e{MAX_EXPONENT + 1}", f"1e-{MAX_EXPONENT + 1}", "1e999999999999",
        "1e-999999999999", "9" * (MAX_EXPONENT + 1), f"0.{'1' * MAX_EXPONENT}", "1e99999999999999999999",
        "1e-99999999999999999999", "1e" + "9" * 3_000,
    ],
)  # fmt: skip
def test_a_number_out_of_bounds_is_refused_at_once(large: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        parse(large)


@pytest.mark.parametrize(
    "wide", [f"1e{MAX_EXPONENT - 1}", f"1e-{MAX_EXPONENT}", "9" * MAX_EXPONENT, f"0.{'1' * 3_000}"]
)
def test_a_number_within_bounds_reads_exactly_and_can_be_written(wide: str) -> None:
    assert Fraction(numbers.decimal(parse(wide))) == Fraction(wide)
    assert parse(text(parse(wide))) == parse(wide)


def test_zero_has_no_exponent_and_no_sign() -> None:
    assert [text(parse(each)) for each in ("0", "-0", "-0.0", "0e99999", "0.000e-99999")] == ["0"] * 5


def test_a_whole_number_that_grows_too_large_is_a_fault() -> None:
    most = 2**MAX_BITS - 1
    assert numbers.add(most, 0) == most
    for sign, left, right in (("+", most, 1), ("*", most, 2), ("*", 2**7_000, 2**7_000), ("-", -most, 1)):
        with pytest.raises(BuiltinFault, match="larger"):
            WORK[sign](left, right)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_no_number_is_a_fault(value: float) -> None:
    with pytest.raises(BuiltinFault, match="finite"):
        numbers.normalize(value)


@pytest.mark.parametrize(
    ("value", "whole"), [(1, True), (0.5, False), (Decimal("0.1"), False), (-3, True), (2.0, True)]
)
def test_whole_numbers_are_told_from_others(value: Number, whole: bool) -> None:  # noqa: FBT001  (a table's column)
    assert numbers.is_whole(value) == whole


@given(
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})\.[0-9]{1,20}", fullmatch=True)
    | st.from_regex(r"-?(0|[1-9][0-9]{0,3})(\.[0-9]{1,3})?[eE][+-]?[0-9]{1,4}", fullmatch=True)
    | st.from_regex(r"-?0\.0{1,330}[1-9]{0,20}0{0,3}", fullmatch=True)
    | st.from_regex(r"-?[1-9][0-9]{14,400}\.[0-9]{1,3}", fullmatch=True)
    | st.floats(allow_nan=False, allow_infinity=False).map(lambda value: f"{value:.400f}")
)
def test_a_number_of_a_body_is_the_number_that_it_is_anywhere(text: str) -> None:
    try:
        expected = numbers.parse(text)
    except ValueError:
        with pytest.raises(ValueError, match="not a number"):
            numbers.parse_fraction(text)
        return
    assert repr(numbers.parse_fraction(text)) == repr(expected)
