"""Every metric of this service, by name.

Labels hold configured names only, never a value of a request: there are as many series as there are rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Histogram

from ratelimit_service.errors import StoreUnavailableError
from ratelimit_service.model import Charge, Count, Decision
from ratelimit_service.stores import CounterStore

STORE_SECONDS = (0.000_25, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1.0)


class Metrics:
    """The service's metrics, registered once on the process's registry."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._calls = Counter(
            "ratelimit_calls",
            "ShouldRateLimit calls by how they ended: ok, over_limit, invalid_argument, unavailable, internal",
            ["code"],
            registry=registry,
        )
        self._hits = Counter(
            "ratelimit_rule_hits", "Hits that a rule's limit was asked about", ["domain", "rule"], registry=registry
        )
        self._over = Counter(
            "ratelimit_rule_over_limit",
            "Those of the hits that were over the rule's limit",
            ["domain", "rule"],
            registry=registry,
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
        self._failures = Counter(
            "ratelimit_failure_mode_decisions",
            "Requests decided by the failure mode, because the counter store did not answer",
            ["mode"],
            registry=registry,
        )
        self._loads = Counter(
            "ratelimit_config_loads", "Configurations loaded or refused", ["result"], registry=registry
        )

    def decided(self, decision: Decision) -> None:
        """Record a request that was answered."""
        self._calls.labels("over_limit" if decision.over else "ok").inc()
        if decision.failure is not None:
            self._failures.labels(decision.failure.value).inc()
        for status in decision.statuses:
            if status.limit is None or status.rule is None:
                continue
            self._hits.labels(decision.domain, status.rule).inc(status.hits)
            if status.over:
                self._over.labels(decision.domain, status.rule).inc(status.hits)

    def refused(self, code: str) -> None:
        """Record a request that ended with an error; `code` is the error's."""
        self._calls.labels(code).inc()

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


class MeasuredStore:
    """A counter store that measures another one."""

    def __init__(self, store: CounterStore, metrics: Metrics) -> None:
        self._store = store
        self._metrics = metrics

    async def hit(self, charges: Sequence[Charge]) -> Sequence[Count]:
        """Charge the measured store."""
        begun = perf_counter()
        try:
            counts = await self._store.hit(charges)
        except StoreUnavailableError:
            self._metrics.stored(perf_counter() - begun, ok=False)
            raise
        self._metrics.stored(perf_counter() - begun, ok=True)
        return counts
