"""The rate limit service as a process: `python -m ratelimit_service`. The only place that wires objects together."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import sys
import time

from prometheus_client import CollectorRegistry

from ratelimit_service import config, settings
from ratelimit_service.config import Limits
from ratelimit_service.errors import StoreUnavailableError
from ratelimit_service.limiter import Limiter
from ratelimit_service.servicers.rls import RateLimitServicer
from ratelimit_service.settings import Settings
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.stores.valkey import ValkeyStore
from ratelimit_service.telemetry import MeasuredStore, Metrics
from service_kit import lifetime, logs
from service_kit.faults import ConfigurationError
from service_kit.grpc_host import GrpcHost
from service_kit.health import Health
from service_kit.http_host import HttpHost, Reply
from service_kit.listening import ListenError
from service_kit.reload import Reloader

SERVICE = "ratelimit_service"
STORE_CHECK_SECONDS = 1.0  # how often /readyz learns whether the store answers

log = logging.getLogger(SERVICE)


def main() -> int:
    """Run until told to end; return the exit status."""
    parser = argparse.ArgumentParser(
        prog=f"python -m {SERVICE}",
        description="Envoy's rate limit service (RLS v3). Environment variables set it up:",
        epilog=settings.help_text(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.parse_args()
    try:
        chosen = settings.read(os.environ)
        logs.set_up(SERVICE, chosen.log_level)
        asyncio.run(serve(chosen))
    except (ConfigurationError, ListenError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


async def serve(chosen: Settings) -> None:
    """Serve until SIGTERM or SIGINT; raises `ConfigurationError` or `ListenError` if it cannot begin to."""
    stop = lifetime.stop_requested()
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    health = Health(["configuration"])
    store = ValkeyStore(chosen.store, deadline=chosen.store_deadline, pool_size=chosen.store_pool_size)
    local = MemoryStore(lambda: time.time_ns() // 1_000, chosen.local_max_buckets)
    limiter = Limiter(MeasuredStore(store, metrics), chosen.failure_mode, local)

    async def load() -> Limits:
        return await asyncio.to_thread(config.load, chosen.limits_directory)

    def use(limits: Limits) -> None:
        limiter.use(limits)
        metrics.limits_loaded()
        health.set("configuration", None)
        health.note("limits", f"{limits.rules()} rules in {len(limits.domains)} domains")
        health.note("limits_reload", "ok")

    def refused(error: ConfigurationError) -> None:
        metrics.limits_refused()
        health.note("limits_reload", f"refused: {error.faults[0]}")

    # Before the first load, so that no change between the two goes unseen.
    reloader = Reloader("limits", [chosen.limits_directory], load, use, refused)
    use(await load())

    async def healthcheck(body: bytes) -> Reply:
        del body
        return Reply(200, "OK") if health.ready else Reply(500, "not ready")

    http = HttpHost(chosen.http_address, health, registry, {"/healthcheck": healthcheck})
    grpc = GrpcHost(
        chosen.grpc_address,
        [RateLimitServicer(limiter, metrics).service()],
        health,
        tls=chosen.grpc_tls,
        health_aliases=("ratelimit",),
    )
    try:
        addresses = {"http": await http.start(), "grpc": await grpc.start()}
        log.info("serving", extra={"fields": addresses | {"store": str(chosen.store)}})
        await lifetime.until(stop, reloader.run(), watch(store, health))
    finally:
        await grpc.stop()
        await http.stop()
        await store.close()
        log.info("stopped")


async def watch(store: ValkeyStore, health: Health) -> None:
    """Tell in /readyz and in the log whether the store answers. It decides no readiness: the failure mode answers."""
    last = ""
    while True:
        try:
            await store.check()
            now = "answers"
        except StoreUnavailableError as error:
            now = f"away ({error})"
        if now != last:
            log.log(logging.INFO if now == "answers" else logging.WARNING, "store %s", now)
            health.note("store", now)
            last = now
        await asyncio.sleep(STORE_CHECK_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
