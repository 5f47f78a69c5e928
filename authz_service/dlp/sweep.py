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

from authz_service.dlp.compiled import Compiled
from authz_service.dlp.judged import Chain, Entry, Judged, extent_of
from authz_service.dlp.spans import MAX_VALUE, Span, Stretch

_FEW = 12  # detectors that search a text all through; more do so in slices, each only those that can find something
_SLICE = 4096  # bytes


class Sweep:
    """Takes a text in parts. Its bounds hold at most `2 * reach + before` bytes of it, or MAX_VALUE, and one part.

    One that is `prompt` looks at the end of the text each time, and judges all that no more can change: what it finds
    is the same.
    """

    def __init__(self, compiled: Compiled, *, prompt: bool = False) -> None:
        self._compiled = compiled
        self._prompt = prompt
        self._settled = 0  # no span that is still to be found before it; what is as far back as `reach` has none anyway
        self._text = b""  # what is still looked at; all places but `_base` count from its beginning
        self._base = 0  # where it begins in the whole text
        self._position = 0  # every candidate that begins before it is judged
        self._chain = Chain()
        self._entries: list[Entry] = []
        self._is_dense = False  # so much was found of late that the next part is searched in slices from the first

    @property
    def safe(self) -> int:
        """Nothing that is not told yet begins before this place of the text."""
        place = max(self._chain.ends, self._position - self._compiled.reach, self._settled)
        waiting = next((entry.start for entry in self._entries if entry.told < 0), self._position)
        going_on = min([entry.end for entry in self._entries if entry.open], default=self._position)
        return self._base + min(place, self._position, waiting, going_on)

    @property
    def held(self) -> bytes:
        """What is still looked at of the text, from `base` on: twice as far as anything reaches, unless it ended."""
        return self._text

    @property
    def base(self) -> int:
        """Where in the whole text `held` begins."""
        return self._base

    @property
    def open(self) -> bool:
        """Whether something was found that may go on."""
        return any(entry.open for entry in self._entries)

    def feed(self, text: bytes, *, ends: bool) -> list[Stretch]:
        """Read on. With `ends` the text ends here, and what comes next is another."""
        self._text += text
        self._extend(ends=ends)
        limit = len(self._text) if ends else len(self._text) - self._compiled.reach
        if self._prompt and not ends:
            limit = max(limit, self._compiled.unsettled.place(self._text))
        if limit > self._position:
            self._judge(limit, ends=ends)
            self._position = limit
            if self._prompt:
                self._settled = max(self._settled, self._compiled.unsettled.cut(self._text, limit))
        stretches = self._tell()
        self._forget(len(self._text) if ends else self._position - self._compiled.reach - self._compiled.before)
        return stretches

    def is_clean(self, text: bytes) -> bool:
        """Whether nothing can be found in a whole text."""
        return not self._compiled.matching(text)

    def pass_over(self, count: int) -> None:
        """Take bytes as read in which nothing is, after a text has ended."""
        self._base += count

    def _extend(self, *, ends: bool) -> None:
        """Follow what was open."""
        for entry in self._entries:
            if entry.open:
                detector = self._compiled.detectors[entry.index]
                entry.end, entry.open = extent_of(detector, self._text, (entry.start, entry.tail), entry.end, ends=ends)
                self._chain.own[entry.index] = entry.end
                self._chain.ends = max(self._chain.ends, entry.end)

    def _judge(self, limit: int, *, ends: bool) -> None:
        compiled, text = self._compiled, self._text
        left = max(0, self._position - compiled.before)
        matching: Sequence[int] = ()
        slices = limit - self._position > _SLICE
        if not (slices and self._is_dense):
            matching = compiled.matching(text[left:] if left else text)
            slices = slices and self._are_many(matching)
        step = _SLICE if slices else limit
        for start in range(self._position, limit, step):
            stop = min(start + step, limit)
            if slices:
                matching = compiled.matching(text[max(0, start - compiled.before) : stop + compiled.reach])
                self._is_dense = self._are_many(matching)
            if matching or start <= self._chain.ends < stop:  # where the text begins anew, a hint may have been hidden
                Judged(compiled, text, self._chain, self._entries, ends).search(start, stop, matching)

    def _are_many(self, matching: Sequence[int]) -> bool:
        """Whether so many detectors search a text, or such costly ones, that it is cheaper to find out for parts."""
        return len(matching) > _FEW or not self._compiled.by_words.isdisjoint(matching)

    def _tell(self) -> list[Stretch]:
        stretches: list[Stretch] = []
        kept: list[Entry] = []
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
        self._settled -= count
        chain = self._chain
        chain.begins, chain.ends = chain.begins - count, chain.ends - count
        chain.own = {index: end - count for index, end in chain.own.items() if end > count}
        chain.refused, chain.anchored = chain.refused - count, chain.anchored - count
        if not self._text:
            self._chain = Chain()
        for entry in self._entries:
            entry.start, entry.end, entry.tail = entry.start - count, entry.end - count, entry.tail - count
            entry.told = max(-1, entry.told - count)
