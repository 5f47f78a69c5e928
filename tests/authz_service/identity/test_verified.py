from __future__ import annotations

from authz_service.identity.tokens import Validity
from authz_service.identity.verified import Verified, VerifiedTokens
from authz_service.model import Identity


def holder(user: str, since: float = 0.0) -> Verified:
    identity = Identity(user=user, agent=None, roles=(), issuer="i", claims={}, expires_at=0.0, token_id=None)
    return Verified(identity, (), Validity(0.0, 1.0), since)


def test_a_token_is_found_by_its_whole_text_for_as_long_as_it_may_be() -> None:
    tokens = VerifiedTokens(10, 60.0)
    tokens.keep(tokens.digest("a.b.c"), holder("alice"))
    assert tokens.find(tokens.digest("a.b.c"), 59) == holder("alice")
    assert tokens.find(tokens.digest("a.b.d"), 0) is None
    assert tokens.find(tokens.digest("a.b.c"), 60) is None
    assert len(tokens) == 0


def test_the_first_makes_room_and_one_that_is_kept_again_is_the_last() -> None:
    tokens = VerifiedTokens(2)
    for name in ("a", "b", "a", "c"):
        tokens.keep(tokens.digest(name), holder(name))
    assert [tokens.find(tokens.digest(name), 0) is not None for name in ("a", "b", "c")] == [True, False, True]
    assert len(tokens) == 2


def test_without_room_nothing_is_kept() -> None:
    tokens = VerifiedTokens(0)
    tokens.keep(tokens.digest("a"), holder("a"))
    assert len(tokens) == 0


def test_no_token_is_kept_as_it_is() -> None:
    tokens = VerifiedTokens()
    tokens.keep(tokens.digest("header.payload.signature"), holder("alice"))
    assert not any(b"payload" in key for key in tokens._known)
