"""Octets of operands, JSON and base64."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins.octets import (
    from_base64,
    from_base64url,
    json_octets,
    to_base64,
    to_base64url,
    utf8,
)
from authz_service.rego_engine.errors import BuiltinFault, OperandFault


@given(st.binary())
def test_octets_survive_both_base64s(data: bytes) -> None:
    """With padding and without."""
    assert from_base64(to_base64(data)) == data
    assert from_base64url(to_base64url(data)) == data
    assert from_base64url(base64.urlsafe_b64encode(data).decode()) == data


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("AA=", 3), ("A", 0), ("foobar", 4), ("A A=", 1), ("=", 0), ("AA==AA==", 4), ("AA=A", 3), ("AAA===", 4),
        ("AA\n?=", 3), ("AAéA", 2), ("AAAA====", 4), ("A===", 1),
    ],
)  # fmt: skip
def test_base64_that_is_wrong_is_told_by_the_place_where_it_goes_wrong(text: str, offset: int) -> None:
    """As OPA counts the place."""
    with pytest.raises(BuiltinFault) as caught:
        from_base64(text)
    assert caught.value.text == f"illegal base64 data at input byte {offset}"


@pytest.mark.parametrize(("text", "data"), [("", b""), ("AAA=\r\n", b"\0\0"), ("A\nA==", b"\0"), ("YR==", b"a")])
def test_line_ends_and_bits_left_over_count_for_nothing(text: str, data: bytes) -> None:
    assert from_base64(text) == data


@pytest.mark.parametrize("text", ["A", "a+b/", "Zg=", "secret.?"])
def test_base64url_that_is_wrong_is_not_quoted(text: str) -> None:
    """It may be a token."""
    with pytest.raises(BuiltinFault) as caught:
        from_base64url(text)
    assert text not in caught.value.text or len(text) == 1


@given(st.text())
def test_no_text_whatever_breaks_the_reading(text: str) -> None:
    for read in (from_base64, from_base64url):
        try:
            read(text)
        except BuiltinFault:
            continue


def test_json_is_written_as_it_is_signed() -> None:
    assert json_octets({"b": {1}, "a": "<é>\u2028"}) == b'{"a":"\\u003c\xc3\xa9\\u003e\\u2028","b":[1]}'


def test_an_operand_that_is_no_string_is_refused() -> None:
    assert utf8("é", 1) == b"\xc3\xa9"
    with pytest.raises(OperandFault, match="operand 2 must be string but got number"):
        utf8(1, 2)
