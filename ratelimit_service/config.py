"""Limits from YAML files in envoyproxy/ratelimit's format: read strictly into raw values, then compiled into a tree.

    domain: agent_gateway
    descriptors:
      - key: user                 # without a value: each value is counted apart
        rate_limit: {unit: minute, requests_per_unit: 100, algorithm: token_bucket, burst: 20}
        descriptors:
          - key: endpoint
            value: /reports
            rate_limit: {unit: hour, requests_per_unit: 5}

`algorithm` (fixed_window, which is the default, or token_bucket) and `burst` (default: requests_per_unit) are additions
to that format. Anything unknown is a fault, and one fault refuses the configuration as a whole.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

from ratelimit_service.model import MAX_UINT32, Entry, FixedWindow, Limit, Node, TokenBucket, Unit
from service_kit import strict_yaml
from service_kit.faults import Faults
from service_kit.strict_yaml import Section

SUFFIXES = (".yaml", ".yml")
MAX_FILES = 1_000
ALGORITHMS = ("fixed_window", "token_bucket")

_UNITS = {unit.name.lower(): unit for unit in Unit}


@dataclass(frozen=True, slots=True)
class Limits:
    """A compiled configuration: the tree of each domain."""

    domains: Mapping[str, Node]

    def rules(self) -> int:
        """How many rules there are in all domains."""
        return sum(map(_size, self.domains.values()))


@dataclass(frozen=True, slots=True)
class RawDescriptor:
    """A descriptor as a file has it; `value` is empty where it asks for none."""

    source: str
    line: int
    key: str
    value: str
    limit: Limit | None
    children: tuple[RawDescriptor, ...]


@dataclass(frozen=True, slots=True)
class RawDomain:
    """A file as it stands."""

    source: str
    line: int
    domain: str
    descriptors: tuple[RawDescriptor, ...]


def load(directory: Path) -> Limits:
    """Read and compile every limits file below `directory`; raises `ConfigurationError` with all that is wrong."""
    faults = Faults()
    paths = files(directory)
    if not paths:
        faults.add(str(directory), 0, "holds no *.yaml or *.yml file with limits")
    if len(paths) > MAX_FILES:
        faults.add(str(directory), 0, f"holds more than {MAX_FILES} files with limits")
    raw = [_domain(strict_yaml.read(path, faults)) for path in paths[:MAX_FILES]]
    limits = compile_limits(raw, faults)
    faults.raise_if_any()
    return limits


def files(directory: Path) -> list[Path]:
    """The limits files below `directory`, in order of name. What begins with a dot is passed over, folders too.

    So a mounted Kubernetes ConfigMap reads once, through its links, and not again through the `..data` they lead to.
    """
    found = []
    for folder, folders, names in os.walk(directory):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(folder, name) for name in names if name.endswith(SUFFIXES) and not name.startswith(".")]
    return sorted(found)


def _domain(root: Section) -> RawDomain:
    with root:
        domain = root.raw_text("domain")
        if root.has("domain") and not domain:
            root.fault("domain", "must not be empty")
        descriptors = tuple(_descriptor(section) for section in root.sections("descriptors"))
        return RawDomain(root.source, root.line_of("domain"), domain, descriptors)


def _descriptor(section: Section) -> RawDescriptor:
    with section:
        key = section.raw_text("key")
        if section.has("key") and not key:
            section.fault("key", "must not be empty")
        limit = None
        if section.has("rate_limit"):
            limit = _limit(section.section("rate_limit"))
        elif "rate_limit" in section.entries:
            # A limit whose lines were all commented out would otherwise lift the limit unnoticed.
            section.fault("rate_limit", "must be a mapping, but is nothing")
        return RawDescriptor(
            source=section.source,
            line=section.line,
            key=key,
            value=section.raw_text("value", ""),
            limit=limit,
            children=tuple(_descriptor(child) for child in section.sections("descriptors")),
        )


def _limit(section: Section) -> Limit | None:
    with section:
        word = section.raw_text("unit")
        unit = _UNITS.get(word.lower())
        if section.has("unit") and unit is None:
            section.fault("unit", f"must be one of {', '.join(_UNITS)}, but is {word!r}")
        requests = section.integer("requests_per_unit", minimum=0, maximum=MAX_UINT32)
        name = section.raw_text("name", "")
        algorithm = section.choice("algorithm", ALGORITHMS, "fixed_window")
        burst = section.integer("burst", minimum=1, maximum=MAX_UINT32, default=max(requests, 1))
        if algorithm == "fixed_window":
            if section.has("burst"):
                section.fault("burst", "is only for algorithm: token_bucket")
            return FixedWindow(requests, unit, name) if unit else None
        if section.has("requests_per_unit") and requests == 0:
            section.fault("requests_per_unit", "must be at least 1 for a token bucket; to deny all, use a fixed_window")
        if unit is None or requests == 0:
            return None
        try:
            return TokenBucket(requests, unit, burst, name)
        except ValueError as error:
            section.fault("burst", f"does not go with the rate: {error}")
            return None


def compile_limits(domains: Sequence[RawDomain], faults: Faults) -> Limits:
    """Build the trees; duplicates are noted in `faults`."""
    trees: dict[str, Node] = {}
    first: dict[str, RawDomain] = {}
    for raw in domains:
        tree = _node("", None, raw.descriptors, faults)
        if not raw.domain:
            continue  # Noted when it was read.
        if raw.domain in first:
            before = first[raw.domain]
            faults.add(raw.source, raw.line, f"duplicate domain {raw.domain!r}, first in {before.source}:{before.line}")
            continue
        first[raw.domain] = raw
        trees[raw.domain] = tree
    return Limits(MappingProxyType(trees))


def _node(rule: str, limit: Limit | None, children: Sequence[RawDescriptor], faults: Faults) -> Node:
    exact: dict[Entry, Node] = {}
    any_value: dict[str, Node] = {}
    lines: dict[Entry, int] = {}
    for raw in children:
        entry = (raw.key, raw.value)
        node = _node(_path(rule, raw), raw.limit, raw.children, faults)
        if not raw.key:
            continue  # Noted when it was read.
        if entry in lines:
            what = f"key {raw.key!r}" + (f" and value {raw.value!r}" if raw.value else " and no value")
            faults.add(raw.source, raw.line, f"duplicate descriptor with {what}, first on line {lines[entry]}")
            continue
        lines[entry] = raw.line
        if raw.value:
            exact[entry] = node
        else:
            any_value[raw.key] = node
    return Node(rule, limit, MappingProxyType(exact), MappingProxyType(any_value))


def _path(parent: str, raw: RawDescriptor) -> str:
    """Name a rule for people and metrics, such as `user,endpoint=/reports`; encoded, so that no two share a name."""
    step = quote(raw.key, safe="/") + (f"={quote(raw.value, safe='/')}" if raw.value else "")
    return f"{parent},{step}" if parent else step


def _size(node: Node) -> int:
    children = [*node.exact.values(), *node.any_value.values()]
    return len(children) + sum(map(_size, children))
