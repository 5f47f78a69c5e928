"""A stretch of a text, read once more with its percent escapes undone: what is found, told by where it stands. Pure.

A URL in a text, a form that is declared as text and one in a form are read so by whoever takes them apart: `%2D` is a
hyphen there, `+` a space. How far a stretch goes is what `Readings` says.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Final, NamedTuple

from authz_service.dlp.scan import Scanner
from authz_service.dlp.spans import Span, Stretch
from authz_service.dlp.views.escaped import PERCENT, EscapedView
from authz_service.dlp.views.piece import Piece, View

NOTHING: Final = 2  # escapes in a row that may read as nothing; those that follow read as they stand
# A character that is written as twelve, and as many before it that read as nothing: so much of a text is one byte.
LONGEST: Final = 12 * (NOTHING + 1)  # bytes


class _Mark(NamedTuple):
    """A piece: where it begins as it reads and as it stands, and its length there if it is changed as a whole, or 0."""

    read: int
    stands: int
    whole: int


class Undone:
    """Reads on from a place of a text. What begins before `first` is not told."""

    def __init__(self, scanner: Scanner, start: int, first: int) -> None:
        self._sweep = scanner.sweep()
        self._view: View = EscapedView(PERCENT)
        self._first = first
        self._count = 0  # bytes as they read
        self.known = start  # the place behind what is read
        self._marks: list[_Mark] = []
        self._nothing = 0
        self._left_out: set[str] = set()  # detectors whose last span began before `first`
        self.fed = start

    @property
    def safe(self) -> int:
        """Nothing that is not told yet begins before this place of the text."""
        return max(self._first, self._place(self._sweep.safe, is_end=False))

    @property
    def open(self) -> bool:
        """Whether something was found that may go on."""
        return self._sweep.open

    def feed(self, text: bytes, *, ends: bool) -> list[Stretch]:
        """Read on."""
        self.fed += len(text)
        pieces = self._view.feed(text)
        if ends:
            pieces = [*pieces, *self._view.finish()]
        read = b"".join([self._read(piece) for piece in pieces])
        stretches = [self._told(stretch) for stretch in self._sweep.feed(read, ends=ends)]
        self._forget()
        return [stretch for stretch in stretches if stretch is not None]

    def _read(self, piece: Piece) -> bytes:
        text, whole = piece.text, len(piece.raw) if piece.whole else 0
        if whole:
            self._nothing = 0 if text else self._nothing + 1
            if self._nothing > NOTHING:
                text, whole = piece.raw, 0
        else:
            self._nothing = 0
        self._marks.append(_Mark(self._count, self.known, whole))
        self._count += len(text)
        self.known += len(piece.raw)
        return text

    def _place(self, read: int, *, is_end: bool) -> int:
        """Where a place stands. Of several pieces at one place all but the last are empty."""
        index = bisect_right(self._marks, (read - 1 if is_end else read), key=_where) - 1
        if index < 0:
            return self.known if not self._marks else self._marks[0].stands
        mark = self._marks[index]
        if mark.whole:
            return mark.stands + mark.whole * is_end
        return mark.stands + read - mark.read

    def _told(self, stretch: Stretch) -> Stretch | None:
        span = stretch.span
        start = self._place(span.start, is_end=False)
        if stretch.begins:
            self._left_out.discard(span.detector.name)
            if start < self._first:
                self._left_out.add(span.detector.name)
        if span.detector.name in self._left_out:
            return None
        there = Span(start, self._place(span.end, is_end=True), span.detector, span.confidence)
        return stretch._replace(span=there, undone=True)

    def _forget(self) -> None:
        index = bisect_right(self._marks, self._sweep.safe - 1, key=_where) - 1
        if index > 0:
            del self._marks[:index]


def _where(mark: _Mark) -> int:
    return mark.read


def undone(text: bytes) -> bytes:
    """Return a short text as it reads."""
    view = EscapedView(PERCENT)
    return b"".join([piece.text for piece in (*view.feed(text), *view.finish())])
