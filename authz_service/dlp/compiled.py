"""Detectors compiled together, and how far one has to look to judge by them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import re2

from authz_service.dlp.detectors import Detector
from authz_service.dlp.width import width_of

# What an earlier redaction left: nothing is found in it, and what stands around it is judged as if it were the end of
# the text. Its name would else be a context word: a redacted text would no longer scan clean.
_MARK = Detector("", "redacted", r"\[REDACTED:", r"\[REDACTED:[a-z0-9_]{1,64}\]", lambda text, start, end: 1.0)  # noqa: ARG005
_ASSERTIONS = re2.compile(r"\\[bBAzZ]|(?:^|[^\[\\])\^|\$")


class Compiled:
    """`matching` tells in one pass which detectors can find something at all; only their own patterns then search.

    `before` is how many bytes to the left of a candidate are looked at, `reach` how many from its beginning on: the
    longest text that a pattern matches, and what is seen behind it.
    """

    def __init__(self, detectors: Sequence[Detector]) -> None:
        self.detectors = (*detectors, _MARK)
        self.mark = len(detectors)
        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1  # bytes as they are, valid UTF-8 or not
        self.patterns: list[Any] = [re2.compile(detector.pattern.encode(), options) for detector in self.detectors]
        # Patterns that see their neighbours by themselves match otherwise where a text is cut.
        self.asserting = frozenset(
            index for index, detector in enumerate(self.detectors) if _ASSERTIONS.search(detector.pattern)
        )
        self.before = max(max(detector.before, 1) for detector in self.detectors)
        self.reach = max(_reach(detector) for detector in self.detectors)
        self._any = re2.Set.SearchSet(options)
        for detector in self.detectors:
            self._any.Add(detector.hint.encode())
        self._any.Compile()

    def matching(self, text: bytes) -> Sequence[int]:
        """The detectors whose hints are in a text, by number."""
        return self._any.Match(text)  # type: ignore[no-any-return]


def _reach(detector: Detector) -> int:
    width = width_of(detector.pattern)
    if width is None:
        message = f"the pattern of {detector.name} repeats without an end"
        raise ValueError(message)
    return max(width + max(detector.after, 1), len(detector.until))
