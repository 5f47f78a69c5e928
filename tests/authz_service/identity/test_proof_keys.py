"""The keys that proofs bring: which are accepted, and what they are called."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.identity import jws, proof_keys
from authz_service.identity.proof_keys import MAX_RSA_BITS, ProofKeyError, ProofKeys, thumbprint
from authz_service.settings.dpop import ALGORITHMS
from tests.authz_service.minting import key

# RFC 7638, section 3.1
RFC_7638 = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjB"
    "ZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8"
    "KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_"
    "xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}
# RFC 9449, sections 4.1 and 6.1
RFC_9449 = {
    "kty": "EC",
    "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
    "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
    "crv": "P-256",
}
# RFC 8037, appendix A.2 and A.3
RFC_8037 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
KINDS = ["ES256", "ES384", "ES512", "EdDSA", "RS256"]


def public(algorithm: str, **more: Any) -> dict[str, Any]:
    """A public key with nothing that it need not have; a member given as None is left out."""
    jwk = {**key(algorithm).public_jwk(), "kid": None, "use": None, **more}
    return {name: value for name, value in jwk.items() if value is not None}


def refusal(jwk: dict[str, Any], algorithm: str) -> str:
    """Why a key is refused, either at once or when it is made ready."""
    with pytest.raises(ProofKeyError) as caught:
        ProofKeys().prepare(jwk, thumbprint(jwk, algorithm), algorithm)
    return str(caught.value)


@pytest.mark.parametrize(
    ("jwk", "algorithm", "expected"),
    [
        (RFC_7638, "RS256", "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"),
        (RFC_9449, "ES256", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
        (RFC_8037, "EdDSA", "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ],
)
def test_a_thumbprint_is_that_of_the_standards(jwk: dict[str, Any], algorithm: str, expected: str) -> None:
    """Their own examples, whatever order and other members they have."""
    assert thumbprint(jwk, algorithm) == expected
    assert thumbprint(dict(reversed(jwk.items())), algorithm) == expected
    assert thumbprint({**jwk, "x5t": "a", "key_ops": ["verify"], "use": "sig"}, algorithm) == expected


@pytest.mark.parametrize("algorithm", KINDS)
def test_a_thumbprint_is_of_the_required_members_in_order_and_without_space(algorithm: str) -> None:
    """RFC 7638 section 3.2, computed here in another way."""
    jwk = public(algorithm)
    required = {name: jwk[name] for name in sorted({"crv", "kty", "x", "y", "e", "n"} & set(jwk))}
    digest = hashlib.sha256(json.dumps(required).replace(" ", "").encode()).digest()
    assert thumbprint(jwk, algorithm) == base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.mark.parametrize("algorithm", KINDS)
def test_a_key_verifies_what_its_private_half_has_signed(algorithm: str) -> None:
    """And nothing else."""
    jwk = public(algorithm)
    ready = ProofKeys().prepare(jwk, thumbprint(jwk, algorithm), algorithm)
    assert jws.read(key(algorithm).token()).is_signed_with(ready)
    assert not jws.read(key(algorithm, number=1).token()).is_signed_with(ready)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_that_may_be_configured_has_its_kind_of_key(algorithm: str) -> None:
    """A key of any other kind is refused for it."""
    kind = "RS256" if algorithm[:2] in {"RS", "PS"} else algorithm
    assert thumbprint(public(kind), algorithm)
    for other in set(KINDS) - {kind}:
        assert refusal(public(other), algorithm) == "the key does not fit the algorithm"


@pytest.mark.parametrize("algorithm", ["none", "HS256", "HS512", "", "es256", "ES256K", "EdDSA ", "RSA-OAEP", "ES257"])
@pytest.mark.parametrize("kind", KINDS)
def test_there_is_no_other_algorithm(algorithm: str, kind: str) -> None:
    """Whatever the configuration says."""
    assert refusal(public(kind), algorithm) == "the key is of a kind that is not accepted"


@pytest.mark.parametrize("kind", ["oct", "ec", "rsa", "", None, 1, ["EC"], {"EC": 1}, True])
def test_there_is_no_other_kind_of_key(kind: Any) -> None:
    """Symmetric ones least of all: anyone who can verify with one can sign."""
    assert refusal({**public("ES256"), "kty": kind}, "ES256") == "the key is of a kind that is not accepted"
    assert refusal({"kty": "oct", "k": "AAAA"}, "HS256") == "the key is of a kind that is not accepted"


@pytest.mark.parametrize("algorithm", KINDS)
def test_a_private_key_is_refused(algorithm: str) -> None:
    """RFC 9449 section 4.3, item 7: whoever sends it has lost it."""
    private = key(algorithm).private_jwk()
    assert refusal(private, algorithm) == "the key is not a public key"
    for member in ("d", "p", "q", "dp", "dq", "qi", "oth", "k"):
        other: list[Any] = ["AQAB", "", None, []]
        for value in other:
            assert refusal({**public(algorithm), member: value}, algorithm) == "the key is not a public key"


@pytest.mark.parametrize("algorithm", KINDS)
def test_a_key_that_lacks_a_member_is_refused(algorithm: str) -> None:
    """Or whose member is no text."""
    jwk = public(algorithm)
    for member in {"crv", "x", "y", "n", "e"} & set(jwk):
        other: list[Any] = [None, 1, 1.5, True, [], {}, [jwk[member]]]
        for value in other:
            broken = {**jwk, member: value} if value is not None else {k: v for k, v in jwk.items() if k != member}
            assert refusal(broken, algorithm) in {"the key lacks a member", "the key does not fit the algorithm"}


@pytest.mark.parametrize("algorithm", KINDS)
@pytest.mark.parametrize(
    "value", ["", "=", "A", "AA==", "*", "\u00e9", "\ud800", "AAAA" * 1000, " ", "AQ\nAB", "+/+/", "////"]
)
def test_a_key_whose_member_is_no_number_of_its_kind_is_refused(algorithm: str, value: str) -> None:
    """With this error and no other."""
    jwk = public(algorithm)
    for member in {"x", "y", "n", "e"} & set(jwk):
        assert refusal({**jwk, member: value}, algorithm)


def test_a_point_that_is_not_on_its_curve_is_refused() -> None:
    """With it, parts of other keys could be found out."""
    zeros = jws.encode(bytes(32))
    for x, y in [(zeros, zeros), (RFC_9449["y"], RFC_9449["x"]), (RFC_9449["x"], zeros)]:
        assert refusal({**RFC_9449, "x": x, "y": y}, "ES256") == "the key is not well-formed"


@pytest.mark.parametrize(
    "more", [{"alg": "ES384"}, {"alg": None}, {"alg": 1}, {"use": "enc"}, {"use": None}, {"use": []}, {"alg": "none"}]
)
def test_a_key_that_says_it_is_for_something_else_is_refused(more: dict[str, Any]) -> None:
    """RFC 7517 sections 4.2 and 4.4."""
    assert refusal({**RFC_9449, **more}, "ES256") == "the key does not fit the algorithm"


def modulus(bits: int) -> str:
    """An odd number of so many bits."""
    return jws.encode(((1 << (bits - 1)) | 1).to_bytes((bits + 7) // 8))


@pytest.mark.parametrize("bits", [1, 512, 1024, 2047, MAX_RSA_BITS + 1, 8192, 16_384])
def test_an_rsa_key_of_another_size_is_refused(bits: int) -> None:
    """Small ones can be broken, large ones cost too much; neither is made ready first."""
    with pytest.raises(ProofKeyError, match="an RSA key must have 2048 to 4096 bits"):
        thumbprint({"kty": "RSA", "n": modulus(bits), "e": "AQAB"}, "RS256")


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_an_rsa_key_of_a_usual_size_is_accepted(bits: int) -> None:
    """Both bounds included."""
    jwk = {"kty": "RSA", "n": modulus(bits), "e": "AQAB"}
    assert ProofKeys().prepare(jwk, thumbprint(jwk, "PS256"), "PS256").algorithm_name == "PS256"


def test_an_rsa_key_with_a_large_or_impossible_exponent_is_refused() -> None:
    """A large one makes each verification cost as much as a signature."""
    large = refusal({**RFC_7638, "e": jws.encode(b"\x01" + bytes(3) + b"\x01")}, "RS256")
    assert large == "an RSA key must have 2048 to 4096 bits, and an exponent of at most 4 bytes"
    for exponent in (b"\0", b"\x01", b"\x02", b"\x01\0\0\0"):
        assert refusal({**RFC_7638, "e": jws.encode(exponent)}, "RS256") == "the key is not well-formed"


def test_a_key_that_was_made_ready_is_kept() -> None:
    """By its thumbprint and its algorithm, not by who brings it."""
    keys = ProofKeys()
    name = thumbprint(RFC_9449, "ES256")
    first = keys.prepare(RFC_9449, name, "ES256")
    assert keys.prepare({**RFC_9449, "kid": "other"}, name, "ES256") is first
    rsa_name = thumbprint(public("RS256"), "RS256")
    by_algorithm = [keys.prepare(public("RS256"), rsa_name, algorithm) for algorithm in ("RS256", "PS256")]
    assert [ready.algorithm_name for ready in by_algorithm] == ["RS256", "PS256"]
    assert len(keys) == 3


def test_so_many_keys_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest goes; it is made ready again when it comes back."""
    monkeypatch.setattr(proof_keys, "MAX_KEYS", 2)
    keys = ProofKeys()
    made = [
        (jwk, thumbprint(jwk, "EdDSA")) for jwk in (key("EdDSA", number=number).public_jwk() for number in range(3))
    ]
    ready = [keys.prepare(jwk, name, "EdDSA") for jwk, name in made]
    assert len(keys) == 2
    assert keys.prepare(*made[2], "EdDSA") is ready[2]
    assert keys.prepare(*made[0], "EdDSA") is not ready[0]
    assert len(keys) == 2


