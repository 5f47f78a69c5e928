"""`explain`: which rule applies to a descriptor, and why not its siblings?"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ratelimit_service.commands import trail, wording
from ratelimit_service.commands.arguments import (
    NO,
    OK,
    Commands,
    UsageError,
    add_command,
    add_source,
    entries,
    known_domain,
    load,
)
from ratelimit_service.commands.trail import Level, Trail
from ratelimit_service.model import Descriptor
from ratelimit_service.prepared import Match, match_all
from ratelimit_service.rules import Entry, Node, Rule

MAX_LISTED = 20  # rules beside the one that is taken, or below it
SEPARATOR = "/"

DETAILS = """\
Entries stand in the order in which Envoy sends them; options before them. They make one descriptor. Where a request has
several, a `/` of its own stands between them: whether a rule is replaced is known only then.

exit codes: 0 each descriptor has a rule; 1 one of them has none; 2 the arguments or the limits are at fault

examples:
  python -m ratelimit_service explain --config-dir limits --domain agent_gateway user=alice endpoint=/reports
  python -m ratelimit_service explain --config-dir limits --domain agent_gateway user=alice / agent_id=a1
"""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is to be told of one descriptor."""

    entries: tuple[Entry, ...]
    trail: Trail
    match: Match
    replaced_by: tuple[Rule, ...]  # rules of the same request


