"""What is told of a token, and that it agrees with what the service does."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import CredentialRefused
from authz_service.identity import tokens
from authz_service.identity.claims import to_identity
from authz_service.identity.keys import parse_key_set
from authz_service.identity.token_verifier import terms_of
from authz_service.token_report import TokenReport, report
from tests.authz_service.minting import ISSUER, NOW, issuer, key, key_set, usual_claims

SIGNER = key("ES256")
KEYS = parse_key_set(key_set(SIGNER, key("RS256")), 0.0)


def told(token: str, *, now: float = NOW, known: bool = True, **terms: Any) -> TokenReport:
    """What is told of it."""
    keys = {ISSUER: KEYS} if known else {}
    return report(token, {ISSUER: issuer(**terms)}, keys, now, configured=True)


def failed(token: str, **more: Any) -> list[str]:
    """The checks that it fails."""
    return [check.name for check in told(token, **more).checks if check.passed is False]


def test_a_token_that_holds_passes_every_check_and_its_content_is_told() -> None:
    found = told(SIGNER.token(cnf={"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}))
    assert found.holds
    assert found.header["alg"] == "ES256"
    assert found.claims["sub"] == "alice"
    assert "bound to a DPoP key" in found.checks[-1].text


@pytest.mark.parametrize(
    ("token", "checks"),
    [
        (SIGNER.token(exp=1), ["times"]),
        (SIGNER.token(exp=None), ["expiry"]),
        (SIGNER.token(aud="other", nbf=NOW + 600), ["audience", "times"]),
        (SIGNER.token(iss="https://evil.example"), ["issuer"]),
        (SIGNER.token(sub=None), ["caller"]),
        (SIGNER.token(cnf={"kid": "1"}), ["caller"]),
        (SIGNER.token({"typ": "dpop+jwt"}), ["type"]),
        (SIGNER.token({"jku": "https://evil.example"}), ["header"]),
        (key("ES256", "k1", 1).token(), ["signature"]),
        (key("ES256", "k9").token(), ["signature"]),
        (key("ES384", "k1").token(), ["algorithm", "signature"]),
        ("opaque", ["form"]),
        ("a.b.c", ["form"]),
        ("x" * 20_000, ["size"]),
    ],
)
def test_each_check_that_fails_is_told(token: str, checks: list[str]) -> None:
    assert failed(token) == checks
    assert told(token).holds is False


def test_without_keys_nothing_is_said_of_the_signature() -> None:
    found = told(SIGNER.token(), known=False)
    assert found.holds is None
    assert [check.name for check in found.checks if check.passed is None] == ["signature"]
    assert told(SIGNER.token(exp=1), known=False).holds is False


def test_without_a_configuration_only_form_and_times_are_looked_at() -> None:
    found = report(SIGNER.token(exp=1), {}, {}, NOW, configured=False)
    assert {check.name: check.passed for check in found.checks} == {
        "form": True, "header": True, "times": False, "issuer": None,
    }  # fmt: skip


def test_age_and_required_claims_are_looked_at_where_they_are_asked_for() -> None:
    assert failed(SIGNER.token(iat=int(NOW) - 3_600), max_age_seconds=60) == ["times"]
    assert failed(SIGNER.token(), required_claims=("tenant",)) == ["required claims"]
    assert failed(SIGNER.token(tenant="t"), required_claims=("tenant",)) == []


def test_times_are_told_with_their_distance() -> None:
    (times,) = [
        check.text
        for check in told(SIGNER.token(iat=int(NOW) - 7_200, exp=int(NOW) + 600)).checks
        if check.name == "times"
    ]
    assert "(2 h ago)" in times
    assert "(10 min ahead)" in times


def test_the_signature_is_not_told() -> None:
    token = SIGNER.token()
    assert token.rpartition(".")[2] not in json.dumps([told(token).header, told(token).claims])


CLAIMS = st.fixed_dictionaries(
    {},
    optional={
        "exp": st.sampled_from([None, 1, NOW + 60, "x", True]),
        "nbf": st.sampled_from([NOW - 60, NOW + 60, []]),
        "iat": st.sampled_from([NOW - 60, NOW + 600, {}]),
        "aud": st.sampled_from(["agent-gateway", "other", None, ["agent-gateway"]]),
        "sub": st.sampled_from(["bob", None, "", 7, " a"]),
        "roles": st.sampled_from([[], ["a"], "a b", 7]),
        "cnf": st.sampled_from([{}, {"jkt": "x"}]),
        "iss": st.sampled_from([ISSUER, "https://evil.example"]),
    },
)


@given(CLAIMS, st.sampled_from([None, "JWT", "at+jwt", "logout+jwt"]), st.booleans())
def test_what_is_told_is_what_the_service_would_do(claims: dict[str, Any], kind: str | None, strict: bool) -> None:  # noqa: FBT001  (drawn)
    """For any token that is signed."""
    header = {"alg": "ES256", "kid": "k1", **({"typ": kind} if kind else {})}
    token = SIGNER.sign_raw(header, {**usual_claims(), **claims})
    described = issuer(access_tokens_only=strict)
    try:
        to_identity(tokens.verify(tokens.read(token), terms_of(described), KEYS, NOW), described.claims, ISSUER)
        accepted = True
    except CredentialRefused:
        accepted = False
    assert told(token, access_tokens_only=strict).holds is accepted
