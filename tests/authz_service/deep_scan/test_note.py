"""A note and its bytes."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.deep_scan.note import MAX_TEXT, Note, NoteError

NOTE = Note("d-1", "r-1", "request", "alice", "cowork", "https://idp", "j-1", "/reports", "application/json", 7.5)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(TEXTS, TEXTS, st.sampled_from(["request", "response"]), st.floats(0, 4e9), st.booleans())
def test_it_is_read_as_it_was_written(user: str, endpoint: str, direction: str, time: float, complete: bool) -> None:  # noqa: FBT001
    """Whatever its fields hold."""
    note = Note("d", "r", direction, user=user, endpoint=endpoint, time=time, complete=complete)
    assert Note.from_bytes(note.to_bytes()) == note


def test_a_long_field_is_cut() -> None:
    """A note is bounded."""
    assert Note.from_bytes(Note("d", "r" * 10_000, "request").to_bytes()).request_id == "r" * MAX_TEXT


@pytest.mark.parametrize(
    "changed",
    [
        {"direction": "sideways"},
        {"user": 7},
        {"user": "x" * 1_000},
        {"time": "now"},
        {"time": True},
        {"complete": 1},
        {"more": "x"},
    ],
)
def test_what_we_have_not_written_is_no_note(changed: dict[str, object]) -> None:
    """Another kind, another field, too long."""
    with pytest.raises(NoteError):
        Note.from_bytes(json.dumps({**asdict(NOTE), **changed}).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b"\xff", b"[" * 100_000])
def test_other_bytes_are_no_note(data: bytes) -> None:
    """And end in the same error."""
    with pytest.raises(NoteError):
        Note.from_bytes(data)
