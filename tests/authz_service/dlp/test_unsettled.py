"""The end of a text that goes on → from where on it can be judged otherwise when more has come."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp import unsettled
from authz_service.dlp.compiled import Compiled
from authz_service.dlp.detectors import ALL, Detector
from authz_service.dlp.unsettled import Unsettled
from tests.authz_service.dlp.streaming import HARD, PLAIN

COMPILED = Compiled((*ALL, *HARD))
REACH = COMPILED.reach


def accepted(text: bytes, start: int, end: int) -> float:
    """Everything."""
    return float(end > start >= 0 and len(text) > 0)


@pytest.mark.parametrize(
    ("text", "waiting"),
    [
        (b"", b""), (b"It is here, ", b""), (b"It is here", b"here"), (b"my number is 123-4", b"123-4"),
        (b"in 1998 ", b"998 "), (b"call 555 ", b"555 "), (b"123456789 is", b"123456789 is"),
        (b"123456789" + b", and so on" * 4 + b", ", b""), (b"-----BEGIN PRIVATE ", b"-----BEGIN PRIVATE "),
    ],
)  # fmt: skip
def test_only_what_may_be_the_beginning_of_a_value_waits(text: bytes, waiting: bytes) -> None:
    """And a whole one with too little behind it."""
    compiled = Compiled(ALL)
    assert text[compiled.unsettled.place(text) :] == waiting


@given(PLAIN, PLAIN)
def test_a_place_never_goes_back_when_more_has_come(text: bytes, more: bytes) -> None:
    """What was settled stays so; no more is looked at than detectors do."""
    place = COMPILED.unsettled.place(text)
    assert max(0, len(text) - REACH) <= place <= len(text)
    assert COMPILED.unsettled.place(text + more) >= place


@given(PLAIN, st.integers(0, 5_000))
def test_nothing_reaches_over_a_cut(text: bytes, end: int) -> None:
    """Unless it is as far back as nothing can reach."""
    end %= len(text) + 1
    cut = COMPILED.unsettled.cut(text, end)
    assert max(0, end - REACH) <= cut <= end
    if cut > end - REACH:
        assert all(COMPILED.unsettled.place(text[:place]) >= cut for place in range(cut, end + 1))


def test_where_patterns_are_too_much_for_the_engine_all_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """As far back as a match could begin."""
    monkeypatch.setattr(unsettled, "_MEMORY", 1_000)
    detector = Detector("x", "x", "x", "(?:ab|c){9}" * 9, accepted)
    assert Unsettled([detector], 40).place(b" " * 100) == 60
