"""Detectors compiled together."""

from __future__ import annotations

import re

import pytest

from authz_service.dlp.compiled import Compiled, is_within_word
from authz_service.dlp.detectors import ALL, Detector
from authz_service.dlp.detectors.neighbours import NO_DIGIT, NO_WORD


def one(pattern: str, hint: str | None = None, *, before: int = 1, after: int = 1) -> Compiled:
    """A single detector that accepts everything."""
    return Compiled([Detector("x", "x", hint or pattern, pattern, _any, before=before, after=after)])


def _any(text: bytes, start: int, end: int) -> float:
    return len(text[start:end]) > 0


def test_only_the_detectors_whose_hint_is_there_match() -> None:
    """By their numbers."""
    compiled = Compiled(ALL)
    names = {compiled.detectors[index].name for index in compiled.matching(b"a 123-45-6789 b " + b"gh" + b"s_")}
    assert names == {"us_ssn_grouped", "github_token_server"}
    assert list(compiled.matching(b"nothing")) == []


def test_it_reaches_as_far_as_the_longest_match_and_what_is_seen_behind_it() -> None:
    """A mark of redaction is the longest here, but for the last."""
    mark = len("%5BREDACTED%3A%5D") + max(len(detector.entity) for detector in ALL) + 1
    assert one("a{3,9}").reach == mark
    assert one("a{100}", after=7).reach == 107
    assert one("a{100}", before=31).before == 31


@pytest.mark.parametrize("pattern", ["a+", "a*b", "(?:ab){2,}"])
def test_a_pattern_without_an_end_is_refused(pattern: str) -> None:
    """A stream would be held back without an end."""
    with pytest.raises(ValueError, match="repeats without an end"):
        one(pattern)


@pytest.mark.parametrize("hint", ["^abc", "(?:^|[^a-z])abc", r"\Aabc", "abc$", r"abc\z"])
def test_a_hint_is_found_anywhere(hint: str) -> None:
    """The windows in which it is sought begin and end at any place."""
    assert list(one("abc", hint).matching(b"xabcx")) == [0]


def test_hints_of_what_stands_alone_begin_with_a_byte_of_a_word() -> None:
    """So that what a finding right before one hides is hidden within a word, where it is sought once more."""
    rests = [each.hint.removeprefix(NO_DIGIT).removeprefix(NO_WORD) for each in ALL if each.hint.startswith("(?:^|")]
    assert len(rests) >= 10
    for rest in rests:
        assert not any(re.match(f"(?:{rest})", sign + "0" * 40) for sign in " -.:/+([\"'\n\u00a0"), rest


@pytest.mark.parametrize("hint", [r"\^a", r"\\b", "[^$]a", "[]^]a", r"\Q^$\E", "[[:alpha:]^]a"])
def test_what_only_looks_like_an_end_is_left_in_a_hint(hint: str) -> None:
    """Signs that are quoted, or in a class."""
    compiled = one("abc", hint)
    assert list(compiled.matching(b"zzz")) == []
    assert list(compiled.matching(b"^a \\b xa ]a ^$ qa")) == [0]


@pytest.mark.parametrize(
    ("pattern", "asserting", "anchored"),
    [("abc", False, False), (r"\babc", True, False), (r"abc$", True, True), (r"\\b[^a]", False, False)],
)
def test_it_is_known_which_patterns_see_their_neighbours(pattern: str, asserting: bool, anchored: bool) -> None:  # noqa: FBT001
    """They match otherwise where a text is cut."""
    compiled = one(pattern)
    assert (bool(compiled.asserting), bool(compiled.anchored)) == (asserting, anchored)


def test_a_place_is_within_a_word_between_two_characters_of_one() -> None:
    """Not at its ends, nor at those of the text."""
    assert [place for place in range(9) if is_within_word(b"ab _1-xy", place)] == [1, 4, 7]
