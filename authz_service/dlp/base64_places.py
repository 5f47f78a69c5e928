"""A text that is only read → what it holds in base64, told by the characters that stand for it. Pure.

What a body's redactor would write anew is told, by the same reading: what was found in the text as it stands is not
looked into. The text may come in parts; what is in one may be told when more has come.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from authz_service.dlp.base64_runs import Base64Runs, may_hold
from authz_service.dlp.base64_shape import ALPHABET
from authz_service.dlp.found import Found
from authz_service.dlp.held import UNREAD, Part, numbered
from authz_service.dlp.scan import Scanner, Span
from authz_service.dlp.views.folding import fold, folded
from authz_service.dlp.views.piece import Piece

_INSTEAD = b"   "  # three bytes, which are one four


class Base64Places:
    """Reads one text. What begins before `decided` has been told."""

    def __init__(self, scanner: Scanner) -> None:
        self._runs = Base64Runs(scanner, self._note)
        self._came = 0
        self._found: list[Found] = []  # of which it is not known where they end
        self._taken: set[int] = set()  # where something was found in the text as it stands
        self.decided = 0

    def feed(self, text: bytes, spans: Sequence[Span]) -> list[Span]:
        """Read on; `spans` are what is found in this part of the text as it stands, in order and apart."""
        parts = numbered(_pieces(text, spans), self._came)
        self._taken.update([self._came + span.start for span in spans])
        self._came += len(text)
        return self._told(self._runs.feed(parts))

    def finish(self) -> list[Span]:
        """Tell the rest."""
        told = [*self._told(self._runs.finish()), *self._ended(self._came)]
        self.decided = self._came
        return told

    def _note(self, found: Found) -> bytes:
        self._found.append(found)
        return _INSTEAD

    def _told(self, parts: Sequence[Part]) -> list[Span]:
        """What is written anew ends where the next part begins, unless that is the end of the same."""
        told: list[Span] = []
        for part in parts:
            is_anew = part.text == UNREAD and part.whole and not part.raw.strip(ALPHABET)
            if is_anew and part.offset not in self._taken:
                if any(found.offset == part.offset for found in self._found):
                    told += self._ended(part.offset)
                self.decided = part.offset
                continue
            self._taken.discard(part.offset)
            told += self._ended(part.offset)
            self.decided = part.offset + len(part.raw)
        return told

    def _ended(self, place: int) -> list[Span]:
        """What began before a place has ended there, or where the next one begins."""
        ended = [found for found in self._found if found.offset < place]
        self._found = self._found[len(ended) :]
        starts: list[int] = []
        for found in ended:
            starts.append(max(found.offset, starts[-1] + 1) if starts else found.offset)
        ends = [*starts[1:], place]
        return [
            Span(start, end, found.detector, found.confidence)
            for found, start, end in zip(ended, starts, ends, strict=False)
        ]


def with_places(text: bytes, spans: list[Span], scanner: Scanner) -> list[Span]:
    """Return what is found in a whole text as it stands, and in its base64, in order and apart."""
    if not may_hold(fold(text)):
        return spans
    places = Base64Places(scanner)
    found = [*places.feed(text, spans), *places.finish()]
    return sorted([*spans, *found], key=lambda span: span.start) if found else spans


def _pieces(text: bytes, spans: Sequence[Span]) -> Iterator[Piece]:
    """A text as it reads, with what was found in it not to be read again."""
    position = 0
    for span in spans:
        yield from folded(text[position : span.start])
        yield Piece(text[span.start : span.end], UNREAD, whole=True)
        position = span.end
    yield from folded(text[position:])
