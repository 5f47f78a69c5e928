"""What a detector is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detector:
    """Finds one entity: `hint` tells cheaply whether it can be there, `pattern` gives candidates, `accepts` judges one.

    Both patterns are RE2's, on bytes. Neither repeats long: a text of overlapping near misses would make RE2 follow all
    of them at once. What goes on beyond the pattern is described by `tail` and `longest`. `accepts` gets the whole text
    and the candidate's start and end, so that it can look at what stands around it.
    """

    entity: str
    name: str
    hint: str
    pattern: str
    accepts: Callable[[bytes, int, int], bool]
    tail: frozenset[int] = frozenset()  # the bytes that a candidate goes on with
    longest: int = 0  # bytes that it can have in all, tail included

    def extent(self, text: bytes, start: int, end: int) -> int:
        """Where a candidate ends, its tail included."""
        last = min(len(text), start + self.longest)
        while end < last and text[end] in self.tail:
            end += 1
        return end


DIGITS = frozenset(b"0123456789")
CAPITALS_AND_DIGITS = DIGITS | frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
LETTERS_AND_DIGITS = CAPITALS_AND_DIGITS | frozenset(b"abcdefghijklmnopqrstuvwxyz")


def stands_alone(text: bytes, start: int, end: int, alphabet: frozenset[int]) -> bool:
    """Whether neither neighbour is of the candidate's alphabet, which would make it a part of something longer."""
    return not (start > 0 and text[start - 1] in alphabet) and not (end < len(text) and text[end] in alphabet)
