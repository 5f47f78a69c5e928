from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from prometheus_client import CollectorRegistry

from ratelimit_service.errors import StoreUnavailableError
from ratelimit_service.model import Charge, Count, Decision, FailureMode, FixedWindow, Status, Unit
from ratelimit_service.telemetry import MeasuredStore, Metrics

LIMIT = FixedWindow(1, Unit.DAY)


class Store:
    def __init__(self, *, away: bool) -> None:
        self._away = away

    async def hit(self, charges: Sequence[Charge]) -> Sequence[Count]:
        if self._away:
            raise StoreUnavailableError("away")
        return [Count(over=False, remaining=1, reset_seconds=1) for _ in charges]


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def test_decisions_count_calls_and_hits_of_rules(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    metrics.decided(
        Decision(
            "d",
            (
                Status(over=True, hits=3, rule="user", limit=LIMIT),
                Status(over=False, hits=2, rule="user", limit=LIMIT),
                Status(over=False, hits=1, rule="free"),
                Status(over=False, hits=1),
            ),
        )
    )
    metrics.decided(Decision("d", (), FailureMode.ALLOW))
    metrics.refused("invalid_argument")
    value = registry.get_sample_value
    assert value("ratelimit_calls_total", {"code": "over_limit"}) == 1
    assert value("ratelimit_calls_total", {"code": "ok"}) == 1
    assert value("ratelimit_calls_total", {"code": "invalid_argument"}) == 1
    assert value("ratelimit_rule_hits_total", {"domain": "d", "rule": "user"}) == 5
    assert value("ratelimit_rule_over_limit_total", {"domain": "d", "rule": "user"}) == 3
    assert value("ratelimit_rule_hits_total", {"domain": "d", "rule": "free"}) is None
    assert value("ratelimit_failure_mode_decisions_total", {"mode": "allow"}) == 1


def test_loads_count_by_result(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    metrics.limits_loaded()
    metrics.limits_refused()
    assert registry.get_sample_value("ratelimit_config_loads_total", {"result": "ok"}) == 1
    assert registry.get_sample_value("ratelimit_config_loads_total", {"result": "refused"}) == 1


def test_a_measured_store_tells_its_time_and_its_errors(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    charge = Charge("k", 1, LIMIT)
    assert len(asyncio.run(MeasuredStore(Store(away=False), metrics).hit([charge]))) == 1
    with pytest.raises(StoreUnavailableError):
        asyncio.run(MeasuredStore(Store(away=True), metrics).hit([charge]))
    assert registry.get_sample_value("ratelimit_store_seconds_count") == 2
    assert registry.get_sample_value("ratelimit_store_errors_total") == 1
