"""Who is on the list: held against the plain reading of every revocation in turn."""

from __future__ import annotations

import dataclasses

from hypothesis import given
from hypothesis import strategies as st

from authz_service.model import Identity
from authz_service.revocation.listing import RevocationList
from authz_service.revocation.model import Kind, Revocation, Subject
from tests.authz_service.revocation.revoking import (
    CALLER,
    NOW,
    SUBJECTS,
    TIMES,
    identities,
    revocation,
    revocations,
    user,
)


def concerns(found: Revocation, identity: Identity) -> bool:
    """Whether a revocation is of a caller, said plainly."""
    subject = found.subject
    named = {
        Kind.USER: identity.user,
        Kind.AGENT: identity.agent,
        Kind.TOKEN_ID: identity.token_id,
        Kind.ISSUER: identity.issuer,
    }
    narrowed = subject.issuer is None or subject.issuer == identity.issuer
    return named[subject.kind] == subject.value and narrowed and found.holds(identity.issued_at, NOW)


def form(found: Revocation) -> tuple[Subject, bool]:
    """What another revocation has to share to take its place."""
    return found.subject, found.issued_before is not None


@given(st.lists(revocations(), max_size=12), identities())
def test_a_caller_is_found_if_any_revocation_is_of_him(all_of_them: list[Revocation], identity: Identity) -> None:
    """The last one of each form counts."""
    listed = RevocationList(all_of_them)
    last = {form(each): each for each in all_of_them}
    found = listed.match(identity, NOW)
    assert (found is not None) == any(concerns(each, identity) for each in last.values())
    assert found is None or concerns(found, identity)


@given(st.lists(revocations() | SUBJECTS, max_size=20))
def test_it_holds_what_was_added_and_not_removed_since(steps: list[Revocation | Subject]) -> None:
    """In whatever order."""
    listed, plain = RevocationList(), dict[tuple[Subject, bool], Revocation]()
    for step in steps:
        if isinstance(step, Revocation):
            listed.add(step)
            plain[form(step)] = step
        else:
            listed.remove(step)
            plain = {key: value for key, value in plain.items() if key[0] != step}
        assert len(listed) == len(plain) == len(list(listed))
    assert {form(each): each for each in listed} == plain


@given(st.lists(revocations(), max_size=12), identities(), TIMES)
def test_taking_out_what_has_ended_changes_nobodys_lot(
    all_of_them: list[Revocation], identity: Identity, now: float
) -> None:
    """And leaves what has not."""
    listed, before = RevocationList(all_of_them), RevocationList(all_of_them)
    listed.drop_ended(now)
    assert listed.match(identity, now) == before.match(identity, now)
    kept = [each for each in before if each.until is None or each.until > now]
    assert (len(listed), sorted(map(repr, listed))) == (len(kept), sorted(map(repr, kept)))


def test_a_later_end_takes_the_place_of_an_earlier_one() -> None:
    """Of the same subject."""
    listed = RevocationList([user(until=NOW - 1), user(until=NOW + 1)])
    assert len(listed) == 1
    assert listed.match(CALLER, NOW) == user(until=NOW + 1)


def test_old_tokens_stay_revoked_when_the_revocation_of_all_ends() -> None:
    """The two stand side by side."""
    listed = RevocationList([user(issued_before=NOW), user(until=NOW + 1)])
    new = dataclasses.replace(CALLER, issued_at=NOW + 1)
    assert listed.match(new, NOW) is not None
    assert listed.match(new, NOW + 2) is None
    assert listed.match(CALLER, NOW + 2) is not None


def test_a_user_of_another_issuer_is_somebody_else_where_it_is_narrowed() -> None:
    """Two companies have an alice each."""
    listed = RevocationList([revocation(Subject(Kind.USER, "alice", "https://other.example"))])
    assert listed.match(CALLER, NOW) is None
    assert listed.match(dataclasses.replace(CALLER, issuer="https://other.example"), NOW) is not None


def test_names_of_one_kind_are_not_those_of_another() -> None:
    """An agent called like a user."""
    listed = RevocationList([revocation(Subject(Kind.AGENT, "alice"))])
    assert listed.match(CALLER, NOW) is None
    assert listed.match(dataclasses.replace(CALLER, agent="alice"), NOW) is not None


def test_it_is_told_whether_two_lists_hold_the_same() -> None:
    """Whether something has changed is asked each minute."""
    agent = revocation(Subject(Kind.AGENT, "a1"))
    assert RevocationList([user(), agent]).holds_the_same_as(RevocationList([agent, user()]))
    assert not RevocationList([user()]).holds_the_same_as(RevocationList([user(until=NOW)]))
    assert not RevocationList([user()]).holds_the_same_as(RevocationList())
