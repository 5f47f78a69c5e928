"""The pipeline of authz_service around one issuer's keys in memory, for what is measured without gRPC."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

from prometheus_client import CollectorRegistry

from audit_log.sink import AuditEvent
from authz_service.denials import Denials
from authz_service.dlp.terms import open_terms
from authz_service.identity import parts
from authz_service.identity.claims import ClaimNames
from authz_service.identity.key_source import KeySource
from authz_service.identity.parts import Heard, IdentityParts, Sources
from authz_service.identity.replay import MemoryReplayStore
from authz_service.pipeline import Clock, Pipeline
from authz_service.policy.engine import Engine
from authz_service.routing import RouteRule, Routes
from authz_service.serving import new_decision_id
from authz_service.settings.dlp import DlpSettings
from authz_service.settings.dpop import DpopSettings
from authz_service.settings.identity import IdentitySettings, Issuer
from authz_service.telemetry import Metrics

DECISION = "agent_gateway/decision"
AUDIENCE = "agent-gateway"
CACHED_TOKENS = 10_000
ORIGIN = "https://api.example"


class NoAudit:
    """Builds each event's line, which is what the path pays for, and drops it."""

    def record(self, event: AuditEvent) -> None:
        """Build the line."""
        event.to_json()


async def identity_of(
    name: str, algorithms: Sequence[str], keys: KeySource, *, cached: int = CACHED_TOKENS
) -> IdentityParts:
    """Trust one issuer, its keys loaded; `cached` is how many verified tokens are kept."""
    issuer = Issuer(
        name, (AUDIENCE,), tuple(algorithms), ClaimNames("sub", "agent_id", "roles"), None, None, "bench", 0
    )
    dpop = DpopSettings({"api.example": ORIGIN}, ("ES256",), 60, 5, None, "memory")
    found = parts.build(
        IdentitySettings("deny", (issuer,), dpop, cached_tokens=cached),
        Sources({name: keys}, {}, MemoryReplayStore(time.monotonic, 10_000_000)),
        Heard(lambda *_: None, lambda _: None),
        monotonic=time.monotonic,
    )
    await asyncio.gather(*(ring.load() for ring in found.rings.values()))
    return found


def pipeline_of(identity: IdentityParts, engine: Engine) -> Pipeline:
    """Judge by one policy."""
    return Pipeline(
        routes=Routes([RouteRule(DECISION, anonymous=False)]),
        authenticator=identity.authenticator,
        challenges=identity.challenges,
        denials=Denials(),
        dlp=open_terms(DlpSettings()),
        engine=engine,
        audit=NoAudit(),
        metrics=Metrics(CollectorRegistry()),
        clock=Clock(time.time, time.perf_counter),
        new_id=new_decision_id,
    )
