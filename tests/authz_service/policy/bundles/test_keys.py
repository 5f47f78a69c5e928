"""Keys and terms of bundle signatures, as they are configured."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from authz_service.policy.bundles.keys import (
    MAX_KEY_BYTES,
    PUBLIC_ALGORITHMS,
    SECRET_ALGORITHMS,
    SignatureTerms,
    VerificationKey,
    key_problem,
    read_terms,
)
from service_kit.faults import Faults
from tests.authz_service.minting import key, rsa_private

SECRET = "s" * 64
ES256 = key("ES256").public_pem().decode()
RS256 = key("RS256").public_pem().decode()
PRIVATE = key("ES256").private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
SSH = key("ES256").private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def public(algorithm: str) -> str:
    """A key that fits."""
    return key(algorithm if algorithm.startswith("ES") else "RS256").public_pem().decode()


@pytest.mark.parametrize("algorithm", PUBLIC_ALGORITHMS)
def test_a_public_key_is_for_the_algorithms_of_its_kind(algorithm: str) -> None:
    assert key_problem(algorithm, public(algorithm)) is None
    for other in PUBLIC_ALGORITHMS:
        fits = other == algorithm or not (other.startswith("ES") or algorithm.startswith("ES"))
        assert (key_problem(other, public(algorithm)) is None) is fits


@pytest.mark.parametrize(("algorithm", "length"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_is_at_least_as_long_as_its_digest(algorithm: str, length: int) -> None:
    """A shorter one could be found by trying (RFC 7518 section 3.2)."""
    assert key_problem(algorithm, "s" * length) is None
    assert key_problem(algorithm, "s" * (length - 1)) == f"is too short for {algorithm}"


@pytest.mark.parametrize("algorithm", SECRET_ALGORITHMS)
@pytest.mark.parametrize("material", [ES256, RS256, PRIVATE, f"\n {ES256}"])
def test_a_public_key_is_never_a_secret(algorithm: str, material: str) -> None:
    """Everybody who knows it could sign."""
    assert "would take for a secret" in str(key_problem(algorithm, material))


@pytest.mark.parametrize(
    ("algorithm", "material", "problem"),
    [
        ("none", "", "algorithm that is not one of"),
        ("None", ES256, "algorithm that is not one of"),
        ("", ES256, "algorithm that is not one of"),
        ("es256", ES256, "algorithm that is not one of"),
        ("EdDSA", ES256, "algorithm that is not one of"),
        ("HS256", "", "is no key"),
        ("HS256", "\ud800" * 40, "is no key"),
        ("ES256", "", "no public key in PEM"),
        ("ES256", SECRET, "no public key in PEM"),
        ("ES256", SSH, "no public key in PEM"),
        ("ES256", PRIVATE, "is a private key"),
        ("ES256", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n", "is no key"),
        ("RS256", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "is no key"),
        ("RS256", "x" * (MAX_KEY_BYTES + 1), "longer than"),
    ],
)
def test_a_key_that_cannot_verify_is_refused(algorithm: str, material: str, problem: str) -> None:
    """Before a bundle is there, and without its text in the message."""
    found = str(key_problem(algorithm, material))
    assert problem in found
    assert not material or material not in found
    with pytest.raises(ValueError, match=problem):
        VerificationKey(algorithm, material)


def test_a_short_rsa_key_is_refused() -> None:
    pem = rsa_private(1024).public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    assert key_problem("RS256", pem) == "is too short for RS256"


def test_a_key_does_not_show_its_material() -> None:
    assert SECRET not in repr(VerificationKey("HS512", SECRET))


def test_terms_have_a_key() -> None:
    with pytest.raises(ValueError, match="verify nothing"):
        SignatureTerms({})
    with pytest.raises(ValueError, match="none of the keys"):
        SignatureTerms({"a": VerificationKey("ES256", ES256)}, key_id="b")


def read(document: dict[str, Any]) -> tuple[SignatureTerms | None, list[str]]:
    """The terms, and the faults."""
    faults = Faults()
    return read_terms(document, "authz.yaml", faults), [fault.text for fault in faults.found]


def test_an_empty_document_asks_for_no_signature() -> None:
    assert read({}) == (None, [])


def test_a_document_of_terms_is_read() -> None:
    keys = {"a": {"key": RS256}, "b": {"key": SECRET, "algorithm": "HS512", "scope": "w"}}
    terms, faults = read({"keys": keys, "key_id": "b", "scope": "r"})
    assert faults == []
    assert terms == SignatureTerms(
        {"a": VerificationKey("RS256", RS256), "b": VerificationKey("HS512", SECRET, "w")}, "b", "r"
    )


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"keys": {}}, ["the verification of bundles has no keys"]),
        ({"keys": []}, ["the verification of bundles has no keys"]),
        ({"scope": "x"}, ["the verification of bundles has no keys"]),
        ({"keys": {"a": "pem"}}, ["the verification key 'a' is not an object of texts"]),
        ({"keys": {"a": {"key": 1}}}, ["the verification key 'a' is not an object of texts"]),
        ({"keys": {"a": {}}}, ["the verification key 'a' is no public key in PEM"]),
        (
            {"keys": {"a": {"key": RS256}}, "key_id": "b"},
            ["the verification of bundles names the key 'b', which is not among its keys"],
        ),
        (
            {"keys": {"a": {"key": RS256}}, "key_id": 1},
            ["the verification of bundles has a key id or scope that is not text"],
        ),
        (
            {"keys": {"a": {"key": RS256, "alg": "x"}}, "keyid": "a"},
            [
                "the verification of bundles has the unknown member 'keyid'; known here: key_id, keys, scope",
                "the verification key 'a' has the unknown member 'alg'; known here: algorithm, key, scope",
            ],
        ),
        (
            {"keys": {"a": {"key": PRIVATE, "algorithm": "ES256"}, "b": {"key": "x", "algorithm": "none"}}},
            ["the verification key 'a' is a private key", "the verification key 'b' has an algorithm"],
        ),
    ],
)
def test_terms_that_cannot_be_used_are_faults_and_no_terms(document: dict[str, Any], expected: list[str]) -> None:
    """All at once; never terms that ask for less than was meant."""
    terms, faults = read(document)
    assert terms is None
    assert len(faults) == len(expected)
    assert all(text.startswith(start) for text, start in zip(faults, expected, strict=True))
