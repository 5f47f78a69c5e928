"""The pages that envoyproxy/ratelimit has beside gRPC: /healthcheck, and /rlconfig and /stats of the debug port."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry

from ratelimit_service.errors import NoConfigurationError
from ratelimit_service.limiter import Limiter
from ratelimit_service.limits import FixedWindow, SlidingWindow
from ratelimit_service.rules import Limits, Rule
from service_kit import lifetime
from service_kit.health import Health
from service_kit.http_host import Page, Reply


def healthcheck(health: Health) -> Page:
    """200 and OK while calls can be answered, else 500."""

    async def page(body: bytes) -> Reply:
        del body
        return Reply(200, "OK") if health.ready else Reply(500, "not ready")

    return page


def rlconfig(limiter: Limiter) -> Page:
    """The limits in use, a line each."""

    async def page(body: bytes) -> Reply:
        del body
        try:
            return Reply(200, "".join(f"{line}\n" for line in lines(limiter.limits)))
        except NoConfigurationError as error:
            return Reply(500, f"{error}\n")

    return page


def lines(limits: Limits) -> Iterator[str]:
    """Every rule with a limit, by its name, as envoyproxy/ratelimit writes them; then what there is more."""
    named = [
        (".".join([domain, *("_".join(filter(None, step)) for step in rule.steps)]), rule)
        for domain in limits.domains
        for rule in limits.rules_of(domain)
    ]
    for name, rule in sorted(named, key=lambda pair: pair[0]):
        if rule.limit is not None or rule.unlimited:
            yield f"{name}: {_written(rule)}"


def _written(rule: Rule) -> str:
    limit = rule.limit
    flags = f"shadow_mode: {str(rule.shadow_mode).lower()}, quota_mode: {str(rule.quota_mode).lower()}"
    if limit is None:
        return f"unlimited: true, {flags}"
    words = f"unit={limit.unit.name} requests_per_unit={limit.requests_per_unit}, {flags}"
    if limit.multiplier != 1:
        words += f", unit_multiplier: {limit.multiplier}"
    if isinstance(limit, FixedWindow):
        return words
    if isinstance(limit, SlidingWindow):
        return f"{words}, algorithm: sliding_window"
    return f"{words}, algorithm: token_bucket, burst: {limit.burst}"


def stats(registry: CollectorRegistry) -> Page:
    """Every counter and gauge, a line each: what /metrics has, for eyes."""

    async def page(body: bytes) -> Reply:
        del body
        return Reply(200, await lifetime.beside(_stats, registry))

    return page


def _stats(registry: CollectorRegistry) -> str:
    told = []
    for family in registry.collect():
        for sample in family.samples:
            if sample.name.endswith("_created"):
                continue
            labels = ".".join(f"{name}={value}" for name, value in sample.labels.items())
            told.append(f"{sample.name}{'.' if labels else ''}{labels}: {sample.value:g}")
    return "".join(f"{line}\n" for line in sorted(told))
