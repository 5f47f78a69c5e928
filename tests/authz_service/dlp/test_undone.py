"""A stretch of a text with its percent escapes undone: what is found is told by where it stands."""

from __future__ import annotations

from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.undone import LONGEST, NOTHING, Undone, undone
from authz_service.dlp.views.folding import fold
from tests.authz_service.dlp.streaming import SCANNER, SSN, chunks

ZERO = b"%E2%80%8B"  # a space without width


def told(text: bytes, first: int = 0, cuts: list[int] | None = None) -> list[tuple[int, int, str]]:
    """Where something is found."""
    reading = Undone(SCANNER, 0, first)
    stretches = []
    for part in chunks(text, cuts or []):
        stretches += reading.feed(part, ends=False)
    stretches += reading.feed(b"", ends=True)
    assert all(stretch.undone for stretch in stretches)
    return [(stretch.span.start, stretch.span.end, stretch.span.detector.name) for stretch in stretches]


def test_places_are_those_of_the_text_as_it_stands() -> None:
    """An escape belongs to what is found as a whole, and what reads as nothing beside it does not."""
    text = b"a%20%31" + ZERO + b"23-45%2D6789" + ZERO + b" b"
    assert told(text) == [(4, 28, "us_ssn_grouped")]
    assert undone(text[4:28]) == SSN


@given(st.lists(st.integers(0, 60), max_size=6))
def test_how_it_is_cut_makes_no_difference(cuts: list[int]) -> None:
    """In the middle of an escape or a character."""
    text = b"%E2%80%8A%31%32" + ZERO + b"3+45%E2%80%916789+%EF%BC%91 "
    assert told(text, 0, cuts) == [(9, 41, "us_ssn_grouped")]


def test_what_begins_too_early_to_be_judged_is_not_told() -> None:
    """Its left neighbours are not known."""
    text = SSN + b" %20" + SSN + b" "
    assert told(text, 5) == [(15, 26, "us_ssn_grouped")]


def test_what_reads_as_nothing_is_bounded() -> None:
    """Else a text could be held back without an end."""
    text = b"123%2D45" + ZERO * NOTHING + b"%2D6789 "
    assert [found[2] for found in told(text)] == ["us_ssn_grouped"]
    assert told(b"123%2D45" + ZERO * (NOTHING + 1) + b"%2D6789 ") == []
    reading = Undone(SCANNER, 0, 0)
    count = 0
    for _ in range(3_000):
        reading.feed(ZERO, ends=False)
        count += len(ZERO)
        assert count - reading.safe <= LONGEST * SCANNER.hold_back


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_short_text_reads_as_a_form_does(text: str) -> None:
    """With look-alikes folded."""
    assert undone(quote(text, safe="").encode()) == fold(text.encode())
