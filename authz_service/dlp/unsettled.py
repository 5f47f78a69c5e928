"""The end of a text that goes on → from where on it can be judged otherwise when more has come. Pure.

Only what may be the beginning of a match there, and a match of which too little has been seen that is behind it, can
be: the rest of a text need not wait for as many bytes as the longest match has. In prose it is the last word.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Final

import re2

from authz_service.dlp.beginnings import anywhere, beginnings
from authz_service.dlp.detectors import Detector
from authz_service.dlp.detectors.searching import ANYWHERE, Search, search_of

_MEMORY: Final = 32 << 20  # bytes that the automaton may grow to before it starts anew
_ROUNDS: Final = 8  # times that a place is looked for before the one that always holds is taken


class Unsettled:
    """Of these detectors, that look at most `reach` bytes from a candidate's beginning on."""

    def __init__(self, detectors: Sequence[Detector], reach: int) -> None:
        self._detectors = detectors
        self._reach = reach

    def place(self, text: bytes) -> int:
        """From where on candidates may be judged otherwise when something follows the text."""
        first = max(0, len(text) - self._reach)
        if self._begun is None:
            return first
        window = text[first:] if first else text
        place = self._begun(ANYWHERE, window, 0, len(window))[0][0]
        for index in self._any.Match(window) or ():
            match = self._seen[index].search(window)
            place = min(place, match.start()) if match else place
        return first + place

    def cut(self, text: bytes, end: int) -> int:
        """The last place up to `end` over which nothing reaches that may be judged otherwise where the text ends.

        What is found behind it, and so ends the text before itself, brings nothing to light before it.
        """
        first = max(0, end - self._reach)
        place = end
        for _ in range(_ROUNDS):
            begin = max(0, place - self._reach)
            before = begin + self.place(text[begin:place])
            if before == place:
                return place
            place = before
            if place <= first:
                break
        return first

    @cached_property
    def _begun(self) -> Search | None:
        """Finds the longest end of a text that may be the beginning of a match; None where RE2 will not have it."""
        parts = "|".join([beginnings(detector.pattern) for detector in self._detectors])
        try:
            return search_of(rf"(?:{parts})\z".encode("latin-1"), memory=_MEMORY)
        except re2.error:
            return None  # patterns of an operator's may be too large for it: then all waits

    @cached_property
    def _any(self) -> Any:
        """Tells which of the patterns that look further than one byte behind a match are in a text."""
        found = re2.Set.SearchSet(_options())
        for detector in self._looking:
            found.Add(anywhere(detector.pattern).encode("latin-1"))
        found.Compile()
        return found

    @cached_property
    def _seen(self) -> Sequence[Any]:
        """Find matches behind which fewer bytes stand than are looked at."""
        return [
            re2.compile(rf"(?:{anywhere(each.pattern)})(?s:.){{1,{each.after - 1}}}\z".encode("latin-1"), _options())
            for each in self._looking
        ]

    @property
    def _looking(self) -> Sequence[Detector]:
        return [detector for detector in self._detectors if detector.after > 1]


def _options() -> Any:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MEMORY
    return options
