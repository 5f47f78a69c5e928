"""Wires the parts of the service, and serves until told to stop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from prometheus_client import CollectorRegistry

from ratelimit_service import config, pages, settings
from ratelimit_service.limiter import Limiter
from ratelimit_service.rules import Limits
from ratelimit_service.servicers.json_page import JsonPage
from ratelimit_service.servicers.rls import RateLimitServicer
from ratelimit_service.settings import Settings, XdsSettings
from ratelimit_service.stores import CounterStore
from ratelimit_service.stores.local_cache import BYTES_PER_ENTRY, LocalCache
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.stores.opening import open_servers
from ratelimit_service.stores.valkey import ValkeyStore
from ratelimit_service.telemetry import MeasuredStore, Metrics
from service_kit import lifetime, logs, reload
from service_kit.exposition import exposed
from service_kit.faults import ConfigurationError
from service_kit.health import Health
from service_kit.hosts.process import Process
from service_kit.http_host import HttpHost
from service_kit.reload import Reloader
from service_kit.valkey.errors import StoreUnavailableError

SERVICE = "ratelimit_service"
STORE_CHECK_SECONDS = 1.0  # how often /readyz learns whether the store answers

log = logging.getLogger(SERVICE)


async def serve(arguments: Sequence[str], process: Process) -> None:
    """Serve until told to end; raises `ConfigurationError` or `ListenError` if it cannot begin to.

    Takes no arguments: the environment says everything.
    """
    del arguments
    chosen = settings.read(process.environment)
    logs.set_up(SERVICE, chosen.log_level)
    registry = CollectorRegistry()
    metrics = Metrics(registry, chosen.near_limit_ratio)
    health = Health(["configuration"])
    for note in chosen.notes:
        log.warning("%s", note)
    store = ValkeyStore(
        open_servers(chosen.store.topology, chosen.store.deadline, metrics),
        deadline=chosen.store.deadline,
        prefix=chosen.store.key_prefix,
        sparing=chosen.store.sparing,
    )
    counters: CounterStore = MeasuredStore(store, metrics)
    if chosen.store.local_cache_bytes:
        entries = max(1, chosen.store.local_cache_bytes // BYTES_PER_ENTRY)
        counters = LocalCache(counters, lambda: time.monotonic_ns() // 1_000, entries)
    local = MemoryStore(lambda: time.time_ns() // 1_000, chosen.local_max_buckets, sparing=chosen.store.sparing)
    limiter = Limiter(counters, local, chosen.modes)
    servicer = RateLimitServicer(limiter, metrics, chosen.extras)

    def use(limits: Limits) -> None:
        limiter.use(limits)
        metrics.limits_loaded()
        health.set("configuration", None)
        health.note("limits", f"{sum(1 for _ in limits.rules())} rules in {len(limits.domains)} domains")
        health.note("limits_reload", "ok")
        for warning in limits.warnings:
            log.warning("%s", warning)

    def refused(error: ConfigurationError) -> None:
        metrics.limits_refused()
        health.note("limits_reload", f"refused: {error.faults[0]}")

    following = await follow(chosen, use, refused)
    told = exposed(registry, shared=process.shared)
    http = HttpHost(
        process.http,
        health,
        told,
        {"/healthcheck": pages.healthcheck(health), "/json": JsonPage(servicer).answer},
        shared=process.shared,
    )
    debug = None
    if chosen.debug_address:
        debug = HttpHost(
            chosen.debug_address,
            health,
            told,
            {"/rlconfig": pages.rlconfig(limiter), "/stats": pages.stats(told)},
            shared=process.shared,
        )
    grpc = process.host([servicer.service()], health, ("ratelimit",))
    try:
        addresses = {"http": await http.start()}
        if debug is not None:
            addresses["debug"] = await debug.start()
        addresses["grpc"] = await grpc.start()  # last: what cannot listen ends before a call is taken
        lifetime.settled()
        log.info(
            "serving",
            extra={
                "fields": addresses
                | {"store": str(chosen.store.topology), "server": process.server, "worker": process.number}
            },
        )
        await lifetime.until(process.stop, following, watch(store, health))
    finally:
        await grpc.stop()
        await http.stop()
        if debug is not None:
            await debug.stop()
        await store.close()
        log.info("stopped")


async def follow(
    chosen: Settings, use: Callable[[Limits], None], refused: Callable[[ConfigurationError], None]
) -> Coroutine[Any, Any, None]:
    """Load the limits, and return what goes on following them; raises `ConfigurationError` for files with a fault.

    Where there is no file yet, as before a sidecar has fetched any, the service waits for one and is not ready.
    """
    source = chosen.limits
    if isinstance(source, XdsSettings):
        from ratelimit_service.xds_client import XdsClient  # noqa: PLC0415  (brings grpcio, 20 MB, for who needs it)

        return XdsClient(source, use, refused).run()
    paths = [source.directory] if chosen.links is None else chosen.links
    sign = reload.signature if chosen.links is None else reload.link_signature

    async def load() -> Limits:
        return await lifetime.beside(config.load, source)

    # Before the first load, so that no change between the two goes unseen.
    reloader = Reloader("limits", paths, load, use, refused, sign=sign)
    if config.files(source):
        use(await load())
    else:
        log.warning("%s holds no file with limits; waiting for one", source.directory)
    return reloader.run()


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
