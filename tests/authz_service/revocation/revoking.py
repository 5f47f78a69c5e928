"""Revocations, callers and changes for tests: one of each, and any of each for rules."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import strategies as st

from authz_service.model import Identity
from authz_service.revocation.model import Action, Change, Kind, Order, Revocation, Subject

NOW = 1_763_870_417.0
CALLER = Identity("alice", "desktop-7", (), "https://idp.example", {}, NOW + 600, issued_at=NOW - 60, token_id="t-1")

# Few values, so that subjects meet each other and the callers.
NAMES = st.sampled_from(["alice", "bob", "é", "a b", '["user","alice",null,"all"]', "x" * 256])
ISSUERS = st.sampled_from(["https://idp.example", "https://other.example"])
TIMES = st.floats(NOW - 100, NOW + 100)
SUBJECTS = st.one_of(
    st.builds(Subject, st.sampled_from([Kind.USER, Kind.AGENT, Kind.TOKEN_ID]), NAMES, st.none() | ISSUERS),
    st.builds(Subject, st.just(Kind.ISSUER), ISSUERS),
)
TEXTS = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=100).filter(
    lambda text: text == text.strip() and text.isprintable()
)


def revocation(subject: Subject, **changes: Any) -> Revocation:
    """One of this subject that was made a minute ago."""
    usual = {"by": "root", "reason": "stolen laptop", "change": "1763870357000-0", "since": NOW - 60}
    return Revocation(subject, **{**usual, **changes})


def user(name: str = "alice", **changes: Any) -> Revocation:
    """One of a user."""
    return revocation(Subject(Kind.USER, name), **changes)


def made(found: Revocation, number: int = 1) -> Change:
    """The change that made a revocation."""
    return Change(
        Action.REVOKE, found.change, number, found.subject, found.by, found.reason, found.since, found
    )  # fmt: skip


def lifted(subject: Subject, number: int = 1) -> Change:
    """A change that restores."""
    return Change(Action.RESTORE, "1763870358000-0", number, subject, "root", "found again", NOW - 59)


@st.composite
def revocations(draw: st.DrawFn) -> Revocation:
    """Any revocation."""
    subject = draw(SUBJECTS)
    issued_before = None if subject.kind is Kind.TOKEN_ID else draw(st.none() | TIMES)
    return revocation(subject, until=draw(st.none() | TIMES), issued_before=issued_before, reason=draw(TEXTS))


@st.composite
def identities(draw: st.DrawFn) -> Identity:
    """Any caller."""
    return dataclasses.replace(
        CALLER,
        user=draw(NAMES),
        agent=draw(st.none() | NAMES),
        token_id=draw(st.none() | NAMES),
        issuer=draw(ISSUERS),
        issued_at=draw(st.none() | TIMES),
    )


def ordered(found: Revocation) -> Order:
    """The order that would have made it."""
    return Order(found.subject, found.by, found.reason, None, found.issued_before)
