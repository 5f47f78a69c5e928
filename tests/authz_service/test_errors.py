"""Whose fault a refusal is."""

from __future__ import annotations

import pytest

from authz_service.errors import (
    CredentialRefused,
    KeysUnavailable,
    Outage,
    PolicyFailed,
    Refusal,
    RequestRefused,
)


@pytest.mark.parametrize(
    ("refusal", "status"),
    [(Refusal("c", "t"), 403), (RequestRefused("c", "t"), 400), (CredentialRefused("c", "t"), 401)],
)
def test_a_refusal_is_the_callers_fault_and_shows_its_text(refusal: Refusal, status: int) -> None:
    """With a stable code."""
    assert (refusal.status, refusal.code, refusal.text, str(refusal)) == (status, "c", "t", "t")


@pytest.mark.parametrize(
    ("outage", "code"),
    [(Outage("c", "d"), "c"), (KeysUnavailable("d"), "keys_unavailable"), (PolicyFailed("d"), "policy_failed")],
)
def test_an_outage_is_ours_and_has_a_detail_for_the_log(outage: Outage, code: str) -> None:
    """Never a 4xx, and never a `Refusal`."""
    assert (outage.status, outage.code, outage.detail) == (503, code, "d")
    assert not isinstance(outage, Refusal)


def test_a_credential_that_does_not_hold_is_an_invalid_token_unless_told_otherwise() -> None:
    """The challenge's error codes of RFC 6750."""
    assert CredentialRefused("c", "t").error == "invalid_token"
    assert CredentialRefused("c", "t", error=None).error is None
