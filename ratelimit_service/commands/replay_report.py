"""What a replay has found, in words and as JSON. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from ratelimit_service.commands import wording
from ratelimit_service.commands.access_log import Shape
from ratelimit_service.commands.replay import MAX_BUCKETS, Outcome
from ratelimit_service.commands.tally import Part, Stretches, Tally, Who


def notes(outcome: Outcome, shape: Shape, seen: Collection[str]) -> Iterator[str]:
    """What a reader of the report should know about the log."""
    tally = outcome.tally
    for each in outcome.told:
        yield f"line {each.line} {each.why}"
    if outcome.unreadable > len(outcome.told):
        yield f"and {outcome.unreadable - len(outcome.told):,} more lines that cannot be read"
    if tally.late:
        yield (
            f"{wording.count(tally.late, 'line')} out of order, by up to {wording.duration(tally.late_by_us)}: "
            "taken to come at the latest time before"
        )
    if tally.foreign:
        named = ", ".join(map(wording.plain, sorted(tally.foreign_domains)))
        yield f"{wording.count(tally.foreign, 'request')} of domains without limits: {named}"
    if tally.uncounted:
        yield (
            f"{wording.count(tally.uncounted, 'request')} not counted: "
            f"all {MAX_BUCKETS:,} buckets in memory were in use"
        )
    fields = {take.field for takes in shape.descriptors for take in takes if take.field}
    for name in sorted(fields.difference(seen)):
        yield f"no line has a value for {wording.plain(name)}"


def lines(tally: Tally, top: int) -> Iterator[str]:
    """The report for the terminal, with so many descriptors of each part."""
    if tally.requests:
        lasted = wording.duration(tally.last_us - tally.first_us)
        yield (
            f"{wording.count(tally.requests, 'request')} in {lasted}, "
            f"from {wording.instant(tally.first_us)} to {wording.instant(tally.last_us)}"
        )
        yield f"{tally.denied:,} would be limited ({100 * tally.denied / tally.requests:.1f} %)"
    if tally.without_limit:
        yield f"{tally.without_limit:,} meet no limit"
    yield from _part(tally.binding, top, "by rule", "most often over")
    yield from _part(
        tally.shadow, top, "by rule in shadow mode, which denies nothing", "most often over in shadow mode"
    )


def _part(part: Part, top: int, by_rule: str, by_descriptor: str) -> Iterator[str]:
    if not part.rules:
        return
    yield f"\n{by_rule}"
    rows = [
        (
            f"{each.over:,}",
            f"of {each.asked:,}",
            f"{100 * each.over / each.asked:.1f} %",
            f"{wording.plain(each.domain)}: {each.rule.path}",
            wording.limit(each.rule.limit) + (", quota_mode" if each.rule.quota_mode else "")
            if each.rule.limit
            else "",
            each.rule.place,
        )
        for each in part.counted()
    ]
    yield from wording.table([("over", "asked", "", "rule", "limit", ""), *rows], right={0, 1, 2})
    found = part.limited.top(top)
    if not found:
        return
    yield f"\n{by_descriptor}"
    most = [
        (
            f"{each.times:,}",
            wording.duration(each.longest_us),
            wording.instant(each.longest_from_us),
            f"{wording.plain(who.domain)}: {wording.entries(who.entries)}",
        )
        for who, each in found
    ]
    yield from wording.table([("times", "longest stretch", "from", "descriptor"), *most], right={0, 1})
    if len(part.limited) > len(found):
        yield f"and {len(part.limited) - len(found):,} more"
    longest = part.limited.longest()
    if longest is not None:
        who, each = longest
        yield (
            f"longest stretch over: {wording.duration(each.longest_us)} from {wording.instant(each.longest_from_us)}, "
            f"{wording.plain(who.domain)}: {wording.entries(who.entries)}"
        )
    if part.limited.forgotten:
        yield f"too many descriptors to count them all: each may have been over {part.limited.forgotten:,} times more"


def to_json(outcome: Outcome, top: int) -> dict[str, Any]:
    """The report as JSON has it."""
    tally = outcome.tally
    return {
        "requests": tally.requests,
        "limited": tally.denied,
        "without_limit": tally.without_limit,
        "first_time": wording.instant(tally.first_us) if tally.requests else None,
        "last_time": wording.instant(tally.last_us) if tally.requests else None,
        "unreadable": {
            "lines": outcome.unreadable,
            "first": [{"line": each.line, "why": each.why} for each in outcome.told],
        },
        "late": {"lines": tally.late, "seconds_at_most": tally.late_by_us / 1_000_000},
        "unknown_domains": {"requests": tally.foreign, "first": sorted(tally.foreign_domains)},
        "uncounted": tally.uncounted,
        "binding": _part_to_json(tally.binding, top),
        "shadow": _part_to_json(tally.shadow, top),
    }


def _part_to_json(part: Part, top: int) -> dict[str, Any]:
    longest = part.limited.longest()
    return {
        "rules": [
            {
                "domain": each.domain,
                "path": each.rule.path,
                "source": each.rule.source,
                "line": each.rule.line,
                "limit": wording.limit(each.rule.limit) if each.rule.limit else None,
                "quota_mode": each.rule.quota_mode,
                "asked": each.asked,
                "over": each.over,
            }
            for each in part.counted()
        ],
        "descriptors": [_stretches_to_json(*each) for each in part.limited.top(top)],
        "descriptors_in_all": len(part.limited),
        "may_lack": part.limited.forgotten,
        "longest": _stretches_to_json(*longest) if longest else None,
    }


def _stretches_to_json(who: Who, each: Stretches) -> dict[str, Any]:
    return {
        "domain": who.domain,
        "entries": [list(entry) for entry in who.entries],
        "over": each.times,
        "longest_seconds": each.longest_us / 1_000_000,
        "longest_from": wording.instant(each.longest_from_us),
    }
