from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from ratelimit_service import telemetry
from ratelimit_service.limiter import Limiter, Modes
from ratelimit_service.limits import FixedWindow, Unit
from ratelimit_service.model import Charge, Count, Decision, Descriptor, FailureMode, Status
from ratelimit_service.rules import Rule
from ratelimit_service.stores import CounterStore
from ratelimit_service.stores.local_cache import LocalCache
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.telemetry import RULE_COUNTERS, MeasuredStore, Metrics
from service_kit.valkey.errors import StoreUnavailableError
from tests.ratelimit_service import configured

LIMIT = FixedWindow(1, Unit.DAY)
RULE = Rule("user", (("user", ""),), "f.yaml", 1, LIMIT)
NOW_US = 1_763_870_400_000_000
NO_HITS: dict[str, float] = dict.fromkeys(RULE_COUNTERS, 0)


class Service:
    """A limiter on a store in memory with its metrics, at an instant that does not pass."""

    def __init__(self, text: str, *, ratio: float = 0.8, modes: Modes | None = None, cache: bool = False) -> None:
        self.registry = CollectorRegistry()
        self.metrics = Metrics(self.registry, ratio)
        store: CounterStore = MemoryStore(lambda: NOW_US, 1_000_000)
        self._limiter = Limiter(LocalCache(store, lambda: 0, 100) if cache else store, store, modes or Modes())
        self._limiter.use(configured.limits(text))

    def ask(self, *entries: tuple[str, str], hits: int = 1, refund: bool = False) -> Decision:
        """Ask about one descriptor."""
        return self.decide(Descriptor(entries, hits, refund=refund))

    def decide(self, descriptor: Descriptor) -> Decision:
        """Decide about it, and count that."""
        decision = asyncio.run(self._limiter.decide(self._limiter.prepare("d", [descriptor])))
        self.metrics.decided(decision)
        return decision

    def counted(self, name: str) -> dict[str, float]:
        """What a rule's counters say, but for those at 0."""
        return {key: value for key, value in all_counted(self.registry, name).items() if value}


def all_counted(registry: CollectorRegistry, name: str) -> dict[str, float | None]:
    labels = {"domain": "d", "rule": name}
    return {key: registry.get_sample_value(f"ratelimit_rule_{key}_total", labels) for key in RULE_COUNTERS}


def names(registry: CollectorRegistry) -> set[str]:
    """Every name that a rule has."""
    return {
        sample.labels["rule"]
        for family in registry.collect()
        for sample in family.samples
        if sample.name == "ratelimit_rule_hits_total"
    }


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


def decision(
    *statuses: Status, over: bool = False, shadowed: bool = False, failure: FailureMode | None = None
) -> Decision:
    return Decision("d", (Descriptor((("user", "x"),)),) * len(statuses), statuses, over, shadowed, failure)


def window(text: str = "requests_per_unit: 10", flags: str = "") -> str:
    return f"domain: d\ndescriptors:\n- {{key: user, {flags} rate_limit: {{unit: day, {text}}}}}\n"


# Requests


