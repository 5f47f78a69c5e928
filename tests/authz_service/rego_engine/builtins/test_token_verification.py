"""Tokens held to keys and to constraints."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import token_signing, token_verification  # noqa: F401  (declares them)
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.registry import TABLE
from authz_service.rego_engine.errors import BuiltinFault
from tests.authz_service.rego_engine.builtins.certificate_examples import public_pem
from tests.authz_service.rego_engine.builtins.operands import VALUES, call, call_with_anything, declared, fault
from tests.authz_service.rego_engine.builtins.token_examples import (
    ALGORITHMS,
    SECRET,
    coded,
    jwk,
    part,
    private,
    signed,
)

SECOND = 1_000_000_000
NOW = 1_700_000_000
UNVERIFIED = [False, {}, {}]
HS256 = {"alg": "HS256"}


def decode_verify(token: object, now: int = NOW * SECOND, **constraints: Any) -> Any:
    """Hold a token to constraints at a time."""
    return TABLE["io.jwt.decode_verify"].function(Context(time_ns=now), token, constraints)


def fault_of(token: object, **constraints: Any) -> str:
    """Return the text of the fault."""
    with pytest.raises(BuiltinFault) as caught:
        decode_verify(token, **constraints)
    return caught.value.text


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_signature_is_verified_by_its_own_key_and_algorithm(algorithm: str) -> None:
    name = f"io.jwt.verify_{algorithm.lower()}"
    token = signed(algorithm, {"a": 1})
    for text in (public_pem(private(algorithm)), json.dumps(jwk(algorithm))):
        assert call(name, token, text) is True
        assert call(name, token[:-8] + "AAAAAAAA", text) is False
    assert call(name, token, public_pem(private(algorithm, 1))) is False


@pytest.mark.parametrize("size", [256, 384, 512])
def test_a_code_is_verified_by_its_secret(size: int) -> None:
    name = f"io.jwt.verify_hs{size}"
    token = jwt.encode({"a": 1}, "s" * 64, f"HS{size}")
    assert call(name, token, "s" * 64) is True
    assert call(name, token, "x") is False


def test_the_token_s_own_algorithm_does_not_count_where_the_policy_names_one() -> None:
    assert call("io.jwt.verify_hs256", coded({"alg": "none"}, {}), SECRET) is True


def test_a_key_is_found_by_its_identifier() -> None:
    """And then by it alone."""
    token = signed("ES256", {}, kid="one")
    right, wrong = jwk("ES256", kid="one"), jwk("ES256", 1, kid="one")
    other = jwk("ES256", kid="two")
    for keys, valid in (([wrong, right], False), ([other, right], True), ([wrong, other], False), ([other], True)):
        text = json.dumps({"keys": keys})
        assert call("io.jwt.verify_es256", token, text) is valid
        assert decode_verify(token, cert=text)[0] is valid


def test_a_key_of_another_algorithm_is_not_tried() -> None:
    token = signed("RS256", {})
    text = json.dumps(jwk("RS256", alg="RS512"))
    assert call("io.jwt.verify_rs256", token, text) is False
    assert decode_verify(token, cert=text) == UNVERIFIED


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_that_meets_its_constraints_is_decoded(algorithm: str) -> None:
    token = signed(algorithm, {"a": 1})
    text = public_pem(private(algorithm))
    assert decode_verify(token, cert=text) == [True, {"alg": algorithm}, {"a": 1}]
    assert decode_verify(token, cert=text, alg=algorithm)[0] is True
    assert decode_verify(token, cert=text, alg="HS256") == UNVERIFIED
    assert decode_verify(token, cert=public_pem(private(algorithm, 1))) == UNVERIFIED


def test_a_public_key_is_no_shared_secret() -> None:
    """A token must not choose HS256 to have its public key taken for the secret."""
    text = public_pem(private("RS256"))
    assert decode_verify(coded(HS256, {}, secret=text), cert=text) == UNVERIFIED


@pytest.mark.parametrize("algorithm", ["none", "", "HS999", "hs256"])
def test_an_algorithm_that_is_not_known_verifies_nothing(algorithm: str) -> None:
    token = f"{part({'alg': algorithm})}.{part({})}."
    assert decode_verify(token, secret=SECRET) == UNVERIFIED
    assert decode_verify(coded({"alg": algorithm}, {}), secret=SECRET) == UNVERIFIED


@pytest.mark.parametrize(
    ("header", "valid"),
    [
        ({}, True),
        ({"crit": ["x"]}, True),
        ({"crit": ["x"], "x": 1}, False),
        ({"crit": ["alg"]}, True),
        ({"x": 1}, True),
    ],
)
def test_a_critical_header_must_be_understood(header: dict[str, Any], *, valid: bool) -> None:
    assert decode_verify(coded(HS256 | header, {}), secret=SECRET)[0] is valid


@pytest.mark.parametrize(
    ("payload", "constraints", "valid"),
    [
        ({"iss": "i"}, {"iss": "i"}, True),
        ({"iss": "j"}, {"iss": "i"}, False),
        ({"iss": 1}, {"iss": "i"}, False),
        ({}, {"iss": "i"}, False),
        ({"iss": "i"}, {}, True),
        ({"aud": "a"}, {"aud": "a"}, True),
        ({"aud": ["b", "a"]}, {"aud": "a"}, True),
        ({"aud": ["b", 1]}, {"aud": "a"}, False),
        ({"aud": "b"}, {"aud": "a"}, False),
        ({"aud": 1}, {"aud": "1"}, False),
        ({}, {"aud": "a"}, False),
        ({"aud": "a"}, {}, False),
        ({"aud": ["a"]}, {}, False),
        ({"exp": NOW + 1}, {}, True),
        ({"exp": NOW}, {}, False),
        ({"exp": NOW + 0.5}, {}, True),
        ({"nbf": NOW}, {}, True),
        ({"nbf": NOW + 1}, {}, False),
        ({"nbf": NOW + 0.5}, {}, False),
        ({"exp": 10}, {"time": 10 * SECOND - 1}, True),
        ({"exp": 10}, {"time": 10 * SECOND}, False),
        ({"nbf": 10.5}, {"time": 10.5 * SECOND}, True),
        ({"exp": 10**30, "nbf": -1}, {}, True),
    ],
)
def test_a_constraint_is_met_or_not(payload: dict[str, Any], constraints: dict[str, Any], *, valid: bool) -> None:
    assert decode_verify(coded(HS256, payload), secret=SECRET, **constraints)[0] is valid


EXACT = 9_000_000  # seconds of which a float holds the nanoseconds; OPA takes the time of its constraint for a float


@given(*[st.integers(0, EXACT) | st.integers(0, 2**33)] * 3)
def test_a_token_is_in_force_from_its_start_until_before_its_end(start: int, end: int, now: int) -> None:
    """Times are the evaluation's: no clock is read."""
    assume(now <= EXACT or now not in {start, end})
    found = decode_verify(coded(HS256, {"nbf": start, "exp": end}), now * SECOND, secret=SECRET)
    assert found[0] is (start <= now < end)


