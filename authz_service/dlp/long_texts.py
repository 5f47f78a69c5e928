"""Texts of any length → parts that together are the text, each with what was found in it.

What stands in it in base64 is found too, and told by the characters that stand for it (base64_places).

A text is read in windows. What begins near a window's end is left to the next one, which sees the bytes before it as
context, so that where the windows lie makes no difference to what is found: as long as nothing that is found is longer
than `MARGIN` bytes.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from authz_service.dlp.base64_places import Base64Places
from authz_service.dlp.readings import Readings
from authz_service.dlp.scan import Scanner, Span, apart
from authz_service.dlp.views.folding import folded
from authz_service.dlp.views.piece import Piece

WINDOW = 1024 * 1024  # bytes that are read at once
MARGIN = 64 * 1024  # bytes: longer than anything that a detector finds
CONTEXT = 64  # bytes before a candidate that a detector may look at
_CONTINUING = bytes(range(0x80, 0xC0))  # the bytes of UTF-8 that begin no character


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a text, and what lies in it, in order of place."""

    text: bytes
    spans: Sequence[Span]


def parts(read: Callable[[int], bytes], scanner: Scanner) -> Iterator[Part]:
    """Read a text to its end. `read` returns as many bytes as it is asked for, fewer at the end.

    The parts, joined, are the text; no span goes beyond its part. Holds three windows at most.
    """
    places = Base64Places(scanner)
    text, begin = b"", 0  # what is not given back yet, and where that begins
    spans: list[Span] = []
    for part in _as_it_stands(read, scanner):
        spans += [_moved(span, begin + len(text)) for span in part.spans]
        spans += places.feed(part.text, part.spans)
        text += part.text
        count = places.decided - begin
        if count > 0:
            yield _part(text[:count], begin, spans)
            text, begin, spans = text[count:], places.decided, [span for span in spans if span.start >= places.decided]
    spans += places.finish()
    if text:
        yield _part(text, begin, spans)


def _part(text: bytes, begin: int, spans: Sequence[Span]) -> Part:
    """A part of a text that begins at a place, with those of the spans that lie in it."""
    own = sorted([span for span in spans if span.start < begin + len(text)], key=lambda span: span.start)
    return Part(text, [_moved(span, -begin) for span in own])


def _as_it_stands(read: Callable[[int], bytes], scanner: Scanner) -> Iterator[Part]:
    """Read a text to its end, what is found in it as it stands; base64 is not."""
    before, held, ended = b"", b"", False
    while not ended:
        came = read(WINDOW)
        ended = len(came) < WINDOW
        text = b"".join((before, held, came))
        known = len(before)
        spans = [span for span in scan_long_text(text, scanner) if span.start >= known]
        cut = len(text) if ended else _cut(text, known)
        taken = [span for span in spans if span.start < cut]
        last = taken[-1].end if taken else 0
        cut = max(cut, last)
        if cut > known:
            yield Part(text[known:cut], [_moved(span, -known) for span in taken])
        # What was found is a boundary: nothing behind it is judged by it.
        before, held = text[max(cut - CONTEXT, last, 0) : cut], text[cut:]


def _cut(text: bytes, known: int) -> int:
    """Where a window ends: after the last line that ends before its margin, and in the middle of one that is longer."""
    last = max(known, len(text) - MARGIN)
    return text.rfind(b"\n", known, last) + 1 or last


def _moved(span: Span, by: int) -> Span:
    return span._replace(start=span.start + by, end=span.end + by)


def scan_long_text(text: bytes, scanner: Scanner) -> list[Span]:
    """Find every span of a text as a reader sees it, look-alikes folded, percent escapes as they stand and undone.

    Told in bytes of the text as it came.
    """
    return located(folded(text), scanner)


def located(pieces: Sequence[Piece], scanner: Scanner) -> list[Span]:
    """Scan the text that pieces stand for; what is found is told as bytes of what came. Pieces that differ go whole."""
    text = b"".join(piece.text for piece in pieces)
    spans = apart(stretch.span for stretch in Readings(scanner).feed(text, ends=True))
    if not spans or not any(piece.whole for piece in pieces):
        return spans
    texts = [0, *accumulate(len(piece.text) for piece in pieces)]
    raws = [0, *accumulate(len(piece.raw) for piece in pieces)]

    def raw(place: int, *, is_end: bool) -> int:
        # Of the pieces that begin at one place all but the last are empty: the end belongs to the piece before it.
        at = bisect_right(texts, place - 1 if is_end else place) - 1
        if pieces[at].whole:
            return raws[at + 1] if is_end else raws[at]
        return raws[at] + place - texts[at]

    return [span._replace(start=raw(span.start, is_end=False), end=raw(span.end, is_end=True)) for span in spans]


def characters(text: bytes) -> int:
    """How many characters bytes of UTF-8 are; of other bytes each that does not only continue one."""
    return len(text.translate(None, _CONTINUING))


@dataclass(slots=True)
class Place:
    """Line and column (both from 1, columns in characters) of a place that only moves on."""

    line: int = 1
    column: int = 1

    def pass_over(self, text: bytes) -> None:
        """Move on over a text."""
        lines = text.count(b"\n")
        if lines:
            self.line += lines
            self.column = 1
            text = text[text.rindex(b"\n") + 1 :]
        self.column += characters(text)
