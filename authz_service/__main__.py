"""`python -m authz_service --config FILE`: wires the parts and serves until told to stop."""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import time
import uuid
from pathlib import Path

from prometheus_client import CollectorRegistry

from audit_log.sink import LineSink
from authz_service import settings as configuration
from authz_service.dlp.detectors import ALL
from authz_service.dlp.scan import Scanner
from authz_service.identity.authenticator import Authenticator
from authz_service.identity.jwks_http import KeyEndpoint
from authz_service.identity.key_source import KeyFile, KeySource
from authz_service.pipeline import Clock, Pipeline
from authz_service.policy.engine import Engine
from authz_service.policy.regopy_engine import RegopyEngine, load_engine
from authz_service.servicers.ext_authz import ExtAuthzServicer
from authz_service.settings import Issuer, Settings
from authz_service.telemetry import Metrics
from service_kit import lifetime, logs
from service_kit.faults import ConfigurationError, Fault
from service_kit.grpc_host import GrpcHost
from service_kit.health import Health
from service_kit.http_host import HttpHost
from service_kit.listening import ListenError
from service_kit.reload import Reloader

log = logging.getLogger("authz_service")


async def serve(settings: Settings) -> None:
    """Start every part in order, serve, and stop them in reverse."""
    stop = lifetime.stop_requested()
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    health = Health(["keys", "policy"])
    audit = LineSink(sys.stdout)
    metrics.audit_waiting.set_function(lambda: audit.waiting)

    def use(engine: Engine) -> None:
        pipeline.use(engine)
        metrics.policy_loaded(engine.revision)
        health.note("policy_revision", engine.revision)
        health.note("policy_reload", "ok")
        log.info("policy in use", extra={"fields": {"revision": engine.revision}})

    def refused(error: ConfigurationError) -> None:
        metrics.policy_refused()
        health.note("policy_reload", f"refused: {error.faults[0]}")

    async def load() -> RegopyEngine:
        return await load_engine(settings.policy.paths, settings.policy.decision)

    # Watches from before the first load, so that no change in between is missed.
    reloader = Reloader("policy", settings.policy.paths, load, use, refused)
    authenticator = Authenticator(
        [(issuer, _key_source(issuer)) for issuer in settings.issuers],
        monotonic=time.monotonic,
        refreshed=metrics.keys_refreshed,
    )
    faults = [Fault(issuer.source, issuer.line, text) for issuer, text in await authenticator.load()]
    try:
        engine = await load()
    except ConfigurationError as error:
        raise ConfigurationError([*faults, *error.faults]) from error
    if faults:
        raise ConfigurationError(faults)

    pipeline = Pipeline(
        authenticator=authenticator,
        anonymous=settings.anonymous,
        scanner=Scanner(ALL),
        engine=engine,
        audit=audit,
        metrics=metrics,
        clock=Clock(time.time, time.perf_counter),
        new_id=lambda: str(uuid.uuid4()),
    )
    grpc_host = GrpcHost(
        settings.listen.grpc,
        [ExtAuthzServicer(pipeline).service()],
        health,
        tls=settings.listen.tls,
    )
    http_host = HttpHost(settings.listen.http, health, registry)

    use(engine)
    health.set("keys", None)
    health.set("policy", None)
    try:
        http = await http_host.start()
        grpc = await grpc_host.start()
        log.info("serving", extra={"fields": {"grpc": grpc, "http": http}})
        await lifetime.until(
            stop, reloader.run(), authenticator.keep_fresh(lambda problem: health.set("keys", problem))
        )
    finally:
        await grpc_host.stop()
        await http_host.stop()
        await asyncio.to_thread(audit.close)
        log.info("stopped")


def _key_source(issuer: Issuer) -> KeySource:
    if issuer.jwks_file is not None:
        return KeyFile(issuer.jwks_file)
    return KeyEndpoint(issuer.jwks_uri or "")


def main() -> int:
    """Read the arguments and the configuration; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m authz_service",
        description="Envoy's external authorization: who is calling, what the request carries, whether it may go on.",
        epilog="Audit events go to standard output, logs to standard error, both as JSON lines.",
    )
    parser.add_argument("--config", type=Path, required=True, metavar="FILE", help="the configuration (YAML)")
    parser.add_argument("--log-level", choices=logs.LEVELS, default="info", help="default: info")
    arguments = parser.parse_args()
    logs.set_up("authz_service", arguments.log_level)
    try:
        asyncio.run(serve(configuration.load(arguments.config)))
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 1
    except ListenError as error:
        print(f"{arguments.config}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