def test_a_key_that_cannot_be_made_ready_is_not_kept() -> None:
    """Or anyone could push out the others."""
    keys = ProofKeys()
    with pytest.raises(ProofKeyError):
        keys.prepare({**RFC_9449, "y": RFC_9449["x"]}, "any", "ES256")
    assert len(keys) == 0


members = st.sampled_from(["kty", "crv", "x", "y", "n", "e", "d", "k", "use", "alg", "oth", "kid"])
values = (
    st.sampled_from(["EC", "RSA", "OKP", "oct", "P-256", "P-384", "Ed25519", "Ed448", "X25519", "AQAB", "sig"])
    | st.none()
    | st.text()
)


@given(
    st.sampled_from([RFC_7638, RFC_9449, RFC_8037]),
    st.dictionaries(members, values, max_size=3),
    st.sampled_from([*ALGORITHMS, "none", "HS256"]),
)
def test_any_key_is_accepted_or_refused_with_this_error(
    start: dict[str, Any], changes: dict[str, Any], algorithm: str
) -> None:
    """And one that is accepted has the thumbprint of just its members, so that no other key has it."""
    jwk = {**start, **changes}
    try:
        name = thumbprint(jwk, algorithm)
        ready = ProofKeys().prepare(jwk, name, algorithm)
    except ProofKeyError as error:
        assert not any(isinstance(value, str) and len(value) > 5 and value in str(error) for value in changes.values())  # noqa: PT017  (either outcome will do)
        return
    assert ready.algorithm_name == algorithm
    required = {"crv", "kty", "x", "y", "e", "n"} & set(jwk) - {
        "RSA": {"crv", "x", "y"},
        "EC": {"e", "n"},
        "OKP": {"y", "e", "n"},
    }[jwk["kty"]]
    assert (name == thumbprint(start, start_algorithm(start))) == all(
        jwk[member] == start.get(member) for member in required
    )


def start_algorithm(jwk: dict[str, Any]) -> str:
    """An algorithm for a key of the examples."""
    return {"RSA": "RS256", "EC": "ES256", "OKP": "EdDSA"}[jwk["kty"]]