def test_calls_are_counted_by_how_they_ended(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    for over in (True, False, False):
        metrics.decided(decision(over=over))
    metrics.refused("invalid_argument")
    counts = {
        code: registry.get_sample_value("ratelimit_calls_total", {"code": code})
        for code in ("ok", "over_limit", "invalid_argument")
    }
    assert counts == {"ok": 2, "over_limit": 1, "invalid_argument": 1}


def test_what_a_mode_decided_is_counted(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    metrics.decided(decision(shadowed=True))
    metrics.decided(decision(failure=FailureMode.ALLOW))
    metrics.decided(decision(), known_domain=False)
    assert registry.get_sample_value("ratelimit_global_shadow_mode_total") == 1
    assert registry.get_sample_value("ratelimit_failure_mode_decisions_total", {"mode": "allow"}) == 1
    assert registry.get_sample_value("ratelimit_domain_not_found_total") == 1
    assert registry.get_sample_value("ratelimit_calls_total", {"code": "ok"}) == 3


# Hits of a rule


def test_hits_of_a_window_are_split_exactly_between_within_and_over() -> None:
    service = Service(window())
    service.ask(("user", "a"), hits=7)
    assert service.counted("user") == {"hits": 7, "within_limit": 7}
    service.ask(
        ("user", "a"), hits=5
    )  # the 8th is the last before the ratio, the 9th and the 10th are near, 2 are over
    assert service.counted("user") == {"hits": 12, "within_limit": 10, "near_limit": 2, "over_limit": 2}
    service.ask(("user", "a"), hits=3)
    assert service.counted("user") == {"hits": 15, "within_limit": 10, "near_limit": 2, "over_limit": 5}


def test_values_of_a_rule_count_under_one_name() -> None:
    service = Service(window())
    for value in ("a", "b", "c"):
        service.ask(("user", value))
    assert names(service.registry) == {"user"}
    assert service.counted("user") == {"hits": 3, "within_limit": 3}


@pytest.mark.parametrize(
    ("requests", "ratio", "hits", "near"),
    [(10, 0.8, 8, 0), (10, 0.8, 9, 1), (9, 0.8, 8, 1), (10, 0.5, 10, 5), (10, 1.0, 10, 0), (10, 0.0, 10, 10)],
)
def test_near_is_what_comes_after_the_ratio_rounded_down(requests: int, ratio: float, hits: int, near: int) -> None:
    service = Service(window(f"requests_per_unit: {requests}"), ratio=ratio)
    service.ask(("user", "a"), hits=hits)
    assert service.counted("user").get("near_limit", 0) == near


@given(st.integers(0, 20), st.sampled_from([0.0, 0.5, 0.8, 1.0]), st.lists(st.integers(0, 12), max_size=8))
def test_each_hit_on_a_window_counts_as_its_place_in_the_window_says(
    requests: int, ratio: float, charges: list[int]
) -> None:
    service = Service(window(f"requests_per_unit: {requests}"), ratio=ratio)
    expected = NO_HITS | {"hits": sum(charges)}
    place = 0
    for hits in charges:
        service.ask(("user", "a"), hits=hits)
        for _ in range(hits):
            place += 1
            expected["over_limit" if place > requests else "within_limit"] += 1
            expected["near_limit"] += int(requests * ratio) < place <= requests
    assert service.counted("user") == {key: value for key, value in expected.items() if value}


@pytest.mark.parametrize("algorithm", ["token_bucket", "sliding_window"])
def test_a_charge_that_is_taken_whole_or_not_at_all_is_within_or_over_as_a_whole(algorithm: str) -> None:
    service = Service(window(f"requests_per_unit: 10, algorithm: {algorithm}"))
    service.ask(("user", "a"), hits=7)
    service.ask(("user", "a"), hits=5)
    assert service.counted("user") == {"hits": 12, "within_limit": 7, "over_limit": 5}
    service.ask(("user", "a"), hits=3)
    assert service.counted("user") == {"hits": 15, "within_limit": 10, "near_limit": 2, "over_limit": 5}


def test_a_bucket_is_near_its_limit_when_its_burst_is_nearly_used_up() -> None:
    service = Service(window("requests_per_unit: 100, algorithm: token_bucket, burst: 10"))
    service.ask(("user", "a"), hits=9)
    assert service.counted("user") == {"hits": 9, "within_limit": 9, "near_limit": 1}
    large = Service(window("requests_per_unit: 10, algorithm: token_bucket, burst: 100"))
    large.ask(("user", "a"), hits=50)
    assert large.counted("user") == {"hits": 50, "within_limit": 50}


def test_a_look_counts_nothing() -> None:
    service = Service(window())
    service.ask(("user", "a"), hits=12)
    before = service.counted("user")
    service.ask(("user", "a"), hits=0)
    assert service.counted("user") == before


def test_a_refund_counts_nothing() -> None:
    service = Service(window())
    service.ask(("user", "a"), hits=5, refund=True)
    assert names(service.registry) == set()


def test_what_has_no_limit_has_no_counters() -> None:
    service = Service("domain: d\ndescriptors: [{key: free}, {key: open, rate_limit: {unlimited: true}}]")
    for key in ("free", "open", "nobody"):
        service.ask((key, "x"))
    assert names(service.registry) == set()


def test_hits_that_a_rule_in_shadow_mode_let_pass_are_counted_as_such() -> None:
    service = Service(window("requests_per_unit: 2", "shadow_mode: true,"))
    service.ask(("user", "a"), hits=5)
    assert service.counted("user") == {"hits": 5, "within_limit": 2, "near_limit": 1, "over_limit": 3, "shadow_mode": 3}


def test_the_global_shadow_mode_is_not_that_of_a_rule() -> None:
    service = Service(window("requests_per_unit: 0"), modes=Modes(shadow=True))
    service.ask(("user", "a"))
    assert service.counted("user") == {"hits": 1, "over_limit": 1}
    assert service.registry.get_sample_value("ratelimit_global_shadow_mode_total") == 1


@pytest.mark.parametrize("algorithm", ["token_bucket", "fixed_window", "sliding_window"])
def test_hits_that_the_local_cache_answered_are_over_and_told_apart(algorithm: str) -> None:
    service = Service(window(f"requests_per_unit: 2, algorithm: {algorithm}"), cache=True)
    for _ in range(3):
        service.ask(("user", "a"), hits=2)
    assert service.counted("user") == {
        "hits": 6,
        "within_limit": 2,
        "near_limit": 1,
        "over_limit": 4,
        "over_limit_with_local_cache": 2,
    }


def test_hits_decided_without_the_store_are_within_or_over_as_they_were_decided(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    metrics.decided(
        decision(
            Status(over=True, hits=3, rule=RULE, limit=LIMIT, exceeded=True),
            Status(over=False, hits=2, rule=RULE, limit=LIMIT),
            failure=FailureMode.DENY,
        )
    )
    assert all_counted(registry, "user") == NO_HITS | {"hits": 5, "over_limit": 3, "within_limit": 2}


def test_overrides_count_under_one_name_whatever_they_match() -> None:
    service = Service(window())
    for value in ("a", "b"):
        descriptor = Descriptor((("user", value),), override=FixedWindow(1, Unit.DAY))
        service.decide(descriptor)
    assert service.counted("(override)")["hits"] == 2


# Names with values of requests


DETAILED = """
domain: d
descriptors:
  - {key: user, detailed_metric: true, rate_limit: {unit: day, requests_per_unit: 10}}
  - key: tenant
    value_to_metric: true
    descriptors: [{key: path, value: '/a*', rate_limit: {unit: day, requests_per_unit: 10}}]
"""


def test_a_rule_that_asks_for_it_counts_each_value_under_a_name_of_its_own() -> None:
    service = Service(DETAILED)
    service.ask(("user", "alice"), hits=3)
    service.ask(("user", "bob"))
    service.ask(("tenant", "acme"), ("path", "/abc"))
    service.ask(("tenant", "acme"), ("path", "/a"))
    assert names(service.registry) == {"user=alice", "user=bob", "tenant=acme,path=/a*"}
    assert service.counted("user=alice")["hits"] == 3
    assert service.counted("tenant=acme,path=/a*")["hits"] == 2


def test_names_with_values_are_bounded_and_further_values_count_under_the_rules_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert telemetry.MAX_VALUE_SERIES == 2_000
    monkeypatch.setattr(telemetry, "MAX_VALUE_SERIES", 3)
    service = Service(DETAILED)
    for value in "abcdefabcdef":
        service.ask(("user", value))
    assert names(service.registry) == {"user=a", "user=b", "user=c", "user"}
    assert {name: service.counted(name)["hits"] for name in names(service.registry)} == {
        "user=a": 2,
        "user=b": 2,
        "user=c": 2,
        "user": 6,
    }


# The rest


class Store:
    """Answers, or does not."""

    def __init__(self, *, away: bool) -> None:
        self._away = away
        self.denied: list[bool] = []

    async def hit(self, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
        self.denied.append(denied)
        if self._away:
            raise StoreUnavailableError("away")
        return [Count(over=False, remaining=1, reset_us=1, used=0) for _ in charges]


def test_a_measured_store_tells_its_time_and_its_errors(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    charge = Charge("k", 1, LIMIT)
    assert len(asyncio.run(MeasuredStore(Store(away=False), metrics).hit([charge]))) == 1
    for _ in range(2):
        with pytest.raises(StoreUnavailableError):
            asyncio.run(MeasuredStore(Store(away=True), metrics).hit([charge]))
    assert registry.get_sample_value("ratelimit_store_seconds_count") == 3
    assert registry.get_sample_value("ratelimit_store_errors_total") == 2
    seconds = registry.get_sample_value("ratelimit_store_seconds_sum")
    assert seconds is not None
    assert 0 < seconds < 60


def test_a_measured_store_passes_on_that_a_request_is_denied(registry: CollectorRegistry) -> None:
    store = Store(away=False)
    measured = MeasuredStore(store, Metrics(registry))
    asyncio.run(measured.hit([Charge("k", 1, LIMIT)], denied=True))
    asyncio.run(measured.hit([Charge("k", 1, LIMIT)]))
    assert store.denied == [True, False]


def test_round_trips_and_breakers_are_told_by_whoever_makes_them(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    for requests in (1, 7):
        metrics.sent(requests)
    metrics.breaker("cache:6379", opened=True)
    assert registry.get_sample_value("ratelimit_store_batch_requests_count") == 2
    assert registry.get_sample_value("ratelimit_store_batch_requests_sum") == 8
    assert registry.get_sample_value("ratelimit_store_breaker_open", {"server": "cache:6379"}) == 1
    metrics.breaker("cache:6379", opened=False)
    assert registry.get_sample_value("ratelimit_store_breaker_open", {"server": "cache:6379"}) == 0


def test_loads_count_by_result(registry: CollectorRegistry) -> None:
    metrics = Metrics(registry)
    metrics.limits_loaded()
    metrics.limits_refused()
    assert registry.get_sample_value("ratelimit_config_loads_total", {"result": "ok"}) == 1
    assert registry.get_sample_value("ratelimit_config_loads_total", {"result": "refused"}) == 1
