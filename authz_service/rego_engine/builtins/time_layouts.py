"""Layouts of dates and times: how Go's reference time, "Mon Jan 2 15:04:05 MST 2006", would be written.

A layout is read once into its pieces: texts that stand for themselves, and elements. An element is named by its own
spelling, so that "2006" is the year and "-07:00" an offset from UTC.
"""

from __future__ import annotations

import calendar
from datetime import datetime
from functools import lru_cache
from typing import Final, NamedTuple

from authz_service.rego_engine.errors import BuiltinFault

MAX_LENGTH: Final = 1_000  # characters of a layout, and of a text that is read by one
_CACHED: Final = 256  # layouts
_DIGITS: Final = frozenset("0123456789")

NAMED: Final = {
    "ANSIC": "Mon Jan _2 15:04:05 2006",
    "UnixDate": "Mon Jan _2 15:04:05 MST 2006",
    "RubyDate": "Mon Jan 02 15:04:05 -0700 2006",
    "RFC822": "02 Jan 06 15:04 MST",
    "RFC822Z": "02 Jan 06 15:04 -0700",
    "RFC850": "Monday, 02-Jan-06 15:04:05 MST",
    "RFC1123": "Mon, 02 Jan 2006 15:04:05 MST",
    "RFC1123Z": "Mon, 02 Jan 2006 15:04:05 -0700",
    "RFC3339": "2006-01-02T15:04:05Z07:00",
    "RFC3339Nano": "2006-01-02T15:04:05.999999999Z07:00",
}
MONTHS: Final = tuple(calendar.month_name[1:])  # the C locale's, as long as no one sets another
DAYS: Final = tuple(calendar.day_name)  # Monday first, as `datetime.weekday` counts

TEXT: Final = "text"
FIXED: Final = "fixed"  # a fraction of a second with as many digits as the layout has
TRIMMED: Final = "trimmed"  # a fraction of a second without zeros at its end

# By the first character; of those that fit, the first counts.
_ELEMENTS: Final = {
    "J": ("January", "Jan"),
    "M": ("Monday", "Mon", "MST"),
    "0": ("01", "02", "03", "04", "05", "06", "002"),
    "1": ("15", "1"),
    "2": ("2006", "2"),
    "_": ("_2", "__2"),
    "3": ("3",),
    "4": ("4",),
    "5": ("5",),
    "P": ("PM",),
    "p": ("pm",),
    "-": ("-070000", "-07:00:00", "-0700", "-07:00", "-07"),
    "Z": ("Z070000", "Z07:00:00", "Z0700", "Z07:00", "Z07"),
}
OFFSETS: Final = frozenset(_ELEMENTS["-"] + _ELEMENTS["Z"])


class Piece(NamedTuple):
    """`kind` is an element's spelling, or `TEXT`, `FIXED` or `TRIMMED`; `text` is what the layout has."""

    kind: str
    text: str


@lru_cache(maxsize=_CACHED)
def _pieces(layout: str) -> tuple[Piece, ...]:
    found: list[Piece] = []
    start = at = 0
    while at < len(layout):
        piece = _piece(layout, at)
        if piece is None:
            at += 1
            continue
        if start < at:
            found.append(Piece(TEXT, layout[start:at]))
        found.append(piece)
        start = at = at + len(piece.text)
    if start < len(layout):
        found.append(Piece(TEXT, layout[start:]))
    return tuple(found)


def pieces(layout: str) -> tuple[Piece, ...]:
    """Return the pieces of a layout, or of the one that has this name.

    Raises:
        BuiltinFault: it is longer than `MAX_LENGTH`.
    """
    if len(layout) > MAX_LENGTH:
        raise BuiltinFault(f"layout is longer than {MAX_LENGTH} characters")
    return _pieces(NAMED.get(layout, layout))


def _piece(layout: str, at: int) -> Piece | None:
    """Return the element that starts at a place of a layout, if one does."""
    if layout[at] in ".,":
        return _fraction(layout, at)
    for element in _ELEMENTS.get(layout[at], ()):
        if not layout.startswith(element, at):
            continue
        following = layout[at + len(element) : at + len(element) + 1]
        if element in {"Jan", "Mon"} and "a" <= following <= "z":
            continue  # a word, such as Monte
        if element == "_2" and layout.startswith("006", at + len(element)):
            return None  # an underscore before the year
        return Piece(element, element)
    return None


def _fraction(layout: str, at: int) -> Piece | None:
    digit = layout[at + 1 : at + 2]
    if digit not in {"0", "9"}:
        return None
    end = at + 1
    while layout[end : end + 1] == digit:
        end += 1
    if layout[end : end + 1] in _DIGITS:
        return None
    return Piece(FIXED if digit == "0" else TRIMMED, layout[at:end])


def format_time(layout: str, local: datetime, nanoseconds: int) -> str:
    """Write a local time, with its zone, by a layout; `nanoseconds` is the fraction of the second."""
    return "".join(_written(piece, local, nanoseconds) for piece in pieces(layout))


def _written(piece: Piece, local: datetime, nanoseconds: int) -> str:
    kind = piece.kind
    if kind == TEXT:
        return piece.text
    if kind in OFFSETS:
        return _offset(kind, _seconds_east(local))
    if kind in {FIXED, TRIMMED}:
        digits = f"{nanoseconds:09d}"[: len(piece.text) - 1]
        if kind == FIXED:
            return piece.text[0] + digits
        digits = digits.rstrip("0")
        return piece.text[0] + digits if digits else ""
    if kind == "2006":
        return f"{local.year:04d}"
    if kind == "06":
        return f"{local.year % 100:02d}"
    if kind in {"January", "Jan"}:
        return MONTHS[local.month - 1][: None if kind == "January" else 3]
    if kind in {"Monday", "Mon"}:
        return DAYS[local.weekday()][: None if kind == "Monday" else 3]
    if kind in {"PM", "pm"}:
        half = "PM" if local.hour >= 12 else "AM"  # noqa: PLR2004  (noon)
        return half if kind == "PM" else half.lower()
    if kind == "MST":
        return local.tzname() or _offset("-0700", _seconds_east(local))
    if kind in {"__2", "002"}:
        return str(local.timetuple().tm_yday).rjust(3, " " if kind == "__2" else "0")
    numbers = {"1": local.month, "2": local.day, "3": local.hour % 12 or 12, "4": local.minute, "5": local.second}
    if kind == "15":
        return f"{local.hour:02d}"
    number = numbers[kind[-1]]
    return str(number).rjust(len(kind), " " if kind[0] == "_" else "0")


def _seconds_east(local: datetime) -> int:
    offset = local.utcoffset()
    return 0 if offset is None else offset.days * 86_400 + offset.seconds


def _offset(kind: str, seconds: int) -> str:
    if kind[0] == "Z" and seconds == 0:
        return "Z"
    # The sign is that of the whole minutes, rounded towards zero.
    east = seconds > -60  # noqa: PLR2004  (seconds of a minute)
    minutes, rest = divmod(abs(seconds), 60)
    shown = f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d}"[: _OFFSET_LENGTHS[kind[1:]]]
    if ":" not in kind:
        shown = shown.replace(":", "")
    return f"{'+' if east else '-'}{shown}"


_OFFSET_LENGTHS: Final = {"07": 2, "0700": 5, "07:00": 5, "070000": 8, "07:00:00": 8}
