"""What a detector is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detector:
    """Finds one entity: `pattern` (RE2, on bytes) gives candidates, `accepts` judges one.

    `accepts` gets the whole text and the candidate's start and end, so that it can look at what stands around it.
    """

    entity: str
    name: str
    pattern: str
    accepts: Callable[[bytes, int, int], bool]


DIGITS = frozenset(b"0123456789")
CAPITALS_AND_DIGITS = DIGITS | frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")


def stands_alone(text: bytes, start: int, end: int, alphabet: frozenset[int]) -> bool:
    """Whether neither neighbour is of the candidate's alphabet, which would make it a part of something longer."""
    return not (start > 0 and text[start - 1] in alphabet) and not (end < len(text) and text[end] in alphabet)
