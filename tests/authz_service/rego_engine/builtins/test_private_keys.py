"""Private keys as policies see them."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from hypothesis import given
from hypothesis import strategies as st
from jwt.algorithms import get_default_algorithms

from authz_service.rego_engine.builtins import private_keys
from authz_service.rego_engine.builtins.private_keys import MAX_CHARACTERS, MAX_KEY_OCTETS
from tests.authz_service.rego_engine.builtins.certificate_examples import key, private_pem, public_pem
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

PARSE = "crypto.parse_private_keys"
JWK = "crypto.x509.parse_rsa_private_key"


def in_base64(text: str) -> str:
    """Return base64."""
    return base64.b64encode(text.encode()).decode()


def test_an_rsa_key_is_its_numbers() -> None:
    numbers = key("RSA").private_numbers()
    found = {
        "D": numbers.d,
        "E": 65537,
        "N": numbers.public_numbers.n,
        "Primes": [numbers.p, numbers.q],
        "Precomputed": {"CRTValues": [], "Dp": numbers.dmp1, "Dq": numbers.dmq1, "Qinv": numbers.iqmp},
    }
    for text in (private_pem(key("RSA")), private_pem(key("RSA"), old=True), in_base64(private_pem(key("RSA")))):
        assert call(PARSE, text) == [found]


def test_an_elliptic_key_is_its_numbers() -> None:
    numbers = key().private_numbers()
    found = {"Curve": {}, "D": numbers.private_value, "X": numbers.public_numbers.x, "Y": numbers.public_numbers.y}
    assert call(PARSE, private_pem(key())) == [found]
    assert call(PARSE, private_pem(key(), old=True)) == [found]


def test_an_edwards_key_is_its_seed_and_its_public_half() -> None:
    private = key("Ed25519")
    whole = private.private_bytes_raw() + private.public_key().public_bytes_raw()
    assert call(PARSE, private_pem(private)) == [base64.b64encode(whole).decode()]


@pytest.mark.parametrize(("text", "found"), [("", None), ("nope", []), (public_pem(key()), [])])
def test_where_there_is_no_key_there_is_none(text: str, found: object) -> None:
    assert call(PARSE, text) == found


def test_an_encrypted_key_is_passed_over() -> None:
    text = key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")).decode()
    assert call(PARSE, text + private_pem(key())) == call(PARSE, private_pem(key()))


@pytest.mark.parametrize(
    ("kind", "algorithm"), [("RSA", "RS256"), ("EC", "ES256"), ("P-384", "ES384"), ("P-521", "ES512")]
)
def test_a_key_is_the_same_jwk_as_another_library_makes(kind: str, algorithm: str) -> None:
    theirs = json.loads(get_default_algorithms()[algorithm].to_jwk(key(kind)))
    theirs.pop("key_ops", None)
    assert call(JWK, private_pem(key(kind))) == theirs
    assert call(JWK, in_base64(private_pem(key(kind)))) == theirs


def test_keys_of_curve_25519_are_octet_pairs() -> None:
    assert call(JWK, private_pem(key("Ed25519")))["crv"] == "Ed25519"
    exchange = call(JWK, private_pem(x25519.X25519PrivateKey.generate()))
    assert (exchange["kty"], exchange["crv"]) == ("OKP", "X25519")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "input PEM data was empty"),
        ("invalid", "illegal base64"),
        (private_pem(ec.generate_private_key(ec.SECP224R1())), "elliptic curve has no name"),
        (private_pem(ec.generate_private_key(ec.SECP256K1())), "unknown algorithm"),
        (private_pem(key("DSA")), "unknown algorithm"),
        ("-----BEGIN PRIVATE KEY-----\nYQ==\n-----END PRIVATE KEY-----\n", "failed to parse private key"),
    ],
)
def test_a_key_that_cannot_be_read_is_a_fault(text: str, expected: str) -> None:
    assert expected in fault(JWK, text).text


def test_a_text_without_keys_is_no_jwk() -> None:
    assert call(JWK, public_pem(key())) is None


def test_a_key_has_a_bound() -> None:
    """A number of that length would cost seconds to check."""
    data = base64.b64encode(bytes(MAX_KEY_OCTETS + 1)).decode()
    assert "longer than" in fault(PARSE, f"-----BEGIN PRIVATE KEY-----\n{data}\n-----END PRIVATE KEY-----\n").text
    assert "longer than" in fault(PARSE, "A" * (MAX_CHARACTERS + 1)).text


@pytest.mark.parametrize("name", declared(private_keys))
@given(st.data())
def test_no_operands_whatever_break_them(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
