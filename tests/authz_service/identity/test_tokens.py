"""Token + keys + now → claims: what holds passes, every forgery is refused."""

from __future__ import annotations

import base64
import hmac
import json
import string
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused
from authz_service.identity import tokens
from authz_service.identity.keys import KeySet, parse_key_set
from authz_service.identity.tokens import LEEWAY, TokenTerms
from tests.authz_service.minting import (
    AUDIENCE,
    ISSUER,
    LIFETIME,
    NOW,
    SigningKey,
    compact,
    encoded,
    key,
    key_set,
    rsa_private,
    usual_claims,
)

TERMS = TokenTerms(ISSUER, (AUDIENCE, "other-gateway"), ("ES256", "RS256", "PS256", "EdDSA"))
EXPIRY = NOW + LIFETIME


def keys_of(*keys: Any) -> KeySet:
    """A set of these."""
    return parse_key_set(key_set(*keys), 0.0)


KEYS = keys_of(key("ES256"), key("RS256"), key("EdDSA"))


def claims_of(token: str, *, keys: KeySet = KEYS, terms: TokenTerms = TERMS, now: float = NOW) -> Mapping[str, Any]:
    """Verify a token as the authenticator does."""
    return tokens.verify(tokens.read(token), terms, keys, now)


def refusal(token: str, *, keys: KeySet = KEYS, terms: TokenTerms = TERMS, now: float = NOW) -> str:
    """The token is refused; the code says why."""
    with pytest.raises(CredentialRefused) as caught:
        claims_of(token, keys=keys, terms=terms, now=now)
    assert token not in caught.value.text
    return caught.value.code


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
def test_a_token_that_holds_gives_its_claims(algorithm: str) -> None:
    """All of them, as they were signed."""
    signer = key(algorithm)
    assert claims_of(signer.token(extra={"a": [1]}), keys=keys_of(signer)) == usual_claims(extra={"a": [1]})


def test_the_header_tells_issuer_algorithm_and_key() -> None:
    """It is only good for finding the keys."""
    header = tokens.read(key("ES256").token())
    assert (header.issuer, header.algorithm, header.key_id) == (ISSUER, "ES256", "k1")
    assert tokens.read(key("ES256", None).token()).key_id is None


# Forgeries


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_a_token_without_a_signature_is_refused(algorithm: str) -> None:
    """RFC 8725 section 3.2: whatever it calls itself."""
    header = {"alg": algorithm, "typ": "JWT", "kid": "k1"}
    assert refusal(compact(header, usual_claims(), lambda _: b"x")) == "algorithm_refused"
    assert refusal(f"{encoded(header)}.{encoded(usual_claims())}.") == "token_malformed"


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_token_signed_with_the_public_key_as_a_secret_is_refused(algorithm: str) -> None:
    """RFC 8725 section 2.1: the oldest of the confusions."""
    pem = key("RS256").public_pem()
    digest = f"sha{algorithm[2:]}"
    header = {"alg": algorithm, "typ": "JWT", "kid": "k1"}
    forged = compact(header, usual_claims(), lambda signed: hmac.digest(pem, signed, digest))
    assert refusal(forged) == "algorithm_refused"


def test_even_accepted_by_mistake_a_symmetric_algorithm_finds_no_key() -> None:
    """A second wall behind the configuration's."""
    secret = b"s" * 64
    oct_key = {"kty": "oct", "kid": "k1", "k": base64.urlsafe_b64encode(secret).decode().rstrip("=")}
    terms = TokenTerms(ISSUER, (AUDIENCE,), ("HS256", "none", "ES256"))
    header = {"alg": "HS256", "kid": "k1"}
    for used in (secret, key("RS256").public_pem()):
        forged = compact(header, usual_claims(), partial(hmac.digest, used, digest="sha256"))
        assert refusal(forged, keys=keys_of(oct_key, key("RS256")), terms=terms) == "key_unknown"
    unsigned = compact({"alg": "none", "kid": "k1"}, usual_claims(), lambda _: b"x")
    assert refusal(unsigned, terms=terms) == "key_unknown"


