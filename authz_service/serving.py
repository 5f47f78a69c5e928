"""Wires the parts of the service, and serves until told to stop."""

from __future__ import annotations

import asyncio
import logging
import os
import random
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from audit_log.sink import AuditSink, LineSink
from authz_service import settings as configuration
from authz_service.dlp.detectors import ALL
from authz_service.dlp.scan import Scanner
from authz_service.identity import key_rings, parts
from authz_service.identity.jwks_http import KeyEndpoint
from authz_service.identity.key_rings import KeyRing
from authz_service.identity.key_source import KeyFile, KeySource
from authz_service.identity.parts import Heard, Sources
from authz_service.identity.replay import MemoryReplayStore, ReplayStore
from authz_service.kill_switch import PART, KillSwitch
from authz_service.pipeline import Clock, Pipeline
from authz_service.policy.bundles.endpoint import BundleEndpoint
from authz_service.policy.compiled_engine import Terms, load_engine
from authz_service.policy.compiling import Job
from authz_service.policy.engine import Engine
from authz_service.policy.watching import PolicySource, PolledPolicy, WatchedPolicy
from authz_service.rego_engine.http_client import Hosts, HttpClient
from authz_service.routing import Routes
from authz_service.servicers.ext_authz import ExtAuthzServicer
from authz_service.settings import Settings
from authz_service.settings.identity import Issuer
from authz_service.settings.policy import Bundle, Policy
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
    health = Health(["keys", "policy", *([PART] if settings.revocation else [])])
    audit = LineSink(sys.stdout)
    switch = _kill_switch(settings, audit, metrics, health)

    def use(engine: Engine) -> None:
        pipeline.use(engine)
        metrics.policy_loaded(engine.revision, engine.loaded)
        loaded = datetime.fromtimestamp(engine.loaded, UTC).isoformat(timespec="seconds")
        health.note("policy_revision", engine.revision)
        health.note("policy_loaded", loaded)
        health.note("policy_reload", "ok")
        log.info("policy in use", extra={"fields": {"revision": engine.revision, "loaded": loaded}})

    def refused(error: ConfigurationError) -> None:
        metrics.policy_refused()
        health.note("policy_reload", f"refused: {error.faults[0]}")

    def keys_looked_after(problem: str | None, last_fetches: str) -> None:
        health.set("keys", problem)
        health.note("keys_refresh", last_fetches)

    policies = _policy_source(settings.policy)
    identity = parts.build(
        settings.identity,
        Sources({issuer.issuer: _key_source(issuer) for issuer in settings.identity.issuers}, {}, _replays(settings)),
        Heard(metrics.keys_refreshed, metrics.token_looked_up),
        monotonic=time.monotonic,
        resource_metadata=settings.denials.resource_metadata,
    )
    rings = list(identity.rings.values())
    faults = await _load_keys(settings.identity.issuers, identity.rings)
    try:
        engine = await policies.load()
    except ConfigurationError as error:
        raise ConfigurationError([*faults, *error.faults]) from error
    if faults:
        raise ConfigurationError(faults)

    pipeline = Pipeline(
        routes=Routes(settings.routes),
        authenticator=identity.authenticator,
        challenges=identity.challenges,
        denials=settings.denials.denials,
        scanner=Scanner(ALL),
        engine=engine,
        audit=audit,
        metrics=metrics,
        clock=Clock(time.time, time.perf_counter),
        new_id=new_decision_id,
        revocations=switch.guard if switch else None,
    )
    grpc_host = process.host([ExtAuthzServicer(pipeline).service()], health, ())
    http_host = HttpHost(process.http, health, exposed(registry, shared=process.shared), shared=process.shared)

    use(engine)
    keys_looked_after(None, "ok")
    health.set("policy", None)
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
            policies.watch(use, refused),
            key_rings.keep_fresh(rings, keys_looked_after),
            _report(audit, metrics),
            *([switch.run()] if switch else []),
        )
    finally:
        await grpc_host.stop()
        await http_host.stop()
        await asyncio.to_thread(audit.close)
        log.info("stopped")


def new_decision_id() -> str:
    """Return a random UUID (RFC 9562, version 4). `uuid.uuid4` takes three times as long."""
    text = os.urandom(16).hex()
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-{'89ab'[int(text[16], 16) & 3]}{text[17:20]}-{text[20:]}"


def _kill_switch(settings: Settings, audit: AuditSink, metrics: Metrics, health: Health) -> KillSwitch | None:
    if settings.valkey is None or settings.revocation is None:
        return None
    return KillSwitch(settings.valkey, settings.revocation, audit=audit, metrics=metrics, health=health)


async def _report(audit: LineSink, metrics: Metrics) -> None:
    """Tell the metrics now and then what no call tells them."""
    while True:
        metrics.audit_waits(audit.waiting)
        await asyncio.sleep(REPORT_SECONDS)


def _policy_source(policy: Policy) -> PolicySource:
    sender = HttpClient(Hosts(policy.http_send_hosts)) if policy.http_send_hosts else None
    terms = Terms(policy.deadline_ms / 1000, policy.strict, sender)

    async def build(job: Job) -> Engine:
        return await load_engine(job, terms, time.time_ns)

    bundle = policy.bundle
    if bundle is None:
        paths = tuple(map(str, policy.paths))
        return WatchedPolicy(policy.paths, Job(paths, rules=(policy.decision,), run_tests=policy.run_tests), build)
    job = Job(bundle=str(bundle.file or ""), rules=(policy.decision,), verification=_verification(bundle))
    if bundle.file is not None:
        return WatchedPolicy([bundle.file], job, build)
    url = bundle.url or ""
    endpoint = BundleEndpoint(url, token_file=bundle.token_file)
    return PolledPolicy(endpoint, job, build, url=url, seconds=bundle.poll_seconds, jitter=random.random)


def _verification(bundle: Bundle) -> dict[str, Any]:
    """Return the terms of a signature as `bundles.keys.read_terms` reads them; empty where none is asked for."""
    found = bundle.verification
    if found is None:
        return {}
    key = {"key": found.key_file.read_text("utf-8", "replace"), "algorithm": found.algorithm}
    key_id = found.key_id or "default"
    return {"keys": {key_id: key}, "key_id": key_id, "scope": found.scope}


async def _load_keys(issuers: Sequence[Issuer], rings: Mapping[str, KeyRing]) -> list[Fault]:
    """Fetch every issuer's keys once, together; return those that failed, and why, where the file names them."""
    ringed = [issuer for issuer in issuers if issuer.issuer in rings]
    problems = await asyncio.gather(*(rings[issuer.issuer].load() for issuer in ringed))
    return [
        Fault(issuer.source, issuer.line, problem)
        for issuer, problem in zip(ringed, problems, strict=True)
        if problem is not None
    ]


def _replays(settings: Settings) -> ReplayStore | None:
    """Return where used DPoP proofs are remembered; None where none are accepted."""
    return MemoryReplayStore(time.monotonic) if settings.identity.dpop else None


def _key_source(issuer: Issuer) -> KeySource:
    if issuer.jwks_file is not None:
        return KeyFile(issuer.jwks_file)
    return KeyEndpoint(issuer.jwks_uri or "")
