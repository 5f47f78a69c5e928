"""Tokens in their parts, and io.jwt.decode."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import tokens
from authz_service.rego_engine.builtins.tokens import MAX_CHARACTERS
from authz_service.rego_engine.errors import BuiltinFault
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault
from tests.authz_service.rego_engine.builtins.token_examples import coded, part

DECODE = "io.jwt.decode"
HEADER = {"alg": "HS256", "typ": "JWT"}


def test_a_token_is_decoded_without_a_look_at_its_signature() -> None:
    token = f"{part(HEADER)}.{part({'a': [1, 2.5, None]})}.{part(b'~')}"
    assert call(DECODE, token) == [HEADER, {"a": [1, 2.5, None]}, "7e"]


def test_of_equal_names_the_last_counts() -> None:
    payload = part(b'{"a":1,"a":2}')
    assert call(DECODE, f"e30.{payload}.")[1] == {"a": 2}


@pytest.mark.parametrize("quotes", ["", '"', "'"])
def test_of_nested_tokens_the_innermost_is_decoded(quotes: str) -> None:
    inner = coded(HEADER, {"in": True})
    middle = coded({"cty": "JWT"}, f"{quotes}{inner}{quotes}".encode())
    assert call(DECODE, coded({"cty": "JWT"}, middle.encode()))[1] == {"in": True}


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("abc", "encoded JWT had no period separators"),
        ("a.b", "encoded JWT must have 3 sections, found 2"),
        ("a.b.c.d", "encoded JWT must have 3 sections, found 4"),
        ("e3?w.e30.", "JWT header had invalid encoding: illegal base64 data at input byte 2"),
        ("e30.e3/w.", "JWT payload had invalid encoding: illegal base64 data at input byte 2"),
        ("e30.e30.(bcd", "JWT signature had invalid encoding: illegal base64 data at input byte 0"),
        ("bnVsbA.e30.", "bad JWT header: decoded JSON type was not an Object"),
        ("e3.e30.", "bad JWT header: invalid JSON"),
        ("e30.W10.", "decoded JSON type was not an Object"),
        (f"{part({'enc': 1})}.e30.", "JWT is a JWE object, which is not supported"),
        (f"{part({'cty': 1})}.e30.", "cty: must be a string"),
        ("a" * (MAX_CHARACTERS + 1), f"encoded JWT is longer than {MAX_CHARACTERS} characters"),
    ],
)
def test_what_is_no_token_is_a_fault(token: str, expected: str) -> None:
    assert fault(DECODE, token).text == expected


@pytest.mark.parametrize("secret", ["hunter2", "hunter2~", "hunter234", part(b"[hunter2"), part(b'"hunter2"')])
def test_no_fault_quotes_a_token(secret: str) -> None:
    """It is as good as a password."""
    for token in (secret, f"{secret}.e30.", f"e30.{secret}.", f"e30.W10.{secret}", f"{part({'cty': 'JWT'})}.{secret}."):
        found = fault(DECODE, token).text
        assert secret not in found
        assert "hunter2" not in found


@pytest.mark.parametrize("depth", [60, 5_000])
def test_a_deep_payload_has_a_result_or_a_fault(depth: int) -> None:
    payload = part(b'{"a":' + b"[" * depth + b"]" * depth + b"}")
    token = f"e30.{payload}."
    if depth > 1_000:
        fault(DECODE, token)
    else:
        call(DECODE, token)


@pytest.mark.parametrize("name", declared(tokens))
@given(st.data())
def test_no_operands_whatever_break_it(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


@given(st.binary(max_size=20), st.binary(max_size=20))
def test_no_octets_whatever_break_it(header: bytes, payload: bytes) -> None:
    for token in (f"{part(header)}.e30.", f"e30.{part(payload)}.", f"{part({'cty': 'JWT'})}.{part(payload)}."):
        try:
            call(DECODE, token)
        except BuiltinFault:
            continue