@pytest.mark.parametrize(
    ("signed", "claimed"), [("RS256", "PS256"), ("PS256", "RS256"), ("RS256", "ES256"), ("ES256", "EdDSA")]
)
def test_a_signature_of_another_algorithm_is_refused(signed: str, claimed: str) -> None:
    """The header's word is not the signature's."""
    keys = keys_of(key("RS256"), key("ES256"), key("EdDSA"))
    signer = key(signed) if signed != "PS256" else SigningKey(key("RS256").private, "PS256", "k1")
    assert refusal(signer.sign_raw({"alg": claimed, "kid": "k1"}, usual_claims()), keys=keys) == "signature_invalid"


def test_a_token_of_another_key_is_refused() -> None:
    """Though it names ours."""
    assert refusal(key("ES256", "k1", 1).token()) == "signature_invalid"
    assert refusal(key("RS256", "k1", 1).token()) == "signature_invalid"


def test_a_token_of_an_unknown_key_is_refused() -> None:
    """An empty id is an unknown one."""
    assert refusal(key("ES256", "k2").token()) == "key_unknown"
    assert refusal(key("ES256", "").token()) == "key_unknown"


def test_two_keys_with_one_id_verify_nothing() -> None:
    """Not even the token of one of them."""
    assert refusal(key("ES256").token(), keys=keys_of(key("ES256"), key("ES256", "k1", 1))) == "key_unknown"


def test_a_weak_key_verifies_nothing() -> None:
    """RSA below 2048 bits can be factored (RFC 7518 section 3.3)."""
    weak = SigningKey(rsa_private(1024), "RS256", "k1")
    forged = weak.sign_raw({"alg": "RS256", "kid": "k1"}, usual_claims())
    assert refusal(forged, keys=keys_of(weak)) == "signature_invalid"


@pytest.mark.parametrize("name", ["jku", "jwk", "x5u", "x5c", "crit", "b64"])
def test_a_token_that_brings_keys_or_extensions_of_its_own_is_refused(name: str) -> None:
    """RFC 8725 section 3.10: even where its signature holds."""
    values: dict[str, Any] = {
        "jku": "https://evil.example/jwks.json",
        "jwk": key("ES256").public_jwk(),
        "x5u": "https://evil.example/chain.pem",
        "x5c": ["MIIB"],
        "crit": ["b64"],
        "b64": True,
    }
    for value in (values[name], None, ""):
        forged = key("ES256").sign_raw({"alg": "ES256", "kid": "k1", name: value}, usual_claims())
        assert refusal(forged) in {"token_header_refused", "token_malformed"}


@pytest.mark.parametrize(
    ("header", "payload"),
    [
        (b"", usual_claims()),
        (b"nonsense", usual_claims()),
        (b"\xff\xfe", usual_claims()),
        ([], usual_claims()),
        ("ES256", usual_claims()),
        ({}, usual_claims()),
        ({"kid": "k1"}, usual_claims()),
        ({"alg": None, "kid": "k1"}, usual_claims()),
        ({"alg": ["ES256"], "kid": "k1"}, usual_claims()),
        ({"alg": "ES256", "kid": 7}, usual_claims()),
        ({"alg": "ES256", "kid": ["k1"]}, usual_claims()),
        ({"alg": "ES256", "kid": {}}, usual_claims()),
        ({"alg": "ES256", "kid": "k1"}, b""),
        ({"alg": "ES256", "kid": "k1"}, b"nonsense"),
        ({"alg": "ES256", "kid": "k1"}, []),
        ({"alg": "ES256", "kid": "k1"}, "alice"),
        ({"alg": "ES256", "kid": "k1"}, {}),
        ({"alg": "ES256", "kid": "k1"}, {"iss": 7}),
        ({"alg": "ES256", "kid": "k1"}, {"iss": [ISSUER]}),
        ({"alg": "ES256", "kid": "k1"}, b'{"iss": "x", "a": ' + b"[" * 5000 + b"]" * 5000 + b"}"),
        ({"alg": "ES256", "kid": "k1"}, b'{"iss": "x", "a": ' + b"9" * 5000 + b"}"),
        (b'{"alg": "ES256", "a": ' + b"[" * 5000 + b"]" * 5000 + b"}", usual_claims()),
    ],
)
def test_what_is_no_sound_token_is_refused_as_malformed(header: Any, payload: Any) -> None:
    """Before a key is looked for."""
    with pytest.raises(CredentialRefused) as caught:
        tokens.read(key("ES256").sign_raw(header, payload))
    assert caught.value.code == "token_malformed"


