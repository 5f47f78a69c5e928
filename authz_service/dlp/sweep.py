"""A text that comes in parts → what is found in it, the same however it is cut. Pure.

Candidates are judged from left to right, each once, when so much has come that no more could change the judgement
(`reach`), or the text has ended. What was found hides what stands around it from what stands around it: spans that
overlap make one chain, everything in a chain is judged as the text was before it, and behind a chain, the text begins
anew. So a chain can also bring to light what was refused to its left for the neighbour that is now taken out: where one
begins, what stands before it is judged once more as a text that ends there, as far back as `reach`.

Of one detector, nothing is looked for inside of what it found. Spans of others may overlap; who redacts clips them
(`apart`), and goes by the inner ones where the outer is let pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from authz_service.dlp.compiled import Compiled, is_within_word
from authz_service.dlp.detectors import Detector
from authz_service.dlp.spans import MAX_VALUE, Span, Stretch

_FEW = 12  # detectors that search a text all through; more do so in slices, each only those that can find something
_SLICE = 4096  # bytes


@dataclass(slots=True)
class _Entry:
    """Something found. `told` is how far its readers know of it, -1 not at all; an open one may go on."""

    start: int
    end: int
    tail: int  # where what the pattern matched ends
    index: int
    confidence: float
    open: bool
    told: int = -1


@dataclass(slots=True)
class _Chain:
    """The last chain of overlapping spans: seen from inside it the text begins at `begins`, else where it `ends`."""

    begins: int = 0
    ends: int = 0
    own: dict[int, int] = field(default_factory=dict)  # where each detector's last span ended
    # Up to where candidates may be judged otherwise if the text ends behind them: those that were refused, and those of
    # patterns that see the end of the text by themselves.
    refused: int = 0
    anchored: int = 0


class Sweep:
    """Takes a text in parts. Its bounds hold at most `2 * reach + before` bytes of it, or MAX_VALUE, and one part."""

    def __init__(self, compiled: Compiled) -> None:
        self._compiled = compiled
        self._text = b""  # what is still looked at; all places but `_base` count from its beginning
        self._base = 0  # where it begins in the whole text
        self._position = 0  # every candidate that begins before it is judged
        self._chain = _Chain()
        self._entries: list[_Entry] = []

    @property
    def safe(self) -> int:
        """Nothing that is not told yet begins before this place of the text."""
        place = max(self._chain.ends, self._position - self._compiled.reach)
        waiting = next((entry.start for entry in self._entries if entry.told < 0), self._position)
        return self._base + min(place, self._position, waiting)

    def feed(self, text: bytes, *, ends: bool) -> list[Stretch]:
        """Read on. With `ends` the text ends here, and what comes next is another."""
        self._text += text
        self._extend(ends=ends)
        limit = len(self._text) if ends else len(self._text) - self._compiled.reach
        if limit > self._position:
            self._judge(limit, ends=ends)
            self._position = limit
        stretches = self._tell()
        self._forget(len(self._text) if ends else self._position - self._compiled.reach - self._compiled.before)
        return stretches

    def _extend(self, *, ends: bool) -> None:
        """Follow what was open."""
        for entry in self._entries:
            if entry.open:
                detector = self._compiled.detectors[entry.index]
                entry.end, entry.open = _extent(detector, self._text, (entry.start, entry.tail), entry.end, ends=ends)
                self._chain.own[entry.index] = entry.end
                self._chain.ends = max(self._chain.ends, entry.end)

    def _judge(self, limit: int, *, ends: bool) -> None:
        compiled, text = self._compiled, self._text
        left = max(0, self._position - compiled.before)
        matching = compiled.matching(text[left:] if left else text)
        slices = limit - self._position > _SLICE and (
            len(matching) > _FEW or not compiled.by_words.isdisjoint(matching)
        )
        step = _SLICE if slices else limit
        for start in range(self._position, limit, step):
            stop = min(start + step, limit)
            if slices:
                matching = compiled.matching(text[max(0, start - compiled.before) : stop + compiled.reach])
            if matching or start <= self._chain.ends < stop:  # where the text begins anew, a hint may have been hidden
                _Field(compiled, text, self._chain, self._entries, ends).search(start, stop, matching)

    def _tell(self) -> list[Stretch]:
        stretches: list[Stretch] = []
        kept: list[_Entry] = []
        base, detectors, mark = self._base, self._compiled.detectors, self._compiled.mark
        for number, entry in enumerate(self._entries):
            long = entry.end - entry.start > MAX_VALUE
            if entry.open and entry.told < 0 and not long:
                kept += self._entries[number:]  # told in order of place
                break
            if entry.end > entry.told and entry.index != mark:
                begins = entry.told < 0
                start = entry.start if begins else entry.told
                span = Span(base + start, base + entry.end, detectors[entry.index], entry.confidence)
                stretches.append(Stretch(span, begins, long))
            entry.told = entry.end
            if entry.open:
                kept.append(entry)
        self._entries = kept
        return stretches

    def _forget(self, count: int) -> None:
        """Let go of the first bytes."""
        if count <= 0:
            return
        self._text = self._text[count:]
        self._base += count
        self._position -= count
        chain = self._chain
        chain.begins, chain.ends = chain.begins - count, chain.ends - count
        chain.own = {index: end - count for index, end in chain.own.items() if end > count}
        chain.refused, chain.anchored = chain.refused - count, chain.anchored - count
        if not self._text:
            self._chain = _Chain()
        for entry in self._entries:
            entry.start, entry.end, entry.tail = entry.start - count, entry.end - count, entry.tail - count
            entry.told = max(-1, entry.told - count)


@dataclass(slots=True)
class _Field:
    """A text in which candidates are judged. What stands before `floor` is gone."""

    compiled: Compiled
    text: bytes
    chain: _Chain
    entries: list[_Entry]
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
            match = compiled.patterns[index].match(text[chain.begins : chain.begins + compiled.reach])
            if match is not None:
                waiting[index] = (chain.begins, -chain.begins - match.end(), index)
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
                others = compiled.asserting if is_within_word(text, chain.ends) else compiled.anchored
                at = {other for other, (place, _, _) in waiting.items() if place == chain.ends}
                for other in others | (at & compiled.asserting):
                    recheck(other)
                continue
            if not waiting:
                return
            # A refused candidate may overlap a true one, so the search goes on behind its first byte.
            seek(index, self._judge(start, -negative, index) or start + 1)

    def _judge(self, start: int, end: int, index: int) -> int:
        """Judge one candidate; return where it ends with its tail, 0 where it is refused."""
        detector, chain = self.compiled.detectors[index], self.chain
        left = max(0, chain.begins, start - detector.before)
        confidence = detector.accepts(self.text[left : end + detector.after], start - left, end - left)
        if not confidence or start == end:
            chain.refused = max(chain.refused, start + 1)
            return 0
        if start > chain.ends and self._may_hide(start):
            self._uncover(start)
        reached, is_open = end, False
        if detector.tail:
            reached, is_open = _extent(detector, self.text, (start, end), end, ends=self.ends)
        self.entries.append(_Entry(start, reached, end, index, confidence, is_open))
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
        found: list[_Entry] = []
        chain = _Chain(ends - left, ends - left)
        _Field(self.compiled, between, chain, found, ends=True, floor=first - left).search(
            first - left, stop - left, matching
        )
        for entry in found:
            entry.start, entry.end, entry.tail = entry.start + left, entry.end + left, entry.tail + left
        self.entries += found


def _extent(detector: Detector, text: bytes, match: tuple[int, int], end: int, *, ends: bool) -> tuple[int, bool]:
    """Where a span ends whose tail goes on to `end` at least, and whether it may go on."""
    start, tail = match
    if not detector.tail:
        return end, False
    until = detector.until
    end = detector.extent(text, start, max(tail, end - len(until) + 1) if until else end)
    if ends or end < len(text) or end >= start + detector.longest:
        return end, False
    return end, not (until and text.endswith(until, tail))
