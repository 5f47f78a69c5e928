"""Reads a date and time by a layout (see `time_layouts`), strictly in most places and leniently where Go is."""

from __future__ import annotations

import calendar
from datetime import date
from typing import Final

from authz_service.rego_engine.builtins.time_layouts import (
    DAYS,
    FIXED,
    MAX_LENGTH,
    MONTHS,
    NAMED,
    OFFSETS,
    TEXT,
    TRIMMED,
    Piece,
    pieces,
)
from authz_service.rego_engine.errors import BuiltinFault

SECOND: Final = 1_000_000_000  # nanoseconds
_DAY: Final = 86_400  # seconds
_CYCLE_YEARS: Final = 400  # after which the calendar repeats itself
_CYCLE_DAYS: Final = 146_097
_EPOCH: Final = date(1970, 1, 1).toordinal()
_DIGITS: Final = frozenset("0123456789")
_CENTURY_TURN: Final = 69  # years of two digits from here on are of the 20th century
_SHORT_ZONE, _LONG_ZONE = 3, 5  # letters of a zone's abbreviation
_LARGEST_GMT: Final = 23  # hours


def day_number(year: int, month: int, day: int) -> int:
    """Return the days since 1970-01-01, of any year at all; `day` may be beyond the month's end."""
    cycles, place = divmod(year, _CYCLE_YEARS)
    return date(place + _CYCLE_YEARS, month, 1).toordinal() + (cycles - 1) * _CYCLE_DAYS - _EPOCH + day - 1


def days_in_month(year: int, month: int) -> int:
    """Return how many days a month has, by the Gregorian calendar, of any year at all."""
    return calendar.monthrange(year % _CYCLE_YEARS + _CYCLE_YEARS, month)[1]


class _Mismatch(Exception):  # noqa: N818  (caught where the whole text is known)
    """The text does not go on as the layout has it."""


class _OutOfRange(Exception):  # noqa: N818  (as above)
    """A field of the text is too large or too small."""


