"""How an operator reads a revocation."""

from __future__ import annotations

from authz_service.revocation.model import Kind, Subject
from authz_service.revocation.showing import describe, tell_author, to_plain
from tests.authz_service.revocation.revoking import NOW, revocation, user


def test_it_says_who_until_when_and_why() -> None:
    """In one line of two halves."""
    assert describe(user()) == "user alice, until it is restored"
    assert describe(user(until=NOW, issued_before=NOW - 1)) == (
        "user alice, tokens issued before 2025-11-23T04:00:16+00:00, until 2025-11-23T04:00:17+00:00"
    )
    assert tell_author(user()) == "since 2025-11-23T03:59:17+00:00 by root: stolen laptop"


def test_as_json_every_part_has_its_key() -> None:
    """What is not said is null."""
    assert to_plain(revocation(Subject(Kind.TOKEN_ID, "t-1", "https://idp"), until=NOW)) == {
        "kind": "token_id",
        "value": "t-1",
        "issuer": "https://idp",
        "issued_before": None,
        "by": "root",
        "reason": "stolen laptop",
        "since": "2025-11-23T03:59:17+00:00",
        "until": "2025-11-23T04:00:17+00:00",
        "change": "1763870357000-0",
    }
    assert (to_plain(user())["until"], to_plain(user())["issuer"]) == (None, None)
