"""One text whose parts come in several events → the same, treated."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors import ALL
from authz_service.dlp.held import numbered
from authz_service.dlp.joined_text import JoinedText, Slot
from authz_service.dlp.scan import Scanner
from authz_service.dlp.views.piece import Piece
from tests.authz_service.dlp.streaming import HARD, SCANNER, TEXTS, Noting

GAP = 1_000  # bytes of an event around a part of a text
EVERYTHING = frozenset(each.name for each in (*ALL, *HARD))


def fed(text: JoinedText, parts: list[bytes], first: int = 1) -> list[Slot]:
    """Parts of a text, each in an event."""
    return [text.feed(numbered([Piece(part, part)], GAP * number)) for number, part in enumerate(parts, first)]


def test_a_value_is_replaced_where_it_began_and_gone_from_the_rest() -> None:
    """What stands around it stays in its own event."""
    text = JoinedText(Scanner(ALL), Noting())
    slots = fed(text, [b"it is 12", b"3-45-", b"6789, ", b"I think"])
    assert [(slot.raw, slot.is_done) for slot in slots] == [
        (b"it is [REDACTED:us_ssn]", True), (b"", True), (b", ", True), (b"I ", False),
    ]  # fmt: skip
    text.finish()
    assert (slots[3].raw, slots[3].is_done) == (b"I think", True)


def test_only_a_part_that_may_be_the_beginning_of_something_waits() -> None:
    """Until the next one tells."""
    text = JoinedText(Scanner(ALL), Noting())
    done, waiting = fed(text, [b"It is a long way, ", b"she said"])
    assert (done.is_done, waiting.is_done) == (True, False)
    assert all(slot.is_done for slot in (*fed(text, [b" and "], 3), waiting))


@given(st.lists(TEXTS.filter(bool), max_size=6))
def test_what_is_let_pass_stays_where_it_was(parts: list[bytes]) -> None:
    """Each byte in its event, and every part is done at the end."""
    text = JoinedText(SCANNER, Noting(EVERYTHING))
    slots = fed(text, [part[: GAP - 1] for part in parts])
    assert all(one.is_done or not other.is_done for one, other in itertools.pairwise(slots))
    text.finish()
    assert [slot.raw for slot in slots] == [part[: GAP - 1] for part in parts]
    assert all(slot.is_done for slot in slots)


@given(st.lists(TEXTS.filter(bool), max_size=6))
def test_the_parts_hold_what_the_whole_does(parts: list[bytes]) -> None:
    """Together."""
    parts = [part[: GAP - 1] for part in parts]
    text, whole = JoinedText(SCANNER, Noting()), JoinedText(SCANNER, Noting())
    slots = fed(text, parts)
    expected = fed(whole, [b"".join(parts)] if parts else [])
    text.finish()
    whole.finish()
    assert b"".join(slot.raw for slot in slots) == b"".join(slot.raw for slot in expected)
