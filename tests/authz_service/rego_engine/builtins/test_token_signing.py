"""Tokens that are made."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import token_signing
from authz_service.rego_engine.builtins.token_signing import MAX_OCTETS
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault
from tests.authz_service.rego_engine.builtins.token_examples import ALGORITHMS, jwk, private

SIGN = "io.jwt.encode_sign"
RAW = "io.jwt.encode_sign_raw"
OCT = {"kty": "oct", "k": "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}
OCT_TEXT = json.dumps(OCT)


def content(token: str, number: int) -> bytes:
    """Return a part of a token."""
    found = token.split(".")[number]
    return base64.urlsafe_b64decode(found + "=" * (-len(found) % 4))


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_another_library_accepts_a_token(algorithm: str) -> None:
    own = jwk(algorithm, public=False)
    payload = {"a": [1, "é"]}
    for token in (
        call(SIGN, {"alg": algorithm}, payload, own),
        call(RAW, json.dumps({"alg": algorithm}), json.dumps(payload), json.dumps(own)),
        call(SIGN, {"alg": algorithm}, payload, {"keys": [own]}),
    ):
        assert jwt.decode(token, private(algorithm).public_key(), [algorithm]) == payload


def test_objects_are_written_with_their_names_in_order_and_sets_as_arrays() -> None:
    token = call(SIGN, {"typ": "JWT", "alg": "HS256"}, {"b": {"y", "x"}, "a": "<"}, OCT)
    assert content(token, 0) == b'{"alg":"HS256","typ":"JWT"}'
    assert content(token, 1) == b'{"a":"\\u003c","b":["x","y"]}'


def test_texts_are_signed_as_they_stand() -> None:
    token = call(RAW, '{ "alg":"HS256", "typ":"text/plain" }', "a b", OCT_TEXT)
    assert content(token, 0) == b'{ "alg":"HS256", "typ":"text/plain" }'
    assert content(token, 1) == b"a b"


@pytest.mark.parametrize(
    ("headers", "payload", "key", "expected"),
    [
        ("", "{}", OCT_TEXT, "missing or invalid 'alg' header: cannot parse JSON: cannot parse empty string"),
        ("{", "{}", OCT_TEXT, "missing or invalid 'alg' header: cannot parse JSON"),
        ("e", "{}", OCT_TEXT, "missing or invalid 'alg' header: jwsbb: header \"alg\" not found"),
        ("{}", "{}", OCT_TEXT, "missing or invalid 'alg' header: jwsbb: header \"alg\" not found"),
        ("[]", "{}", OCT_TEXT, 'header "alg" not found'),
        ('{"alg":5}', "{}", OCT_TEXT, "value doesn't contain string; it contains number"),
        ('{"alg":"none"}', "{}", OCT_TEXT, "unknown JWS algorithm: none"),
        ('{"alg":"HS256"}', "", OCT_TEXT, "type is JWT but payload is not JSON"),
        ('{"alg":"HS256","typ":"JWT"}', "x", OCT_TEXT, "type is JWT but payload is not JSON"),
        ('{"alg":"HS256","typ":4}', "NaN", OCT_TEXT, "type is JWT but payload is not JSON"),
        ('{"alg":"HS256"}', "{}", "", "failed to parse the key"),
        ('{"alg":"HS256"}', "{}", "{}", "invalid key type from JSON"),
        ('{"alg":"HS256"}', "{}", '{"keys":[]}', "no keys found in JWK set"),
        ('{"alg":"RS256"}', "{}", OCT_TEXT, "invalid key type for the algorithm"),
        ('{"alg":"HS256"}', " " * (MAX_OCTETS + 1), OCT_TEXT, f"longer than {MAX_OCTETS} octets"),
    ],
)
def test_a_token_that_cannot_be_made_is_a_fault(headers: str, payload: str, key: str, expected: str) -> None:
    assert expected in fault(RAW, headers, payload, key).text


def test_a_public_key_signs_nothing() -> None:
    for algorithm in ALGORITHMS:
        assert "invalid key type" in fault(SIGN, {"alg": algorithm}, {}, jwk(algorithm)).text


@pytest.mark.parametrize("payload", ["1", "[1, 2]", " null ", "1" * 5_000, '"\u2028"'])
def test_any_json_is_a_payload(payload: str) -> None:
    assert content(call(RAW, '{"alg":"HS256"}', payload, OCT_TEXT), 1) == payload.encode()


def test_a_key_too_small_for_its_digest_is_a_fault() -> None:
    small: dict[str, Any] = {"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB", "p": "Aw", "q": "BQ"}
    fault(SIGN, {"alg": "RS512"}, {}, small)


@pytest.mark.parametrize("name", declared(token_signing))
@given(st.data())
def test_no_operands_whatever_break_them(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