class _Reader:
    """Reads one text. Fields that the layout does not have keep what they start with."""

    def __init__(self, text: str) -> None:
        self.rest = text
        self.year = 0
        self.month: int | None = None
        self.day: int | None = None
        self.day_of_year: int | None = None
        self.hour = self.minute = self.second = self.nanoseconds = 0
        self.offset = 0  # seconds east of UTC
        self.half = ""

    def take(self, piece: Piece, following: Piece | None) -> None:  # noqa: PLR0912  (one branch for each element)
        """Read one piece of the layout; `following` is the next element, if any."""
        kind = piece.kind
        if kind == TEXT:
            self._skip(piece.text)
        elif kind in OFFSETS:
            self._offset(kind)
        elif kind == FIXED:
            self._fraction(len(piece.text))
        elif kind == TRIMMED:
            if self._fraction_ahead():
                self._fraction(self._fraction_end())
        elif kind == "2006":
            self.year = self._exactly(4)
        elif kind == "06":
            year = self._exactly(2)
            self.year = year + (1900 if year >= _CENTURY_TURN else 2000)
        elif kind in {"January", "Jan"}:
            self.month = self._name(MONTHS, None if kind == "January" else 3) + 1
        elif kind in {"Monday", "Mon"}:
            self._name(DAYS, None if kind == "Monday" else 3)
        elif kind in {"1", "01"}:
            self.month = self._number(kind, 1, 12, "month")
        elif kind in {"2", "_2", "02"}:
            if kind == "_2" and self.rest.startswith(" "):
                self.rest = self.rest[1:]
            self.day = self._number(kind, 0, 99, "day")
        elif kind in {"__2", "002"}:
            self._day_of_year(kind)
        elif kind == "15":
            self.hour = self._number(kind[:1], 0, 23, "hour")
        elif kind in {"3", "03"}:
            self.hour = self._number(kind, 0, 12, "hour")
        elif kind in {"4", "04"}:
            self.minute = self._number(kind, 0, 59, "minute")
        elif kind in {"5", "05"}:
            self.second = self._number(kind, 0, 59, "second")
            # A fraction may follow the seconds, even where the layout has none.
            if self._fraction_ahead() and (following is None or following.kind not in {FIXED, TRIMMED}):
                self._fraction(self._fraction_end())
        elif kind in {"PM", "pm"}:
            self.half = self.rest[:2].upper()
            if self.rest[:2] not in ({"AM", "PM"} if kind == "PM" else {"am", "pm"}):
                raise _Mismatch
            self.rest = self.rest[2:]
        else:
            self._zone()

    def _skip(self, text: str) -> None:
        at = 0
        while at < len(text):
            if text[at] == " ":  # one space stands for any number of them, and at the end for none
                if self.rest and self.rest[0] != " ":
                    raise _Mismatch
                while text[at : at + 1] == " ":
                    at += 1
                self.rest = self.rest.lstrip(" ")
            elif self.rest[:1] != text[at]:
                raise _Mismatch
            else:
                self.rest = self.rest[1:]
                at += 1

    def _digits(self, most: int) -> str:
        count = 0
        while count < most and self.rest[count : count + 1] in _DIGITS:
            count += 1
        found, self.rest = self.rest[:count], self.rest[count:]
        return found

    def _exactly(self, count: int) -> int:
        found = self._digits(count)
        if len(found) != count:
            raise _Mismatch
        return int(found)

    def _number(self, kind: str, least: int, most: int, name: str) -> int:
        """Read a number of one or two digits; of two where the element has a zero."""
        found = self._digits(2)
        if not found or (len(found) == 1 and kind[0] == "0"):
            raise _Mismatch
        if not least <= int(found) <= most:
            raise _OutOfRange(name)
        return int(found)

    def _day_of_year(self, kind: str) -> None:
        if kind == "__2":
            self.rest = self.rest[min(2, len(self.rest) - len(self.rest.lstrip(" "))) :]
        found = self._digits(3)
        if not found or (kind == "002" and len(found) < len(kind)):
            raise _Mismatch
        self.day_of_year = int(found)

    def _name(self, names: tuple[str, ...], length: int | None) -> int:
        for index, name in enumerate(names):
            if self.rest[: len(name[:length])].lower() == name[:length].lower():
                self.rest = self.rest[len(name[:length]) :]
                return index
        raise _Mismatch

    def _fraction_ahead(self) -> bool:
        return self.rest[:1] in {".", ","} and self.rest[1:2] in _DIGITS

    def _fraction_end(self) -> int:
        end = 1
        while self.rest[end : end + 1] in _DIGITS:
            end += 1
        return end

    def _fraction(self, length: int) -> None:
        """Read a separator and digits, together `length` characters; beyond nanoseconds they are dropped."""
        digits = self.rest[1:length]
        if self.rest[:1] not in {".", ","} or len(digits) != length - 1 or not _DIGITS.issuperset(digits):
            raise _Mismatch
        self.nanoseconds = int(digits[:9].ljust(9, "0"))
        self.rest = self.rest[length:]

    def _offset(self, kind: str) -> None:
        if kind[0] == "Z" and self.rest.startswith("Z"):
            self.offset = 0
            self.rest = self.rest[1:]
            return
        found, self.rest = self.rest[: len(kind)], self.rest[len(kind) :]
        shape = "".join("0" if character in _DIGITS else character for character in found[1:])
        if found[:1] not in {"+", "-"} or shape != kind[1:].replace("7", "0"):
            raise _Mismatch
        digits = found[1:].replace(":", "").ljust(6, "0")
        hours, minutes, seconds = int(digits[:2]), int(digits[2:4]), int(digits[4:])
        for value, most, name in ((hours, 24, "hour"), (minutes, 60, "minute"), (seconds, 60, "second")):
            if value > most:
                raise _OutOfRange(f"time zone offset {name}")
        self.offset = ((hours * 60 + minutes) * 60 + seconds) * (-1 if found[0] == "-" else 1)

    def _zone(self) -> None:
        """Read a zone's abbreviation, which says nothing of its offset: the time counts as UTC."""
        length = _zone_length(self.rest)
        if not length:
            raise _Mismatch
        self.rest = self.rest[length:]

    def epoch_nanoseconds(self) -> int:
        """Return the nanoseconds since the epoch, once all is read."""
        if self.half == "PM" and self.hour < 12:  # noqa: PLR2004  (noon)
            self.hour += 12
        elif self.half == "AM" and self.hour == 12:  # noqa: PLR2004  (midnight)
            self.hour = 0
        if self.day_of_year is not None:
            self._settle_day_of_year(self.day_of_year)
        month = 1 if self.month is None else self.month
        day = 1 if self.day is None else self.day
        if not 1 <= day <= days_in_month(self.year, month):
            raise _OutOfRange("day")
        seconds = day_number(self.year, month, day) * _DAY + (self.hour * 60 + self.minute) * 60 + self.second
        return (seconds - self.offset) * SECOND + self.nanoseconds

    def _settle_day_of_year(self, place: int) -> None:
        if not 1 <= place <= 365 + calendar.isleap(self.year):
            raise _OutOfRange("day-of-year")
        month, day = 1, place
        while day > days_in_month(self.year, month):
            day -= days_in_month(self.year, month)
            month += 1
        if self.month not in {None, month}:
            raise _OutOfRange("day-of-year does not match month")
        if self.day not in {None, day}:
            raise _OutOfRange("day-of-year does not match day")
        self.month, self.day = month, day


