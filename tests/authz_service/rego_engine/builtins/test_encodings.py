"""Base64, base64url and hexadecimal digits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import encodings
from authz_service.rego_engine.builtins.texts import from_octets
from authz_service.rego_engine.errors import BUILTIN_ERROR, BuiltinFault
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("base64.encode", ["grün?"], "Z3LDvG4/"),
    ("base64.encode", [""], ""),
    ("base64.decode", ["Z3LDvG4/"], "grün?"),
    ("base64.decode", ["Z3I\n=\r\n"], "gr"),
    ("base64.is_valid", ["Z3I="], True),
    ("base64.is_valid", ["Z3I"], False),
    ("base64.is_valid", ["Z3IA="], False),
    ("base64.is_valid", ["Z3_-"], False),
    ("base64url.encode", ["grün?>"], "Z3LDvG4_Pg=="),
    ("base64url.encode_no_pad", ["grün?>"], "Z3LDvG4_Pg"),
    ("base64url.decode", ["Z3LDvG4_Pg=="], "grün?>"),
    ("base64url.decode", ["Z3LDvG4_Pg"], "grün?>"),
    ("hex.encode", ["grün"], "6772c3bc6e"),
    ("hex.decode", ["6772C3bc6e"], "grün"),
    ("hex.decode", [""], ""),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_texts_are_encoded_and_decoded_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


def test_what_is_no_text_is_no_base64() -> None:
    assert call("base64.is_valid", 1) is False


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("base64.decode", "Z3_-", "illegal base64 data at input byte"),
        ("base64.decode", "Z3IA=", "illegal base64 data at input byte"),
        ("base64url.decode", "Z", "illegal base64"),
        ("base64url.decode", "Z3IA=", "illegal base64 data at input byte"),
        ("base64url.decode", "Z3+/", "illegal base64 data at input byte"),
        ("hex.decode", "6g", "encoding/hex: invalid byte: U+0067 'g'"),
        ("hex.decode", "ü", "encoding/hex: invalid byte: U+00C3 'Ã'"),
        ("hex.decode", "1\x00", "encoding/hex: invalid byte: U+0000"),
        ("hex.decode", "123", "encoding/hex: odd length hex string"),
    ],
)
def test_a_text_that_decodes_to_nothing_is_a_fault(name: str, text: str, reason: str) -> None:
    found = fault(name, text)
    assert found.code == BUILTIN_ERROR
    assert found.text.startswith(reason)


ENCODINGS = [
    ("base64.encode", "base64.decode"),
    ("base64url.encode", "base64url.decode"),
    ("base64url.encode_no_pad", "base64url.decode"),
    ("hex.encode", "hex.decode"),
]


@pytest.mark.parametrize(("encode", "decode"), ENCODINGS)
@given(data=st.binary(max_size=40))
def test_octets_of_any_kind_come_back(encode: str, decode: str, data: bytes) -> None:
    text = from_octets(data)
    assert call(decode, call(encode, text)) == text


@given(st.binary(max_size=12))
def test_decoded_octets_are_the_same_in_every_encoding(data: bytes) -> None:
    decoded = call("base64.decode", call("base64.encode", from_octets(data)))
    assert call("hex.encode", decoded) == data.hex()


@pytest.mark.parametrize("name", declared(encodings))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


@given(st.text("aQ=w\n-_+/", max_size=9))
def test_base64_is_valid_exactly_where_it_decodes(text: str) -> None:
    try:
        call("base64.decode", text)
    except BuiltinFault:
        assert call("base64.is_valid", text) is False
    else:
        assert call("base64.is_valid", text) is True
