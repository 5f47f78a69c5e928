"""What can be revoked, by whom and why, and for how long."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.revocation.model import (
    MAX_BY,
    MAX_EPOCH,
    MAX_NAME,
    MAX_REASON,
    MAX_SECONDS,
    MAX_TEXT,
    Kind,
    Order,
    RevocationError,
    Subject,
)
from tests.authz_service.revocation.revoking import NOW, user

ALICE = Subject(Kind.USER, "alice")


def test_a_subject_reads_as_a_person_would_say_it() -> None:
    """For the terminal and for messages."""
    assert str(ALICE) == "user alice"
    assert str(Subject(Kind.TOKEN_ID, "t-1", "https://idp")) == "token id t-1 of issuer https://idp"


@pytest.mark.parametrize("value", ["", " alice", "alice ", "a\nb", "a\x1b[31m", "\ud800", "\u202ealice"])
@pytest.mark.parametrize("kind", list(Kind))
def test_what_can_be_nobodys_name_is_refused(kind: Kind, value: str) -> None:
    """Control characters would reach an operator's terminal."""
    with pytest.raises(RevocationError):
        Subject(kind, value)


def test_names_have_a_length_that_they_may_have_in_tokens() -> None:
    """Users and agents as identity has them; token ids and issuers may be longer."""
    for kind, most in (
        (Kind.USER, MAX_NAME),
        (Kind.AGENT, MAX_NAME),
        (Kind.TOKEN_ID, MAX_TEXT),
        (Kind.ISSUER, MAX_TEXT),
    ):
        assert len(Subject(kind, "x" * most).value) == most
        with pytest.raises(RevocationError):
            Subject(kind, "x" * (most + 1))


def test_an_issuer_narrows_all_but_issuers() -> None:
    """And is held to the same rules."""
    with pytest.raises(RevocationError, match="cannot be narrowed"):
        Subject(Kind.ISSUER, "a", "b")
    with pytest.raises(RevocationError, match="issuer must be"):
        Subject(Kind.USER, "a", "")


@pytest.mark.parametrize(
    "changes",
    [
        {"by": ""},
        {"by": "x" * (MAX_BY + 1)},
        {"reason": ""},
        {"reason": "two\nlines"},
        {"reason": "x" * (MAX_REASON + 1)},
        {"seconds": 0.0},
        {"seconds": float("nan")},
        {"seconds": MAX_SECONDS + 1},
        {"issued_before": float("nan")},
        {"issued_before": 0.0},
        {"issued_before": MAX_EPOCH + 1},
    ],
)
def test_an_order_that_cannot_be_written_down_or_says_nothing_is_refused(changes: dict[str, Any]) -> None:
    """Who and why are never left out."""
    with pytest.raises(RevocationError):
        Order(**{"subject": ALICE, "by": "root", "reason": "stolen", **changes})


def test_a_token_id_goes_without_a_time_of_issue() -> None:
    """It names one token."""
    with pytest.raises(RevocationError, match="whenever it was issued"):
        Order(Subject(Kind.TOKEN_ID, "t-1"), "root", "stolen", issued_before=NOW)


@given(st.none() | st.floats(), st.floats(allow_nan=False))
def test_without_bounds_it_holds_for_every_token_at_every_time(issued_at: float | None, now: float) -> None:
    """Until it is restored."""
    assert user().holds(issued_at, now)


@given(st.floats(0, 1e6))
def test_it_holds_until_its_end_and_not_at_it(seconds: float) -> None:
    """The end is told to the millisecond."""
    found = user(until=NOW)
    assert found.holds(None, NOW - 1 - seconds)
    assert not found.holds(None, NOW + seconds)


@given(st.floats(0.001, 1e6))
def test_it_holds_for_tokens_issued_before_a_time_and_for_those_that_do_not_say(seconds: float) -> None:
    """What cannot be known to be newer counts as older, what is no number among it."""
    found = user(issued_before=NOW)
    assert found.holds(NOW - seconds, NOW)
    assert found.holds(None, NOW)
    assert found.holds(float("nan"), NOW)
    assert not found.holds(NOW, NOW)
    assert not found.holds(NOW + seconds, NOW)
