"""What is configured, compiled: rules in trees, one tree for each domain. Frozen, and valid once built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias
from urllib.parse import quote

from ratelimit_service.keys import BucketName, escape
from ratelimit_service.limits import Limit
from service_kit.faults import Fault

Entry: TypeAlias = tuple[str, str]
"""One (key, value) of a descriptor."""


@dataclass(frozen=True, slots=True)
class SeriesName:
    """The name of a rule's metrics where values of the request belong to it: for each entry its text, or None."""

    steps: tuple[str | None, ...]

    def of(self, entries: Sequence[Entry]) -> str:
        """The name for these entries; encoded, so that no two share one. Long texts are hashed, as in keys."""
        return ",".join(
            _name_of_entry(*entry) if step is None else step for entry, step in zip(entries, self.steps, strict=True)
        )


def _name_of_entry(key: str, value: str) -> str:
    return escape(key) + (f"={escape(value)}" if value else "")


def name_of_step(key: str, value: str) -> str:
    """Name one level of a rule, such as `endpoint=/reports`."""
    return quote(key, safe="/*") + (f"={quote(value, safe='/*')}" if value else "")


@dataclass(frozen=True, slots=True)
class Rule:
    """One descriptor of the configuration.

    `path` names it by keys and configured values only, so that there are as many names as there are rules. Without a
    `limit` it lets its descriptors pass uncounted. See docs/limits.md for what each flag means.
    """

    path: str
    steps: tuple[Entry, ...]  # the same by key and value; a value is empty where any is taken
    source: str  # the file
    line: int
    limit: Limit | None = None
    bucket: BucketName | None = None  # how the bucket of a descriptor is called; there where `limit` is
    series: SeriesName | None = None  # how it is called in metrics, where that takes a value of the request
    unlimited: bool = False
    name: str = ""
    replaces: frozenset[str] = frozenset()
    shadow_mode: bool = False
    quota_mode: bool = False
    metadata: Mapping[str, Any] | None = None

    @property
    def place(self) -> str:
        """Where it stands, as `file:line`; what comes from a server has no lines."""
        return f"{self.source}:{self.line}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Pattern:
    """Text with `*` in it, each standing for any characters or none. Linear in the text, whatever the pattern."""

    text: str
    parts: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.text.split("*")))

    def matches(self, text: str) -> bool:
        """Whether the whole of `text` fits."""
        first, *middle = self.parts
        if not middle:
            return text == first
        last = middle.pop()
        if len(text) < len(first) + len(last) or not (text.startswith(first) and text.endswith(last)):
            return False
        at, end = len(first), len(text) - len(last)
        for part in middle:
            at = text.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True


@dataclass(frozen=True, slots=True)
class Wildcard:
    """A child whose key or value holds a `*`. One without a value takes any."""

    key: Pattern
    value: Pattern
    node: Node

    def matches(self, entry: Entry) -> bool:
        """Whether it asks for this entry."""
        return self.key.matches(entry[0]) and self.value.matches(entry[1])


@dataclass(frozen=True, slots=True)
class Node:
    """A rule with those below it, or a domain's root, whose rule has no path."""

    rule: Rule
    exact: Mapping[Entry, Node]  # children that ask for one value, as it is written
    wildcards: tuple[Wildcard, ...]  # in the order of the configuration
    any_value: Mapping[str, Node]  # children without a value, by key

    def children(self) -> Iterator[Node]:
        """Each node below this one, once."""
        yield from {id(node): node for node in (*self.exact.values(), *self.any_value.values())}.values()


@dataclass(frozen=True, slots=True)
class Limits:
    """A compiled configuration: the tree of each domain. `warnings` are what works, but not as it may seem to."""

    domains: Mapping[str, Node]
    warnings: tuple[Fault, ...] = ()

    def rules_of(self, domain: str) -> Iterator[Rule]:
        """Every rule of a domain."""
        pending = list(self.domains[domain].children())
        while pending:
            node = pending.pop()
            yield node.rule
            pending.extend(node.children())

    def rules(self) -> Iterator[Rule]:
        """Every rule of every domain."""
        for domain in self.domains:
            yield from self.rules_of(domain)
