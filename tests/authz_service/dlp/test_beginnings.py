"""A pattern → a pattern of the beginnings of what it matches."""

from __future__ import annotations

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.beginnings import anywhere, beginnings
from authz_service.dlp.detectors import ALL
from tests.authz_service.dlp.streaming import HARD

_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1


def begins(pattern: str, text: bytes) -> bool:
    """Whether a text is a beginning of something that the pattern matches."""
    return re2.compile(rf"\A(?:{beginnings(pattern)})\z".encode("latin-1"), _OPTIONS).search(text) is not None


@pytest.mark.parametrize(
    ("pattern", "matched"),
    [
        ("abc", b"abc"), (r"\bab\b$", b"ab"), ("a|bcd", b"bcd"), ("(?:ab|c(?:de)?f){2}", b"cdefab"),
        ("a{2,4}b", b"aaaab"),
        ("[0-9]{30}x", b"5" * 30 + b"x"), ("(?:ab){20}", b"ab" * 20), ("a?b*c+d", b"bbccd"), (r"\Qa.b\E!", b"a.b!"),
        ("(?i)pass(?-i:word)", b"PASSword"), ("x(?:){3}y", b"xy"), ("x(?:ab){0}y", b"xy"), ("a.c", b"a\nc"),
        ("(?P<name>a)b", b"ab"), ("é", "é".encode()), ("(?:a{0,3}b){1,}c", b"aabbc"), (r"\x{41}[]x]", b"A]"),
    ],
)  # fmt: skip
def test_every_beginning_of_a_match_is_one(pattern: str, matched: bytes) -> None:
    """From nothing to all of it."""
    assert [end for end in range(len(matched) + 1) if not begins(pattern, matched[:end])] == []


@pytest.mark.parametrize("detector", [each for each in ALL if each.example is not None], ids=lambda each: each.name)
def test_every_beginning_of_what_a_detector_finds_is_one(detector: object) -> None:
    """Of all that there are, by an example of each."""
    found = next(each for each in ALL if each is detector)
    assert found.example is not None
    match = re2.compile(found.pattern.encode(), _OPTIONS).search(found.example())
    assert match is not None
    text = match[0]
    assert [end for end in range(len(text) + 1) if not begins(found.pattern, text[:end])] == []


@given(st.data())
def test_a_match_made_by_another_engine_begins_as_is_said(data: st.DataObject) -> None:
    """Whatever it is made of."""
    pattern = data.draw(st.sampled_from([each.pattern for each in HARD if each.name != "begins"]))
    text = data.draw(st.from_regex(pattern, fullmatch=True, alphabet=st.characters(max_codepoint=127))).encode()
    assert begins(pattern, text[: data.draw(st.integers(0, len(text)))])


@pytest.mark.parametrize("pattern", [each.pattern for each in ALL])
def test_the_last_word_of_prose_may_be_one_and_a_space_behind_it_not(pattern: str) -> None:
    """Else each event of a stream would wait for the next one."""
    search = re2.compile(rf"(?:{beginnings(pattern)})\z".encode("latin-1"), _OPTIONS).search
    assert search(b"It is a long way to the sea, ").start() == 29
    assert search(b"It is a long way to the sea").start() >= 24


def test_a_pattern_without_places_matches_anywhere() -> None:
    """Its escapes and classes stay."""
    assert anywhere(r"^\b[\b$]\$a\z") == r"(?:)(?:)[\b$]\$a(?:)".replace(r"\z", "")