def test_a_nested_token_is_verified_at_each_level() -> None:
    inner = coded(HS256, {"in": True})
    assert decode_verify(coded(HS256 | {"cty": "jwt"}, inner.encode()), secret=SECRET) == [True, HS256, {"in": True}]
    forged = coded(HS256, {"in": True}, secret="other")
    assert decode_verify(coded(HS256 | {"cty": "JWT"}, forged.encode()), secret=SECRET) == UNVERIFIED


@pytest.mark.parametrize(
    ("constraints", "expected"),
    [
        ({}, "no key constraint"),
        ({"secret": ""}, "no key constraint"),
        ({"secret": "x", "cert": '{"kty":"oct","k":"YQ"}'}, "duplicate key constraints"),
        ({"secret": "x", "foo": 1}, "unknown token validation constraint: foo"),
        ({"secret": 1}, "secret constraint: must be a string"),
        ({"cert": 1}, "cert constraint: must be a string"),
        ({"cert": "x"}, "failed to parse a JWK key (set)"),
        ({"secret": "x", "alg": None}, "alg constraint: must be a string"),
        ({"secret": "x", "time": "1"}, "token time constraint: must be a number"),
        ({"secret": "x", "time": True}, "token time constraint: must be a number"),
        ({"secret": "x", "time": -1}, "token time constraint: must not be negative"),
        ({"secret": "x", "time": 10**400}, "token time constraint: invalid float64"),
    ],
)
def test_a_constraint_that_is_wrong_is_a_fault(constraints: dict[str, Any], expected: str) -> None:
    assert expected in fault_of(coded(HS256, {}), **constraints)


@pytest.mark.parametrize(
    ("header", "payload", "expected"),
    [
        (HS256, {"exp": None}, "exp value must be a number"),
        (HS256, {"exp": True}, "exp value must be a number"),
        (HS256, {"nbf": "1"}, "nbf value must be a number"),
        ({"alg": 1}, {}, "alg: must be a string"),
        (HS256 | {"kid": 1}, {}, "kid: must be a string"),
        (HS256 | {"crit": 1}, {}, "crit: must be a list"),
        (HS256 | {"crit": []}, {}, "crit: must be a nonempty list"),
        (HS256, [], "decoded JSON type was not an Object"),
    ],
)
def test_a_token_that_is_wrong_is_a_fault(header: Any, payload: Any, expected: str) -> None:
    assert fault_of(coded(header, payload), secret=SECRET) == expected


def test_a_token_s_form_is_checked_before_its_signature() -> None:
    assert "must have 3 sections" in fault("io.jwt.verify_rs256", "a.b", public_pem(private("RS256"))).text
    assert "operand 2 must be string" in fault("io.jwt.verify_hs256", "a.b.c", 1).text


def test_octets_that_are_no_utf_8_can_be_a_secret() -> None:
    """base64.decode gives such texts."""
    token = jwt.encode({}, b"\xff" * 32, "HS256")
    assert call("io.jwt.verify_hs256", token, "\udcff" * 32) is True
    assert decode_verify(token, secret="\udcff" * 32)[0] is True


@pytest.mark.parametrize("name", declared(token_verification))
@given(st.data())
def test_no_operands_whatever_break_them(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


@given(VALUES, VALUES)
def test_no_token_and_no_constraint_whatever_break_it(content: object, constraint: object) -> None:
    token = coded(HS256, {"exp": 1})
    for name in ("time", "alg", "aud", "cert"):
        try:
            decode_verify(token, NOW, **{"secret": SECRET, name: constraint})
        except BuiltinFault:
            continue
    try:
        decode_verify(content, secret=SECRET)
    except BuiltinFault:
        return
