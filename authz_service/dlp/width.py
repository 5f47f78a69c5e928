"""How long a text a pattern can match, read from the pattern itself. Pure.

A stream is held back as far as a match could still reach, so the longest match must be known before anything is
matched. RE2 does not tell it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from authz_service.dlp import rows
from authz_service.dlp.pattern_syntax import Meaning, meaning_of
from authz_service.dlp.rows import Row


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
    """Read a pattern."""
    units: set[str] = set()
    places: set[str] = set()

    def unit(written: str) -> Shape:
        units.add(written)
        return Shape(1, 1, rows.row_of(written))

    def place(written: str) -> Shape:
        places.add(written)
        return _NOTHING

    shape = meaning_of(pattern, Meaning(unit, place, _joined, _either, _repeated))
    return Shape(shape.shortest, shape.longest, shape.row, frozenset(units), frozenset(places))


def _joined(parts: Sequence[Shape]) -> Shape:
    shortest, longest = 0, 0
    endless = False
    for part in parts:
        shortest += part.shortest
        longest += part.longest or 0
        endless = endless or part.longest is None
    return Shape(shortest, None if endless else longest, rows.joined([part.row for part in parts]))


def _either(shapes: Sequence[Shape]) -> Shape:
    return reduce(_one_of, shapes)


def _one_of(one: Shape, other: Shape) -> Shape:
    endless = one.longest is None or other.longest is None
    longest = None if endless else max(one.longest or 0, other.longest or 0)
    return Shape(min(one.shortest, other.shortest), longest, rows.either(one.row, other.row))


def _repeated(part: Shape, least: int, most: int | None) -> Shape:
    """Nothing repeated without an end is nothing, and anything repeated never is nothing too."""
    if part.longest == 0 or most == 0:
        return _NOTHING
    longest = None if part.longest is None or most is None else part.longest * most
    return Shape(part.shortest * least, longest, rows.repeated(part.row, least, most))
