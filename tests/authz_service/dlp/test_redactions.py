"""Spans → the text without them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors import ALL
from authz_service.dlp.redactions import redact
from authz_service.dlp.scan import Span

_BY_NAME = {detector.name: detector for detector in ALL}
ONE, OTHER = _BY_NAME["us_ssn_grouped"], _BY_NAME["aws_access_key_id"]


def test_each_span_is_replaced_by_the_name_of_what_it_was() -> None:
    """At the ends, in the middle, and side by side."""
    spans = [Span(0, 2, ONE), Span(2, 3, OTHER), Span(4, 6, ONE)]
    assert redact(b"abcdef", spans) == b"[REDACTED:us_ssn][REDACTED:aws_access_key]d[REDACTED:us_ssn]"


def test_without_spans_the_text_stays() -> None:
    """Byte by byte."""
    assert redact(b"\xff\x00a", []) == b"\xff\x00a"


@given(st.binary(min_size=1), st.sets(st.integers(0, 40), max_size=8))
def test_everything_outside_the_spans_stays_and_nothing_inside(text: bytes, cuts: set[int]) -> None:
    """For any spans."""
    edges = sorted(cut for cut in cuts if cut <= len(text))
    pairs = list(zip(edges[::2], edges[1::2], strict=False))
    kept, position = [], 0
    for start, end in pairs:
        kept.append(text[position:start])
        position = end
    kept.append(text[position:])
    redacted = redact(text, [Span(start, end, ONE) for start, end in pairs])
    assert redacted == b"[REDACTED:us_ssn]".join(kept)
