"""Text → spans of what detectors find in it. Pure.

Texts are bytes: RE2 works on bytes, and turning a long text into bytes once for each search would make hostile input
cost the square of its length. RE2 itself has no backtracking.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import re2

from authz_service.dlp.detectors import Detector


@dataclass(frozen=True, slots=True)
class Span:
    """Where in a text something was found: bytes from `start` up to, not including, `end`."""

    start: int
    end: int
    detector: Detector


class Scanner:
    """Detectors compiled together. One pass over the text tells which of them can match; only those then search."""

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self._detectors = tuple(detectors)
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1  # bytes as they are, valid UTF-8 or not
        self._patterns = [re2.compile(detector.pattern.encode(), options) for detector in self._detectors]
        self._any = re2.Set.SearchSet(options)
        for detector in self._detectors:
            self._any.Add(detector.hint.encode())
        self._any.Compile()

    def suspects(self, text: bytes) -> bool:
        """Whether anything could be found in a text: one cheap pass. False means that `scan` finds nothing."""
        return bool(self._any.Match(text))

    def scan(self, text: bytes) -> list[Span]:
        """Find every span, in order of place. Overlapping ones become one, under the name of the one that begins first.

        What stands between spans is judged again without them: a candidate that was a part of something longer may
        stand alone once its neighbour is taken out.
        """
        spans = self._found(text)
        if not spans:
            return []
        complete: list[Span] = []
        position = 0
        for span in spans:
            complete += self._between(text, position, span.start)
            complete.append(span)
            position = span.end
        return complete + self._between(text, position, len(text))

    def _between(self, text: bytes, start: int, end: int) -> list[Span]:
        if start == end:
            return []
        return [Span(start + span.start, start + span.end, span.detector) for span in self.scan(text[start:end])]

    def _found(self, text: bytes) -> list[Span]:
        matching = self._any.Match(text)
        if not matching:
            return []
        spans = [span for index in matching for span in self._search(self._detectors[index], index, text)]
        spans.sort(key=lambda span: (span.start, span.start - span.end))
        apart: list[Span] = []
        for span in spans:
            if not apart or span.start >= apart[-1].end:
                apart.append(span)
            elif span.end > apart[-1].end:  # overlaps to the right: both go, as one
                apart[-1] = Span(apart[-1].start, span.end, apart[-1].detector)
        return apart

    def _search(self, detector: Detector, index: int, text: bytes) -> list[Span]:
        found: list[Span] = []
        position = 0
        while (match := self._patterns[index].search(text, position)) is not None:
            start = match.start()
            end = detector.extent(text, start, match.end())
            if detector.accepts(text, start, end):
                found.append(Span(start, end, detector))
                position = end
            else:
                position = start + 1  # a refused candidate may overlap a true one
        return found
