"""DPoP proofs: what holds passes once, every other proof is refused."""

from __future__ import annotations

import asyncio
import base64
import json
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused, ReplayUnknown, Scheme
from authz_service.identity.dpop import MAX_JTI, Proofs, ProofTerms, Proven, Request
from authz_service.identity.nonces import PERIOD, Nonces
from authz_service.identity.replay import MemoryReplayStore
from tests.authz_service.minting import NOW, SigningKey, compact, encoded, key, rsa_private
from tests.authz_service.proving import Prover, ath, prover

HOLDER = prover()
TOKEN = key("ES256").token(cnf={"jkt": HOLDER.jkt})
MAX_AGE, SKEW = 60.0, 5.0
TERMS = ProofTerms(
    ("ES256", "ES384", "EdDSA", "RS256", "PS256"),
    {"api.example": "https://api.example", "odd.example": "https://odd.example:8443"},
    MAX_AGE,
    SKEW,
)
GET = Request("GET", "api.example", "/reports")
SECRET = b"s" * 32


class Asked:
    """Proofs that are asked about one after the other, with the store that remembers them."""

    def __init__(self, *, nonces: bool = False, capacity: int = 1_000) -> None:
        self.now = NOW
        self.replays = MemoryReplayStore(lambda: self.now, capacity)
        self.proofs = Proofs(TERMS, Nonces(SECRET) if nonces else None, self.replays)

    def verify(self, proof: str, *, token: str = TOKEN, jkt: str = HOLDER.jkt, request: Request = GET) -> Proven:
        return asyncio.run(self.proofs.verify(proof, token, jkt, request, self.now))

    def refusal(self, proof: str, **asked: Any) -> CredentialRefused:
        with pytest.raises(CredentialRefused) as caught:
            self.verify(proof, **asked)
        assert caught.value.scheme is Scheme.DPOP
        assert caught.value.status == 401
        return caught.value

    def code(self, proof: str, **asked: Any) -> str:
        refusal = self.refusal(proof, **asked)
        assert refusal.error == "invalid_dpop_proof"
        assert len(self.replays) == 0, "a proof that does not hold is not remembered"
        return refusal.code


@pytest.mark.parametrize("algorithm", ["ES256", "ES384", "EdDSA", "RS256", "PS256"])
def test_a_proof_that_holds_passes_once(algorithm: str) -> None:
    asked, holder = Asked(), prover(algorithm)
    proof = holder.proof(TOKEN)
    assert asked.verify(proof, jkt=holder.jkt) == Proven(None)
    refusal = asked.refusal(proof, jkt=holder.jkt)
    assert (refusal.code, refusal.error) == ("proof_replayed", "invalid_dpop_proof")
    assert asked.verify(holder.proof(TOKEN), jkt=holder.jkt) == Proven(None)


@pytest.mark.parametrize(
    ("request_", "uri"),
    [
        (GET, "https://api.example/reports?page=2#top"),
        (GET, "HTTPS://API.example:443/reports"),
        (GET, "https://api.example//reports"),
        (GET, "https://api.example/x/../reports"),
        (GET, "https://api.example/%72eports"),
        (Request("GET", "api.example", "/%7Eme/a%2fb"), "https://api.example/~me/a%2Fb"),
        (Request("GET", "api.example", "/"), "https://api.example"),
        (Request("GET", "odd.example", "/reports"), "https://odd.example:8443/reports"),
    ],
)
def test_a_uri_may_be_written_in_any_way_that_means_the_same(request_: Request, uri: str) -> None:
    assert Asked().verify(HOLDER.proof(TOKEN, htu=uri), request=request_) == Proven(None)


@pytest.mark.parametrize(
    "uri",
    [
        "http://api.example/reports", "https://api.example:8443/reports", "https://api.example.evil.example/reports",
        "https://evil.example/reports", "https://api.example/Reports", "https://api.example/reports/",
        "https://api.example/", "https://api.example/report", "https://api.example/reports%2F", "/reports", "",
        "api.example/reports", "https://me@api.example/reports", "https://api.example\\reports",
        "https://api.example/rep orts", "https://api.example/reports%", "https://odd.example:8443/reports", "https://api.example/reports;x=1",
    ],
)  # fmt: skip
def test_a_proof_for_another_uri_is_refused(uri: str) -> None:
    assert Asked().code(HOLDER.proof(TOKEN, htu=uri)) == "proof_uri_wrong"


