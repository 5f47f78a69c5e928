"""A line of a log as a record of fields, and the fields as what they mean. Pure."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from ratelimit_service.commands.wording import EPOCH
from ratelimit_service.limits import MAX_UINT32

Record: TypeAlias = Mapping[str, Any]
"""The fields of a line."""

_SECONDS = re.compile(r"([0-9]{1,10})(?:\.([0-9]{1,18}))?", re.ASCII)
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,18})?([Zz]|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
_NOTHING = frozenset({None, "", "-"})  # what stands where there is no value; `-` is Envoy's

MAX_DIGITS = 10  # of a number of hits


class LineError(Exception):
    """The line cannot be read; the text says why."""


def microseconds(text: str) -> int:
    """Read a time: seconds since the epoch, with or without a fraction, or RFC 3339."""
    found = _SECONDS.fullmatch(text)
    if found:
        return int(found[1]) * 1_000_000 + int((found[2] or "").ljust(6, "0")[:6])
    if _RFC_3339.fullmatch(text):
        try:
            time = (datetime.fromisoformat(text.upper()) - EPOCH) // timedelta(microseconds=1)
        except (ValueError, OverflowError):
            time = -1
        if time >= 0:
            return time
    raise LineError("its time is neither seconds since 1970 nor RFC 3339")


def text(data: bytes) -> str:
    """The text of a line, without its end."""
    try:
        return data.decode().rstrip("\r\n")
    except UnicodeDecodeError:
        raise LineError("is not UTF-8") from None


def csv_record(text: str, columns: Sequence[str]) -> Record:
    """Read a line of CSV."""
    try:
        row = next(csv.reader([text], strict=True), [])
    except csv.Error as error:
        raise LineError(f"is not CSV: {error}") from None
    if len(row) != len(columns):
        raise LineError(f"has {len(row)} columns, and the header has {len(columns)}")
    return dict(zip(columns, row, strict=True))


def json_record(text: str) -> Record:
    """Read a line of JSON."""
    try:
        # Numbers stay as they are written: as a value of an entry each is a text.
        record = json.loads(text.removeprefix("\ufeff"), parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise LineError("is not JSON") from None
    if not isinstance(record, dict):
        raise LineError("is not a JSON object")
    return record


def value(record: Record, path: str) -> str | None:
    """The text of a field; dots lead into objects. None where there is none."""
    found: Any = record.get(path)
    if found is None and "." in path:
        found = record
        for part in path.split("."):
            found = found.get(part) if isinstance(found, dict) else None
    if isinstance(found, dict | list):
        raise LineError(f"its {path!r} is not a single value")
    if isinstance(found, bool):
        return "true" if found else "false"
    return None if found in _NOTHING else str(found)


def hits(text: str | None) -> int:
    """Read how many hits a request stands for."""
    if text is None:
        return 1
    if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS or int(text) > MAX_UINT32:
        raise LineError(f"its 'hits' is not a whole number from 0 to {MAX_UINT32}")
    return int(text)
