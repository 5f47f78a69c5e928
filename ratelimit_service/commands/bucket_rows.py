"""Buckets that are in use, each a row: for the terminal, and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from ratelimit_service.commands import bucket_names, fills, wording
from ratelimit_service.commands.bucket_names import BucketName, Rules, Stored
from ratelimit_service.commands.fills import Fill
from ratelimit_service.rules import Rule


class Row(NamedTuple):
    """A bucket that is in use."""

    name: BucketName
    fill: Fill
    rule: Rule | None


def row_of(stored: Stored, rules: Rules | None) -> Row | None:
    """What there is to show of a bucket; None where it is not in use."""
    rule = rules.of(stored.name) if rules else None
    fill = fills.read(stored.name, stored.value, stored.now_us, rule.limit if rule else None)
    return Row(stored.name, fill, rule) if fill else None


def cells(row: Row) -> tuple[str, ...]:
    """A line of a table."""
    percent = row.fill.percent
    return (
        "" if percent is None else f"{percent:.1f} %",
        fills.shown(row.fill),
        fills.until(row.name, row.fill),
        row.name.algorithm,
        bucket_names.shown(row.name.tag),
        bucket_names.entries_shown(row.name),
        row.rule.place if row.rule else "",
    )


def table(rows: Iterable[Row]) -> Iterator[str]:
    """Buckets with a heading; nothing where there are none."""
    lines = [cells(row) for row in rows]
    if lines:
        heading = ("used", "hits or tokens", "", "counted by", "domain", "entries", "rule")
        yield from wording.table([heading, *lines], right={0, 1})


def to_json(row: Row) -> dict[str, Any]:
    """A bucket as JSON has it."""
    percent = row.fill.percent
    return {
        "bucket": row.name.name,
        "domain": bucket_names.decode(row.name.tag),
        "algorithm": row.name.algorithm.partition(" ")[0],
        "span_seconds": row.name.seconds or None,
        "entries": [
            {"key": bucket_names.decode(key), "pattern" if shared else "value": bucket_names.decode(value)}
            for key, value, shared in row.name.parts
        ],
        "used": row.fill.used,
        "size": row.fill.size,
        "percent": None if percent is None else round(percent, 3),
        "seconds_left": row.fill.until_us / 1_000_000,
        "rule": {"path": row.rule.path, "source": row.rule.source, "line": row.rule.line} if row.rule else None,
    }
