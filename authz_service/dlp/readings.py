"""A text that comes in parts, read as it stands and, near percent escapes, with these undone. Pure.

Both readings are needed. `AKIA…%41` holds a key for whoever leaves the escape alone, and `%41KIA…` for whoever does
not. So the second reading takes nothing from the first: it begins a little before a sign of something that is written
as in a form, as far as a finding that goes by the sign could reach, and ends as far behind the last one. A text without
signs is read once.
"""

from __future__ import annotations

from typing import Any, Final

import re2

from authz_service.dlp.scan import Scanner
from authz_service.dlp.spans import Stretch
from authz_service.dlp.undone import Undone

_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
# A percent escape, and digits in groups as a form has them, which rarely stand so in base64.
_SIGN: Final[Any] = re2.compile(rb"%[0-9A-Fa-f]{2}|[0-9]{2}\+[0-9]{2}", _OPTIONS)
_HEX: Final = b"0123456789ABCDEFabcdef"
_DIGITS: Final = b"0123456789"
_BEGUN: Final = 4  # bytes at the end of a text that may be the beginning of one
LAG: Final = 16  # bytes by which the second reading may be behind the first: an escape that has not ended


class Readings:
    """Takes a text in parts, as a sweep does, and tells what both readings find, in order of place."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner
        self._reach = scanner.reach
        self._around = scanner.reach + scanner.before
        self._sweep = scanner.sweep()
        self._undone: Undone | None = None
        self._until = 0  # the place where the second reading ends, unless there is one more sign
        self._sought = 0  # the place up to which signs are known
        self._total = 0  # bytes that came
        self._last = b""  # of these
        self._waiting: list[Stretch] = []  # told when nothing to their left can be found any more
        self._long: dict[tuple[str, bool], tuple[int, bool]] = {}  # where the last long one of each detector began
        self.safe = 0  # nothing that is not told yet begins before this place of the text

    def feed(self, text: bytes, *, ends: bool) -> list[Stretch]:
        """Read on. With `ends` the text ends here, and what comes next is another."""
        window, origin = b"", 0
        if self._undone is not None or self._may_hold_a_sign(text):
            window, origin = self._sweep.held + text, self._sweep.base
        stretches = self._sweep.feed(text, ends=ends)
        self._total += len(text)
        self._last = b"" if ends else (self._last + text[-_BEGUN:])[-_BEGUN:]
        if window:
            stretches += self._again(window, origin, ends=ends)
        bound = self._total if ends else min(self._sweep.safe, self._total - self._reach - LAG)
        known = self._total
        if self._undone is not None:
            bound, known = min(bound, self._undone.safe), self._undone.known
        if self._waiting or (stretches and (window or stretches[-1].span.start >= bound)):
            stretches, bound = self._in_order(stretches, bound, known)
        elif stretches:
            self._note(stretches)
        self.safe = bound
        return stretches

    def is_clean(self, text: bytes) -> bool:
        """Whether nothing can be found in a whole text."""
        signs = (b"%" in text or b"+" in text) and _SIGN.search(text) is not None
        return not signs and self._sweep.is_clean(text)

    def pass_over(self, count: int) -> None:
        """Take bytes as read in which nothing is, after a text has ended."""
        self._sweep.pass_over(count)
        self._total += count
        self.safe = self._total

    def _may_hold_a_sign(self, text: bytes) -> bool:
        if b"%" in text or b"+" in text:
            return _SIGN.search(self._last + text) is not None
        return (b"%" in self._last or b"+" in self._last) and _SIGN.search(self._last + text[:_BEGUN]) is not None

    def _again(self, window: bytes, origin: int, *, ends: bool) -> list[Stretch]:
        """Read once more what is near signs, in a text that begins at a place."""
        stretches: list[Stretch] = []
        end = origin + len(window)
        while True:
            if self._undone is None:
                sign = _SIGN.search(window, max(self._sought - origin, 0))
                if sign is None:
                    self._sought = end if ends else max(self._sought, end - _BEGUN)
                    return stretches
                first = origin + sign.start()
                self._undone = Undone(self._scanner, max(origin, first - self._around), first - self._reach)
                self._extend(first)
            self._follow(window, origin)
            is_over = end >= self._until + _BEGUN
            stop = min(self._until, end)
            reading = self._undone
            stretches += reading.feed(window[reading.fed - origin : stop - origin], ends=ends and not is_over)
            if is_over and reading.open:
                self._until += self._around
                continue
            if is_over or ends:
                self._undone = None
                self._sought = max(self._sought, stop)
            if not is_over:
                return stretches

    def _extend(self, sign: int) -> None:
        self._sought = sign + 1
        self._until = max(self._until, sign + _BEGUN + self._around)

    def _follow(self, window: bytes, origin: int) -> None:
        """Take in the signs before the end of the second reading, which moves with the last of them."""
        end = len(window)
        while True:
            edge = min(self._until - origin, end)
            last = _last_sign(window, max(self._sought - origin, 0), edge)
            if last < 0:
                self._sought = max(self._sought, origin + min(edge, end - _BEGUN))
                return
            self._extend(origin + last)

    def _in_order(self, stretches: list[Stretch], bound: int, known: int) -> tuple[list[Stretch], int]:
        """Sort what is told from left to right; say before which place all of it is told.

        What begins at `bound` or behind it waits, and so does what ends behind what both readings know: else a long
        span of the one could hide more or less of a span of the other.
        """
        told: list[Stretch] = []
        begun: list[Stretch] = []
        waiting, self._waiting = _joined(self._waiting, stretches), []
        for stretch in waiting:
            if stretch.begins:
                begun.append(stretch)
            else:
                self._tell(told, stretch, known)
        told.sort(key=self._begins)  # what begins first hides more of the other, as where both are told at once
        both: set[tuple[int, int, str]] = set()
        for stretch in sorted(begun, key=_place):
            start, end, detector, _ = stretch.span
            if start >= bound or (end > known and not stretch.long):
                bound = min(bound, start)
                self._waiting.append(stretch)
                continue
            if stretch.undone and (start, end, detector.name) in both and not stretch.long:
                continue  # both readings find it
            both.add((start, end, detector.name))
            self._note([stretch])
            self._tell(told, stretch, known)
        return told, bound

    def _note(self, stretches: list[Stretch]) -> None:
        for stretch in stretches:
            if stretch.long and stretch.begins:
                self._long[stretch.span.detector.name, stretch.undone] = _place(stretch)

    def _begins(self, stretch: Stretch) -> tuple[int, bool]:
        return self._long[stretch.span.detector.name, stretch.undone]

    def _tell(self, told: list[Stretch], stretch: Stretch, known: int) -> None:
        """Tell a stretch as far as a place; what is behind it goes on from there."""
        span = stretch.span
        if span.end <= known:
            told.append(stretch)
            return
        if span.start < known:
            told.append(stretch._replace(span=span._replace(end=known)))
            stretch = stretch._replace(span=span._replace(start=known), begins=False)
        self._waiting.append(stretch)


def _last_sign(text: bytes, first: int, edge: int) -> int:
    """Where the last sign begins that begins between two places, -1 where there is none."""
    last = text.rfind(b"%", first, edge)
    while last >= 0 and not _is_made_of(text[last + 1 : last + 3], _HEX):
        last = text.rfind(b"%", first, last)
    plus = text.rfind(b"+", max(first, last) + 2, edge + 2)
    while plus >= 0 and not _is_made_of(text[plus - 2 : plus] + text[plus + 1 : plus + 3], _DIGITS, 4):
        plus = text.rfind(b"+", max(first, last) + 2, plus)
    return plus - 2 if plus >= 0 else last


def _is_made_of(text: bytes, letters: bytes, count: int = 2) -> bool:
    return len(text) == count and not text.translate(None, letters)


def _joined(waiting: list[Stretch], stretches: list[Stretch]) -> list[Stretch]:
    """Put together what goes on with what waits."""
    for stretch in stretches:
        index = len(waiting) if stretch.begins else 0
        while index < len(waiting) and not _goes_on(waiting[index], stretch):
            index += 1
        if index < len(waiting):
            other = waiting[index]
            waiting[index] = other._replace(span=other.span._replace(end=stretch.span.end), long=stretch.long)
        else:
            waiting.append(stretch)
    return waiting


def _goes_on(stretch: Stretch, other: Stretch) -> bool:
    return (stretch.span.detector, stretch.undone, stretch.span.end) == (
        other.span.detector, other.undone, other.span.start,
    )  # fmt: skip


def _place(stretch: Stretch) -> tuple[int, bool]:
    return stretch.span.start, stretch.undone
