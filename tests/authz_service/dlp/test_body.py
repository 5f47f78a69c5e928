"""A body as it comes → the same, without what is not to pass."""

from __future__ import annotations

import base64
import functools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.detectors import ALL
from authz_service.dlp.found import Blocked, Found
from authz_service.dlp.scan import Scanner
from tests.authz_service.dlp.streaming import HARD, PLAIN, SCANNER, SSN, TEXTS, VALUES, Noting, Whole, chunks, redactor

EVERYTHING = frozenset(each.name for each in (*ALL, *HARD))
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


@given(text=TEXTS | marked(), cuts=CUTS, passes=PASSES, marking=st.booleans())
def test_how_a_body_is_cut_makes_no_difference(
    text: bytes, cuts: list[int], passes: frozenset[str], *, marking: bool
) -> None:
    """Neither to what comes out nor to what is asked and where."""
    whole, cut, bytewise = Noting(passes), Noting(passes), Noting(passes)
    expected = told([text], whole, marking=marking)
    assert told(chunks(text, cuts), cut, marking=marking) == expected
    assert sorted(cut.asked, key=str) == sorted(whole.asked, key=str)
    assert told([text[place : place + 1] for place in range(len(text))], bytewise, marking=marking) == expected
    assert sorted(bytewise.asked, key=str) == sorted(whole.asked, key=str)


@given(TEXTS, CUTS)
def test_no_more_is_held_back_than_is_said(text: bytes, cuts: list[int]) -> None:
    """However little comes at once."""
    body = BodyRedactor(Whole(), SCANNER, Noting(EVERYTHING))
    held = 0
    for part in chunks(text, cuts):
        held += len(part) - len(body.feed(part))
        assert held <= body.hold_back
    assert held == len(body.finish())


@given(TEXTS | marked(), CUTS, st.booleans())
def test_what_is_let_pass_goes_out_as_it_came(text: bytes, cuts: list[int], marking: bool) -> None:  # noqa: FBT001
    """Byte for byte, in whatever syntax."""
    treat = Noting(EVERYTHING)
    assert told(chunks(text, cuts), treat, marking=marking) == text


@given(PLAIN)
def test_nothing_is_found_in_what_came_out(text: bytes) -> None:
    """One pass is enough, where a text has one reading: what is taken out of one of two may uncover the other."""
    text = text.translate(None, b"%+")
    out = told([text], Noting())
    assert SCANNER.scan(out) == []
    again = Noting()
    assert told([out], again) == out
    assert again.asked == []


@given(st.lists(TEXTS, max_size=3), CUTS)
def test_nothing_waits_behind_the_end_of_an_event(events: list[bytes], cuts: list[int]) -> None:
    """All of it has come out when its end has come in."""
    body = redactor(Noting(EVERYTHING), marking=True)
    for event in events:
        data = event.replace(b"|", b"").replace(b"~", b"") + b"|"
        assert b"".join(map(body.feed, chunks(data, cuts))) == data


def test_the_value_is_asked_for_with_its_place_among_the_bytes() -> None:
    """In the text, and in a run the four in which it begins."""
    treat = Noting()
    told([b"a ~~~123-45-6789 b ", base64.b64encode(b"." * 24 + SSN + b"." * 24)], treat, marking=True)
    assert sorted(treat.asked) == [("us_ssn_grouped", SSN, 4), ("us_ssn_grouped", SSN, 19 + 32)]


def test_a_body_that_blocks_gives_nothing_of_it() -> None:
    """What the treatment raises goes through."""

    def refuse(found: Found) -> bytes | None:
        code = "secret_in_request"
        raise Blocked(code, found)

    body = BodyRedactor(Whole(), SCANNER, refuse)
    with pytest.raises(Blocked, match="secret_in_request"):
        body.feed(SSN + b" " * 5_000)


class Counting:
    """A pattern that counts its searches."""

    def __init__(self, pattern: Any, counts: list[int]) -> None:
        self._pattern = pattern
        self._counts = counts

    def __call__(self, *asked: Any) -> Any:
        self._counts[0] += 1
        return self._pattern(*asked)


@functools.cache
def counted() -> tuple[Scanner, list[int]]:
    """A scanner, which takes long to make, and how often it has searched."""
    scanner, counts = Scanner((*ALL, *HARD)), [0]
    scanner._compiled.patterns = [Counting(pattern, counts) for pattern in scanner._compiled.patterns]
    return scanner, counts


def searches(text: bytes, step: int) -> int:
    """How many searches a body takes."""
    scanner, counts = counted()
    counts[0] = 0
    body = BodyRedactor(Whole(), scanner, Noting())
    for place in range(0, len(text), step):
        body.feed(text[place : place + step])
    body.finish()
    return counts[0]


@pytest.mark.parametrize("step", [512, 16_384])
@pytest.mark.parametrize(
    "piece",
    [
        *VALUES, b"999-99-9999", b"123-45-67891", b"AKIA", b"id1234", b"qqqqqqqqq", b"123456789 ", b"1", b"t_f_t_",
        base64.b64encode(SSN + b" "), base64.b64encode(b"id1234id123"), b"x" * 64 + b"\n",
    ],
)  # fmt: skip
def test_hostile_text_takes_searches_in_proportion_to_its_length(piece: bytes, step: int) -> None:
    """Twice as long, twice as many, and never more than a few for each byte."""
    short, long = (piece * (size // len(piece)) for size in (20_000, 40_000))
    once, twice = searches(short, step), searches(long, step)
    assert twice <= 2.3 * once + 200
    assert twice <= 3 * len(long)
