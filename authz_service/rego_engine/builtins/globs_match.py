"""regex.globs_match: whether two simple expressions have a match in common.

An expression is a row of characters, dots and sets such as [a-z0-9], each once, or with + or * after it. A backslash
takes a character as it is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from authz_service.rego_engine.builtins.registry import builtin, string
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value

MAX_PAIRS: Final = 100_000  # of a token of one expression with a token of the other
MAX_RANGES: Final = 64  # of characters, in one set
_ANY: Final = (("\0", "\U0010ffff"),)
_FLAGS: Final = frozenset("+*")


@dataclass(frozen=True, slots=True)
class _Token:
    """One part of an expression: ranges of characters, both ends included, and "", "+" or "*"."""

    ranges: tuple[tuple[str, str], ...]
    flag: str

    def meets(self, other: _Token) -> bool:
        """Whether some character is of both."""
        return any(start <= last and first <= end for start, end in self.ranges for first, last in other.ranges)


@builtin("regex.globs_match")
def globs_match(glob1: Value, glob2: Value) -> Value:
    """Whether a text that is not empty is a match of both expressions; two empty expressions match, too."""
    left, right = list(_Reader(string(glob1, 1)).tokens()), list(_Reader(string(glob2, 2)).tokens())
    if len(left) * len(right) > MAX_PAIRS:
        raise BuiltinFault(f"more than {MAX_PAIRS} pairs of parts")
    return (not left and not right) or _meet(left, right)


def _meet(left: list[_Token], right: list[_Token]) -> bool:
    """Walk both expressions at once, each step past a part that may be left out, or over a character of both."""
    waiting = [(0, 0, False)]  # the places in the expressions, and whether a character was taken yet
    seen = set(waiting)
    while waiting:
        one, two, taken = waiting.pop()
        if taken and one == len(left) and two == len(right):
            return True
        for step in _steps(left[one : one + 1], right[two : two + 1]):
            reached = (one + step[0], two + step[1], taken or step[2])
            if reached not in seen:
                seen.add(reached)
                waiting.append(reached)
    return False


def _steps(left: list[_Token], right: list[_Token]) -> Iterator[tuple[int, int, bool]]:
    """Yield how far each step goes from the next part, if there is one, of either expression."""
    if left and left[0].flag == "*":
        yield 1, 0, False
    if right and right[0].flag == "*":
        yield 0, 1, False
    if left and right and left[0].meets(right[0]):
        for one in (0, 1) if left[0].flag else (1,):
            for two in (0, 1) if right[0].flag else (1,):
                yield one, two, True


class _Reader:
    """One pass over an expression. Places in faults count characters."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._place = 0

    def tokens(self) -> Iterator[_Token]:
        """Yield the expression's parts."""
        while self._place < len(self._source):
            character, escaped = self._take()
            ranges: tuple[tuple[str, str], ...] = ((character, character),)
            if escaped:
                pass
            elif character == "[":
                ranges = tuple(self._set())
            elif character == ".":
                ranges = _ANY
            elif character == "]":
                raise self._fault("set-close ']' with no preceding '['")
            elif character in _FLAGS:
                raise self._fault(f"flag '{character}' must be preceded by a non-flag")
            yield _Token(ranges, self._flag())

    def _set(self) -> list[tuple[str, str]]:
        ranges: list[tuple[str, str]] = []
        previous = ""  # the character that a hyphen may follow
        while self._place < len(self._source):
            character, escaped = self._take()
            if not escaped and character == "]":
                return ranges
            if not escaped and character == "-":
                ranges[-1:] = [(previous, self._range_end(previous))]
                previous = ""
            else:
                ranges.append((character, character))
                previous = character
            if len(ranges) > MAX_RANGES:
                raise self._fault(f"more than {MAX_RANGES} characters and ranges in a set")
        raise self._fault("found [ without matching ]")

    def _range_end(self, start: str) -> str:
        if not start:
            raise self._fault("range character '-' must be preceded by a Unicode character")
        if self._place >= len(self._source) - 1:
            raise self._fault("range character '-' must be followed by a Unicode character")
        end, escaped = self._take()
        if not escaped and end in "]-":
            raise self._fault("range character '-' cannot be followed by a special symbol")
        if end < start:
            raise self._fault(f"range is out of order: '{end}' comes before '{start}' in Unicode")
        return end

    def _flag(self) -> str:
        if self._place < len(self._source) and self._source[self._place] in _FLAGS:
            self._place += 1
            return self._source[self._place - 1]
        return ""

    def _take(self) -> tuple[str, bool]:
        """Return the next character, and whether a backslash stood before it."""
        character = self._source[self._place]
        if character != "\\":
            self._place += 1
            return character, False
        if self._place == len(self._source) - 1:
            raise self._fault("input ends with a \\ (escape) character")
        self._place += 2
        return self._source[self._place - 1], True

    def _fault(self, reason: str) -> BuiltinFault:
        return BuiltinFault(f"input:{self._source}, pos:{self._place}, {reason}: the input provided is invalid")
