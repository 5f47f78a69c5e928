"""A request with what the limits say of it: the part of a decision that is the same each time. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ratelimit_service import keys, matching
from ratelimit_service.limits import Limit
from ratelimit_service.model import Charge, Charges, Descriptor, Role
from ratelimit_service.rules import Limits, Rule

OVERRIDE = Rule("(override)", (), "", 0)  # what a limit that the request brings along is reported under


class Match(NamedTuple):
    """What applies to a descriptor. Nothing is counted where `limit` is None; no rule applies where `rule` is."""

    descriptor: Descriptor
    rule: Rule | None
    limit: Limit | None
    key: str  # of the bucket; empty where nothing is counted
    role: Role


class Prepared(NamedTuple):
    """A request, ready to be counted: what applies to each of its descriptors, and what that charges.

    `known_domain`: limits are configured for its domain. `tells`: some rule has metadata for the answer.
    """

    domain: str
    descriptors: tuple[Descriptor, ...]
    matches: Sequence[Match]
    charges: Charges
    known_domain: bool
    tells: bool


def prepare(
    limits: Limits, domain: str, descriptors: Sequence[Descriptor], *, quota: bool = False, shadow: bool = False
) -> Prepared:
    """Prepare a request. `quota` makes each rule a quota; with `shadow` no charge denies anything."""
    matches = match_all(limits, domain, descriptors, quota=quota)
    charges = [
        Charge(
            match.key,
            -match.descriptor.hits if match.descriptor.refund else match.descriptor.hits,
            match.limit,
            Role.SHADOW if shadow else match.role,
        )
        for match in matches
        if match.limit is not None
    ]
    return Prepared(
        domain,
        tuple(descriptors),
        tuple(matches),
        Charges(charges),
        known_domain=domain in limits.domains,
        tells=any(match.rule is not None and bool(match.rule.metadata) for match in matches),
    )


def match_all(limits: Limits, domain: str, descriptors: Sequence[Descriptor], *, quota: bool = False) -> list[Match]:
    """Find what applies to each descriptor of a request; a rule that another of its rules replaces does not."""
    root = limits.domains.get(domain)
    if root is None:
        return [Match(descriptor, None, None, "", Role.BINDING) for descriptor in descriptors]
    matches = []
    replaced: set[str] = set()
    for descriptor in descriptors:
        override = descriptor.override
        if override is not None:
            key = keys.bucket(domain, descriptor.entries, override)
            matches.append(Match(descriptor, OVERRIDE, override, key, Role.BINDING))
            continue
        node = matching.match(root, descriptor.entries)
        if node is None or node is root:
            matches.append(Match(descriptor, None, None, "", Role.BINDING))
            continue
        rule = node.rule
        role = Role.SHADOW if rule.shadow_mode else Role.QUOTA if rule.quota_mode or quota else Role.BINDING
        key = rule.bucket.key(descriptor.entries) if rule.bucket else ""
        matches.append(Match(descriptor, rule, rule.limit, key, role))
        if rule.replaces:
            replaced |= rule.replaces
    if not replaced:
        return matches
    return [
        Match(match.descriptor, None, None, "", Role.BINDING) if match.rule and match.rule.name in replaced else match
        for match in matches
    ]
