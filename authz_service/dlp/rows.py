"""How many digits every match of a pattern has close together, read from the parts of the pattern. Pure.

Cards, account numbers and the like are of nine digits and more, with hardly a sign between two of them. Where no such
row is, none of their hints need be sought: one small automaton tells, and the large one, which has to follow each digit
for every kind of number, is spared. It is a row of any digits that is told of, so that more than the numbers meet it,
and never fewer.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

import re2

LEAST = 9  # digits: what nearly all numbers have that are looked for, and dates have not
_BETWEEN = 3  # bytes of signs between two digits: a bracket and a space, or one of the longer dashes
_SIGNS = frozenset(b" \t().-") | frozenset(range(0x80, 0x100))
_DIGITS = frozenset(b"0123456789")
ROW = rf"[0-9](?:[ \t().\x80-\xff-]{{0,{_BETWEEN}}}[0-9]){{{LEAST - 1}}}"
"""Found in every text that has such a row."""

_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.log_errors = False
_BYTES = bytes(range(256))


class Row(NamedTuple):
    """`digits` with at most three signs between any two; `before` and `behind` so many signs at most, None for others.

    Without digits it is what may stand between two, and both are the same.
    """

    digits: int
    before: int | None
    behind: int | None


NOTHING = Row(0, 0, 0)
_OTHERS = Row(0, None, None)


@cache
def row_of(unit: str) -> Row:
    """The row of a part of a pattern that matches one byte."""
    try:
        found = re2.compile(unit.encode("latin-1"), _OPTIONS).findall(_BYTES)
    except (re2.error, UnicodeEncodeError):
        return _OTHERS
    matched = frozenset(b"".join(found))
    if matched <= _DIGITS:
        return Row(1, 0, 0)
    return Row(0, 1, 1) if matched <= _DIGITS | _SIGNS else _OTHERS


def joined(rows: Iterable[Row]) -> Row:
    """The row of parts that follow one another."""
    whole = NOTHING
    for row in rows:
        whole = _both(whole, row)
    return whole


def either(one: Row, other: Row) -> Row:
    """The row of two, of which one is there."""
    if bool(one.digits) != bool(other.digits):
        return _OTHERS
    return Row(min(one.digits, other.digits), _more(one.before, other.before), _more(one.behind, other.behind))


def repeated(row: Row, least: int, most: int | None) -> Row:
    """The row of a part that is there `least` times and up to `most`."""
    if not row.digits:
        signs = None if row.before is None or (most is None and row.before) else row.before * (most or 0)
        return Row(0, signs, signs)
    is_bare = row.before == row.behind == 0
    if not least:
        return NOTHING if is_bare else _OTHERS
    if least > 1:
        twice = _both(row, row)
        row = Row(row.digits * least, *twice[1:]) if twice.digits > row.digits else twice
    return row if is_bare or least == most else row._replace(behind=None)


def _both(one: Row, other: Row) -> Row:
    between = None if one.behind is None or other.before is None else one.behind + other.before
    if not one.digits:
        return Row(other.digits, between, other.behind if other.digits else between)
    if not other.digits:
        return Row(one.digits, one.before, between)
    if between is not None and between <= _BETWEEN:
        return Row(one.digits + other.digits, one.before, other.behind)
    return Row(one.digits, one.before, None) if one.digits >= other.digits else Row(other.digits, None, other.behind)


def _more(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else max(one, other)
