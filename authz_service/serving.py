"""Wires the parts of the service, and serves until told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry

from audit_log.sink import LineSink
from authz_service import settings as configuration
from authz_service import sources
from authz_service.decision_log.opening import DecisionLog
from authz_service.dlp.terms import open_terms
from authz_service.exchange.bodies import ScannedBodies
from authz_service.exchange.body import Over
from authz_service.exchange.body import Terms as BodyTerms
from authz_service.identity import key_rings, parts
from authz_service.identity.parts import Heard
from authz_service.kill_switch import PART, KillSwitch
from authz_service.pipeline import Clock, Pipeline
from authz_service.policy.decision_cache import DecisionCache
from authz_service.policy.engine import Engine
from authz_service.policy.watching import PolicySource
from authz_service.reporting import KEYS, POLICY, Reporting
from authz_service.routing import Routes
from authz_service.servicers.ext_authz import ExtAuthzServicer
from authz_service.servicers.ext_proc import ExtProcServicer, Pace
from authz_service.settings import Settings
from authz_service.telemetry import Metrics
from service_kit import lifetime, logs
from service_kit.exposition import exposed
from service_kit.faults import ConfigurationError, Fault
from service_kit.health import Health
from service_kit.hosts.process import Process
from service_kit.http_host import HttpHost

SERVICE = "authz_service"
REPORT_SECONDS = 1.0  # how often the metrics learn how many audit events wait

log = logging.getLogger(SERVICE)


async def serve(arguments: Sequence[str], process: Process) -> None:
    """Start every part in order, serve, and stop them in reverse. `arguments`: the configuration file, the log level.

    Raises `ConfigurationError` or `ListenError` if it cannot begin to.
    """
    file, level = arguments
    logs.set_up(SERVICE, level)
    settings = configuration.load(Path(file))
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    health = Health([KEYS, POLICY, *([PART] if settings.revocation else [])])
    audit = LineSink(sys.stdout)
    switch = _kill_switch(settings, audit, metrics, health)

    reporting = Reporting(metrics, health)

    def use(engine: Engine) -> None:
        pipeline.use(engine)
        reporting.policy_in_use(engine)

    dlp = open_terms(settings.dlp)
    decision_log = DecisionLog(
        settings.decision_log, dlp.hidden, sys.stderr, metrics.decisions_logged, new_decision_id()
    )
    policies = sources.policy_source(settings, reporting.policy_away)
    replays = sources.replay_client(settings)
    introspectors = sources.introspectors(settings.identity.issuers, metrics.introspected)
    identity = parts.build(
        settings.identity,
        sources.identity_sources(settings, replays, introspectors),
        Heard(metrics.keys_refreshed, metrics.token_looked_up),
        monotonic=time.monotonic,
        resource_metadata=settings.denials.resource_metadata,
    )
    faults = await sources.load_keys(settings.identity.issuers, identity.rings)
    engine = await _first_engine(policies, faults)

    pipeline = Pipeline(
        routes=Routes(settings.routes),
        authenticator=identity.authenticator,
        challenges=identity.challenges,
        denials=settings.denials.denials,
        dlp=dlp,
        engine=engine,
        audit=audit,
        metrics=metrics,
        clock=Clock(time.time, time.perf_counter),
        new_id=new_decision_id,
        revocations=switch.guard if switch else None,
        bodies=sources.body_terms(settings),
        dry_run=settings.policy.dry_run,
        decision_log=decision_log.queue,
        cache=DecisionCache(settings.policy.cache_entries),
    )
    deep_scan = sources.deep_scan_queue(settings, metrics.deep_scanned)
    body = settings.dlp.body
    bodies = ExtProcServicer(
        ScannedBodies(dlp, body.numbers, sources.sampling(settings, deep_scan), joined=body.joined_deltas),
        audit=audit,
        clock=Clock(time.time, time.perf_counter),
        new_id=new_decision_id,
        terms=BodyTerms(
            limit_bytes=body.limit_bytes,
            stream_limit_bytes=body.stream_limit_bytes,
            over_limit=Over(body.over_limit),
            max_ratio=body.max_ratio,
            clock=time.thread_time,
        ),
        denials=settings.denials.denials,
        pace=Pace(exchanges=body.exchanges, idle_seconds=body.idle_seconds, window_bytes=body.window_bytes),
        told=metrics.body_told,
        ended=metrics.exchange_ended,
    )
    grpc_host = process.host([ExtAuthzServicer(pipeline).service(), bodies.service()], health, ())
    http_host = HttpHost(process.http, health, exposed(registry, shared=process.shared), shared=process.shared)

    use(engine)
    reporting.keys_looked_after(None, "ok")
    if switch:
        await switch.begin()
    try:
        http = await http_host.start()
        grpc = await grpc_host.start()
        lifetime.settled()
        log.info(
            "serving",
            extra={"fields": {"grpc": grpc, "http": http, "server": process.server, "worker": process.number}},
        )
        await lifetime.until(
            process.stop,
            policies.watch(use, reporting.policy_refused),
            key_rings.keep_fresh(list(identity.rings.values()), reporting.keys_looked_after),
            _report(audit, decision_log, bodies, metrics),
            *([switch.run()] if switch else []),
            decision_log.run(),
            *([deep_scan.run()] if deep_scan else []),
        )
    finally:
        await grpc_host.stop()
        await http_host.stop()
        if replays:
            await replays.close()
        if deep_scan:
            await deep_scan.close()
        closing = [policies.close(), decision_log.close(), *(each.close() for each in introspectors.values())]
        closing += [ring.close() for ring in identity.rings.values()]
        await asyncio.gather(asyncio.to_thread(audit.close), *closing)
        log.info("stopped")


def new_decision_id() -> str:
    """Return a random UUID (RFC 9562, version 4). `uuid.uuid4` takes three times as long."""
    text = os.urandom(16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"


def _kill_switch(settings: Settings, audit: LineSink, metrics: Metrics, health: Health) -> KillSwitch | None:
    if settings.valkey is None or settings.revocation is None:
        return None
    return KillSwitch(settings.valkey, settings.revocation, record=audit.record, metrics=metrics, health=health)


async def _first_engine(policies: PolicySource, faults: Sequence[Fault]) -> Engine:
    """Load the policies; raise `ConfigurationError` with their faults and those that were found before."""
    try:
        engine = await policies.load()
    except ConfigurationError as error:
        raise ConfigurationError([*faults, *error.faults]) from error
    if faults:
        raise ConfigurationError(faults)
    return engine


async def _report(audit: LineSink, decision_log: DecisionLog, bodies: ExtProcServicer, metrics: Metrics) -> None:
    """Tell the metrics now and then what no call tells them."""
    while True:
        metrics.audit_waits(audit.waiting)
        metrics.decision_log_waits(decision_log.waiting)
        metrics.exchanges_open(bodies.open)
        await asyncio.sleep(REPORT_SECONDS)
