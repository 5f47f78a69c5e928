"""A body as it comes → the same, without what is not to pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.detectors import ALL
from authz_service.dlp.found import Blocked
from authz_service.dlp.scan import Scanner
from authz_service.dlp.views.piece import Piece, Syntax
from tests.authz_service.dlp.streaming import (
    HARD,
    KEY,
    SCANNER,
    SSN,
    TEXTS,
    TOKEN,
    Noting,
    Whole,
    chunks,
    redactor,
)

CUTS = st.lists(st.integers(0, 10_000), max_size=8)
MARKS = st.lists(st.sampled_from([b"~", b"~~", b"|", b"#", b"~1", b"~A", b""]), min_size=1, max_size=4)
PASSES = st.sampled_from([frozenset(), frozenset({"mail", "tailed"}), frozenset({"far", "block"})])


def told(data: list[bytes], treat: Noting, *, marking: bool = False) -> bytes:
    """What comes out of what is fed."""
    body = redactor(treat, marking=marking)
    return b"".join([*map(body.feed, data), body.finish()])


@st.composite
def marked(draw: st.DrawFn) -> bytes:
    """A text in pieces of all kinds."""
    parts = draw(st.lists(st.tuples(TEXTS, st.integers(0, 2000), MARKS), max_size=3))
    return b"".join(
        text[: cut % (len(text) + 1)] + b"".join(marks) + text[cut % (len(text) + 1) :] for text, cut, marks in parts
    )


@given(TEXTS | marked(), CUTS, PASSES, st.booleans())
def test_how_a_body_is_cut_makes_no_difference(
    text: bytes, cuts: list[int], passes: frozenset[str], marking: bool
) -> None:  # noqa: FBT001
    """Neither to what comes out nor to what is asked and where."""
    whole, cut, bytewise = Noting(passes), Noting(passes), Noting(passes)
    expected = told([text], whole, marking=marking)
    assert told(chunks(text, cuts), cut, marking=marking) == expected
    assert sorted(cut.asked, key=str) == sorted(whole.asked, key=str)
    assert told([text[place : place + 1] for place in range(len(text))], bytewise, marking=marking) == expected
    assert sorted(bytewise.asked, key=str) == sorted(whole.asked, key=str)
