"""A short text, searched as it reads: look-alikes folded, findings told by where they stand as it is written. Pure.

What a URL in it has percent-encoded, as cookies are too, what is escaped by number, and what is quoted is searched both
ways: as it stands, and undone once more.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from authz_service.dlp.scan import Scanner, Span
from authz_service.dlp.views.escaped import QUOTED, SHORT, EscapedView, Escapes
from authz_service.dlp.views.folding import fold, folded
from authz_service.dlp.views.piece import Piece, View


def suspects_text(text: bytes, scanner: Scanner) -> bool:
    """Whether anything could be found in a text. False means that there is nothing."""
    if scanner.suspects(fold(text)):
        return True
    return any(
        scanner.suspects(b"".join([piece.text for piece in _pieces(text, EscapedView(escapes))]))
        for escapes in _escapes_of(text)
    )


def scan_text(text: bytes, scanner: Scanner) -> list[Span]:
    """Find every span, in order and apart, in bytes of the text as it is written."""
    spans = scanner.scan(text) if text.isascii() else _scan(folded(text), scanner)
    for escapes in _escapes_of(text):
        found = _scan(_pieces(text, EscapedView(escapes)), scanner)
        if found:
            # What both find is told once, as it reads undone; what goes beyond that is told beside it.
            spans = sorted([*found, *(rest for span in spans for rest in outside(span, found))], key=start_of)
    return spans


def outside(span: Span, others: Sequence[Span]) -> Iterator[Span]:
    """What of a span none of the others takes, which are in order and apart."""
    start = span.start
    for other in others:
        if start < other.start < span.end:
            yield span._replace(start=start, end=other.start)
        start = max(start, other.end) if other.start < span.end else start
    if start < span.end:
        yield span._replace(start=start)


def _escapes_of(text: bytes) -> Iterator[Escapes]:
    """Tell in which ways a text may have something escaped."""
    has_backslash = b"\\" in text
    if has_backslash or b"%" in text:
        yield SHORT
    if (has_backslash and b'"' in text) or b"*1" in text:
        yield QUOTED


def start_of(span: Span) -> int:
    """What spans are sorted by: detectors have no order."""
    return span.start


class Reading:
    """A text as it reads, and the way back to where it is written."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.text = b"".join([piece.text for piece in pieces])
        self._pieces = pieces
        self._read, self._written = [0], [0]  # where each piece begins
        for piece in pieces:
            self._read.append(self._read[-1] + len(piece.text))
            self._written.append(self._written[-1] + len(piece.raw))

    def place(self, position: int, *, end: bool) -> int:
        """Where a byte of what is read begins or ends as it is written."""
        index = bisect_right(self._read, position) - 1
        if self._pieces[index].whole:
            return self._written[index + end]
        return self._written[index] + position - self._read[index] + end


def undone(text: bytes) -> Reading | None:
    """Read a text with its escapes undone; None where it has none."""
    return Reading(_pieces(text, EscapedView(SHORT))) if b"%" in text or b"\\" in text else None


def _pieces(text: bytes, view: View) -> Sequence[Piece]:
    return [*view.feed(text), *view.finish()]


def _scan(pieces: Sequence[Piece], scanner: Scanner) -> list[Span]:
    """Search what pieces read as."""
    reading = Reading(pieces)
    return [
        span._replace(start=reading.place(span.start, end=False), end=reading.place(span.end - 1, end=True))
        for span in scanner.scan(reading.text)
    ]