def add_to(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(commands, "explain", "show which rule applies to a descriptor, and why", DETAILS)
    add_source(parser)
    parser.add_argument("--domain", required=True, help="the request's domain")
    parser.add_argument("entries", nargs="+", metavar="KEY=VALUE", help="entries of the descriptor; / begins another")


def run(arguments: argparse.Namespace, environment: Mapping[str, str]) -> int:
    """Explain; return the exit status."""
    del environment
    descriptors = _descriptors(arguments.entries)
    limits = load(arguments)
    domain = known_domain(arguments.domain, limits)
    found = explain(
        limits.domains[domain],
        descriptors,
        match_all(limits, domain, [Descriptor(each) for each in descriptors]),
    )
    if arguments.json:
        print(json.dumps({"domain": domain, "descriptors": list(map(_to_json, found))}, indent=2))
    else:
        print("\n\n".join("\n".join(_lines(each, at)) for at, each in enumerate(found, 1)))
    return OK if all(each.trail.rule for each in found) else NO


def explain(root: Node, descriptors: Sequence[tuple[Entry, ...]], matches: Sequence[Match]) -> list[Explanation]:
    """Follow each descriptor of a request, and find what replaces its rule."""
    trails = [trail.follow(root, descriptor) for descriptor in descriptors]
    rules = [each.rule for each in trails if each.rule]
    explanations = []
    for descriptor, way, match in zip(descriptors, trails, matches, strict=True):
        replaced = way.rule is not None and match.rule is None
        replacers = [rule for rule in rules if replaced and way.rule and way.rule.name in rule.replaces]
        explanations.append(Explanation(descriptor, way, match, tuple(replacers)))
    return explanations


def _descriptors(texts: Sequence[str]) -> list[tuple[Entry, ...]]:
    groups: list[list[str]] = [[]]
    for text in texts:
        if text == SEPARATOR:
            groups.append([])
        else:
            groups[-1].append(text)
    if not all(groups):
        raise UsageError(f"a descriptor has no entries: each {SEPARATOR!r} stands between two descriptors")
    return [entries(group) for group in groups]


def _lines(each: Explanation, number: int) -> Iterator[str]:
    yield f"descriptor {number}: {wording.entries(each.entries)}"
    rows: list[tuple[str, str, str, str]] = []
    for level in each.trail.levels:
        rows += _level_rows(level)
    if each.trail.rule and each.trail.deeper:
        rows.append(("", "no further entry", "", ""))
        rows += [("    ", rule.path, rule.place, "needs one more entry") for rule in each.trail.deeper[:MAX_LISTED]]
        rows += _more(len(each.trail.deeper))
    # A heading is no cell: it would widen its column for all.
    cells = iter(wording.table(row for row in rows if row[0]))
    for row in rows:
        yield f"  {next(cells)}" if row[0] else f"  {row[1]}"
    yield from _verdict(each)


def _level_rows(level: Level) -> list[tuple[str, str, str, str]]:
    rows = [("", wording.entries([level.entry]), "", "")]
    if level.rule and level.how:
        rows.append(("  ->", level.rule.path, level.rule.place, level.how.value))
    else:
        rows.append(("", "  -> no rule takes this" if level.passed else "  -> there are no rules below", "", ""))
    rows += [("    ", each.rule.path, each.rule.place, each.why.text) for each in level.passed[:MAX_LISTED]]
    return rows + _more(len(level.passed))


def _more(number: int) -> list[tuple[str, str, str, str]]:
    return [("", f"      and {number - MAX_LISTED:,} more", "", "")] if number > MAX_LISTED else []


def _verdict(each: Explanation) -> Iterator[str]:
    rule, match = each.trail.rule, each.match
    if rule is None:
        entry = wording.entries([each.trail.levels[-1].entry])
        left = f", and {wording.count(each.trail.left, 'further entry', 'further entries')}" if each.trail.left else ""
        yield f"no rule    nothing takes {entry}{left}: these requests are not limited"
        elsewhere = [passed.rule for level in each.trail.levels for passed in level.passed if passed.leads_on]
        for other in elsewhere[:MAX_LISTED]:
            yield f"note       {other.path} ({other.place}) leads on, but no step is taken back"
        return
    name = f", named {wording.plain(rule.name)}" if rule.name else ""
    yield f"rule       {rule.path} ({rule.place}){name}"
    for replacer in each.replaced_by:
        yield f"replaced   by {replacer.path} ({replacer.place}) of the same request, whose `replaces` names it"
    if rule.limit is None:
        yield f"limit      none: {'unlimited' if rule.unlimited else 'these requests pass uncounted'}"
    else:
        yield f"limit      {wording.limit(rule.limit)}{', not counted' if each.replaced_by else ''}"
    if match.key:
        yield f"bucket     {match.key}"
    if rule.shadow_mode:
        yield "flag       shadow_mode: counts, and denies nothing"
    elif rule.quota_mode:
        yield "flag       quota_mode: denies when all quotas of the request are over"


def _to_json(each: Explanation) -> dict[str, Any]:
    rule = each.trail.rule
    return {
        "entries": [list(entry) for entry in each.entries],
        "levels": [_level_to_json(level) for level in each.trail.levels],
        "deeper": [_rule_to_json(deeper) for deeper in each.trail.deeper[:MAX_LISTED]],
        "deeper_in_all": len(each.trail.deeper),
        "rule": _rule_to_json(rule) if rule else None,
        "replaced_by": [_rule_to_json(replacer) for replacer in each.replaced_by],
        "limit": wording.limit(rule.limit) if rule and rule.limit else None,
        "unlimited": bool(rule and rule.unlimited),
        "bucket": each.match.key or None,
        "shadow_mode": bool(rule and rule.shadow_mode),
        "quota_mode": bool(rule and rule.quota_mode),
    }


def _level_to_json(level: Level) -> dict[str, Any]:
    return {
        "entry": list(level.entry),
        "rule": {**_rule_to_json(level.rule), "how": level.how.value} if level.rule and level.how else None,
        "passed": [
            {**_rule_to_json(each.rule), "why": each.why.text, "leads_on": each.leads_on}
            for each in level.passed[:MAX_LISTED]
        ],
        "passed_in_all": len(level.passed),
    }


def _rule_to_json(rule: Rule) -> dict[str, Any]:
    return {"path": rule.path, "source": rule.source, "line": rule.line}
