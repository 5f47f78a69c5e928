"""The parts that say who is calling, on sources of keys in memory, and the clock that they read."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from authz_service.identity import parts
from authz_service.identity.key_source import KeySource
from authz_service.identity.parts import Heard, IdentityParts, Sources
from authz_service.identity.replay import MemoryReplayStore
from authz_service.identity.token_verifier import Introspector, Known
from authz_service.settings.identity import IdentitySettings, Issuer


@dataclass
class Told:
    """Seconds that move only where a test moves them, and what was told."""

    monotonic: float = 1000.0
    refreshed: list[tuple[str, str]] = field(default_factory=list)
    looked_up: list[Known] = field(default_factory=list)


def parts_of(
    *issuers: tuple[Issuer, KeySource],
    told: Told,
    opaque: tuple[Issuer, Introspector] | None = None,
    resource_metadata: str | None = None,
    **settings: Any,
) -> IdentityParts:
    """Put them together; `settings` are more of `IdentitySettings`."""
    every = tuple(issuer for issuer, _ in issuers) + ((opaque[0],) if opaque else ())
    return parts.build(
        IdentitySettings(**{"anonymous": "deny", "issuers": every, **settings}),
        Sources(
            {issuer.issuer: source for issuer, source in issuers},
            {opaque[0].issuer: opaque[1]} if opaque else {},
            MemoryReplayStore(lambda: told.monotonic) if settings.get("dpop") else None,
        ),
        Heard(lambda *fetch: told.refreshed.append(fetch), told.looked_up.append),
        monotonic=lambda: told.monotonic,
        resource_metadata=resource_metadata,
    )


async def load(found: IdentityParts) -> list[tuple[str, str]]:
    """Fetch every issuer's keys; return those that failed, and why."""
    problems = await asyncio.gather(*(ring.load() for ring in found.rings.values()))
    return [(name, problem) for name, problem in zip(found.rings, problems, strict=True) if problem is not None]
