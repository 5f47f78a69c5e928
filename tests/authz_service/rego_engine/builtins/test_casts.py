"""Values of one type as another's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins import casts
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import (
    DECIMALS,
    FRACTIONS,
    VALUES,
    call,
    call_with_anything,
    declared,
    fault,
)

CASES: list[tuple[str, list[Value], Value]] = [
    ("to_number", [None], 0),
    ("to_number", [True], 1),
    ("to_number", [False], 0),
    ("to_number", [12.5], 12.5),
    ("to_number", ["42"], 42),
    ("to_number", ["-42.0"], -42),
    ("to_number", ["+7"], 7),
    ("to_number", ["007"], 7),
    ("to_number", [".5"], 0.5),
    ("to_number", ["5."], 5),
    ("to_number", ["1_000.2_5"], 1000.25),
    ("to_number", ["-1.5E2"], -150),
    ("to_number", ["-0"], 0),
    ("to_number", ["18446744073709551617"], 2**64 + 1),
    ("to_number", ["0.1"], 0.1),
    ("cast_array", [[2, 1]], [2, 1]),
    ("cast_array", [make_set([2, 1, True])], [True, 1, 2]),
    ("cast_set", [[2, 1, 2]], make_set([1, 2])),
    ("cast_set", [make_set([1])], make_set([1])),
    ("cast_string", ["a"], "a"),
    ("cast_boolean", [False], False),
    ("cast_null", [None], None),
    ("cast_object", [{"a": 1}], {"a": 1}),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_a_value_is_cast_as_opa_casts_it(name: str, operands: list[Value], result: Value) -> None:
    found = call(name, *operands)
    assert (found, type(found)) == (result, type(result))


def test_a_number_s_text_keeps_more_digits_than_a_double_has() -> None:
    assert call("to_number", "0.1234567890123456789012345") == Decimal("0.1234567890123456789012345")
    assert call("to_number", "1e-400") == Decimal("1e-400")


@pytest.mark.parametrize(
    "text",
    ["", " 1", "1 ", "1,5", "1.2.3", "e5", "1e", "--1", ".", "_1", "1__0", "1_", "1._5", "broken", "٣", "1\x00",
     "\ud800", "0x10", "0b1"],
)  # fmt: skip
def test_what_spells_no_number_is_a_fault(text: str) -> None:
    found = fault("to_number", text)
    assert (found.code, found.text) == (BUILTIN_ERROR, "invalid syntax")


@pytest.mark.parametrize("text", ["1e309", "-1e400", "9" * 310, "1e-5000"])
def test_a_number_that_is_too_large_or_too_small_is_a_fault(text: str) -> None:
    found = fault("to_number", text)
    assert (found.code, found.text) == (BUILTIN_ERROR, "value out of range")


@pytest.mark.parametrize("text", ["1e99999999999999999999", "1" * (casts.MAX_DIGITS + 1), "0" * 10**6])
def test_a_number_s_text_has_a_bound(text: str) -> None:
    assert fault("to_number", text).code == BUILTIN_ERROR


@pytest.mark.parametrize("text", ["nan", "NaN", "-NaN", "inf", "+Inf", "-infinity", "iNf"])
def test_what_stands_for_no_finite_number_has_the_wrong_type(text: str) -> None:
    found = fault("to_number", text)
    assert (found.code, found.text) == (TYPE_ERROR, "operand 1 must be valid number string but got string")


@pytest.mark.parametrize(
    ("name", "operand", "text"),
    [
        ("to_number", [], "operand 1 must be one of {null, boolean, number, string} but got array"),
        ("cast_array", {}, "operand 1 must be one of {array, set} but got object"),
        ("cast_set", "a", "operand 1 must be one of {array, set} but got string"),
        ("cast_string", 1, "operand 1 must be string but got number"),
        ("cast_boolean", 1, "operand 1 must be boolean but got number"),
        ("cast_null", False, "operand 1 must be null but got boolean"),
        ("cast_object", [], "operand 1 must be object but got array"),
    ],
)
def test_what_cannot_be_cast_is_a_fault(name: str, operand: Value, text: str) -> None:
    found = fault(name, operand)
    assert (found.code, found.text) == (TYPE_ERROR, text)


@given(st.integers(-(10**300), 10**300) | FRACTIONS | DECIMALS)
def test_a_number_s_text_is_that_number(value: Any) -> None:
    assert call("to_number", numbers.text(value)) == value


@given(st.lists(VALUES, max_size=5))
def test_an_array_of_a_set_has_its_members(values: list[Any]) -> None:
    members = make_set(values)
    assert call("cast_set", values) == members
    assert call("cast_set", call("cast_array", members)) == members


@pytest.mark.parametrize("name", declared(casts))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
