"""How long a text a pattern can match, read from the pattern itself. Pure.

A stream is held back as far as a match could still reach, so the longest match must be known before anything is
matched. RE2 does not tell it, hence this small reader of RE2's syntax. It counts bytes as the scanner does: a pattern
is encoded as UTF-8 and then read as Latin-1, so that whatever stands for one character matches one byte, and a
character outside ASCII is several.

The reader keeps its own stack, so a pattern can be nested as deep as it likes. It takes for granted that RE2 takes the
pattern; of any other the answer means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from authz_service.dlp import rows
from authz_service.dlp.rows import Row

_NUMBER = "(?:0|[1-9][0-9]{0,8})"  # what RE2 reads as one: {01} and {,2} are text to it
_ESCAPE = r"\\x \{ [^}]* \} | \\x .. | \\[0-7]{1,3} | \\."
_PROPERTY = r"\\[pP] (?: \{ [^}]* \} | . )"
# In a class a hyphen makes the next character an end of a range, even a bracket that would begin a name: [+-[:a].
_MEMBER = rf"\[: .*? :\] | {_PROPERTY} | \\[dDsSwW] | (?: {_ESCAPE} | [^\]\\] ) (?: - (?: {_ESCAPE} | [^\]\\] ) )?"
_CLASS = rf"\[ \^? (?: \] (?: - (?: {_ESCAPE} | [^\]\\] ) )? )? (?: {_MEMBER} )*+ \]"
TOKEN = re.compile(
    rf"""
      \\Q (?P<quoted> .*? ) (?: \\E | \Z )
    | (?P<place> \\[AzbB] | [\^$] )
    | (?P<flags> \(\? [A-Za-z-]* \) )  # for what follows; a repeat behind them is of what stands before them
    | (?P<open> \( (?: \? (?: P?<[^>]*> | [A-Za-z-]*: ) )? )
    | (?P<close> \) )
    | (?P<or> \| )
    | (?: (?P<sign> [*+?] ) | \{{ (?P<least> {_NUMBER} ) (?P<range> , (?P<most> {_NUMBER} )? )? \}} ) \??
    | (?P<unit> {_PROPERTY} | {_ESCAPE} | {_CLASS} | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_SIGNS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a pattern's matches: their bytes at least and at most, None where there is no end.

    `units` are the parts of the pattern that match one byte each, as they are written in it: `a` or `[0-9]`. `places`
    are those that match nothing, and hold only where they stand: `^` or `$`. `row` is of the digits in every match.
    """

    shortest: int
    longest: int | None
    row: Row
    units: frozenset[str] = frozenset()
    places: frozenset[str] = frozenset()


_NOTHING = Shape(0, 0, rows.NOTHING)


def width_of(pattern: str) -> int | None:
    """The longest text that a pattern can match, in bytes; None where it has no end."""
    return shape_of(pattern).longest


def shape_of(pattern: str) -> Shape:
    """Read a pattern from left to right, with a level for each group that is open."""
    levels = [_Level()]
    units: set[str] = set()
    places: set[str] = set()
    for token in TOKEN.finditer(pattern.encode().decode("latin-1")):
        level, kind = levels[-1], token.lastgroup
        if token["unit"] is not None:
            units.add(token["unit"])
            level.append(_one(token["unit"]))
        elif token["quoted"] is not None:
            for character in token["quoted"]:
                unit = f"\\x{ord(character):02x}"
                units.add(unit)
                level.append(_one(unit))
        elif kind == "place":
            places.add(token[0])
            level.append(_NOTHING)
        elif kind == "open":
            levels.append(_Level())
        elif kind == "or":
            level.begin_another()
        elif kind == "close":
            if len(levels) > 1:  # else RE2 refuses the pattern
                levels.pop()
                levels[-1].append(level.shape())
        elif kind != "flags":
            level.repeat(*times(token))
    shape = levels[0].shape()
    return Shape(shape.shortest, shape.longest, shape.row, frozenset(units), frozenset(places))


def _one(unit: str) -> Shape:
    return Shape(1, 1, rows.row_of(unit))


def times(token: re.Match[str]) -> tuple[int, int | None]:
    """How often at least and at most."""
    if token["sign"] is not None:
        return _SIGNS[token["sign"]]
    least = int(token["least"])
    if token["range"] is None:
        return least, least
    return least, None if token["most"] is None else int(token["most"])


class _Level:
    """A group while it is read: the alternatives before, and the parts of the one that is being read."""

    def __init__(self) -> None:
        self._before: list[Shape] = []
        self._parts: list[Shape] = []

    def append(self, part: Shape) -> None:
        self._parts.append(part)

    def repeat(self, least: int, most: int | None) -> None:
        if self._parts:  # else RE2 refuses the pattern
            self._parts[-1] = _repeated(self._parts[-1], least, most)

    def begin_another(self) -> None:
        self._before.append(_joined(self._parts))
        self._parts = []

    def shape(self) -> Shape:
        return reduce(_either, self._before, _joined(self._parts))


def _joined(parts: Sequence[Shape]) -> Shape:
    shortest, longest = 0, 0
    endless = False
    for part in parts:
        shortest += part.shortest
        longest += part.longest or 0
        endless = endless or part.longest is None
    return Shape(shortest, None if endless else longest, rows.joined([part.row for part in parts]))


def _either(one: Shape, other: Shape) -> Shape:
    endless = one.longest is None or other.longest is None
    longest = None if endless else max(one.longest or 0, other.longest or 0)
    return Shape(min(one.shortest, other.shortest), longest, rows.either(one.row, other.row))


def _repeated(part: Shape, least: int, most: int | None) -> Shape:
    """Nothing repeated without an end is nothing, and anything repeated never is nothing too."""
    if part.longest == 0 or most == 0:
        return _NOTHING
    longest = None if part.longest is None or most is None else part.longest * most
    return Shape(part.shortest * least, longest, rows.repeated(part.row, least, most))
