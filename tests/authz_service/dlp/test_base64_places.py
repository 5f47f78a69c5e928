"""Base64 in a text that is only read."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.base64_places import Base64Places, with_places
from authz_service.dlp.body import BodyRedactor
from authz_service.dlp.long_texts import scan_long_text
from authz_service.dlp.scan import Span
from tests.authz_service.dlp.streaming import KEY, SCANNER, SSN, TEXTS, Folded, Noting, chunks, lines

Told = list[tuple[str, int, int]]


def told(spans: list[Span]) -> Told:
    return [(span.detector.name, span.start, span.end) for span in spans]


def places(text: bytes) -> list[Span]:
    return with_places(text, scan_long_text(text, SCANNER), SCANNER)


@pytest.mark.parametrize("around", [b"%s", b"x %s.", b"a/%s", b"abc%s", "é \u200b%s".encode()])
def test_a_value_is_told_by_the_fours_that_stand_for_it(around: bytes) -> None:
    text = around % base64.b64encode(b"my number: " + SSN + b", that is it")
    (span,) = places(text)
    assert base64.b64decode(text[span.start : span.end]).strip(b":, ") == SSN
    short = around % base64.b64encode(SSN).rstrip(b"=")
    (span,) = places(short)
    assert base64.b64decode(short[span.start : span.end] + b"=") == SSN


def test_two_values_in_one_four_are_apart() -> None:
    text = base64.b64encode(b"the numbers " + SSN + b" " + SSN)
    first, second = places(text)
    assert first.start < first.end == second.start < second.end <= len(text)


def test_a_value_in_two_lines_is_told_with_the_line_end() -> None:
    text = lines(base64.b64encode(b"." * 40 + KEY + b"." * 200), 64, b"\r\n")
    (span,) = places(text)
    assert b"\r\n" in text[span.start : span.end]
    assert KEY in base64.b64decode(text[span.start : span.end])


def test_a_long_value_is_told_to_its_end() -> None:
    value = b"<<BEGIN>>" + b"ab" * 600 + b"<<END>>"
    text = b"x " + base64.b64encode(b".." + value + b"..") + b" y"
    (span,) = places(text)
    assert value in base64.b64decode(text[span.start : span.end])
    assert span.end < len(text) - 2


@given(TEXTS)
def test_it_is_what_a_redactor_takes_out(text: bytes) -> None:
    """No more, no less, and where that begins."""
    plain = scan_long_text(text, SCANNER)
    treat = Noting()
    body = BodyRedactor(Folded(), SCANNER, treat)
    body.feed(text)
    body.finish()
    found = with_places(text, plain, SCANNER)
    names = [(span.detector.name, span.start) for span in found if span not in plain]
    asked = [(name, offset) for name, _, offset in treat.asked]
    for span in plain:
        asked.remove((span.detector.name, span.start))
    assert [name for name, _ in names] == [name for name, _ in sorted(asked, key=lambda each: each[1])]


@given(TEXTS)
def test_spans_are_in_order_and_apart(text: bytes) -> None:
    ends = [place for span in places(text) for place in (span.start, span.end)]
    assert ends == sorted(ends)
    assert all(span.start < span.end <= len(text) for span in places(text))


@given(TEXTS, st.lists(st.integers(0, 3000), max_size=6))
def test_it_is_the_same_however_the_text_comes(text: bytes, cuts: list[int]) -> None:
    """What was found as it stands lies in one part."""
    plain = scan_long_text(text, SCANNER)
    cuts = [cut for cut in cuts if not any(span.start < cut % (len(text) + 1) < span.end for span in plain)]
    reader, position = Base64Places(SCANNER), 0
    found: list[Span] = []
    for chunk in chunks(text, cuts):
        end = position + len(chunk)
        own = [
            span._replace(start=span.start - position, end=span.end - position)
            for span in plain
            if position <= span.start < end
        ]
        found += reader.feed(chunk, own)
        assert reader.decided <= end
        position = end
    found += reader.finish()
    assert told(sorted([*plain, *found], key=lambda span: span.start)) == told(with_places(text, plain, SCANNER))