def test_a_signature_that_is_cut_or_extended_is_refused() -> None:
    """Every byte of it counts."""
    for algorithm in ("ES256", "RS256", "EdDSA"):
        head, _, signature = key(algorithm).token().rpartition(".")
        raw = base64.urlsafe_b64decode(signature + "==")
        for changed in (raw[:-1], raw[1:], raw + b"\x00", b"\x00" + raw, b"\x00" * len(raw), raw[:1], raw * 2):
            assert refusal(f"{head}.{encoded(changed)}") == "signature_invalid"


@given(st.sampled_from(["ES256", "RS256", "EdDSA"]), st.data())
def test_a_signature_with_one_bit_flipped_is_refused(algorithm: str, data: st.DataObject) -> None:
    """Whichever bit."""
    head, _, signature = key(algorithm).token().rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    assert refusal(f"{head}.{encoded(bytes(raw))}") == "signature_invalid"


TOKEN = key("ES256").token()
ALPHABET = string.ascii_letters + string.digits + "-_.=+/ %"


@pytest.mark.parametrize("part", [0, 1, 2])
def test_no_token_holds_in_which_a_single_character_was_changed(part: int) -> None:
    """At each place of the token, for two characters that could stand there and for none; unused bits too."""
    start = sum(len(text) + 1 for text in TOKEN.split(".")[:part])
    end = start + len(TOKEN.split(".")[part])
    for place in range(start, end):
        code = ALPHABET.index(TOKEN[place])
        for character in (ALPHABET[(code + 1) % 64], ALPHABET[(code + 32) % 64], ""):
            changed = TOKEN[:place] + character + TOKEN[place + 1 :]
            with pytest.raises(CredentialRefused):
                claims_of(changed)


@given(st.integers(0, len(TOKEN)), st.text(max_size=3), st.integers(0, 3))
@example(len(TOKEN), "=", 0)
@example(len(TOKEN), "\n", 0)
@example(0, " ", 0)
def test_no_edit_of_a_token_holds(place: int, put_in: str, cut: int) -> None:
    """Characters put in, taken out or replaced, of any alphabet."""
    changed = TOKEN[:place] + put_in + TOKEN[place + cut :]
    assume(changed != TOKEN)
    with pytest.raises(CredentialRefused):
        claims_of(changed)


@given(st.text(max_size=60) | st.lists(st.binary(max_size=40).map(encoded), min_size=3, max_size=3).map(".".join))
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    """A client chooses it freely."""
    with pytest.raises(CredentialRefused):
        claims_of(text)


@pytest.mark.parametrize("member", ["iss", "exp", "sub", "roles"])
def test_a_token_with_two_claims_of_one_name_is_refused(member: str) -> None:
    """Whoever reads it further on might take the other one."""
    payload = json.dumps(usual_claims())[:-1] + f', "{member}": {json.dumps(usual_claims()[member])}}}'
    token = key("ES256").sign_raw({"alg": "ES256", "kid": "k1"}, payload.encode())
    assert refusal(token) == "token_malformed"


def test_a_token_whose_header_has_two_algorithms_is_refused() -> None:
    header = b'{"alg": "none", "kid": "k1", "alg": "ES256"}'
    assert refusal(key("ES256").sign_raw(header, usual_claims())) == "token_malformed"


# Type, age, required claims


