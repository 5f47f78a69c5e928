"""Every metric of this service, by name.

Labels hold configured names only, so there are as many series as there are rules; a rule that puts values of requests
into them (`detailed_metric`, `value_to_metric`) has its own name again once there are `MAX_VALUE_SERIES` of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from ratelimit_service.limits import FixedWindow, Limit, TokenBucket
from ratelimit_service.model import Charge, Count, Decision, Descriptor, Status
from ratelimit_service.rules import Rule
from ratelimit_service.stores import CounterStore
from service_kit.valkey.errors import StoreUnavailableError

STORE_SECONDS = (0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0)
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
MAX_VALUE_SERIES = 2_000
RULE_COUNTERS = {
    "hits": "Hits that a rule's limit was asked about",
    "over_limit": "Those of the hits that were over the rule's limit",
    "near_limit": "Those of the hits within the limit that came after NEAR_LIMIT_RATIO of it was used up",
    "within_limit": "Those of the hits that were within the rule's limit",
    "over_limit_with_local_cache": "Those of the hits over the limit that the local cache knew to be so",
    "shadow_mode": "Hits over the limit of a rule in shadow mode, which let them pass",
}


class Metrics:
    """The service's metrics, registered once on the process's registry."""

    def __init__(self, registry: CollectorRegistry, near_limit_ratio: float = 0.8) -> None:
        self._near_limit_ratio = near_limit_ratio
        self._calls = Counter(
            "ratelimit_calls",
            "ShouldRateLimit calls by how they ended: ok, over_limit, invalid_argument, unavailable, internal",
            ["code"],
            registry=registry,
        )
        self._codes: dict[str, Counter] = {}
        self._rules = [
            Counter(f"ratelimit_rule_{name}", text, ["domain", "rule"], registry=registry)
            for name, text in RULE_COUNTERS.items()
        ]
        self._series: dict[tuple[str, str], list[Counter]] = {}
        self._value_series = 0
        self._domains_not_found = Counter(
            "ratelimit_domain_not_found", "Requests for a domain that no limits are configured for", registry=registry
        )
        self._shadowed = Counter(
            "ratelimit_global_shadow_mode", "Requests over a limit that SHADOW_MODE let pass", registry=registry
        )
        self._store_errors = Counter(
            "ratelimit_store_errors", "Calls to the counter store that failed or ran out of time", registry=registry
        )
        self._store_seconds = Histogram(
            "ratelimit_store_seconds",
            "Time of calls to the counter store, failed ones too",
            buckets=STORE_SECONDS,
            registry=registry,
        )
        self._batches = Histogram(
            "ratelimit_store_batch_requests",
            "Requests that went to a server of the store in one round trip",
            buckets=BATCH_SIZES,
            registry=registry,
        )
        self._breaker = Gauge(
            "ratelimit_store_breaker_open",
            "1 while a server of the store is not asked; with several workers, by any of them",
            ["server"],
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._failures = Counter(
            "ratelimit_failure_mode_decisions",
            "Requests decided by the failure mode, because the counter store did not answer",
            ["mode"],
            registry=registry,
        )
        self._loads = Counter(
            "ratelimit_config_loads", "Configurations loaded or refused", ["result"], registry=registry
        )

    def decided(self, decision: Decision, *, known_domain: bool = True) -> None:
        """Record a request that was answered."""
        self._ended("over_limit" if decision.over else "ok").inc()
        if not known_domain:
            self._domains_not_found.inc()
        if decision.shadowed:
            self._shadowed.inc()
        if decision.failure is not None:
            self._failures.labels(decision.failure.value).inc()
        for descriptor, status in zip(decision.descriptors, decision.statuses, strict=True):
            if status.limit is not None and status.rule is not None and not descriptor.refund:
                self._count(decision.domain, descriptor, status, status.limit, status.rule)

    def _count(self, domain: str, descriptor: Descriptor, status: Status, limit: Limit, rule: Rule) -> None:
        hits, over, near, within, cached, shadow = self._series_of(domain, descriptor, rule)
        hits.inc(status.hits)
        most = limit.burst if isinstance(limit, TokenBucket) else limit.requests_per_unit
        near_from = floor(most * self._near_limit_ratio)
        if status.count is not None and status.count.used <= near_from and not status.exceeded:
            within.inc(status.hits)  # as nearly all are
            return
        exceeding, close = split(status, limit, near_from)
        if status.hits > exceeding:
            within.inc(status.hits - exceeding)
        if close:
            near.inc(close)
        if not exceeding:
            return
        over.inc(exceeding)
        if status.count is not None and status.count.cached:
            cached.inc(exceeding)
        if not status.over:
            shadow.inc(exceeding)

    def _series_of(self, domain: str, descriptor: Descriptor, rule: Rule) -> list[Counter]:
        name = rule.series.of(descriptor.entries) if rule.series else rule.path
        found = self._series.get((domain, name))
        if found is not None:
            return found
        if rule.series:
            if self._value_series >= MAX_VALUE_SERIES:
                name = rule.path
            else:
                self._value_series += 1
        made = [counter.labels(domain, name) for counter in self._rules]
        self._series[domain, name] = made
        return made

    def refused(self, code: str) -> None:
        """Record a request that ended with an error; `code` is the error's."""
        self._ended(code).inc()

    def _ended(self, code: str) -> Counter:
        found = self._codes.get(code)
        if found is None:  # `labels` takes longer than the rest of a count
            found = self._codes[code] = self._calls.labels(code)
        return found

    def limits_loaded(self) -> None:
        """Record limits that came into use."""
        self._loads.labels("ok").inc()

    def limits_refused(self) -> None:
        """Record limits that could not be used."""
        self._loads.labels("refused").inc()

    def stored(self, seconds: float, *, ok: bool) -> None:
        """Record a call to the counter store."""
        self._store_seconds.observe(seconds)
        if not ok:
            self._store_errors.inc()

    def sent(self, requests: int) -> None:
        """Record a round trip to a server of the store."""
        self._batches.observe(requests)

    def breaker(self, server: str, *, opened: bool) -> None:
        """Record that a server of the store is not asked any more, or asked again."""
        self._breaker.labels(server).set(int(opened))


def split(status: Status, limit: Limit, near: int) -> tuple[int, int]:
    """Of a status's hits, how many were over the limit, and how many within it but past `near`.

    A fixed window is crossed in the midst of a charge; a bucket or a sliding window takes a charge or does not.
    """
    count = status.count
    if count is None or not isinstance(limit, FixedWindow):
        exceeding = status.hits if status.exceeded else 0
        past = count.used - near if count is not None and not exceeding else 0
        return exceeding, max(0, min(status.hits, past))
    before = count.used - status.hits
    exceeding = max(0, min(status.hits, count.used - limit.requests_per_unit))
    within = min(count.used, limit.requests_per_unit)
    return exceeding, max(0, within - max(before, near))


class MeasuredStore:
    """A counter store that measures another one."""

    def __init__(self, store: CounterStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    async def hit(self, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
        """Charge the measured store."""
        begun = perf_counter()
        try:
            counts = await self._store.hit(charges, denied=denied)
        except StoreUnavailableError:
            self._metrics.stored(perf_counter() - begun, ok=False)
            raise
        self._metrics.stored(perf_counter() - begun, ok=True)
        return counts
