"""What finds things in a text that there is no time for in the way of an exchange, and the hits that it returns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from authz_service.dlp.detectors import EVERY
from authz_service.dlp.scan import Scanner


class AnalyserError(Exception):
    """The analyser cannot be had. The text says what to do."""


@dataclass(frozen=True, slots=True)
class Hit:
    """What was found where, in characters of the text, and how sure that is, from 0 to 1. Never the value."""

    entity: str
    start: int
    end: int
    score: float


class Analyser(Protocol):
    """Reads whole texts. It runs in a process of its own, which is ended when it takes too long."""

    def analyse(self, text: str) -> Sequence[Hit]:
        """Return what is found, in any order."""
        ...


class Detectors:
    """Our own detectors, all of them, over the whole text."""

    def __init__(self) -> None:
        self._scanner = Scanner(EVERY)

    def analyse(self, text: str) -> Sequence[Hit]:
        """Return what the detectors find."""
        data = text.encode("utf-8", "replace")
        hits, position, characters = [], 0, 0
        for span in self._scanner.scan(data):
            characters += len(data[position : span.start].decode("utf-8", "replace"))
            width = len(data[span.start : span.end].decode("utf-8", "replace"))
            hits.append(Hit(span.detector.entity, characters, characters + width, float(span.confidence)))
            position, characters = span.end, characters + width
        return hits


def _presidio() -> Analyser:
    from authz_service.deep_scan.presidio import Presidio  # noqa: PLC0415  (an extra that few have)

    return Presidio()


# By the name that the configuration has for it.
ANALYSERS: Mapping[str, Callable[[], Analyser]] = {"detectors": Detectors, "presidio": _presidio}