@pytest.mark.parametrize("name", ["JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/jwt", None])
def test_a_token_may_say_that_it_is_an_access_token_or_nothing(name: str | None) -> None:
    signed = key("ES256").sign_raw(
        {"alg": "ES256", "kid": "k1", **({} if name is None else {"typ": name})}, usual_claims()
    )
    assert claims_of(signed) == usual_claims()


@pytest.mark.parametrize(
    "name", ["dpop+jwt", "logout+jwt", "secevent+jwt", "kb+jwt", "", "jwt ", "x/at+jwt", 7, ["JWT"], None]
)
def test_a_token_that_says_it_is_something_else_is_refused(name: object) -> None:
    """RFC 8725 section 3.11: what was signed for one use is not taken for another."""
    signed = key("ES256").sign_raw({"alg": "ES256", "kid": "k1", "typ": name}, usual_claims())
    if name is not None:
        assert refusal(signed) == "token_type_refused"
    only = replace(TERMS, access_tokens_only=True)
    assert refusal(signed, terms=only) == "token_type_refused"
    assert refusal(key("ES256").token({"typ": "JWT"}), terms=only) == "token_type_refused"
    assert claims_of(key("ES256").token({"typ": "at+jwt"}), terms=only) == usual_claims()


def test_a_token_may_be_only_so_old() -> None:
    """Whatever expiry it was given."""
    terms = replace(TERMS, max_age=60.0)
    token = key("ES256").token(iat=int(NOW), exp=int(NOW) + 10_000)
    assert claims_of(token, terms=terms, now=int(NOW) + 60 + LEEWAY - 0.001)
    assert refusal(token, terms=terms, now=int(NOW) + 60 + LEEWAY) == "token_too_old"
    assert refusal(key("ES256").token(iat=None), terms=terms) == "claim_missing"


@pytest.mark.parametrize("name", ["tenant", "org.id"])
def test_a_claim_that_is_required_has_to_be_there(name: str) -> None:
    terms = replace(TERMS, required_claims=(name,))
    assert refusal(key("ES256").token(), terms=terms) == "claim_missing"
    assert refusal(key("ES256").token(org={}, other=1), terms=terms) == "claim_missing"
    assert claims_of(key("ES256").token(tenant="t", org={"id": 7}), terms=terms)


@given(
    st.none() | st.floats(-1e6, 1e6), st.none() | st.floats(-1e6, 1e6), st.none() | st.floats(-1e6, 1e6),
    st.none() | st.floats(1, 1e6), st.floats(-2e6, 2e6),
)  # fmt: skip
def test_the_validity_of_claims_is_when_their_times_hold(
    expiry: float | None, not_before: float | None, issued: float | None, max_age: float | None, at: float
) -> None:
    """What is kept of a token says the same as checking it anew."""
    claims = {
        name: value for name, value in (("exp", expiry), ("nbf", not_before), ("iat", issued)) if value is not None
    }
    terms = replace(TERMS, max_age=None if issued is None else max_age)
    try:
        tokens.check_times(claims, terms, at)
        holds = True
    except CredentialRefused:
        holds = False
    assert tokens.validity(claims, terms).holds(at) is holds


# Issuer, audience, times


@pytest.mark.parametrize("issuer", ["https://evil.example", f"{ISSUER}/", ISSUER.upper(), ""])
def test_a_token_of_another_issuer_is_refused(issuer: str) -> None:
    """Compared character by character (RFC 8725 section 3.8)."""
    assert refusal(key("ES256").token(iss=issuer)) == "issuer_unknown"


@pytest.mark.parametrize(
    "audience", [AUDIENCE, [AUDIENCE], ["somebody", AUDIENCE], ["other-gateway"], [7, None, AUDIENCE]]
)
def test_a_token_for_us_passes(audience: object) -> None:
    """Alone or among others."""
    assert claims_of(key("ES256").token(aud=audience))["aud"] == audience


