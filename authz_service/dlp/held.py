"""Parts of a body that wait for a decision, and the way from a place in their text to the bytes that came."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from authz_service.dlp.views.piece import Piece, Syntax

# Stands for what is not to be read again: what was put in a finding's place, and what was let pass. No detector finds
# it, and it is not in base64's alphabet.
UNREAD = b" "


class Part(NamedTuple):
    """A piece of a body, and where it began among the bytes that came."""

    raw: bytes
    text: bytes
    syntax: Syntax
    whole: bool
    ends: bool
    offset: int


class Dropped(NamedTuple):
    """What was known of parts that are taken out."""

    ends: bool = False
    fixed: bool = False


_NOTHING = Dropped()


def numbered(pieces: Iterable[Piece], offset: int) -> list[Part]:
    """Pieces with their places, the first at `offset`."""
    parts: list[Part] = []
    for raw, text, syntax, whole, ends in pieces:
        parts.append(Part(raw, text, syntax, whole, ends, offset))
        offset += len(raw)
    return parts


class Held:
    """A queue of parts. `start` is the place in the whole text of what is first in it."""

    def __init__(self) -> None:
        self._parts: deque[Part] = deque()
        self._skipped = 0  # bytes of the first part that are gone already
        self.start = 0
        self.last = Syntax.PLAIN, 0  # syntax and offset of what was taken or dropped last

    @property
    def first(self) -> int | None:
        """Where what is held begins among the bytes that came; None where nothing is."""
        if not self._parts:
            return None
        part = self._parts[0]
        return part.offset if part.whole else part.offset + self._skipped

    def add(self, part: Part) -> None:
        """Put one more at the end."""
        self._parts.append(part)

    def find(self, place: int) -> tuple[Syntax, int]:
        """How the text at a place is written, and where it began among the bytes that came."""
        first = self.start - self._skipped
        for part in self._parts:
            if place < first + len(part.text):
                return part.syntax, part.offset + (0 if part.whole else place - first)
            first += len(part.text)
        return self.last

    def text(self, start: int, end: int) -> bytes | None:
        """What is between two places, None where its beginning is gone already."""
        if start < self.start:
            return None
        texts: list[bytes] = []
        place = self.start - self._skipped
        if self._parts and end <= place + len(first := self._parts[0].text):  # as nearly always
            return first[start - place : end - place]
        for part in self._parts:
            if place >= end:
                break
            if place + len(part.text) > start:
                texts.append(part.text[max(0, start - place) : end - place])
            place += len(part.text)
        return b"".join(texts)

    def take(self, place: int) -> list[Part]:
        """Take out what is before a place. A whole part that lies across it stays."""
        taken: list[Part] = []
        parts = self._parts
        while parts:
            part = parts[0]
            after = self.start - self._skipped + len(part.text)
            if after <= place:
                taken.append(self._next(part))
                self.start = after
                continue
            if not part.whole and self.start < place:
                skipped = self._skipped + place - self.start
                taken.append(piece_of(part, self._skipped, skipped))
                self._skipped = skipped
                self.start = place
            break
        if taken:
            self.last = taken[-1].syntax, taken[-1].offset
        return taken

    def through(self, parts: Sequence[Part], kept: int) -> list[Part]:
        """Take out all there is, and pass parts by but for the last bytes of the last, which is not whole."""
        taken = self.take(self.start + sum([len(part.text) for part in self._parts]) - self._skipped)
        self.start += sum([len(part.text) for part in parts]) - kept
        last = parts[-1]
        taken += parts[:-1]
        if not kept:
            taken.append(last)
            return taken
        count = len(last.text) - kept
        if count:
            taken.append(piece_of(last, 0, count))
        self._parts.append(last)
        self._skipped = count
        return taken

    def drop(self, place: int) -> Dropped:
        """Take out what is before a place and tell of it. A whole part that lies across it goes too."""
        ends = fixed = False
        while self._parts and self.start < place:
            part = self._parts[0]
            self.last = part.syntax, part.offset
            fixed = fixed or part.syntax is Syntax.FIXED
            after = self.start - self._skipped + len(part.text)
            if part.whole or after <= place:
                self._next(part)
                self.start = after
                ends = ends or part.ends
            else:
                self._skipped += place - self.start
                self.start = place
        return Dropped(ends, fixed) if ends or fixed else _NOTHING

    def _next(self, part: Part) -> Part:
        """Take out what is left of the first part."""
        self._parts.popleft()
        if self._skipped:
            part = piece_of(part, self._skipped, len(part.text))
            self._skipped = 0
        return part


def piece_of(part: Part, start: int, end: int) -> Part:
    """Some bytes of a part that is not whole."""
    ends = part.ends and end == len(part.text)
    return Part(part.raw[start:end], part.text[start:end], part.syntax, False, ends, part.offset + start)


def unread(part: Part) -> Part:
    """The same, not to be read again."""
    return Part(part.raw, UNREAD, part.syntax, True, part.ends, part.offset)
