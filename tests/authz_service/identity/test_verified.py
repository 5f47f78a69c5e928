from __future__ import annotations

import pytest

from authz_service.identity import verified
from authz_service.identity.verified import MAX_AGE, Verified, VerifiedTokens
from authz_service.model import Identity


def holder(user: str, since: float = 0.0) -> Verified:
    identity = Identity(user=user, agent=None, roles=(), issuer="i", claims={}, expires_at=0.0, token_id=None)
    return Verified(identity, (), since)


def test_a_token_is_found_by_its_whole_text_for_as_long_as_it_may_be() -> None:
    tokens = VerifiedTokens()
    tokens.keep("a.b.c", holder("alice"))
    assert tokens.find("a.b.c", MAX_AGE - 1) == holder("alice")
    assert tokens.find("a.b.d", 0) is None
    assert tokens.find("a.b.c", MAX_AGE) is None
    assert len(tokens) == 0


def test_the_first_makes_room_and_one_that_is_kept_again_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verified, "MAX_TOKENS", 2)
    tokens = VerifiedTokens()
    for name in ("a", "b", "a", "c"):
        tokens.keep(name, holder(name))
    assert [tokens.find(name, 0) is not None for name in ("a", "b", "c")] == [True, False, True]
    assert len(tokens) == 2


def test_no_token_is_kept_as_it_is() -> None:
    tokens = VerifiedTokens()
    tokens.keep("header.payload.signature", holder("alice"))
    assert not any(b"payload" in key for key in tokens._known)
