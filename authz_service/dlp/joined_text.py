"""One text whose parts come in several events → the same, treated, each part of it in the event that it belongs to.

What is put in the place of a value stands where the value began; the rest of the value is gone from later events. A
part of an event is decided while nothing of it can be the beginning of something: see `unsettled`.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from authz_service.dlp.base64_runs import Base64Runs
from authz_service.dlp.found import Treatment
from authz_service.dlp.held import Part
from authz_service.dlp.scan import Scanner
from authz_service.dlp.text_redaction import TextRedaction


class Slot:
    """Where a part of a joined text stands in its event: bytes that came from `start` up to, not including, `end`.

    `text` is what it belongs to, `raw` what is decided of it, all once it `is_done`.
    """

    __slots__ = ("_raws", "end", "is_done", "start", "text")

    def __init__(self, start: int, end: int, text: JoinedText) -> None:
        self.start = start
        self.end = end
        self.text = text
        self.is_done = False
        self._raws: list[bytes] = []

    @property
    def raw(self) -> bytes:
        """What stands there now."""
        return b"".join(self._raws)

    def add(self, raw: bytes) -> None:
        """Put one more at the end."""
        self._raws.append(raw)


class JoinedText:
    """Takes the parts of a text in order. Its methods raise `Blocked`."""

    def __init__(self, scanner: Scanner, treat: Treatment) -> None:
        self._redaction = TextRedaction(scanner, treat, prompt=True)
        self._runs = Base64Runs(scanner, treat)
        self._slots: list[Slot] = []  # those that are not done, in order
        self._starts: list[int] = []

    def feed(self, parts: Sequence[Part]) -> Slot:
        """Read on: parts that follow one another, one at least."""
        last = parts[-1]
        slot = Slot(parts[0].offset, last.offset + len(last.raw), self)
        self._slots.append(slot)
        self._starts.append(slot.start)
        self._give(self._runs.feed(self._redaction.feed(parts)))
        waiting = self._runs.first
        if waiting is None:
            waiting = self._redaction.first
        self._settle(slot.end if waiting is None else waiting)
        return slot

    def finish(self) -> None:
        """Decide what is left: the text ends."""
        self._give(self._runs.feed(self._redaction.finish()))
        self._give(self._runs.finish())
        if self._slots:
            self._settle(self._slots[-1].end)

    def _give(self, parts: Sequence[Part]) -> None:
        """Put parts in the slots where they began."""
        for part in parts:
            self._slots[max(0, bisect_right(self._starts, part.offset) - 1)].add(part.raw)

    def _settle(self, place: int) -> None:
        """All before a place is decided."""
        count = 0
        for slot in self._slots:
            if slot.end > place:
                break
            slot.is_done = True
            count += 1
        del self._slots[:count], self._starts[:count]