@pytest.mark.parametrize(
    "audience",
    [None, "", "somebody", AUDIENCE.upper(), f"{AUDIENCE} ", f"{AUDIENCE},x", [], ["somebody"], [[AUDIENCE]], 7, True,
     {AUDIENCE: True}, [{"aud": AUDIENCE}]],
)  # fmt: skip
def test_a_token_for_somebody_else_is_refused(audience: object) -> None:
    """One for nobody too."""
    payload = {**usual_claims(), "aud": audience}
    assert refusal(key("ES256").sign_raw({"alg": "ES256", "kid": "k1"}, payload)) == "audience_wrong"
    assert refusal(key("ES256").token(aud=None)) == "audience_wrong"


def test_a_token_holds_until_the_end_of_the_leeway() -> None:
    """And not a moment longer."""
    token = key("ES256").token()
    assert claims_of(token, now=EXPIRY + LEEWAY - 0.001)
    assert refusal(token, now=EXPIRY + LEEWAY) == "token_expired"
    assert refusal(token, now=EXPIRY * 2) == "token_expired"


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_of_the_future_holds_from_the_start_of_the_leeway(claim: str) -> None:
    """Its issuer's clock may be ahead of ours by as much."""
    token = key("ES256").sign({**usual_claims(), claim: NOW + 60})
    assert claims_of(token, now=NOW + 60 - LEEWAY)
    assert refusal(token, now=NOW + 60 - LEEWAY - 0.001) == "token_not_yet_valid"


def test_a_token_without_an_expiry_is_refused() -> None:
    """It could never be taken back."""
    assert refusal(key("ES256").token(exp=None)) == "expiry_missing"
    null = key("ES256").sign_raw({"alg": "ES256", "kid": "k1"}, {**usual_claims(), "exp": None})
    assert refusal(null) == "expiry_missing"


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "value",
    ['"9999999999"', '"never"', "true", "false", "NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "[]", "{}",
     "[9999999999]", '""'],
)  # fmt: skip
def test_a_time_that_is_no_number_is_refused(claim: str, value: str) -> None:
    """In each of the three claims."""
    payload = json.dumps(usual_claims(**{claim: None}))[:-1] + f', "{claim}": {value}}}'
    forged = key("ES256").sign_raw({"alg": "ES256", "kid": "k1"}, payload.encode())
    assert refusal(forged) == "token_malformed"


@pytest.mark.parametrize("value", [EXPIRY + 0.5, 1e18, 253_402_300_800])
def test_an_expiry_may_have_a_fraction_and_lie_far_ahead(value: float) -> None:
    """RFC 7519's NumericDate."""
    assert claims_of(key("ES256").token(exp=value))["exp"] == value


@pytest.mark.parametrize("value", [0, -1, -1e18, NOW - LEEWAY])
def test_an_expiry_in_the_past_is_one(value: float) -> None:
    """However far back."""
    payload = {**usual_claims(), "exp": value}
    assert refusal(key("ES256").sign_raw({"alg": "ES256", "kid": "k1"}, payload)) == "token_expired"


@given(st.floats(-1e6, 1e6), st.none() | st.floats(-1e6, 1e6), st.none() | st.floats(-1e6, 1e6))
def test_a_token_passes_exactly_within_its_times(expiry: float, not_before: float | None, issued: float | None) -> None:
    """All three offsets are in seconds from now."""
    times = {"exp": expiry, "nbf": not_before, "iat": issued}
    claims = usual_claims(**{name: None if offset is None else NOW + offset for name, offset in times.items()})
    token = key("EdDSA").sign_raw({"alg": "EdDSA", "kid": "k1"}, claims)
    early = any(claims.get(name, NOW) - LEEWAY > NOW for name in ("nbf", "iat"))
    if claims["exp"] + LEEWAY > NOW and not early:
        assert claims_of(token) == claims
    else:
        assert refusal(token) in {"token_expired", "token_not_yet_valid"}


def test_the_signature_is_checked_before_anything_that_the_token_says() -> None:
    """A forger learns nothing of issuers and times."""
    forged = key("ES256", "k1", 1).token(exp=1, aud="somebody")
    assert refusal(forged) == "signature_invalid"
