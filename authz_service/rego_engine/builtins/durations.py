"""The built-in function time.parse_duration_ns: durations such as "1h30m", as Go writes them, and with days and more.

A duration is decimal numbers, each with its unit, after an optional sign. "d", "w" and "y" are 24 hours, 7 days and
365 days.
"""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Final

import re2

from authz_service.rego_engine.builtins.registry import builtin, string
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, write

MAX_LENGTH: Final = 1_000  # characters
_LARGEST: Final = 2**63 - 1  # nanoseconds, as 64 bits hold them
_HOUR: Final = 3_600_000_000_000  # nanoseconds
_HOURS: Final = {"d": 24, "w": 7 * 24, "y": 365 * 24}
_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "\N{MICRO SIGN}s": 1_000,
    "\N{GREEK SMALL LETTER MU}s": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": _HOUR,
}
_PART: Final = re2.compile(r"([0-9]*)(?:\.([0-9]*))?([^0-9.]*)")
_EXTENDED: Final = re2.compile(r"[-+]?(?:[0-9.]+(?:ms|us|\x{b5}s|\x{3bc}s|ns|h|m|s|d|w|y))+")


@builtin("time.parse_duration_ns")
def parse_duration_ns(duration: Value) -> Value:
    """Return a duration's whole nanoseconds, of at most 64 bits with the sign."""
    text = string(duration, 1)
    if len(text) > MAX_LENGTH:
        raise BuiltinFault(f"duration is longer than {MAX_LENGTH} characters")
    try:
        return _nanoseconds(text)
    except ValueError as fault:
        raise BuiltinFault(f"time: {fault} {write(text)}") from None


def _nanoseconds(text: str) -> int:
    if not text.isprintable():  # re2 takes no lone surrogates
        raise ValueError("invalid duration")
    if any(unit in text for unit in _HOURS) and not _EXTENDED.fullmatch(text):
        raise ValueError("invalid duration")
    sign, rest = (text[0], text[1:]) if text[:1] in {"+", "-"} else ("", text)
    if rest == "0":
        return 0
    if not rest:
        raise ValueError("invalid duration")
    total = 0
    while rest:
        part = _PART.match(rest)
        total += _amount(part[1], part[2] or "", part[3])
        rest = rest[part.end() :]
    if total > _LARGEST + (sign == "-"):
        raise ValueError("invalid duration")
    return -total if sign == "-" else total


def _amount(whole: str, fraction: str, unit: str) -> int:
    if not whole and not fraction:
        raise ValueError("invalid duration")
    if not unit:
        raise ValueError("missing unit in duration")
    if unit in _HOURS:
        hours = float(f"{whole or '0'}.{fraction or '0'}") * _HOURS[unit]
        if not math.isfinite(hours):
            raise ValueError("invalid duration")
        whole, _, fraction = f"{Decimal(repr(hours)):f}".partition(".")
        unit = "h"
    if unit not in _UNITS:
        raise ValueError(f"unknown unit {write(unit)} in duration")
    if len(whole.lstrip("0")) > len(str(_LARGEST)):
        raise ValueError("invalid duration")
    return int(whole or "0") * _UNITS[unit] + _fraction(fraction, _UNITS[unit])


def _fraction(digits: str, unit: int) -> int:
    """Return a decimal fraction of a unit, rounded down, as binary floating point has it."""
    significant = digits.lstrip("0")
    zeros = len(digits) - len(significant)
    kept = significant[: len(str(_LARGEST))]
    if kept and int(kept) > _LARGEST:
        kept = kept[:-1]
    return int(float(kept) * (unit / 10 ** (zeros + len(kept)))) if kept else 0
