"""The configuration as it was written, whoever wrote it: files (`config`) or a management server (`xds`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ratelimit_service.limits import Limit


@dataclass(frozen=True, slots=True)
class RawDescriptor:
    """A descriptor as it stands; `value` is empty where it asks for none."""

    source: str
    line: int  # 0 where the source has no lines
    key: str
    value: str = ""
    limit: Limit | None = None
    unlimited: bool = False
    name: str = ""
    replaces: tuple[str, ...] = ()
    shadow_mode: bool = False
    quota_mode: bool = False
    detailed_metric: bool = False
    value_to_metric: bool = False
    share_threshold: bool = False
    metadata: Mapping[str, Any] | None = None
    children: tuple[RawDescriptor, ...] = ()


@dataclass(frozen=True, slots=True)
class RawDomain:
    """A file, or a resource of a management server, as it stands."""

    source: str
    line: int
    domain: str
    descriptors: tuple[RawDescriptor, ...]
