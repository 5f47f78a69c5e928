"""Signature algorithms of tokens, by another library's signatures too."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from jwt.algorithms import get_default_algorithms

from authz_service.rego_engine.builtins.token_algorithms import ALGORITHMS, code, is_valid, sign
from authz_service.rego_engine.errors import BuiltinFault
from tests.authz_service.rego_engine.builtins.certificate_examples import key
from tests.authz_service.rego_engine.builtins.token_examples import ALGORITHMS as ASYMMETRIC
from tests.authz_service.rego_engine.builtins.token_examples import private

TEXT = b"header.payload"


def check(signature: bytes, found: Any, algorithm: str, *, strict: bool = True) -> bool:
    """Whether a signature is valid."""
    return is_valid(found, ALGORITHMS[algorithm], TEXT, signature, strict=strict)


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_another_library_accepts_our_signatures_and_we_accept_its(algorithm: str) -> None:
    theirs: Any = get_default_algorithms()[algorithm]
    own, public = private(algorithm), private(algorithm).public_key()
    assert theirs.verify(TEXT, public, sign(own, ALGORITHMS[algorithm], TEXT))
    assert check(theirs.sign(TEXT, own), public, algorithm)
    assert check(theirs.sign(TEXT, own), public, algorithm, strict=False)


@pytest.mark.parametrize("algorithm", ASYMMETRIC)
def test_a_signature_by_another_key_or_over_another_text_is_not_valid(algorithm: str) -> None:
    signature = sign(private(algorithm, 1), ALGORITHMS[algorithm], TEXT)
    public = private(algorithm, 1).public_key()
    assert not check(signature, private(algorithm, 2).public_key(), algorithm)
    assert not is_valid(public, ALGORITHMS[algorithm], b"other", signature, strict=True)
    assert not check(signature[:-1], public, algorithm)
    assert not check(b"", public, algorithm)


def test_a_secret_makes_codes_and_nothing_else_does() -> None:
    made = code(b"secret", ALGORITHMS["HS384"], TEXT)
    assert check(made, b"secret", "HS384")
    assert not check(made, b"other", "HS384")
    assert not check(made, b"secret", "HS256")
    assert not check(made, private("RS256").public_key(), "HS384")
    assert not check(code(b"", ALGORITHMS["HS256"], TEXT), b"", "HS256")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_of_another_family_or_none_signs_nothing(algorithm: str) -> None:
    kinds = {"HS": b"secret", "RS": key("RSA"), "PS": key("RSA"), "ES": key(), "EdDSA": key("Ed25519")}
    family = ALGORITHMS[algorithm].family
    for other, found in {**kinds, "none": None}.items():
        if {family, other} <= {"RS", "PS"} or family == other:
            continue
        assert not check(b"x" * 64, found, algorithm)
        with pytest.raises(BuiltinFault, match="key"):
            sign(found, ALGORITHMS[algorithm], TEXT)


def test_only_the_strict_way_takes_a_private_key_for_its_public_one() -> None:
    signature = sign(private("ES256"), ALGORITHMS["ES256"], TEXT)
    assert check(signature, private("ES256"), "ES256")
    assert not check(signature, private("ES256"), "ES256", strict=False)


@pytest.mark.parametrize(("salt", "strict"), [(0, False), (20, False), (32, True)])
def test_only_the_strict_way_demands_a_salt_as_long_as_the_digest(salt: int, *, strict: bool) -> None:
    scheme = padding.PSS(padding.MGF1(hashes.SHA256()), salt)
    signature = key("RSA").sign(TEXT, scheme, hashes.SHA256())
    assert check(signature, key("RSA").public_key(), "PS256", strict=False)
    assert check(signature, key("RSA").public_key(), "PS256") is strict


def test_only_the_strict_way_demands_halves_of_the_curve_s_length() -> None:
    signature = sign(private("ES256"), ALGORITHMS["ES256"], TEXT)
    longer = b"\0" + signature[:32] + b"\0" + signature[32:]
    assert check(longer, private("ES256").public_key(), "ES256", strict=False)
    assert not check(longer, private("ES256").public_key(), "ES256")


@pytest.mark.parametrize("signature", [bytes(64), b"\xff" * 64, bytes(63)])
def test_a_signature_of_zeros_or_of_ones_is_not_valid(signature: bytes) -> None:
    for strict in (True, False):
        assert not check(signature, private("ES256").public_key(), "ES256", strict=strict)
