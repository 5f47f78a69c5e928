"""One run of base64 → what to write anew in it. Pure but for the treatment that is asked.

Places in a run are counted in its characters, line ends not among them, and in the bytes that they stand for.
"""

from __future__ import annotations

from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import re2

from authz_service.dlp.found import Found, Treatment
from authz_service.dlp.judging import Judging, Outcome, Place
from authz_service.dlp.scan import Scanner
from authz_service.dlp.spans import MAX_VALUE, Stretch

_TO_STANDARD = bytes.maketrans(b"-_", b"+/")
_TO_URL_SAFE = bytes.maketrans(b"+/", b"-_")
_SEEN = 64  # bytes of what was found that are asked for printable ones
_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.dot_nl = True
_PRINTABLE = re2.compile(rb"\A(?:...){0,32}[ -~]{6}", _OPTIONS)


class Edit(NamedTuple):
    """Characters from `start` to `end` go, and `text` stands in their place."""

    start: int
    end: int
    text: bytes
    found: Found | None
    follows: bool  # on the last one, with nothing between


@dataclass(slots=True)
class _Region:
    """Fours that a finding touches: what they are to stand for, as far as `end` in bytes, from character `start` on."""

    start: int
    end: int
    new: bytes
    found: Found | None
    long: bool  # there is a long span in it
    goes_on: bool  # it ends with that
    follows: bool  # what is before has been written
    seen: int  # the character up to which its alphabet is asked for, where it is long


class Run:
    """Decodes a run as it comes. `offset` tells where a character is among the bytes that came."""

    def __init__(self, scanner: Scanner, treat: Treatment, offset: Callable[[int], int]) -> None:
        self._sweep = scanner.sweep()
        self._judging = Judging(treat)
        self._place = Place(self._between, lambda place: offset(place // 3 * 4))
        self._rest = b""  # fewer than four characters
        self._count = 0  # characters that have come
        self._url_safe = -1  # the first character of the other alphabet, -1 for none
        self._bytes = b""  # decoded, from `_base` on
        self._base = 0
        self._region: _Region | None = None
        self._ignored: set[str] = set()  # detectors whose last span is not one
        self._edits: list[Edit] = []

    @property
    def safe(self) -> int:
        """Nothing is written anew before this character any more."""
        if self._region:
            return min(self._region.start, self._sweep.safe // 3 * 4)
        return self._sweep.safe // 3 * 4

    def feed(self, characters: bytes, *, ends: bool) -> list[Edit]:
        """Read on."""
        decoded = self._decode(characters, ends=ends)
        self._bytes += decoded
        for stretch in self._sweep.feed(decoded, ends=ends):
            if self._is_text(stretch):
                outcome = self._judging.judge(stretch, self._place)
                if outcome and not outcome.passes:
                    self._replace(outcome, long=stretch.long)
        total = self._base + len(self._bytes)
        region = self._region
        if region and (ends or self._sweep.safe >= _up(region.end)):
            self._settle(region, total)
        elif region and region.goes_on:
            self._settle_begun(region)
        kept = self._sweep.safe if not self._region else min(self._sweep.safe, self._region.end)
        self._forget(kept // 3 * 3 - self._base)
        edits, self._edits = self._edits, []
        return edits

    def _decode(self, characters: bytes, *, ends: bool) -> bytes:
        if self._url_safe < 0:
            places = [place for place in (characters.find(b"-"), characters.find(b"_")) if place >= 0]
            self._url_safe = self._count + min(places) if places else -1
        self._count += len(characters)
        characters = self._rest + characters
        usable = len(characters) // 4 * 4
        if ends and len(characters) % 4 > 1:  # one character alone stands for nothing
            usable = len(characters)
        self._rest = characters[usable:]
        return a2b_base64(characters[:usable].translate(_TO_STANDARD) + b"=" * (-usable % 4))

    def _between(self, start: int, end: int) -> bytes:
        return self._bytes[start - self._base : end - self._base]

    def _is_text(self, stretch: Stretch) -> bool:
        """Whether it is what the skipping of runs lets one expect."""
        span = stretch.span
        if stretch.begins:
            self._ignored.discard(span.detector.name)
            if not _PRINTABLE.search(self._between(_up(span.start), min(span.end, span.start + _SEEN) // 3 * 3)):
                self._ignored.add(span.detector.name)
        return span.detector.name not in self._ignored

    def _replace(self, outcome: Outcome, *, long: bool) -> None:
        region = self._region
        if outcome.found is None and region:
            region.end = outcome.end
            return
        first = outcome.start // 3 * 3
        if region and first < _up(region.end):  # in the same four as the end of the last
            region.new += self._between(region.end, outcome.start) + outcome.text
            region.end = outcome.end
            region.found = region.found or outcome.found
        else:
            if region:
                self._settle(region, self._base + len(self._bytes))
            new = self._between(first, outcome.start) + outcome.text
            region = self._region = _Region(
                first // 3 * 4, outcome.end, new, outcome.found, long, long, False, first // 3 * 4 + MAX_VALUE
            )
        region.goes_on = long
        if long:
            region.long = True
            region.new = _filled(region.new, 0)

    def _settle(self, region: _Region, total: int) -> None:
        """Write a region to its end."""
        end = _up(region.end)
        new = region.new + self._between(region.end, min(end, total))
        left = total % 3 if end > total else 0
        last = total // 3 * 4 + left + 1 if left else end // 3 * 4
        self._write(region, last, _filled(new, left))
        self._region = None

    def _settle_begun(self, region: _Region) -> None:
        """Write what is known of a long one, and begin it anew where that ends."""
        last = region.end // 3 * 4
        if last > region.start:
            self._write(region, last, region.new)
            region.start, region.new, region.found, region.follows = last, b"", None, True

    def _write(self, region: _Region, last: int, new: bytes) -> None:
        text = b2a_base64(new, newline=False).rstrip(b"=")
        seen = region.seen if region.long else last
        if 0 <= self._url_safe < seen:
            text = text.translate(_TO_URL_SAFE)
        self._edits.append(Edit(region.start, last, text, region.found, region.follows))

    def _forget(self, count: int) -> None:
        if count > 0:
            self._bytes = self._bytes[count:]
            self._base += count


def _up(place: int) -> int:
    """The end of the three bytes that a place is in, or itself between them."""
    return -(-place // 3) * 3


def _filled(text: bytes, left: int) -> bytes:
    """A text with spaces behind it, so that `left` bytes remain when it is taken by threes."""
    return text + b" " * ((left - len(text)) % 3)
