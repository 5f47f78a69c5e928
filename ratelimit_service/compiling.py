"""Raw configuration to trees of rules, with what is wrong between its parts: domains and descriptors given twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from ratelimit_service.keys import BucketName, Step
from ratelimit_service.raw import RawDescriptor, RawDomain
from ratelimit_service.rules import Entry, Limits, Node, Pattern, Rule, SeriesName, Wildcard, name_of_step
from service_kit.faults import Faults

MAX_METADATA_DEPTH = 16  # levels; Envoy reads a response of at most 100 levels, and each of these is up to three there

_ROOT = Rule("", (), "", 0)


def compile_limits(domains: Sequence[RawDomain], faults: Faults, *, merge_domains: bool = False) -> Limits:
    """Build the trees; raises `ConfigurationError` with the faults that were noted and those found here.

    With `merge_domains` the descriptors of all that name the same domain are one domain's.
    """
    descriptors: dict[str, list[RawDescriptor]] = {}
    first: dict[str, RawDomain] = {}
    for raw in domains:
        before = first.setdefault(raw.domain, raw)
        if before is not raw and raw.domain and not merge_domains:
            faults.add(raw.source, raw.line, f"duplicate domain {raw.domain!r}, first in {_place(before)}")
        descriptors.setdefault(raw.domain, []).extend(raw.descriptors)
    trees = {domain: _node(domain, (), _ROOT, found, faults) for domain, found in descriptors.items()}
    faults.raise_if_any()
    return Limits(MappingProxyType(trees), tuple(sorted(faults.warnings)))


def _node(
    domain: str, levels: tuple[RawDescriptor, ...], rule: Rule, children: Sequence[RawDescriptor], faults: Faults
) -> Node:
    """Build the node of a rule, which the descriptors `levels` lead to."""
    exact: dict[Entry, Node] = {}
    wildcards: list[Wildcard] = []
    any_value: dict[str, Node] = {}
    first: dict[Entry, RawDescriptor] = {}
    for raw in children:
        entry = (raw.key, raw.value)
        below = (*levels, raw)
        if _is_deeper(raw.metadata, MAX_METADATA_DEPTH):
            faults.add(raw.source, raw.line, f"metadata of {_what(raw)} has more than {MAX_METADATA_DEPTH} levels")
        node = _node(domain, below, _rule(domain, below), raw.children, faults)
        before = first.setdefault(entry, raw)
        if before is not raw:
            if raw.key:  # An empty one was noted when it was read.
                faults.add(raw.source, raw.line, f"duplicate descriptor with {_what(raw)}, first in {_place(before)}")
            continue
        if "*" in raw.key or "*" in raw.value:
            wildcards.append(Wildcard(Pattern(raw.key), Pattern(raw.value or "*"), node))
        if raw.value:
            exact[entry] = node
        else:
            any_value[raw.key] = node
    return Node(rule, MappingProxyType(exact), tuple(wildcards), MappingProxyType(any_value))


def _step(raw: RawDescriptor) -> Step:
    """What of an entry that takes this step goes into its bucket's key: what is configured, or what comes."""
    key = None if "*" in raw.key else raw.key
    if raw.share_threshold:
        return Step(key, raw.value, shared=True)
    return Step(key, None if "*" in raw.value or not raw.value else raw.value)


def _rule(domain: str, levels: Sequence[RawDescriptor]) -> Rule:
    raw = levels[-1]
    return Rule(
        path=",".join(name_of_step(level.key, level.value) for level in levels),
        steps=tuple((level.key, level.value) for level in levels),
        source=raw.source,
        line=raw.line,
        limit=raw.limit,
        bucket=BucketName.of(domain, [_step(level) for level in levels], raw.limit) if raw.limit else None,
        series=_series(levels),
        unlimited=raw.unlimited,
        name=raw.name,
        replaces=frozenset(raw.replaces),
        shadow_mode=raw.shadow_mode,
        quota_mode=raw.quota_mode,
        metadata=raw.metadata,
    )


def _series(levels: Sequence[RawDescriptor]) -> SeriesName | None:
    """With `detailed_metric` every value belongs to the name, with `value_to_metric` that of its level."""
    detailed = levels[-1].detailed_metric
    steps = [
        None
        if (detailed or level.value_to_metric) and not level.share_threshold and _step(level).value is None
        else name_of_step(level.key, level.value)
        for level in levels
    ]
    return SeriesName(tuple(steps)) if None in steps else None


def _is_deeper(value: Any, levels: int) -> bool:
    children = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else None
    return children is not None and (levels == 0 or any(_is_deeper(child, levels - 1) for child in children))


def _what(raw: RawDescriptor) -> str:
    return f"key {raw.key!r}" + (f" and value {raw.value!r}" if raw.value else " and no value")


def _place(raw: RawDomain | RawDescriptor) -> str:
    return f"{raw.source}:{raw.line}" if raw.line else raw.source
