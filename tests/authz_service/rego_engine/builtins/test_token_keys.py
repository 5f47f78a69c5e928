"""Keys for tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from hypothesis import given

from authz_service.rego_engine.builtins import token_keys
from authz_service.rego_engine.builtins.token_keys import MAX_CHARACTERS, MAX_KEYS, signing_key, verification_keys
from authz_service.rego_engine.errors import BuiltinFault
from tests.authz_service.rego_engine.builtins import certificate_examples as examples
from tests.authz_service.rego_engine.builtins.operands import VALUES
from tests.authz_service.rego_engine.builtins.token_examples import ALGORITHMS, jwk, private


def fault_of(text: str) -> str:
    """Return the text of the fault."""
    with pytest.raises(BuiltinFault) as caught:
        verification_keys(text)
    return caught.value.text


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_read_from_each_form(algorithm: str) -> None:
    own = private(algorithm)
    made = examples.pem(examples.certificate("x", "x", own, own))
    for text in (made, examples.public_pem(own), json.dumps(jwk(algorithm)), json.dumps({"keys": [jwk(algorithm)]})):
        assert [one.key for one in verification_keys(text)] == [own.public_key()]


def test_a_key_has_the_algorithm_and_the_identifier_that_its_set_gives_it() -> None:
    text = json.dumps({"keys": [jwk("RS256", alg="RS256", kid="one"), jwk("ES256", kid="two")]})
    assert [(one.algorithm, one.id) for one in verification_keys(text)] == [("RS256", "one"), ("", "two")]


def test_a_key_of_an_algorithm_that_signs_nothing_is_left_out() -> None:
    assert verification_keys(json.dumps(jwk("RS256", alg="RSA-OAEP"))) == ()
    assert verification_keys('{"keys":[]}') == ()


def test_a_shared_secret_is_a_key_too() -> None:
    assert [one.key for one in verification_keys('{"kty":"oct","k":"c2VjcmV0"}')] == [b"secret"]
    assert [one.key for one in verification_keys('{"kty":"oct","k":"c2VjcmU="}')] == [b"secre"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_private_key_is_read(algorithm: str) -> None:
    found = signing_key(jwk(algorithm, public=False))
    assert isinstance(found, type(private(algorithm)))
    assert found.public_key() == private(algorithm).public_key()


def test_of_a_set_the_first_key_signs() -> None:
    assert signing_key({"keys": [{"kty": "oct", "k": "YQ"}, {"kty": "oct", "k": "Yg"}]}) == b"a"


@pytest.mark.parametrize("own", [x25519.X25519PrivateKey.generate(), ec.generate_private_key(ec.SECP224R1())])
def test_a_key_that_signs_no_token_is_read_all_the_same(own: Any) -> None:
    assert len(verification_keys(examples.public_pem(own))) == 1


def test_a_public_key_that_is_too_small_is_of_no_use() -> None:
    assert verification_keys('{"kty":"RSA","n":"AQAB","e":"AQAB"}')[0].key is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "failed to parse a JWK key (set)"),
        ("[]", "failed to parse a JWK key (set): it is no object"),
        ("{", "failed to parse a JWK key (set)"),
        ("{}", "invalid key type from JSON"),
        ('{"kty":"x"}', "invalid key type from JSON"),
        ('{"kty":1}', '"kty" is no string'),
        ('{"keys":{}}', '"keys" is no array'),
        ('{"keys":[5]}', "a key is no object"),
        ('{"kty":"oct"}', '"k" is missing or empty'),
        ('{"kty":"oct","k":"~"}', '"k" is no base64'),
        ('{"kty":"oct","k":"YQ","alg":"x"}', '"alg" is not a known algorithm'),
        ('{"kty":"oct","k":"YQ","kid":1}', '"kid" is no string'),
        ('{"kty":"EC","crv":"P-257","x":"AQ","y":"AQ"}', "the elliptic curve is not known"),
        ('{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}', "the key's numbers fit no key"),
        ('{"kty":"OKP","crv":"Ed25519","x":"AQ"}', "the key's numbers fit no key"),
        ('{"kty":"OKP","crv":"Ed448","x":"AQ"}', "the elliptic curve is not known"),
        (json.dumps(jwk("RS256", e="Ag")), "the key's numbers fit no key"),
        (json.dumps(jwk("RS256", d="AQ")), '"p" is missing or empty'),
        (json.dumps(jwk("RS256", n="A" * 2735)), '"n" is longer than 2048 octets'),
        (examples.public_pem(private("RS256")) + "\n", "extra data after a PEM certificate block"),
        (examples.private_pem(private("RS256")), "failed to extract a Key from the PEM certificate"),
        ("-----BEGIN CERTIFICATE-----\nYQ==\n-----END CERTIFICATE-----", "failed to parse a PEM certificate"),
        ("-----BEGIN PUBLIC KEY-----\nYQ==\n-----END PUBLIC KEY-----", "failed to parse a PEM public key"),
        (examples.public_pem(ec.generate_private_key(ec.SECP256K1())), "unsupported elliptic curve"),
        (json.dumps({"keys": [{"kty": "oct", "k": "YQ"}] * (MAX_KEYS + 1)}), f"more than {MAX_KEYS} keys"),
        (" " * (MAX_CHARACTERS + 1), f"longer than {MAX_CHARACTERS} characters"),
    ],
)
def test_a_key_that_cannot_be_read_is_a_fault(text: str, expected: str) -> None:
    assert expected in fault_of(text)


@pytest.mark.parametrize("member", ["d", "dp", "dq", "qi", "p"])
def test_a_private_key_whose_numbers_do_not_fit_is_a_fault(member: str) -> None:
    broken = {**jwk("RS256", public=False), member: "AQAB"}
    with pytest.raises(BuiltinFault, match="numbers fit no key"):
        signing_key(broken)


def test_a_dsa_key_is_of_no_use() -> None:
    assert verification_keys(examples.public_pem(examples.key("DSA")))[0].key is None


def test_public_keys_are_kept_and_secrets_are_not() -> None:
    token_keys._kept_keys.cache_clear()
    public = json.dumps(jwk("ES256"))
    assert verification_keys(public)[0] is verification_keys(public)[0]
    verification_keys(json.dumps(jwk("ES256", public=False)))
    verification_keys('{"kty":"oct","k":"YQ"}')
    assert token_keys._kept_keys.cache_info().currsize == 1


def test_a_fault_does_not_quote_a_secret() -> None:
    assert "hunter2" not in fault_of('{"kty":"oct","k":"hunter2~"}')


@given(VALUES)
def test_no_document_whatever_breaks_the_reading(document: object) -> None:
    for found in (document, {"keys": document}, {"kty": "RSA", "n": document, "e": document}):
        try:
            signing_key(found)
        except BuiltinFault:
            continue
