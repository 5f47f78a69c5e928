"""Built-in functions on dates and times: time.*, but for durations. A time is whole nanoseconds since the epoch.

Where a function takes a time, it also takes an array: the time, a zone's name in the IANA database, and for time.format
a layout. The zone "Local" is UTC: a policy's answer does not depend on where it runs. Times are from 1677-09-21 to
2262-04-11, what 64 bits hold.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import re2

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.registry import builtin, integer, number, string, wrong
from authz_service.rego_engine.builtins.time_layouts import DAYS, format_time
from authz_service.rego_engine.builtins.time_reading import SECOND, day_number, days_in_month, read_time
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, type_name

_EARLIEST: Final = -(2**63)  # nanoseconds
_LATEST: Final = 2**63 - 1  # nanoseconds
_SLACK: Final = 172_800  # seconds: more than any offset, and still among the dates that Python knows
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_ZONES: Final = 512  # cached; the database has some 600 names, links included
_ZONE_NAME: Final = re2.compile(r"[A-Za-z0-9+_-]{1,32}(/[A-Za-z0-9+_-]{1,32}){0,3}")


class _Moment(NamedTuple):
    """A time as its zone has it. `nanoseconds` is the fraction of the second; `local` has none."""

    local: datetime
    nanoseconds: int
    layout: str


@lru_cache(maxsize=_ZONES)
def _load_zone(name: str) -> tzinfo:
    return ZoneInfo(name)


def _zone(name: str) -> tzinfo:
    if name in {"", "UTC", "Local"}:
        return UTC
    if name.isascii() and _ZONE_NAME.fullmatch(name):
        try:
            return _load_zone(name)
        except (KeyError, ValueError, OSError):
            pass
    raise BuiltinFault(f"unknown time zone {name}")


def _moment(operand: Value, position: int) -> _Moment:
    zone: tzinfo = UTC
    layout = ""
    time = operand
    if type(operand) is list and operand:
        time = number(operand[0], position)
        if len(operand) > 1:
            zone = _zone(string(operand[1], position))
        if len(operand) > 2:  # noqa: PLR2004  (time, zone, layout)
            layout = string(operand[2], position)
    elif type_name(operand) != "number":
        raise wrong(operand, position, "either number (ns) or [number (ns), string (tz)]")
    found = number(time, position)
    if not numbers.is_whole(found) or not _EARLIEST <= found <= _LATEST:
        raise BuiltinFault("timestamp too big")
    seconds, nanoseconds = divmod(int(found), SECOND)
    return _Moment((_EPOCH + timedelta(seconds=seconds)).astimezone(zone), nanoseconds, layout)


def _in_range(nanoseconds: int) -> int:
    if not _EARLIEST <= nanoseconds <= _LATEST:
        raise BuiltinFault("time outside of valid range")
    return nanoseconds


@builtin("time.now_ns", context=True)
def now_ns(context: Context) -> Value:
    """Return the evaluation's one time."""
    return context.time_ns


@builtin("time.parse_ns")
def parse_ns(layout: Value, value: Value) -> Value:
    """Read a time by a layout; UTC where the text names no offset."""
    return _in_range(read_time(string(layout, 1), string(value, 2)))


@builtin("time.parse_rfc3339_ns")
def parse_rfc3339_ns(value: Value) -> Value:
    """Read a time as RFC 3339 section 5.6 has it."""
    return _in_range(read_time("RFC3339", string(value, 1)))


@builtin("time.format")
def time_format(time: Value) -> Value:
    """Write a time, by RFC 3339 to the nanosecond where no layout is given."""
    moment = _moment(time, 1)
    return format_time(moment.layout or "RFC3339Nano", moment.local, moment.nanoseconds)


@builtin("time.date")
def time_date(time: Value) -> Value:
    """Return [year, month, day]."""
    local = _moment(time, 1).local
    return [local.year, local.month, local.day]


@builtin("time.clock")
def time_clock(time: Value) -> Value:
    """Return [hour, minute, second]."""
    local = _moment(time, 1).local
    return [local.hour, local.minute, local.second]


@builtin("time.weekday")
def time_weekday(time: Value) -> Value:
    """Return the day of the week in English."""
    return DAYS[_moment(time, 1).local.weekday()]


@builtin("time.add_date")
def time_add_date(time: Value, years: Value, months: Value, days: Value) -> Value:
    """Add to a time's date, the clock left as it is; a day beyond its month's end is one of the next month."""
    local, nanoseconds, _ = _moment(time, 1)
    month = (local.year + integer(years, 2)) * 12 + local.month - 1 + integer(months, 3)
    date = day_number(month // 12, month % 12 + 1, local.day) + integer(days, 4)
    wall = (date * 24 + local.hour) * 3600 + local.minute * 60 + local.second
    if (wall + _SLACK) * SECOND < _EARLIEST or (wall - _SLACK) * SECOND > _LATEST:
        raise BuiltinFault("time outside of valid range")
    first = _seconds_east(wall, local.tzinfo)
    # Where clocks change: what counts is the offset at the wall time less the offset that UTC has at these digits.
    offset = _seconds_east(wall - first, local.tzinfo) if first else 0
    return _in_range((wall - offset) * SECOND + nanoseconds)


def _seconds_east(seconds: int, zone: tzinfo | None) -> int:
    offset = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
    return 0 if offset is None else offset.days * 86_400 + offset.seconds


@builtin("time.diff")
def time_diff(left: Value, right: Value) -> Value:
    """Return [years, months, days, hours, minutes, seconds] between two times, in the first one's zone."""
    one, two = _moment(left, 1), _moment(right, 1)
    two = two._replace(local=two.local.astimezone(one.local.tzinfo))
    start, end = sorted((one, two), key=lambda moment: (moment.local.astimezone(UTC), moment.nanoseconds))
    days = end.local.day - start.local.day
    months = end.local.year * 12 + end.local.month - start.local.year * 12 - start.local.month
    seconds = _seconds_of_day(end.local) - _seconds_of_day(start.local)
    if seconds < 0:
        seconds += 86_400
        days -= 1
    if days < 0:
        days += days_in_month(start.local.year, start.local.month)
        months -= 1
    return [*divmod(months, 12), days, seconds // 3600, seconds // 60 % 60, seconds % 60]


def _seconds_of_day(local: datetime) -> int:
    return (local.hour * 60 + local.minute) * 60 + local.second
