"""Limits from YAML files in envoyproxy/ratelimit's format: every key of it, read into raw values.

    domain: agent_gateway
    descriptors:
      - key: user                 # without a value: each value is counted apart
        rate_limit: {unit: minute, requests_per_unit: 100, algorithm: token_bucket, burst: 20}
        descriptors:
          - key: endpoint
            value: /reports
            rate_limit: {unit: hour, requests_per_unit: 5}

`algorithm`, `burst` and `unit_multiplier` are additions to that format. What it takes is taken here; what it refuses is
a fault, and one fault refuses the configuration as a whole. What it takes but does not heed is a warning. `compiling`
makes a tree of it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ratelimit_service import compiling
from ratelimit_service.limits import MAX_SECONDS, MAX_UINT32, FixedWindow, Limit, SlidingWindow, TokenBucket, Unit
from ratelimit_service.raw import RawDescriptor, RawDomain
from ratelimit_service.rules import Limits
from service_kit import strict_yaml
from service_kit.faults import Faults
from service_kit.strict_yaml import Section

MAX_FILES = 1_000
ALGORITHMS = ("fixed_window", "sliding_window", "token_bucket")
FLAGS = ("shadow_mode", "quota_mode", "detailed_metric", "value_to_metric", "share_threshold")
# Known anywhere in a file, as envoyproxy/ratelimit has it; where one means nothing it is passed over with a warning.
KEYS = frozenset(
    {
        "domain",
        "key",
        "value",
        "descriptors",
        "rate_limit",
        "unit",
        "requests_per_unit",
        "unlimited",
        "name",
        "replaces",
    }
    | {"metadata", *FLAGS}
)

_UNITS = {unit.name.lower(): unit for unit in Unit}


@dataclass(frozen=True, slots=True)
class Source:
    """Where the limits are, and how they are taken. `dot_files` names that begin with one dot are read too."""

    directory: Path
    merge_domains: bool = False
    dot_files: bool = False


def load(source: Source) -> Limits:
    """Read and compile every file below the directory; raises `ConfigurationError` with all that is wrong."""
    faults = Faults()
    paths = files(source)
    if not paths:
        faults.add(str(source.directory), 0, "holds no file with limits")
    if len(paths) > MAX_FILES:
        faults.add(str(source.directory), 0, f"holds more than {MAX_FILES} files with limits")
    raw = [read(path, faults) for path in paths[:MAX_FILES]]
    return compiling.compile_limits(raw, faults, merge_domains=source.merge_domains)


def files(source: Source) -> list[Path]:
    """The files below the directory, in order of name; links to folders are followed, once each.

    What begins with a dot is passed over, and with two dots always: so a mounted Kubernetes ConfigMap reads once,
    through its links, and not again through the `..data` that they lead to.
    """
    hidden = ".." if source.dot_files else "."
    found: list[Path] = []
    seen: set[str] = set()
    for folder, folders, names in os.walk(source.directory, followlinks=True):
        real = os.path.realpath(folder)
        if real in seen:
            folders[:] = []
            continue
        seen.add(real)
        folders[:] = sorted(name for name in folders if not name.startswith(hidden))
        found += [Path(folder, name) for name in names if not name.startswith(hidden)]
        if len(found) > MAX_FILES:
            break
    return sorted(found)


def read(path: Path, faults: Faults) -> RawDomain:
    """Read one file."""
    return _domain(strict_yaml.read(path, faults, lenient=True))


def parse(text: bytes, source: str, faults: Faults) -> RawDomain:
    """Read the text of a file."""
    return _domain(strict_yaml.parse(text, source, faults, lenient=True))


def _domain(root: Section) -> RawDomain:
    with root:
        domain = root.raw_text("domain")
        if root.has("domain") and not domain:
            root.fault("domain", "must not be empty")
        descriptors = tuple(_descriptor(section) for section in root.sections("descriptors"))
        _pass_over(root)
        return RawDomain(root.source, root.line_of("domain"), domain, descriptors)


def _descriptor(section: Section) -> RawDescriptor:
    with section:
        key, value = section.raw_text("key"), section.raw_text("value", "")
        if section.has("key") and not key:
            section.fault("key", "must not be empty")
        flags: dict[str, Any] = {name: section.flag(name) for name in FLAGS}
        if flags["share_threshold"] and "*" not in value:
            section.fault("share_threshold", f"is only for a value with a '*', which that of key {key!r} has not")
        if section.has("rate_limit"):
            limit = _rate_limit(section.section("rate_limit"))
        else:
            limit = {}
            if "rate_limit" in section.entries:
                _warn(section, "rate_limit", "is empty, so these descriptors are not limited at all")
        raw = RawDescriptor(
            source=section.source,
            line=section.line,
            key=key,
            value=value,
            children=tuple(_descriptor(child) for child in section.sections("descriptors")),
            metadata=_metadata(section),
            **flags,
            **limit,
        )
        _pass_over(section)
        return raw


def _metadata(section: Section) -> Mapping[str, Any] | None:
    return section.section("metadata").plain() if section.has("metadata") else None


def _rate_limit(section: Section) -> dict[str, Any]:
    """The fields of a `RawDescriptor` that stand under rate_limit."""
    with section:
        name = section.raw_text("name", "")
        replaces = []
        for replaced in section.sections("replaces"):
            with replaced:
                other = replaced.raw_text("name", "")
                if not other:
                    replaced.fault("name", "must not be empty")
                elif other == name:
                    replaced.fault("name", f"must not be the descriptor's own, {name!r}")
                replaces.append(other)
                _pass_over(replaced)
        unlimited = section.flag("unlimited")
        if unlimited:
            word = section.raw_text("unit", "")
            if word.lower() in _UNITS:
                section.fault("unit", "must not be there where unlimited is true")
            section.pass_over({"unit", "requests_per_unit", "unit_multiplier", "algorithm", "burst"})
        limit = None if unlimited else _limit(section, name)
        _pass_over(section)
        return {"name": name, "replaces": tuple(replaces), "unlimited": unlimited, "limit": limit}


def _limit(section: Section, name: str) -> Limit | None:
    word = section.raw_text("unit")
    unit = _UNITS.get(word.lower())
    if section.has("unit") and unit is None:
        section.fault("unit", f"must be one of {', '.join(_UNITS)}, but is {word!r}")
    requests = section.integer("requests_per_unit", minimum=0, maximum=MAX_UINT32, default=0)
    algorithm = section.choice("algorithm", ALGORITHMS, "fixed_window")
    burst = section.integer("burst", minimum=1, maximum=MAX_UINT32, default=max(requests, 1))
    multiplier = section.integer("unit_multiplier", minimum=1, maximum=MAX_SECONDS, default=1)
    if not section.has("requests_per_unit"):
        _warn(section, "requests_per_unit", "is missing and counts as 0: nothing is let through")
    if algorithm != "token_bucket" and section.has("burst"):
        section.fault("burst", "is only for algorithm: token_bucket")
    if algorithm == "token_bucket" and requests == 0:
        section.fault("requests_per_unit", "must be at least 1 for a token bucket; to deny all, use a fixed_window")
        return None
    if unit is None:
        return None
    if multiplier * unit.value > MAX_SECONDS:
        section.fault("unit_multiplier", f"makes more than 50 years of {multiplier} {word.lower()}s")
        return None
    if algorithm == "fixed_window":
        return FixedWindow(requests, unit, name, multiplier)
    if algorithm == "sliding_window":
        return SlidingWindow(requests, unit, name, multiplier)
    try:
        return TokenBucket(requests, unit, burst, name, multiplier)
    except ValueError as error:
        section.fault("burst", f"does not go with the rate: {error}")
        return None


def _pass_over(section: Section) -> None:
    for key in section.pass_over(KEYS):
        _warn(section, key, "means nothing here and is passed over")


def _warn(section: Section, key: str, text: str) -> None:
    path = f"{section.path}.{key}" if section.path else key
    section.faults.warn(section.source, section.line_of(key), f"{path} {text}")
