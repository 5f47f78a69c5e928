"""Stretches of what was found → what becomes of each, asked once for each span. Pure but for who is asked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from authz_service.dlp.found import Found, Treatment
from authz_service.dlp.spans import Stretch
from authz_service.dlp.undone import undone


class Outcome(NamedTuple):
    """What becomes of a text from `start` to `end`: it is let pass, or `text` is put in its place."""

    start: int
    end: int
    text: bytes
    passes: bool
    found: Found | None = None  # None where it goes on: it was asked for before
    is_escaped: bool = False  # there are percent escapes in it


@dataclass(frozen=True, slots=True)
class Place:
    """Where a text is: what is between two of its places, where a place is among the bytes that came."""

    text: Callable[[int, int], bytes | None]
    offset: Callable[[int], int]


class Judging:
    """Asks the treatment, from left to right. What a span to the left has had replaced is not asked for again.

    A span inside of one that was let pass is asked for: a token in an address that may be told is a token.
    """

    def __init__(self, treat: Treatment) -> None:
        self._treat = treat
        self._replaced = 0  # the place up to which something else stands now
        # Of each detector's last span, in each reading; None: not asked for yet.
        self._passes: dict[str, bool | None] = {}

    def judge(self, stretch: Stretch, place: Place) -> Outcome | None:
        """Say what becomes of a stretch; None where another has replaced it already."""
        span = stretch.span
        name = span.detector.name + "%" if stretch.undone else span.detector.name
        passes = None if stretch.begins else self._passes.get(name)
        start = max(span.start, self._replaced)
        if span.end <= start:
            self._passes[name] = passes
            return None
        text, found, is_escaped = b"", None, False
        if passes is None:
            offset = place.offset(start)
            value = None if stretch.long else place.text(start, span.end)
            if stretch.undone:
                written = value
                value = undone(written) if written is not None else None
                is_escaped = written is None or written != value
            found = Found(span.detector, span.confidence, value, offset)
            answer = self._treat(found)
            passes = answer is None
            text = answer or b""
        self._passes[name] = passes
        if not passes:
            self._replaced = span.end
        return Outcome(start, span.end, text, passes, found, is_escaped)