def test_no_proof_holds_at_a_host_that_has_no_public_origin() -> None:
    """A request's own word for its host proves nothing."""
    request = Request("GET", "evil.example", "/reports")
    assert Asked().code(HOLDER.proof(TOKEN, htu="https://evil.example/reports"), request=request) == "proof_uri_wrong"


@pytest.mark.parametrize("method", ["POST", "get", "Get", "GET ", "", "HEAD"])
def test_a_proof_for_another_method_is_refused(method: str) -> None:
    assert Asked().code(HOLDER.proof(TOKEN, htm=method)) == "proof_method_wrong"


def test_a_proof_for_another_token_is_refused() -> None:
    other = key("ES256").token(cnf={"jkt": HOLDER.jkt}, jti="2")
    assert Asked().code(HOLDER.proof(other)) == "proof_token_wrong"
    for wrong in (None, "", ath(TOKEN) + "=", ath(TOKEN)[:-1], ath(TOKEN).lower(), 7, [ath(TOKEN)], "ä"):
        assert Asked().code(HOLDER.proof(TOKEN, ath=wrong)) == "proof_token_wrong"


def test_a_proof_of_another_key_is_refused_whatever_key_it_brings() -> None:
    """The thief of a token has a key too, and knows the holder's public one."""
    thief = prover(number=8)
    assert Asked().code(thief.proof(TOKEN)) == "proof_key_wrong"
    assert Asked().code(thief.proof(TOKEN, {"jwk": HOLDER.jwk})) == "proof_signature_invalid"


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"typ": None}, "proof_type_wrong"),
        ({"typ": "JWT"}, "proof_type_wrong"),
        ({"typ": "DPOP+JWT"}, "proof_type_wrong"),
        ({"typ": "application/dpop+jwt"}, "proof_type_wrong"),
        ({"typ": ["dpop+jwt"]}, "proof_type_wrong"),
        ({"alg": None}, "proof_algorithm_refused"),
        ({"alg": "none"}, "proof_algorithm_refused"),
        ({"alg": "HS256"}, "proof_algorithm_refused"),
        ({"alg": "ES512"}, "proof_algorithm_refused"),
        ({"alg": ["ES256"]}, "proof_algorithm_refused"),
        ({"alg": "es256"}, "proof_algorithm_refused"),
        ({"alg": "RS256"}, "proof_key_refused"),
        ({"alg": "ES384"}, "proof_key_refused"),
        ({"alg": "EdDSA"}, "proof_key_refused"),
        ({"jwk": None}, "proof_key_refused"),
        ({"jwk": "x"}, "proof_key_refused"),
        ({"jwk": []}, "proof_key_refused"),
        ({"jwk": {}}, "proof_key_refused"),
        ({"jwk": {**HOLDER.jwk, "d": "x"}}, "proof_key_refused"),
        ({"jwk": {**HOLDER.jwk, "k": "x"}}, "proof_key_refused"),
        ({"jwk": {**HOLDER.jwk, "alg": "ES384"}}, "proof_key_refused"),
        ({"jwk": {**HOLDER.jwk, "use": "enc"}}, "proof_key_refused"),
        ({"jwk": {**HOLDER.jwk, "kty": "oct"}}, "proof_key_refused"),
        ({"jwk": {**HOLDER.jwk, "x": 7}}, "proof_key_refused"),
        ({"jwk": {**HOLDER.jwk, "x": HOLDER.jwk["y"]}}, "proof_key_wrong"),
        ({"jwk": {**HOLDER.jwk, "x": HOLDER.jwk["x"] + "="}}, "proof_key_wrong"),
        ({"jku": "https://evil.example/k"}, "proof_header_refused"),
        ({"x5u": "https://evil.example/c"}, "proof_header_refused"),
        ({"x5c": ["MIIB"]}, "proof_header_refused"),
        ({"crit": ["exp"]}, "proof_header_refused"),
        ({"b64": False}, "proof_header_refused"),
    ],
)
def test_a_header_that_is_not_that_of_a_proof_is_refused(header: dict[str, Any], code: str) -> None:
    assert Asked().code(HOLDER.proof(TOKEN, header)) == code


