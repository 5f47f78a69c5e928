"""A key set: which keys are kept, and which one fits a token."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused
from authz_service.identity.keys import (
    MAX_KEY_SET_BYTES,
    MAX_KEYS,
    KeySet,
    KeySetError,
    parse_key_set,
)
from tests.authz_service.minting import key, key_set

SYMMETRIC = {"kty": "oct", "kid": "k1", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I", "alg": "HS256"}


def parsed(*keys: Any) -> KeySet:
    """A set of these, fetched at 0."""
    return parse_key_set(key_set(*keys), 0.0)


def refusal(text: bytes) -> str:
    """The set is refused; its message."""
    with pytest.raises(KeySetError) as caught:
        parse_key_set(text, 0.0)
    return str(caught.value)


def kids(keys: KeySet) -> list[Any]:
    """The ids of the keys that were kept."""
    return [kept.get("kid") for kept in keys.keys]


@pytest.mark.parametrize("algorithm", ["RS256", "PS384", "ES256", "ES384", "ES512", "EdDSA"])
def test_a_public_key_of_each_kind_is_found_by_its_id(algorithm: str) -> None:
    """And belongs to the algorithm that was asked for."""
    found = parsed(key(algorithm)).pick("k1", algorithm)
    assert found is not None
    assert found.algorithm_name == algorithm


@pytest.mark.parametrize(
    "left_out",
    [
        SYMMETRIC,
        key("RS256").public_jwk(use="enc"),
        key("RS256").public_jwk(use=["sig"]),
        key("RS256").public_jwk(key_ops=["encrypt"]),
        key("RS256").public_jwk(key_ops="verify"),
        key("RS256").public_jwk(kty="rsa"),
        key("RS256").public_jwk(kty=["RSA"]),
        key("RS256").public_jwk(kty={"RSA": 1}),
        key("RS256").public_jwk(kty=None),
        key("RS256").private_jwk(),
        key("ES256").private_jwk(),
        key("EdDSA").private_jwk(),
    ],
)
def test_what_is_no_public_signing_key_is_left_out(left_out: dict[str, Any]) -> None:
    """A set may hold others beside; alone they are no set."""
    assert kids(parsed({**left_out, "kid": "other"}, key("ES256"))) == ["k1"]
    assert "no public signing key" in refusal(key_set(left_out))


def test_a_key_that_may_verify_among_other_things_is_kept() -> None:
    """`use` is optional; `key_ops` may hold more than one."""
    assert kids(parsed(key("ES256").public_jwk(use=None, key_ops=["sign", "verify"]))) == ["k1"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nonsense",
        b"<html>login</html>",
        b"\xff\xfe\x00",
        b"[" * 100_000,
        b"[]",
        b"7",
        b"null",
        b"{}",
        b'{"keys": {}}',
        b'{"keys": null}',
        b'{"keys": []}',
        b'{"keys": [null, 7, "x", []]}',
        b'{"keys": [{"kty": "RSA"}], "x": ' + b"9" * 5000 + b"}",
    ],
)
def test_a_text_that_is_no_key_set_is_refused(text: bytes) -> None:
    """Whatever an endpoint may answer."""
    assert refusal(text).startswith("key set ")


def test_the_text_and_the_number_of_keys_are_bounded() -> None:
    """Both bounds included."""
    one = key("ES256").public_jwk()
    largest = key_set(one).ljust(MAX_KEY_SET_BYTES)
    assert kids(parse_key_set(largest, 0.0)) == ["k1"]
    assert str(MAX_KEY_SET_BYTES) in refusal(largest + b" ")
    assert len(parsed(*[one] * MAX_KEYS).keys) == MAX_KEYS
    assert str(MAX_KEYS) in refusal(key_set(*[one] * (MAX_KEYS + 1)))


def test_no_message_shows_key_material() -> None:
    """Key sets that are refused may hold what is not public."""
    assert SYMMETRIC["k"] not in refusal(key_set(SYMMETRIC))
    assert key("RS256").private_jwk()["d"] not in refusal(key_set(key("RS256").private_jwk()))


def test_an_unknown_key_id_fits_nothing() -> None:
    """Not even where the set has a single key."""
    keys = parsed(key("ES256"))
    assert keys.pick("k2", "ES256") is None
    assert keys.pick("", "ES256") is None


def test_two_keys_with_one_id_fit_nothing() -> None:
    """Which of them signed is not for guessing."""
    assert parsed(key("ES256"), key("ES256", number=1)).pick("k1", "ES256") is None


def test_keys_of_two_kinds_may_share_an_id() -> None:
    """The algorithm tells them apart."""
    keys = parsed(key("ES256"), key("RS256"))
    for algorithm in ("ES256", "RS256"):
        found = keys.pick("k1", algorithm)
        assert found is not None
        assert found.algorithm_name == algorithm


def test_a_token_without_a_key_id_is_matched_with_the_only_key_that_fits() -> None:
    """With two that fit it is not."""
    assert parsed(key("ES256"), key("RS256")).pick(None, "ES256") is not None
    assert parsed(key("ES256"), key("ES384", "k2")).pick(None, "ES256") is not None
    assert parsed(key("ES256"), key("ES256", "k2", 1)).pick(None, "ES256") is None


@pytest.mark.parametrize("curve", ["P-384", "secp256k1", ["P-256"], None, 7])
def test_each_elliptic_curve_serves_its_own_algorithm_only(curve: object) -> None:
    """RFC 7518 section 3.4 binds them."""
    assert parsed(key("ES256").public_jwk(crv=curve)).pick("k1", "ES256") is None


def test_a_key_that_names_its_algorithm_serves_no_other() -> None:
    """An RSA key for PS256 verifies no RS256 signature."""
    keys = parsed(key("RS256").public_jwk(alg="PS256"))
    assert keys.pick("k1", "RS256") is None
    assert keys.pick("k1", "PS256") is not None


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA", "HS256", "none", "", "XX"])
def test_no_key_is_picked_for_an_algorithm_of_another_kind(algorithm: str) -> None:
    """Least of all for one that is symmetric or none."""
    sets = {"RS256": parsed(key("ES256")), "ES256": parsed(key("EdDSA")), "EdDSA": parsed(key("RS256"))}
    assert sets.get(algorithm, parsed(key("RS256"))).pick("k1", algorithm) is None


@pytest.mark.parametrize(
    ("jwk", "algorithm"),
    [
        ({"kty": "RSA", "kid": "k1"}, "RS256"),
        ({"kty": "RSA", "kid": "k1", "n": 5, "e": "AQAB"}, "RS256"),
        ({"kty": "RSA", "kid": "k1", "n": "!!", "e": "AQAB"}, "RS256"),
        ({"kty": "EC", "kid": "k1", "crv": "P-256", "x": "AA", "y": "AA"}, "ES256"),
        ({"kty": "OKP", "kid": "k1", "crv": "X25519", "x": "AAAA"}, "EdDSA"),
        ({"kty": "OKP", "kid": "k1", "crv": "Ed25519", "x": None}, "EdDSA"),
    ],
)
def test_a_key_that_cannot_be_built_refuses_the_tokens_that_name_it(jwk: dict[str, Any], algorithm: str) -> None:
    """One spoilt key does not spoil the set."""
    keys = parsed(jwk, key("EdDSA", "good"))
    with pytest.raises(CredentialRefused) as caught:
        keys.pick("k1", algorithm)
    assert caught.value.code == "key_unusable"
    assert keys.pick("good", "EdDSA") is not None


def test_a_key_is_built_once() -> None:
    """Building one costs more than verifying with it."""
    keys = parsed(key("ES256"))
    assert keys.pick("k1", "ES256") is keys.pick("k1", "ES256")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=3), children, max_size=3),
    max_leaves=5,
)
MEMBERS = st.dictionaries(
    st.sampled_from(["kty", "kid", "use", "alg", "key_ops", "crv", "n", "e", "x", "y", "d"]),
    st.sampled_from(["RSA", "EC", "OKP", "sig", "P-256", "Ed25519", "k1", "AQAB", ["verify"]]) | JSON,
)


@given(st.lists(MEMBERS | JSON, max_size=4), st.sampled_from(["RS256", "ES256", "EdDSA"]))
def test_no_key_set_can_raise_anything_unforeseen(keys: list[Any], algorithm: str) -> None:
    """What an issuer publishes is data: at worst it verifies nothing."""
    with contextlib.suppress(KeySetError, CredentialRefused):
        parse_key_set(json.dumps({"keys": keys}).encode(), 0.0).pick("k1", algorithm)
