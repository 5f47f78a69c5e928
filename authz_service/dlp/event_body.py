"""A body of events → the same, without what is not to pass, be it within an event or in a text that goes over several.

    bytes → view → events → the parts of joined texts, each to its text (deltas, joined_text)
                          → the rest of the event, as any other text (text_redaction, base64_runs) → bytes, in order

An event goes when all of it is decided: at once, unless the end of its part of a text may be the beginning of something
that is found. What comes behind it waits with it. Where too much waits, the oldest of these texts ends there, and what
it held back goes. All is done event by event, so that it makes no difference how the bytes were cut.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Final

from authz_service.dlp.base64_runs import Base64Runs
from authz_service.dlp.deltas import Delta, DeltaPaths, Key, agrees
from authz_service.dlp.found import Treatment
from authz_service.dlp.held import UNREAD, Part, numbered, piece_of
from authz_service.dlp.joined_text import JoinedText, Slot
from authz_service.dlp.scan import Scanner
from authz_service.dlp.text_redaction import TextRedaction
from authz_service.dlp.views.piece import Syntax, View

MAX_EVENT: Final = 64 * 1024  # bytes of one whose values are joined; a longer one passes as it comes, scanned by itself
MAX_WAITING: Final = 256 * 1024  # bytes of events that wait
MAX_TEXTS: Final = 64  # that are open at once


class _Waiting:
    """An event that is not decided: `slots` are those that may not be done, the first of them last."""

    __slots__ = ("parts", "size", "slots")

    def __init__(self, parts: Sequence[bytes | Slot], size: int) -> None:
        self.parts = parts
        self.size = size
        self.slots = [part for part in reversed(parts) if isinstance(part, Slot)]

    @property
    def open_slot(self) -> Slot | None:
        """The first slot that is not done, None where the event can go."""
        while self.slots and self.slots[-1].is_done:
            self.slots.pop()
        return self.slots[-1] if self.slots else None


class EventRedactor:
    """Redacts one body of events. What is let pass goes out as it came.

    It holds back at most an event of MAX_EVENT, and MAX_WAITING of such behind one another.
    """

    def __init__(self, view: View, scanner: Scanner, treat: Treatment, paths: DeltaPaths) -> None:
        self._view = view
        self._scanner = scanner
        self._treat = treat
        self._paths = paths
        self._redaction = TextRedaction(scanner, treat)
        self._runs = Base64Runs(scanner, treat)
        self._came = 0
        self._event: list[Part] = []  # what has come of an event
        self._size = 0  # bytes of it, those that passed already too
        self._texts: OrderedDict[Key, JoinedText] = OrderedDict()  # those that are open, the oldest first
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._out: list[bytes] = []

    def feed(self, data: bytes) -> bytes:
        """Read on and return what is decided.

        Raises:
            Blocked: with what was found, nothing passes.
        """
        parts = numbered(self._view.feed(data), self._came)
        self._read(parts)
        return self._decided()

    def finish(self) -> bytes:
        """Decide the rest: there is no more.

        Raises:
            Blocked: with what was found, nothing passes.
        """
        self._read(numbered(self._view.finish(), self._came))
        if self._event:
            self._event_came(self._event, last=True)
            self._event = []
        self._go([part.raw for part in self._rest()], 0)
        for text in self._texts.values():
            text.finish()
        self._texts.clear()
        self._release()
        return self._decided()

    def _decided(self) -> bytes:
        out, self._out = self._out, []
        return b"".join(out)

    def _read(self, parts: Sequence[Part]) -> None:
        self._came += sum([len(part.raw) for part in parts])
        for part in parts[self._pass_all(parts) :]:
            self._size += len(part.raw)
            self._event.append(part)
            if self._size > MAX_EVENT:
                self._pass(self._event)
            elif part.ends:
                self._event_came(self._event)
            else:
                continue
            self._event = []
            if part.ends:
                self._size = 0

    def _pass_all(self, parts: Sequence[Part]) -> int:
        """Let all whole events go together that have nothing to do with joined texts; return how many parts went."""
        if self._texts or self._waiting:
            return 0
        count = next((count for count in range(len(parts), 0, -1) if parts[count - 1].ends), 0)
        whole = [*self._event, *parts[:count]]
        if not count or self._paths.concerns(b"".join([part.raw for part in whole])):
            return 0
        self._pass(whole)
        self._event, self._size = [], 0
        return count

    def _pass(self, parts: Sequence[Part]) -> None:
        """Let parts go that have nothing to do with joined texts."""
        decided = [part.raw for part in self._runs.feed(self._redaction.feed(parts))]
        if self._waiting:
            self._go(decided, sum(map(len, decided)))
        else:
            self._out += decided

    def _rest(self) -> list[Part]:
        return [*self._runs.feed(self._redaction.finish()), *self._runs.finish()]

    def _event_came(self, parts: Sequence[Part], *, last: bool = False) -> None:
        """Take a whole event, which the last part ends; or the rest of the body."""
        data = b"".join([b" " * len(part.raw) if part.syntax is Syntax.PLAIN else part.raw for part in parts])
        if not (self._texts or self._paths.concerns(data)):
            self._pass(parts)
            return
        event = self._paths.read(data)
        outer, values = _split(parts, event.deltas)
        slots: dict[int, Slot] = {}
        decided = self._runs.feed(self._redaction.feed(outer))
        if last:
            decided += self._rest()
        for key, value in values:
            slot = self._text(key).feed(value)
            slots[slot.start] = slot
        self._go(
            [slots.get(part.offset, b"") if part.text == UNREAD and not part.raw else part.raw for part in decided],
            sum(len(part.raw) for part in parts),
        )
        for ends in event.ends:
            for key in [key for key in self._texts if agrees(key, ends)]:
                self._texts.pop(key).finish()
        self._release()

    def _text(self, key: Key) -> JoinedText:
        """The text that a value belongs to. Where there are too many, the one that was longest without any ends."""
        text = self._texts.get(key)
        if text is None:
            if len(self._texts) >= MAX_TEXTS:
                self._texts.popitem(last=False)[1].finish()
            text = self._texts[key] = JoinedText(self._scanner, self._treat)
        self._texts.move_to_end(key)
        return text

    def _go(self, parts: Sequence[bytes | Slot], size: int) -> None:
        """Let an event go, or a piece of one, behind those that wait."""
        if parts:
            self._waiting.append(_Waiting(parts, size))
            self._waiting_bytes += size
            self._release()

    def _release(self) -> None:
        """Let go what is decided, and end the texts for which too much waits."""
        waiting = self._waiting
        while waiting:
            slot = waiting[0].open_slot
            if slot is None:
                event = waiting.popleft()
                self._waiting_bytes -= event.size
                self._out += [part.raw if isinstance(part, Slot) else part for part in event.parts]
            elif self._waiting_bytes > MAX_WAITING:
                self._end(slot.text)
            else:
                break

    def _end(self, text: JoinedText) -> None:
        for key in [key for key, each in self._texts.items() if each is text]:
            del self._texts[key]
        text.finish()


def _split(parts: Sequence[Part], deltas: Sequence[Delta]) -> tuple[list[Part], list[tuple[Key, list[Part]]]]:
    """Take values out of an event, and leave in the place of each what is not to be read."""
    first = parts[0].offset
    starts = [part.offset - first for part in parts]

    def is_between(place: int) -> bool:
        """Whether a place is at the end of something that is changed as a whole, or where it need not be."""
        index = bisect_right(starts, place) - 1
        return not parts[index].whole or place in {starts[index], starts[index] + len(parts[index].raw)}

    outer: list[Part] = []
    values: list[tuple[Key, list[Part]]] = []
    index = place = 0  # what comes next: a part, and a place in the event
    for delta in deltas:
        if not (is_between(delta.start) and is_between(delta.end)):
            continue
        value: list[Part] = []
        for end, into in ((delta.start, outer), (delta.end, value)):
            while place < end:
                part = parts[index]
                after = starts[index] + len(part.raw)
                stop = min(end, after)
                whole = place == starts[index] and stop == after
                into.append(part if whole else piece_of(part, place - starts[index], stop - starts[index]))
                place = stop
                index += stop == after
        values.append((delta.key, value))
        outer.append(Part(b"", UNREAD, Syntax.JSON_STRING, True, False, first + delta.start))
    if index < len(parts):
        part = parts[index]
        rest = place - starts[index]
        outer.append(piece_of(part, rest, len(part.raw)) if rest else part)
        outer += parts[index + 1 :]
    return outer, values