def test_other_members_of_key_and_header_do_not_matter() -> None:
    """A key's id, a name that somebody made up."""
    jwk = {**HOLDER.jwk, "kid": "1", "use": "sig", "alg": "ES256"}
    assert Asked().verify(HOLDER.proof(TOKEN, {"jwk": jwk, "kid": "evil", "x": 1})) == Proven(None)


@pytest.mark.parametrize("bits", [1024, 8192])
def test_an_rsa_key_must_be_neither_weak_nor_a_burden(bits: int) -> None:
    holder = Prover(SigningKey(rsa_private(bits), "RS256", None))
    assert Asked().code(holder.proof(TOKEN), jkt=holder.jkt) == "proof_key_refused"


def test_a_proof_that_is_not_signed_or_signed_with_a_secret_is_refused() -> None:
    claims, header = HOLDER.claims(TOKEN), {"typ": "dpop+jwt", "alg": "ES256", "jwk": HOLDER.jwk}
    assert Asked().code(compact(header, claims, lambda _: b"x")) == "proof_signature_invalid"
    assert Asked().code(compact({**header, "alg": "none"}, claims, lambda _: b"x")) == "proof_algorithm_refused"
    assert Asked().code(f"{encoded(header)}.{encoded(claims)}.") == "proof_malformed"


@pytest.mark.parametrize("claim", ["jti", "htm", "htu", "iat", "ath"])
@pytest.mark.parametrize("value", [None, 7.5, [], {}, True, "", "x" * 10_000])
def test_each_claim_is_needed_and_of_its_type(claim: str, value: Any) -> None:
    if claim == "iat" and value == 7.5:
        value = "1763870417"
    assert Asked().code(HOLDER.proof(TOKEN, **{claim: value})) in {
        "proof_malformed", "proof_token_wrong", "proof_method_wrong", "proof_uri_wrong",
    }  # fmt: skip


@pytest.mark.parametrize("length", [1, MAX_JTI])
def test_an_id_may_be_so_long(length: int) -> None:
    assert Asked().verify(HOLDER.proof(TOKEN, jti="j" * length)) == Proven(None)
    assert Asked().code(HOLDER.proof(TOKEN, jti="j" * (MAX_JTI + 1))) == "proof_malformed"


@given(st.floats(-1e4, 1e4))
def test_a_proof_holds_only_in_its_window(offset: float) -> None:
    proof = HOLDER.proof(TOKEN, iat=NOW + offset)
    if -MAX_AGE <= NOW + offset - NOW <= SKEW:
        assert Asked().verify(proof) == Proven(None)
    else:
        assert Asked().code(proof) == "proof_not_fresh"


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999", "null", "true", '"x"', "[1]", "1" + "0" * 5000])
def test_a_time_that_is_none_is_refused(text: str) -> None:
    claims = json.dumps(HOLDER.claims(TOKEN, iat=None))[:-1] + f', "iat": {text}}}'
    assert Asked().code(HOLDER.signed(claims.encode())) in {"proof_malformed", "proof_not_fresh"}


def test_a_proof_with_two_claims_of_one_name_is_refused() -> None:
    claims = json.dumps(HOLDER.claims(TOKEN))[:-1] + ', "htm": "GET"}'
    assert Asked().code(HOLDER.signed(claims.encode())) == "proof_malformed"


def test_a_proof_is_remembered_for_as_long_as_it_could_come_again() -> None:
    """A little longer: clocks differ."""
    asked = Asked()
    proof = HOLDER.proof(TOKEN, iat=NOW + SKEW)
    asked.verify(proof)
    asked.now = NOW + SKEW + MAX_AGE
    assert asked.refusal(proof).code == "proof_replayed"
    asked.now += 0.001
    assert asked.refusal(proof).code == "proof_not_fresh"


