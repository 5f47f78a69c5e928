"""Text → spans."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors import ALL, Detector
from authz_service.dlp.redactions import redact
from authz_service.dlp.scan import Scanner, Span

SSN, KEY = b"123-45-6789", b"AKIAIOSFODNN7EXAMPLE"
GITHUB = b"ghp_" + b"a1B2" * 9
SCANNER = Scanner(ALL)


def detector(pattern: str, name: str) -> Detector:
    """One that accepts all of its candidates."""
    return Detector(name, name, pattern, pattern, lambda text, start, end: bool(text[start:end]))


def found(text: bytes, scanner: Scanner = SCANNER) -> list[tuple[bytes, str]]:
    """What is found, and by what."""
    return [(text[span.start : span.end], span.detector.entity) for span in scanner.scan(text)]


def test_nothing_is_found_in_nothing() -> None:
    """Nor by nobody."""
    assert found(b"") == []
    assert found(b"an ordinary text, 123-45-678") == []


def test_everything_is_found_in_the_order_of_its_place() -> None:
    """Whatever the order of the detectors."""
    text = b"a " + GITHUB + b" b " + SSN + b" c " + KEY + b" d " + SSN
    assert found(text) == [(GITHUB, "github_token"), (SSN, "us_ssn"), (KEY, "aws_access_key"), (SSN, "us_ssn")]


@pytest.mark.parametrize("noise", [b"\xff\xfe", b"\x00", "é".encode(), b"\xe2\x80", b"\xf0\x9f\x98"])
def test_bytes_that_are_no_text_hide_nothing(noise: bytes) -> None:
    """Positions are in bytes."""
    assert found(noise + SSN + noise + KEY + noise) == [(SSN, "us_ssn"), (KEY, "aws_access_key")]


def test_of_overlapping_spans_the_longer_stays() -> None:
    """The shorter is a part of it."""
    scanner = Scanner([detector("bc", "short"), detector("abcd", "long")])
    assert found(b"xabcdx", scanner) == [(b"abcd", "long")]
    assert found(b"abcd", Scanner([detector("ab", "short"), detector("abcd", "long")])) == [(b"abcd", "long")]


def test_of_spans_that_overlap_in_part_the_second_begins_where_the_first_ends() -> None:
    """Redacting one of them would leave the end of the other, and what is put out of each is told by its own name."""
    scanner = Scanner([detector("abc", "left"), detector("cde", "right"), detector("ef", "far")])
    assert found(b"xabcdefx", scanner) == [(b"abc", "left"), (b"de", "right"), (b"f", "far")]
    spans = scanner.find(b"xabcdefx")
    assert [(span.start, span.end) for span in spans] == [(1, 4), (3, 6), (5, 7)]


def test_a_span_says_how_sure_its_detector_is() -> None:
    """As it was told by it."""
    doubting = Detector("x", "x", "x", "x", lambda text, start, end: 0.25 * bool(text[start:end]))
    assert [span.confidence for span in Scanner([doubting]).scan(b"x x")] == [0.25, 0.25]


def test_what_a_neighbour_hid_is_found_too() -> None:
    """Taken out, the neighbour leaves it standing alone."""
    assert found(SSN + KEY) == [(SSN, "us_ssn"), (KEY, "aws_access_key")]
    longest = b"ghp_" + b"7aB" * 85
    assert found(longest + SSN) == [(longest, "github_token"), (SSN, "us_ssn")]
    assert found(longest + KEY + longest) == [
        (longest, "github_token"), (KEY, "aws_access_key"), (longest, "github_token"),
    ]  # fmt: skip


PIECES = st.sampled_from(
    [SSN, KEY, GITHUB, b"ghp_" + b"7aB" * 85, b"1", b"A", b"-", b" ", b"AKIA", b"\xff", b"123-45-"]
)
TEXTS = st.lists(PIECES | st.binary(max_size=3), max_size=12).map(b"".join)


@given(TEXTS)
def test_spans_are_in_order_apart_and_inside_the_text(text: bytes) -> None:
    """So that they can be cut out from left to right."""
    position = 0
    for span in SCANNER.scan(text):
        assert position <= span.start < span.end <= len(text)
        position = span.end


@given(TEXTS)
def test_nothing_is_found_in_what_was_redacted(text: bytes) -> None:
    """One pass is enough."""
    assert SCANNER.scan(redact(text, SCANNER.scan(text))) == []


@given(TEXTS)
def test_a_text_without_findings_has_none_in_its_pieces_between_spaces(text: bytes) -> None:
    """Cutting at a space neither hides nor makes one."""
    if not SCANNER.scan(text):
        assert all(SCANNER.scan(piece) == [] for piece in text.split(b"-----"))


class Counting:
    """A pattern that counts its searches."""

    def __init__(self, pattern: Any) -> None:
        self._pattern = pattern
        self.searches = 0

    def __call__(self, *asked: Any) -> Any:
        self.searches += 1
        return self._pattern(*asked)


def searches(text: bytes) -> int:
    """How many searches a scan takes."""
    scanner = Scanner(ALL)
    counting = [Counting(pattern) for pattern in scanner._compiled.patterns]
    scanner._compiled.patterns = counting
    scanner.scan(text)
    return sum(pattern.searches for pattern in counting)


@pytest.mark.parametrize(
    "piece",
    [
        b"123-45-67891",
        b"999-99-9999",
        b"000-00-0000 ",
        b"AKIA",
        b"AKIAIOSFODNN7EXAMPLEX",
        b"A3TA",
        b"ghp_",
        b"ghs_",
        b"ghp_ghs_github_pat_",
        b"1-",
        b"123-45-6789",
        b"123-45-6789 ",
        b"123-45-6789AKIAIOSFODNN7EXAMPLE",
        b"AKIAIOSFODNN7EXAMPLE",
        b"AKIAIOSFODNN7EXAMPLE ",
    ],
)
def test_hostile_text_takes_searches_in_proportion_to_its_length(piece: bytes) -> None:
    """60 KiB of candidates that are refused, or of findings without a pause."""
    size = 60 * 1024
    half = searches(piece * (size // 2 // len(piece)))
    whole = searches(piece * (size // len(piece)))
    assert whole <= 2.05 * half + 20  # each of many detectors begins a window anew
    assert whole <= size


def test_a_span_says_nothing_but_place_detector_and_confidence() -> None:
    """Its value stays in the text."""
    assert Span._fields == ("start", "end", "detector", "confidence")


@pytest.mark.parametrize(
    "piece", [b"ghs_", b"ghs_a", b"github_pat_", b"ghp_" + b"a" * 35 + b" ", b"AKIA", b"000-00-0000 "]
)
def test_near_misses_that_overlap_cost_little(piece: bytes) -> None:
    """What no RE2 should be asked to follow all at once: 58 KB of it once took seconds. The bound is a hundredfold."""
    text = piece * (58_000 // len(piece))
    started = time.process_time()
    SCANNER.scan(text)
    assert time.process_time() - started < 1.0


def test_a_long_token_is_one_span_to_its_end() -> None:
    """As far as its alphabet and its longest form go."""
    token = b"ghs_12_" + b"e" * 500 + b"." + b"s" * 86
    assert found(b"x " + token + b" y") == [(token, "github_token")]


@given(TEXTS)
def test_what_is_not_suspected_holds_nothing(text: bytes) -> None:
    """The cheap pass may cry wolf, and never sleeps."""
    assert SCANNER.suspects(text) or not SCANNER.scan(text)


@pytest.mark.parametrize(("second", "name"), [(b"AB123456C", "uk_nino"), (b"AKIAQWERTYUIOPAS2345", "aws_access_key")])
def test_what_was_found_does_not_hide_what_begins_right_behind_it_from_its_hint(second: bytes, name: str) -> None:
    """The text begins anew behind it, with whatever byte it ends."""
    for text in (b"nino 123-45-6789" + second, b"nino 123-45-6789" + b" " * 5_000 + b"123-45-6789" + second):
        assert found(text)[-2:] == [(b"123-45-6789", "us_ssn"), (second, name)]
