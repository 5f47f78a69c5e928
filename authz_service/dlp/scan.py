"""Text → spans of what detectors find in it. Pure.

Texts are bytes: RE2 works on bytes, and turning a long text into bytes once for each search would make hostile input
cost the square of its length. RE2 itself has no backtracking.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from authz_service.dlp.compiled import Compiled
from authz_service.dlp.detectors import Detector
from authz_service.dlp.spans import MAX_VALUE, Span
from authz_service.dlp.sweep import Sweep

__all__ = ["Scanner", "Span", "apart"]


class Scanner:
    """Detectors compiled together. One pass over the text tells which of them can match; only those then search.

    `hold_back` is how many bytes of a text that comes in parts can be undecided at once: a candidate is judged when the
    longest match has come, and what stands before it until it is known not to be. `before` and `reach` are how far to
    the left and to the right of where a candidate begins it is judged by, in bytes.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._compiled = Compiled(detectors)
        self.reach = self._compiled.reach
        self.before = self._compiled.before
        self.hold_back = self._compiled.reach + max(self._compiled.reach, MAX_VALUE)

    def suspects(self, text: bytes) -> bool:
        """Whether anything could be found in a text: one cheap pass. False means that `scan` finds nothing."""
        return bool(self._compiled.matching(text))

    def sweep(self, *, prompt: bool = False) -> Sweep:
        """Begin a text that comes in parts; a `prompt` one holds back only what may be the beginning of something."""
        return Sweep(self._compiled, prompt=prompt)

    def scan(self, text: bytes) -> list[Span]:
        """Find every span, in order of place, apart: what overlaps to the right begins where its neighbour ends."""
        return apart(self.find(text))

    def find(self, text: bytes) -> list[Span]:
        """Find every span, overlapping ones too, in order of where they begin."""
        return [stretch.span for stretch in self.sweep().feed(text, ends=True)]


def apart(spans: Iterable[Span]) -> list[Span]:
    """Clip spans, in order of where they begin, to what none before covers."""
    clipped: list[Span] = []
    position = 0
    for span in spans:
        if span.end > position:
            clipped.append(Span(max(span.start, position), span.end, span.detector, span.confidence))
            position = span.end
    return clipped
