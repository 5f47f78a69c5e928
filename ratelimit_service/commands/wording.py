"""Words for a terminal: limits, spans of time, entries, tables. Pure.

Keys and values are whatever callers once sent. What could move a terminal's cursor, or pass for another text, is put in
quotes and escaped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from ratelimit_service.limits import FixedWindow, Limit, SlidingWindow, TokenBucket, Unit

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SECOND = 1_000_000  # microseconds
_DURATIONS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
_ALGORITHMS = {FixedWindow: "fixed_window", SlidingWindow: "sliding_window", TokenBucket: "token_bucket"}
_SPECIAL = frozenset(" ,=\"'#")


def plain(text: str) -> str:
    """The text as it is where that is clear, else quoted and escaped."""
    if text and text.isprintable() and _SPECIAL.isdisjoint(text):
        return text
    return json.dumps(text)


def entries(each: Iterable[tuple[str, str]]) -> str:
    """The entries of a descriptor, such as `user=alice, endpoint=/reports`."""
    return ", ".join(f"{plain(key)}={plain(value)}" for key, value in each)


def count(number: int, noun: str, plural: str = "") -> str:
    """A number of things, such as `1 rule` and `2,000 rules`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def limit(limit: Limit) -> str:
    """A limit, such as `100 per minute, token_bucket, burst 20`."""
    unit = limit.unit.name.lower()
    each = unit if limit.multiplier == 1 else count(limit.multiplier, unit)
    burst = f", burst {limit.burst:,}" if isinstance(limit, TokenBucket) else ""
    return f"{limit.requests_per_unit:,} per {each}, {algorithm(limit)}{burst}"


def algorithm(limit: Limit) -> str:
    """The word that the configuration has for this kind of limit."""
    return _ALGORITHMS[type(limit)]


def span(seconds: int) -> str:
    """The length of a window, in the longest unit of which it is a whole number."""
    unit = max((unit for unit in Unit if seconds % unit.value == 0), key=lambda unit: unit.value)
    return count(seconds // unit.value, unit.name.lower())


MAX_WORDS = 2  # units that a while is told in


def duration(microseconds: int) -> str:
    """A while, such as `12 s` or `2 h 5 min`: its two largest units."""
    if microseconds < _SECOND:
        return f"{-(-microseconds // 1_000)} ms"
    seconds = -(-microseconds // _SECOND)
    words: list[str] = []
    for name, length in _DURATIONS:
        if seconds >= length and len(words) < MAX_WORDS:
            words.append(f"{seconds // length} {name}")
        elif words:
            break
        seconds %= length
    return " ".join(words)


def instant(microseconds: int) -> str:
    """A time since the epoch as RFC 3339 has it."""
    return (EPOCH + timedelta(microseconds=microseconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def table(rows: Iterable[Sequence[str]], *, right: frozenset[int] | set[int] = frozenset()) -> Iterator[str]:
    """Rows with their columns aligned, those of `right` to the right."""
    rows = list(rows)
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
