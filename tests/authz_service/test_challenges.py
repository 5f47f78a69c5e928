"""What a refused client is asked to bring."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.challenges import Challenges, Headers
from authz_service.errors import CredentialRefused, Scheme

BOTH = Challenges(proof_algorithms=("ES256", "EdDSA"))
BEARER_ONLY = Challenges()
NOTHING_SENT = CredentialRefused("credential_missing", "no credential was sent", None)
# RFC 9110 section 11.6.1: a scheme, and parameters whose values are quoted.
CHALLENGE = re.compile(
    r'(Bearer|DPoP) [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*"(, [a-z_]+="[\x20\x21\x23-\x5b\x5d-\x7e]*")*'
)


def refused(scheme: Scheme, error: str | None = "invalid_token", nonce: str | None = None) -> CredentialRefused:
    """A refusal."""
    return CredentialRefused("code", "text", error, scheme=scheme, nonce=nonce)


def values(headers: Headers, name: str = "www-authenticate") -> list[str]:
    """A header's values."""
    return [value for key, value in headers if key == name]


def parameters(challenge: str) -> dict[str, str]:
    """A challenge's parameters."""
    assert CHALLENGE.fullmatch(challenge), challenge
    found = re.findall(r'([a-z_]+)="([^"]*)"', challenge)
    assert len(dict(found)) == len(found)
    return dict(found)


def test_who_has_sent_nothing_is_told_of_every_scheme() -> None:
    """Without an error: he has made none (RFC 6750 section 3.1)."""
    assert values(BOTH.answer(NOTHING_SENT, "text")) == [
        'DPoP realm="agent-gateway", algs="ES256 EdDSA"',
        'Bearer realm="agent-gateway"',
    ]
    assert BEARER_ONLY.answer(NOTHING_SENT, "text") == [("www-authenticate", 'Bearer realm="agent-gateway"')]


def test_who_has_tried_a_scheme_is_told_of_that_one() -> None:
    """With the error, and with the algorithms of proofs where there may be some (RFC 9449 section 7.1)."""
    assert values(BOTH.answer(refused(Scheme.BEARER), "the token has expired")) == [
        'Bearer realm="agent-gateway", error="invalid_token", error_description="the token has expired"'
    ]
    assert values(BOTH.answer(refused(Scheme.DPOP, "invalid_dpop_proof"), "no")) == [
        'DPoP realm="agent-gateway", error="invalid_dpop_proof", error_description="no", algs="ES256 EdDSA"'
    ]


@pytest.mark.parametrize("scheme", list(Scheme))
@pytest.mark.parametrize("error", ["invalid_token", "invalid_request", "invalid_dpop_proof"])
def test_nobody_is_asked_for_a_proof_where_none_is_accepted(scheme: Scheme, error: str) -> None:
    """Nor are there headers about them."""
    headers = BEARER_ONLY.answer(refused(scheme, error), "text")
    assert [name for name, _ in headers] == ["www-authenticate"]
    assert values(headers)[0].startswith("Bearer ")
    assert "algs" not in values(headers)[0]


def test_a_nonce_is_sent_once_and_not_for_caches() -> None:
    """RFC 9449 section 8: more than one would be none."""
    headers = BOTH.answer(refused(Scheme.DPOP, "use_dpop_nonce", "n-1"), "text")
    assert values(headers, "dpop-nonce") == ["n-1"]
    assert values(headers, "cache-control") == ["no-store"]
    assert parameters(values(headers)[0])["error"] == "use_dpop_nonce"
    for refusal in (NOTHING_SENT, refused(Scheme.DPOP), refused(Scheme.BEARER)):
        assert values(BOTH.answer(refusal, "text"), "dpop-nonce") == []
        assert values(BOTH.answer(refusal, "text"), "cache-control") == []


def test_a_client_in_a_browser_may_read_what_it_needs() -> None:
    """Where it may send proofs: scripts see no other headers than those named."""
    for refusal in (NOTHING_SENT, refused(Scheme.DPOP, "use_dpop_nonce", "n"), refused(Scheme.BEARER)):
        assert values(BOTH.answer(refusal, "text"), "access-control-expose-headers") == ["DPoP-Nonce, WWW-Authenticate"]


def test_a_client_is_told_where_tokens_come_from() -> None:
    """In every challenge (RFC 9728 section 5.1)."""
    url = "https://api.example/.well-known/oauth-protected-resource"
    for algorithms in ((), ("ES256",)):
        challenges = Challenges(proof_algorithms=algorithms, resource_metadata=url)
        for refusal in (NOTHING_SENT, refused(Scheme.BEARER), refused(Scheme.DPOP)):
            told = values(challenges.answer(refusal, "text"))
            assert told
            assert all(parameters(value)["resource_metadata"] == url for value in told)


@given(st.text(), st.sampled_from(list(Scheme)), st.sampled_from([BOTH, BEARER_ONLY]))
def test_no_text_can_end_a_challenge_early(text: str, scheme: Scheme, challenges: Challenges) -> None:
    """Quotes, backslashes, control characters and other scripts are left out (RFC 6750 section 3)."""
    headers = challenges.answer(refused(scheme), text)
    (challenge,) = values(headers)
    found = parameters(challenge)
    assert found["error_description"] == "".join(c for c in text if " " <= c <= "~" and c not in '"\\')
    assert set(found) == {"realm", "error", "error_description"} | ({"algs"} if challenge.startswith("DPoP") else set())
    assert all(name == name.lower() for name, _ in headers)
