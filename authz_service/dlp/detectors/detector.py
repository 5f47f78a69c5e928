"""What a detector is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Detector:
    """Finds one entity: `hint` tells cheaply whether it can be there, `pattern` gives candidates, `accepts` judges one.

    Both patterns are RE2's, on bytes, of text that is folded (see `views`): what stands in it for a digit, a space or a
    hyphen is ASCII. Neither repeats without an end, and neither matches a double quote, a control character or an end
    of line, unless the detector is for text of many lines. What goes on beyond the pattern is described by `tail`,
    `until` and `longest`. `accepts` gets the text and the candidate's start and end, and returns how sure it is, from 0
    (refused) to 1. It looks at most `before` bytes to the left of the candidate and `after` bytes to its right: a
    stream is held back so far, and a decision never depends on where it was cut.
    """

    entity: str
    name: str
    hint: str
    pattern: str
    accepts: Callable[[bytes, int, int], float]
    tail: frozenset[int] = frozenset()  # the bytes that a candidate goes on with
    longest: int = 0  # bytes that it can have in all, tail included
    paired: bytes = b""  # a byte of the tail that goes on only doubled, as quotes of a string in JSON read
    until: bytes = b""  # what the tail ends with, itself included; without it a tail ends where its bytes do
    before: int = 1
    after: int = 1
    behind: frozenset[int] = frozenset()  # the bytes of which one stands before all that is accepted; none: anything
    source: str = ""  # who defines the format: an RFC, a standard, a vendor's page
    example: Callable[[], bytes] | None = None  # makes a value up that is found, for tests and canaries

    def extent(self, text: bytes, start: int, end: int) -> int:
        """Where a candidate ends, its tail included.

        With `until`, it ends behind the first of these in the tail; where there is none, with the tail itself.
        """
        if not self.tail:
            return end
        if self.paired:
            end = len(text[:end].rstrip(self.paired))  # pairs are counted from the first of a row
        rest = text[end : start + self.longest]
        length = len(rest) - len(rest.lstrip(bytes(self.tail)))
        if self.paired:
            length = _in_pairs(rest, length, self.paired)
        closing = rest.find(self.until, 0, length) if self.until else -1
        return end + (length if closing < 0 else closing + len(self.until))


_ROW = 8  # of paired bytes in a row, at most


def _in_pairs(text: bytes, end: int, paired: bytes) -> int:
    """How far a text goes on without one of these bytes alone, or too many of them in a row."""
    place = text.find(paired, 0, end)
    while place >= 0:
        row = len(text[place:]) - len(text[place:].lstrip(paired))
        taken = min(row - row % 2, _ROW)
        if taken < row:
            return place + taken
        place = text.find(paired, place + row, end)
    return end


DIGITS = frozenset(b"0123456789")
HEX_DIGITS = DIGITS | frozenset(b"abcdefABCDEF")
CAPITALS_AND_DIGITS = DIGITS | frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ")
LETTERS_AND_DIGITS = CAPITALS_AND_DIGITS | frozenset(b"abcdefghijklmnopqrstuvwxyz")
BASE64URL = LETTERS_AND_DIGITS | frozenset(b"-_")


def stands_alone(text: bytes, start: int, end: int, alphabet: frozenset[int]) -> bool:
    """Whether neither neighbour is of the candidate's alphabet, which would make it a part of something longer."""
    return not (start > 0 and text[start - 1] in alphabet) and not (end < len(text) and text[end] in alphabet)
