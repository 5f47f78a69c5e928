"""A short text, searched as it reads: look-alikes folded, findings told by where they stand as it is written. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence

from authz_service.dlp.scan import Scanner, Span
from authz_service.dlp.views.escaped import PERCENT, EscapedView
from authz_service.dlp.views.folding import fold
from authz_service.dlp.views.piece import View
from authz_service.dlp.views.plain import PlainView


def suspects_text(text: bytes, scanner: Scanner) -> bool:
    """Whether anything could be found in a text. False means that there is nothing."""
    return scanner.suspects(fold(text))


def scan_text(text: bytes, scanner: Scanner) -> list[Span]:
    """Find every span, in order and apart, in bytes of the text as it is written."""
    if text.isascii():
        return scanner.scan(text)
    return _scan(text, PlainView(), scanner)


def scan_quoted(text: bytes, scanner: Scanner) -> list[Span]:
    """Find every span of a text that may be percent-encoded, as cookies and addresses are: as it is, and as it reads.

    What both find is told once; what goes beyond that is told beside it.
    """
    spans = scan_text(text, scanner)
    if b"%" not in text:
        return spans
    read = _scan(text, EscapedView(PERCENT), scanner)
    return sorted([*read, *(rest for span in spans for rest in _outside(span, read))], key=lambda span: span.start)


def _outside(span: Span, others: Sequence[Span]) -> Iterator[Span]:
    """What of a span none of the others takes, which are in order and apart."""
    start = span.start
    for other in others:
        if start < other.start < span.end:
            yield span._replace(start=start, end=other.start)
        start = max(start, other.end) if other.start < span.end else start
    if start < span.end:
        yield span._replace(start=start)


def _scan(text: bytes, view: View, scanner: Scanner) -> list[Span]:
    pieces = [*view.feed(text), *view.finish()]
    spans = scanner.scan(b"".join([piece.text for piece in pieces]))
    if not spans:
        return []
    read, written = [0], [0]  # where each piece begins
    for piece in pieces:
        read.append(read[-1] + len(piece.text))
        written.append(written[-1] + len(piece.raw))

    def place(position: int, *, end: bool) -> int:
        """Where a byte of what is read begins or ends as it is written."""
        index = bisect_right(read, position) - 1
        if pieces[index].whole:
            return written[index + end]
        return written[index] + position - read[index] + end

    return [
        Span(place(span.start, end=False), place(span.end - 1, end=True), span.detector, span.confidence)
        for span in spans
    ]
