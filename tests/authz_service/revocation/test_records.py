"""Revocations written and read back, and everything else that a store may hold refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.revocation.model import Action, Kind, Revocation, Subject
from authz_service.revocation.records import (
    MAX_BODY_BYTES,
    RecordError,
    field_of,
    fields_of,
    position,
    read_change,
    read_entry,
    write_order,
    write_restoration,
)
from tests.authz_service.revocation.revoking import NOW, SUBJECTS, TEXTS, ordered, revocations, user

ID = b"1763870357000-0"
BODY = {"kind": "user", "value": "alice", "issuer": None, "by": "root", "reason": "x", "issued_before": None}
FIELD = b'["user","alice",null,"all"]'


def entry(found: Revocation) -> tuple[bytes, bytes]:
    """A revocation as the hash has it."""
    until = 0 if found.until is None else round(found.until * 1000)
    value = f"{found.change} {until} {write_order(ordered(found))}"
    return field_of(found.subject, found.issued_before).encode(), value.encode()


def entry_with(body: Any, change: bytes = ID, until: bytes = b"0") -> bytes:
    """A value of the hash with this body."""
    return b" ".join([change, until, body if isinstance(body, bytes) else json.dumps(body).encode()])


def test_a_revocation_is_written_in_a_form_that_stays() -> None:
    """Replicas of different releases share it."""
    assert entry(user(until=NOW)) == (
        FIELD,
        (
            b'1763870357000-0 1763870417000 {"kind":"user","value":"alice","issuer":null,"by":"root",'
            b'"reason":"stolen laptop","issued_before":null}'
        ),
    )


@given(revocations())
def test_what_is_written_is_read_back_the_same(found: Revocation) -> None:
    """But for the parts of its end below a millisecond; `since` is the id's."""
    read = read_entry(*entry(found))
    assert (read.subject, read.by, read.reason) == (found.subject, found.by, found.reason)
    assert (read.change, read.since, read.issued_before) == (found.change, NOW - 60, found.issued_before)
    assert (read.until is None) == (found.until is None)
    if read.until is not None and found.until is not None:
        assert abs(read.until - found.until) < 0.001


@given(SUBJECTS, SUBJECTS)
def test_no_two_subjects_share_a_field(one: Subject, other: Subject) -> None:
    """Whatever quotes and brackets their names have."""
    assert (one == other) == bool(set(fields_of(one)) & set(fields_of(other)))


@given(SUBJECTS, TEXTS, TEXTS)
def test_a_restoration_is_read_back_the_same(subject: Subject, by: str, reason: str) -> None:
    """As the stream has it."""
    body = write_restoration(subject, by, reason).encode()
    change = read_change([ID, [b"change", b"restore", b"number", b"7", b"until", b"0", b"body", body]])
    assert (change.action, change.id, change.number) == (Action.RESTORE, ID.decode(), 7)
    assert (change.subject, change.by, change.reason, change.revocation) == (subject, by, reason, None)


def test_a_change_that_revokes_holds_the_revocation() -> None:
    """With the stream's id as its own."""
    field, value = entry(user(until=NOW))
    change_id, until, body = value.split(b" ", 2)
    change = read_change([change_id, [b"change", b"revoke", b"number", b"1", b"until", until, b"body", body]])
    assert change.revocation == read_entry(field, value)
    assert (change.at, change.by) == (NOW - 60, "root")


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"1763870357000-0",
        b"1763870357000-0 0",
        entry_with(BODY, change=b"x"),
        entry_with(BODY, change=b"1763870357000"),
        entry_with(BODY, change=b"-1-0"),
        entry_with(BODY, until=b"-1"),
        entry_with(BODY, until=b"1e3"),
        entry_with(BODY, until=b"9" * 16),
        entry_with(b"{"),
        entry_with(b"\xff"),
        entry_with(b"[" * 5000),
        entry_with(b" " * (MAX_BODY_BYTES + 1)),
        entry_with([]),
        entry_with({}),
        entry_with({**BODY, "more": 1}),
        entry_with({**BODY, "kind": "group"}),
        entry_with({**BODY, "kind": 7}),
        entry_with({**BODY, "kind": "agent"}),
        entry_with({**BODY, "value": "bob"}),
        entry_with({**BODY, "value": ["alice"]}),
        entry_with({**BODY, "value": "alice\n"}),
        entry_with({**BODY, "issuer": "https://idp"}),
        entry_with({**BODY, "issuer": 7}),
        entry_with({**BODY, "by": ""}),
        entry_with({**BODY, "by": None}),
        entry_with({**BODY, "reason": "x" * 257}),
        entry_with({**BODY, "issued_before": 1.0}),
        entry_with({**BODY, "issued_before": True}),
        entry_with({**BODY, "issued_before": "1"}),
        entry_with({**BODY, "issued_before": float("nan")}),
        entry_with({**BODY, "issued_before": 10**400}),
    ],
)
def test_an_entry_that_is_not_as_it_is_written_is_refused_without_being_told(value: bytes) -> None:
    """Never read as some other revocation, and never passed over."""
    with pytest.raises(RecordError) as caught:
        read_entry(FIELD, value)
    assert "alice" not in str(caught.value)


def test_the_entry_that_those_differ_from_is_read() -> None:
    """Else they might be refused for another reason."""
    assert read_entry(FIELD, entry_with(BODY)).subject == Subject(Kind.USER, "alice")


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        [ID],
        [ID, None],
        [ID, []],
        [ID, [b"change", b"revoke"]],
        [7, [b"change", b"restore", b"number", b"1", b"until", b"0", b"body", b"{}"]],
        [ID, [b"change", b"restore", b"number", b"1", b"until", b"0", b"body", None]],
        [ID, [b"change", b"restore", b"number", b"one", b"until", b"0", b"body", b"{}"]],
        [ID, [b"change", b"restore", b"number", b"1", b"until", b"0", b"body", b"{}"]],
        [ID, [b"change", b"purge", b"number", b"1", b"until", b"0", b"body", json.dumps(BODY).encode()]],
        [ID, [b"number", b"1", b"change", b"revoke", b"until", b"0", b"body", json.dumps(BODY).encode()]],
    ],
)
def test_a_change_that_is_not_as_it_is_written_is_refused(found: Any) -> None:
    """Whatever stands in the stream."""
    with pytest.raises(RecordError):
        read_change(found)


@given(st.binary(max_size=200), st.binary(max_size=50))
def test_no_bytes_end_in_anything_but_a_refusal_or_a_revocation(value: bytes, field: bytes) -> None:
    """No parser's error comes through."""
    for attempt in (value, entry_with(value), entry_with({**BODY, "value": value.decode("latin-1")})):
        try:
            assert field_of(read_entry(field, attempt).subject, None)
        except RecordError:
            continue


def test_ids_are_in_the_order_of_their_numbers() -> None:
    """Not in that of their letters."""
    assert position("9-2") < position("9-10") < position("10-0")
    for text in ("", "1", "1-", "1-x", "1-1 ", "1-1-1"):
        with pytest.raises(RecordError):
            position(text)
