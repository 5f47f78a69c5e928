"""What stands around a candidate."""

from __future__ import annotations

import json
import random
import time

import pytest
import re2
from hypothesis import example, given
from hypothesis import strategies as st

from authz_service.dlp.detectors import ALL, EVERY, Detector
from authz_service.dlp.detectors.detector import CAPITALS_AND_DIGITS, DIGITS, stands_alone
from authz_service.dlp.scan import Scanner

LATIN1 = re2.Options()
LATIN1.encoding = re2.Options.Encoding.LATIN1
NEIGHBOURS = st.text('ssn 12-.:="_x@/\n', max_size=150).map(str.encode)


@pytest.mark.parametrize(
    ("text", "alone"),
    [
        (b"12", True),
        (b" 12 ", True),
        (b"a12b", True),
        (b"012", False),
        (b"120", False),
        (b"0120", False),
        (b"-12.", True),
    ],
)
def test_a_candidate_stands_alone_between_other_characters_and_at_the_ends(text: bytes, alone: bool) -> None:  # noqa: FBT001
    """One neighbour of its own alphabet makes it a part of something longer."""
    start = text.index(b"12")
    assert stands_alone(text, start, start + 2, DIGITS) is alone


def test_the_alphabets_are_bytes() -> None:
    """Lower-case letters and anything beyond ASCII are not in them."""
    assert bytes(sorted(DIGITS)) == b"0123456789"
    assert bytes(sorted(CAPITALS_AND_DIGITS)) == b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def test_each_detector_has_a_name_of_its_own() -> None:
    """Audit lines and policies tell them apart by it."""
    names = [detector.name for detector in EVERY]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("detector", EVERY, ids=[detector.name for detector in EVERY])
def test_no_detector_finds_something_in_nothing(detector: Detector) -> None:
    """An empty match would never move on."""
    assert re2.compile(detector.pattern.encode()).search(b"") is None


@pytest.mark.parametrize("detector", EVERY, ids=[detector.name for detector in EVERY])
def test_a_detector_finds_what_it_makes_up(detector: Detector) -> None:
    """By its own hint and pattern, alone and in a sentence."""
    if detector.example is None:
        pytest.skip("makes nothing up")
    scanner = Scanner([detector])
    for _ in range(50):
        value = detector.example()
        for text in (value, b"it is " + value + b", they say"):
            assert scanner.suspects(text)
            assert [span.detector.name for span in scanner.scan(text)] == [detector.name]


@given(st.sampled_from([detector for detector in EVERY if detector.example]), NEIGHBOURS, NEIGHBOURS)
def test_no_detector_looks_further_than_it_says(detector: Detector, left: bytes, right: bytes) -> None:
    """What is held back of a stream is what it needs, and no more can be asked for."""
    assert detector.example is not None
    text = left + detector.example() + right
    match = re2.compile(detector.pattern.encode(), LATIN1).search(text)
    if match is None:
        return
    start, end = match.start(), detector.extent(text, match.start(), match.end())
    first = max(0, start - detector.before)
    seen = text[first : end + detector.after]
    assert detector.accepts(text, start, end) == detector.accepts(seen, start - first, end - first)


def test_the_hints_stay_cheap_together() -> None:
    """Patterns that count digits from any of them on made a set of them slower by a hundred times: one MB a second."""
    hints = re2.Set.SearchSet(LATIN1)
    for detector in EVERY:
        hints.Add(detector.hint.encode())
    hints.Compile()
    draw = random.Random(3)
    rows = [{"id": draw.randrange(10**6), "at": draw.randrange(10**12), "x": draw.random()} for _ in range(20_000)]
    text = json.dumps(rows).encode() * 8
    begun = time.process_time()
    hints.Match(text)
    assert time.process_time() - begun < 5


def test_what_people_give_to_apis_is_told_and_not_replaced() -> None:
    """Contact data and dates of birth are not in the tuple that everything is redacted by."""
    told = {"email_address", "phone_number", "ip_address", "date_of_birth"}
    assert {detector.entity for detector in EVERY} - {detector.entity for detector in ALL} == told


def tailed(until: bytes = b"", longest: int = 20) -> Detector:
    """One whose tail is digits and hyphens."""
    return Detector("x", "x", "a", "a", lambda *_: 1.0, tail=frozenset(b"0123456789-"), longest=longest, until=until)


@pytest.mark.parametrize(
    ("text", "until", "end"),
    [
        (b"a", b"", 1),
        (b"a12-3", b"", 5),
        (b"a12x3", b"", 3),
        (b"a" + b"1" * 30, b"", 20),
        (b"a12--34", b"--", 5),
        (b"a--12--", b"--", 3),
        (b"a12x--", b"--", 3),
        (b"a12-", b"--", 4),
        (b"a" + b"1" * 18 + b"--", b"--", 20),
        (b"a" + b"1" * 17 + b"--", b"--", 20),
    ],
)
def test_a_tail_ends_with_its_bytes_at_its_closing_or_at_its_longest(text: bytes, until: bytes, end: int) -> None:
    """Whichever comes first."""
    assert tailed(until).extent(text, 0, 1) == end


def test_without_a_tail_a_candidate_ends_with_its_pattern() -> None:
    assert Detector("x", "x", "a", "a", lambda *_: 1.0).extent(b"aaaa", 0, 2) == 2


WORDS = (
    *(detector.example() for detector in ALL if detector.example is not None),
    b"aws",
    b"AWS_SECRET",
    b"secretAccessKey",
    b"azure",
    b"account key",
    b"twilio",
    b"DD_API_KEY",
    b"vault",
    b"password",
    b"Server=db;",
    b"token_type",
    b"sha256",
    b"bearer",
    b"eyJhbGciOiJIUzI1NiJ9.",
    b"https://",
    b"user:",
    b"@host",
    b"[REDACTED:twilio_key]",
    b"0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    b"wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKY",
    b"a1B2c3D4e5F6g7H8i9J0",
)
JOINTS = st.sampled_from([b"", b" ", b"=", b": ", b'": "', b"\n", b"-", b"_", b";", b", ", b"/", b"x", b"1", b" " * 30])
TEXTS = st.lists(st.tuples(st.sampled_from(WORDS), JOINTS), max_size=8).map(
    lambda parts: b"".join(a + b for a, b in parts)
)


def compiled(pattern: str) -> re2._Regexp:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern.encode(), options)


COMPILED = [(detector, compiled(detector.hint), compiled(detector.pattern)) for detector in ALL]


@given(TEXTS)
@example(b"hooks." + b"slack.com/triggers/T01234567/1234567890123/59f8e9fee934d79127bf322b2b6768c2/")
@example(b"hooks." + b"slack.com/triggers/T01234567/1234567890123/59f8e9fee934d79127bf322b2b6768c2/ssn 808437235")
def test_a_decision_looks_no_further_than_it_says_and_a_hint_misses_none(text: bytes) -> None:
    """A stream is held back as far as `before` and `after` tell; a text without a hint is not searched."""
    for detector, hint, pattern in COMPILED:
        match = pattern.search(text)
        while match is not None:
            start, end = match.span()
            begin, last = max(0, start - detector.before), end + detector.after
            accepted = detector.accepts(text, start, end)
            assert detector.accepts(text[begin:last], start - begin, end - begin) == accepted, detector.name
            assert 0 <= accepted <= 1
            if accepted:
                assert hint.search(text[begin:last]) is not None, detector.name
                whole = detector.extent(text, start, end)
                assert detector.accepts(text, start, whole) == accepted or not detector.tail, detector.name
            match = pattern.search(text, start + 1)