def _zone_length(text: str) -> int:
    """Return how many characters at a text's start are a zone's abbreviation."""
    if text.startswith("UTC"):
        return 3
    if len(text) < _SHORT_ZONE:
        return 0
    if text.startswith(("ChST", "MeST")):
        return 4
    if text.startswith("GMT"):
        return 3 + _hours_length(text[3:])
    if text[:1] in {"+", "-"}:
        return _hours_length(text)
    letters = 0
    while letters <= _LONG_ZONE and "A" <= text[letters : letters + 1] <= "Z":
        letters += 1
    if letters == _SHORT_ZONE or text[:4] == "WITA" == text[:letters]:
        return letters
    return letters if _SHORT_ZONE < letters <= _LONG_ZONE and text[letters - 1] == "T" else 0


def _hours_length(text: str) -> int:
    """Return how many characters at a text's start are a sign and hours."""
    end = 1
    while text[end : end + 1] in _DIGITS:
        end += 1
    digits = text[1:end].lstrip("0")
    fits = len(digits) <= len(str(_LARGEST_GMT)) and int(digits or "0") <= _LARGEST_GMT
    return end if text[:1] in {"+", "-"} and end > 1 and fits else 0


def read_time(layout: str, text: str) -> int:
    """Return the nanoseconds since the epoch that a text has by a layout; UTC where it names no offset.

    Raises:
        BuiltinFault: the text does not fit the layout, or is longer than `MAX_LENGTH`.
    """
    if len(text) > MAX_LENGTH:
        raise BuiltinFault(f"time is longer than {MAX_LENGTH} characters")
    parts = pieces(layout)
    reader = _Reader(text)
    element, before = "", text
    try:
        for index, piece in enumerate(parts):
            element, before = piece.text, reader.rest
            following = next((later for later in parts[index + 1 : index + 3] if later.kind != TEXT), None)
            reader.take(piece, following)
        if reader.rest:
            raise BuiltinFault(f"parsing time {_quoted(text)}: extra text: {_quoted(reader.rest)}")
        return reader.epoch_nanoseconds()
    except _OutOfRange as fault:
        reason = str(fault)
        reason = reason if "match" in reason else f"{reason} out of range"
        raise BuiltinFault(f"parsing time {_quoted(text)}: {reason}") from None
    except _Mismatch:
        wanted, shown = NAMED.get(layout, layout), f"cannot parse {_quoted(before)} as {_quoted(element)}"
        raise BuiltinFault(f"parsing time {_quoted(text)} as {_quoted(wanted)}: {shown}") from None


def _quoted(text: str) -> str:
    shown = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{shown}"'