def test_another_method_does_not_make_another_proof_of_it() -> None:
    """The same id for the same URI counts once."""
    asked = Asked()
    asked.verify(HOLDER.proof(TOKEN, jti="1"))
    post = Request("POST", "api.example", "/reports")
    assert asked.refusal(HOLDER.proof(TOKEN, jti="1", htm="POST"), request=post).code == "proof_replayed"


def test_holders_do_not_use_up_one_anothers_ids() -> None:
    asked, other = Asked(), prover(number=9)
    token = key("ES256").token(cnf={"jkt": other.jkt})
    asked.verify(HOLDER.proof(TOKEN, jti="1"))
    asked.verify(other.proof(token, jti="1"), token=token, jkt=other.jkt)


def test_when_nothing_more_can_be_remembered_proofs_are_refused() -> None:
    """And none is forgotten for it."""
    asked = Asked(capacity=1)
    proof = HOLDER.proof(TOKEN)
    asked.verify(proof)
    with pytest.raises(ReplayUnknown):
        asked.verify(HOLDER.proof(TOKEN))
    assert asked.refusal(proof).code == "proof_replayed"


@given(st.data())
def test_no_change_of_a_proof_holds(data: st.DataObject) -> None:
    """Characters put in, taken out or replaced, at any place."""
    proof = HOLDER.proof(TOKEN)
    place = data.draw(st.integers(0, len(proof)))
    cut = data.draw(st.integers(0, 2))
    put_in = data.draw(st.text("ABYZabyz019-_.=", max_size=2) | st.text(max_size=1))
    changed = proof[:place] + put_in + proof[place + cut :]
    assume(changed != proof)
    assert Asked().code(changed).startswith("proof_")


@given(st.sampled_from(["ES256", "RS256", "EdDSA"]), st.data())
def test_no_bit_of_a_signature_can_be_flipped(algorithm: str, data: st.DataObject) -> None:
    holder = prover(algorithm)
    head, _, signature = holder.proof(TOKEN).rpartition(".")
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    assert Asked().code(f"{head}.{encoded(bytes(raw))}", jkt=holder.jkt) == "proof_signature_invalid"


@given(st.text(max_size=60) | st.lists(st.binary(max_size=40).map(encoded), min_size=3, max_size=3).map(".".join))
def test_no_text_raises_anything_but_a_refusal(text: str) -> None:
    assert Asked().code(text).startswith("proof_")


# Nonces


@pytest.mark.parametrize(
    "nonce", [None, "", "x", 7, [], Nonces(b"t" * 32).current(NOW), Nonces(SECRET).current(NOW - 2 * PERIOD)]
)
def test_a_proof_without_a_nonce_of_ours_is_told_the_one_to_use(nonce: Any) -> None:
    asked = Asked(nonces=True)
    refusal = asked.refusal(HOLDER.proof(TOKEN, nonce=nonce))
    assert (refusal.code, refusal.error) == ("proof_nonce_needed", "use_dpop_nonce")
    assert refusal.nonce == Nonces(SECRET).current(NOW)
    assert len(asked.replays) == 0
    assert asked.verify(HOLDER.proof(TOKEN, nonce=refusal.nonce)) == Proven(None)


def test_a_nonce_of_the_period_before_still_holds_and_brings_a_new_one() -> None:
    asked = Asked(nonces=True)
    before, now = Nonces(SECRET).current(NOW - PERIOD), Nonces(SECRET).current(NOW)
    assert asked.verify(HOLDER.proof(TOKEN, nonce=before)) == Proven(now)


def test_who_cannot_prove_anything_learns_no_nonce() -> None:
    thief = prover(number=8)
    assert Asked(nonces=True).code(thief.proof(TOKEN)) == "proof_key_wrong"
    assert Asked(nonces=True).code(thief.proof(TOKEN, {"jwk": HOLDER.jwk})) == "proof_signature_invalid"
