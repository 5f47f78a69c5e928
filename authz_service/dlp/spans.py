"""Where something was found."""

from __future__ import annotations

from typing import NamedTuple

from authz_service.dlp.detectors import Detector

MAX_VALUE = 512  # bytes of a found text that are held until it is decided; a longer one goes as it comes


class Span(NamedTuple):
    """Where in a text something was found: bytes from `start` up to, not including, `end`."""

    start: int
    end: int
    detector: Detector
    confidence: float = 1.0


class Stretch(NamedTuple):
    """A span, or one more part of a span that is longer than MAX_VALUE and has been told of before.

    No detector has two spans at once, so the one that a part belongs to is the last of its detector.
    """

    span: Span
    begins: bool = True
    long: bool = False  # the whole span is longer than MAX_VALUE
    undone: bool = False  # it was found where percent escapes are undone: see `readings`
