"""One text, in which candidates are judged from left to right: see `sweep`. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from authz_service.dlp.compiled import Compiled, is_within_word
from authz_service.dlp.detectors import Detector


@dataclass(slots=True)
class Entry:
    """Something found. `told` is how far its readers know of it, -1 not at all; an open one may go on."""

    start: int
    end: int
    tail: int  # where what the pattern matched ends
    index: int
    confidence: float
    open: bool
    told: int = -1


@dataclass(slots=True)
class Chain:
    """The last chain of overlapping spans: seen from inside it the text begins at `begins`, else where it `ends`."""

    begins: int = 0
    ends: int = 0
    own: dict[int, int] = field(default_factory=dict)  # where each detector's last span ended
    # Up to where candidates may be judged otherwise if the text ends behind them: those that were refused, and those of
    # patterns that see the end of the text by themselves.
    refused: int = 0
    anchored: int = 0


@dataclass(slots=True)
class Judged:
    """A text in which candidates are judged. What stands before `floor` is gone."""

    compiled: Compiled
    text: bytes
    chain: Chain
    entries: list[Entry]
    ends: bool
    floor: int = 0

    def search(self, first: int, stop: int, matching: Sequence[int]) -> None:
        """Judge every candidate of some detectors that begins within bounds."""
        compiled, text, chain = self.compiled, self.text, self.chain
        if chain.ends < first:
            chain.begins = chain.ends
        waiting: dict[int, tuple[int, int, int]] = {}  # each detector's next candidate: start, -end, number

        def seek(index: int, place: int) -> None:
            candidate = compiled.candidate(index, text, place, stop)
            if candidate is None:
                waiting.pop(index, None)
            else:
                waiting[index] = (candidate[0], -candidate[1], index)

        def recheck(index: int) -> None:
            end = compiled.beginning(index, text[chain.begins : chain.begins + compiled.reach])
            if end >= 0:
                waiting[index] = (chain.begins, -chain.begins - end, index)
            elif index in waiting and waiting[index][0] == chain.begins:
                seek(index, chain.begins + 1)

        if not compiled.anchored.isdisjoint(matching):
            chain.anchored = stop
        for index in matching:
            seek(index, max(first, chain.own.get(index, 0)))
        candidates = waiting.values()
        while True:
            start, negative, index = min(candidates) if waiting else (stop, 0, 0)
            if chain.begins < chain.ends <= start and chain.ends < stop:  # the text begins anew
                chain.begins = chain.ends
                # Only what begins right here can match otherwise than if it saw what is left of it.
                others = compiled.anchored
                if is_within_word(text, chain.ends):
                    others = compiled.asserting.union(compiled.alone(text[chain.ends : chain.ends + compiled.reach]))
                if start == chain.ends:
                    at = {other for other, (place, _, _) in waiting.items() if place == start}
                    others |= at & compiled.asserting
                for other in others:
                    recheck(other)
                continue
            if not waiting:
                return
            # A refused candidate may overlap a true one, so the search goes on behind its first byte.
            seek(index, self._judge(start, -negative, index) or start + 1)

    def _judge(self, start: int, end: int, index: int) -> int:
        """Judge one candidate; return where it ends with its tail, 0 where it is refused."""
        detector, chain = self.compiled.detectors[index], self.chain
        left = start - detector.before
        if left < chain.begins or left < 0:
            left = max(0, chain.begins)
        confidence = detector.accepts(self.text[left : end + detector.after], start - left, end - left)
        if not confidence or start == end:
            chain.refused = max(chain.refused, start + 1)
            return 0
        if start > chain.ends and self._may_hide(start):
            self._uncover(start)
        reached, is_open = end, False
        if detector.tail:
            reached, is_open = extent_of(detector, self.text, (start, end), end, ends=self.ends)
        self.entries.append(Entry(start, reached, end, index, confidence, is_open))
        chain.ends = max(chain.ends, reached)
        chain.own[index] = reached
        return reached

    def _may_hide(self, stop: int) -> bool:
        """Whether anything that begins before a place could be judged otherwise if the text ended there."""
        chain = self.chain
        first = max(chain.ends, stop - self.compiled.reach, self.floor)
        return max(chain.refused, chain.anchored) > first or is_within_word(self.text, stop)

    def _uncover(self, stop: int) -> None:
        """Find what is left to stand alone between the last chain and a new one."""
        ends = self.chain.ends
        first = max(ends, stop - self.compiled.reach, self.floor)
        left = max(0, ends, first - self.compiled.before)
        between = self.text[left:stop]
        matching = self.compiled.matching(between)
        if not matching:
            return
        found: list[Entry] = []
        chain = Chain(ends - left, ends - left)
        Judged(self.compiled, between, chain, found, ends=True, floor=first - left).search(
            first - left, stop - left, matching
        )
        for entry in found:
            entry.start, entry.end, entry.tail = entry.start + left, entry.end + left, entry.tail + left
        self.entries += found


def extent_of(detector: Detector, text: bytes, match: tuple[int, int], end: int, *, ends: bool) -> tuple[int, bool]:
    """Where a span ends whose tail goes on to `end` at least, and whether it may go on."""
    start, tail = match
    if not detector.tail:
        return end, False
    until = detector.until
    end = detector.extent(text, start, max(tail, end - len(until) + 1) if until else end)
    is_open = end == len(text) or (bool(detector.paired) and text[end:] == detector.paired)
    if ends or not is_open or end >= start + detector.longest:
        return end, False
    return end, not (until and text.endswith(until, tail, end))
