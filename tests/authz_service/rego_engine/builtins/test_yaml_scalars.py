"""What scalars of YAML stand for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins.yaml_scalars import must_quote, resolve
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Null", None),
        ("True", True),
        ("0x_1F", 31),
        ("-0b11", -3),
        ("09", 9),
        ("1.", 1),
        ("-.5E1", -5),
        ("1e-3", 0.001),
        ("18446744073709551616", 18446744073709552000),
        ("+9223372036854775808", 9223372036854776000),
        ("tRUE", "tRUE"),
        ("1e999", "1e999"),
        ("1_", 1),
        ("._5", "._5"),
        ("0x", "0x"),
        ("--1", "--1"),
        ("٣", "٣"),
        ("9" * 500, "9" * 500),
    ],
)
def test_a_plain_scalar_stands_for_a_value(text: str, value: Value) -> None:
    found = resolve(text)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize("text", [".inf", "-.Inf", "+.INF", ".nan", ".NaN"])
def test_what_is_not_finite_is_no_value(text: str) -> None:
    with pytest.raises(BuiltinFault):
        resolve(text)
    assert must_quote(text)


@pytest.mark.parametrize("text", ["", "~", "no", "Off", "Y", "1", "0x1", "1e3", "1:30:00", "2024-5-6 10:00", "<<"])
def test_a_string_that_some_reader_takes_for_another_value_must_be_quoted(text: str) -> None:
    assert must_quote(text)


@pytest.mark.parametrize("text", ["none", "1.2.3", "v1", "2024-05", "a:b", "nO"])
def test_any_other_string_may_stand_plainly(text: str) -> None:
    assert not must_quote(text)


@given(st.text("0123456789_+-.eExboaf:~", max_size=10))
def test_whatever_need_not_be_quoted_stands_for_itself(text: str) -> None:
    if not must_quote(text):
        assert resolve(text) == text
