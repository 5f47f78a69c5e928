"""Algorithms of certificates."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, x25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from authz_service.rego_engine.builtins.x509_algorithms import (
    ECDSA,
    ED25519,
    RSA,
    SignatureAlgorithm,
    is_signed_by,
    public_key,
    signature_algorithm,
)
from authz_service.rego_engine.builtins.x509_der import Reader
from authz_service.rego_engine.errors import BuiltinFault
from tests.authz_service.rego_engine.builtins.certificate_examples import key

PSS_SHA_256 = (
    "06092a864886f70d01010a3034a00f300d06096086480165030402010500"
    "a11c301a06092a864886f70d010108300d06096086480165030402010500a203020120"
)


def info(private: Any) -> bytes:
    """Return a public key as certificates have it."""
    found: bytes = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return found


@pytest.mark.parametrize(("kind", "number"), [("RSA", RSA), ("EC", ECDSA), ("P-521", ECDSA), ("Ed25519", ED25519)])
def test_a_public_key_is_read(kind: str, number: int) -> None:
    assert public_key(info(key(kind))) == (number, key(kind).public_key())


def test_a_key_of_an_algorithm_that_is_not_known_is_none() -> None:
    assert public_key(info(x25519.X25519PrivateKey.generate())) == (0, None)


def test_a_curve_that_is_not_nist_s_is_refused() -> None:
    with pytest.raises(BuiltinFault, match="unsupported elliptic curve"):
        public_key(info(ec.generate_private_key(ec.SECP256K1())))


@pytest.mark.parametrize("data", [b"", b"\x30\x00", bytes.fromhex("300d300b06072a8648ce3d02010500030100")])
def test_a_malformed_key_is_refused(data: bytes) -> None:
    with pytest.raises(BuiltinFault, match="x509"):
        public_key(data)


@pytest.mark.parametrize(
    ("data", "number"),
    [
        ("06092a864886f70d01010b0500", 4),  # SHA-256 with RSA
        ("06082a8648ce3d040303", 11),  # ECDSA with SHA-384
        ("06032b6570", 16),  # Ed25519
        ("06032b65700500", 0),  # Ed25519 with parameters, which it must not have
        ("06032a0304", 0),
        ("06092a864886f70d01010a", 0),  # RSA-PSS without its parameters
        (
            PSS_SHA_256,
            13,
        ),
    ],
)
def test_a_signature_s_algorithm_is_told_by_its_number(data: str, number: int) -> None:
    assert signature_algorithm(Reader(bytes.fromhex(data), "malformed")).number == number


def test_a_signature_is_checked_by_its_key_and_its_algorithm() -> None:
    signature = key("RSA").sign(b"text", padding.PKCS1v15(), hashes.SHA256())
    algorithm = SignatureAlgorithm(4, RSA, hashes.SHA256())
    public = key("RSA").public_key()
    assert is_signed_by(public, algorithm, b"text", signature)
    assert not is_signed_by(public, algorithm, b"other", signature)
    assert not is_signed_by(key().public_key(), algorithm, b"text", signature)
    assert not is_signed_by(None, algorithm, b"text", signature)
    assert not is_signed_by(public, SignatureAlgorithm(10, ECDSA, hashes.SHA256()), b"text", signature)


def test_nothing_is_signed_by_sha_1() -> None:
    """It is known, and not relied on."""
    signature = key("RSA").sign(b"text", padding.PKCS1v15(), hashes.SHA1())  # noqa: S303  (what is refused here)
    sha1 = signature_algorithm(Reader(bytes.fromhex("06092a864886f70d0101050500"), "malformed"))
    assert sha1.number == 3
    assert not is_signed_by(key("RSA").public_key(), sha1, b"text", signature)


def test_ed25519_signs_without_a_digest() -> None:
    signature = key("Ed25519").sign(b"text")
    algorithm = SignatureAlgorithm(16, ED25519)
    assert is_signed_by(key("Ed25519").public_key(), algorithm, b"text", signature)
    assert not is_signed_by(key("Ed25519").public_key(), algorithm, b"text", b"")
