from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from ratelimit_service import config
from ratelimit_service.errors import NoConfigurationError, StoreUnavailableError
from ratelimit_service.limiter import OVERRIDE, Limiter
from ratelimit_service.model import Charge, Count, Decision, Descriptor, FailureMode, FixedWindow, Unit
from ratelimit_service.stores import CounterStore
from ratelimit_service.stores.memory import MemoryStore

RULES = """
domain: d
descriptors:
  - key: user
    rate_limit: {unit: day, requests_per_unit: 2}
    descriptors:
      - key: path
        rate_limit: {unit: day, requests_per_unit: 5, algorithm: token_bucket, burst: 1}
  - key: never
    rate_limit: {unit: day, requests_per_unit: 0}
  - key: free
"""


class AbsentStore:
    """A store that never answers."""

    async def hit(self, charges: Sequence[Charge]) -> Sequence[Count]:
        del charges
        raise StoreUnavailableError("away")


class RecordingStore:
    """Passes calls on, and keeps them."""

    def __init__(self) -> None:
        self.calls: list[Sequence[Charge]] = []
        self._store = memory()

    async def hit(self, charges: Sequence[Charge]) -> Sequence[Count]:
        self.calls.append(charges)
        return await self._store.hit(charges)


def memory(buckets: int = 1000) -> MemoryStore:
    return MemoryStore(lambda: 1_763_870_400_000_000, buckets)


@pytest.fixture
def limits(tmp_path: Path) -> config.Limits:
    (tmp_path / "d.yaml").write_text(RULES)
    return config.load(tmp_path)


def limiter(
    limits: config.Limits, store: CounterStore, mode: FailureMode = FailureMode.ALLOW, room: int = 9
) -> Limiter:
    made = Limiter(store, mode, memory(room))
    made.use(limits)
    return made


def decide(limiter: Limiter, *descriptors: Descriptor, domain: str = "d") -> Decision:
    return asyncio.run(limiter.decide(domain, descriptors))


USER = Descriptor((("user", "alice"),))
PATH = Descriptor((("user", "alice"), ("path", "/x")))
NEVER = Descriptor((("never", "x"),))
FREE = Descriptor((("free", "x"),))
UNKNOWN = Descriptor((("nobody", "x"),))


def test_without_a_configuration_nothing_is_decided() -> None:
    bare = Limiter(memory(), FailureMode.ALLOW, memory())
    with pytest.raises(NoConfigurationError):
        decide(bare, USER)


def test_a_value_less_key_counts_each_value_apart(limits: config.Limits) -> None:
    service = limiter(limits, memory())
    alice = [decide(service, USER).over for _ in range(3)]
    assert alice == [False, False, True]
    assert not decide(service, Descriptor((("user", "bob"),))).over


def test_statuses_come_in_the_order_of_descriptors(limits: config.Limits) -> None:
    decision = decide(limiter(limits, memory()), UNKNOWN, PATH, FREE, USER, NEVER)
    assert [status.rule for status in decision.statuses] == [None, "user,path", "free", "user", "never"]
    assert [status.over for status in decision.statuses] == [False, False, False, False, True]
    assert [status.count is not None for status in decision.statuses] == [False, True, False, True, True]
    assert decision.over


def test_what_no_limit_applies_to_never_reaches_the_store(limits: config.Limits) -> None:
    store = RecordingStore()
    assert not decide(limiter(limits, store), FREE, UNKNOWN).over
    assert not decide(limiter(limits, store), USER, domain="other").over
    assert store.calls == []


def test_a_request_is_one_call_to_the_store(limits: config.Limits) -> None:
    store = RecordingStore()
    decide(limiter(limits, store), USER, PATH, USER, FREE)
    assert [[charge.key for charge in call] for call in store.calls] == [
        ["rl:{d}:w86400:user=alice", "rl:{d}:b:user=alice:path=/x", "rl:{d}:w86400:user=alice"]
    ]


def test_the_same_bucket_twice_in_a_request_is_charged_twice(limits: config.Limits) -> None:
    assert [status.over for status in decide(limiter(limits, memory()), USER, USER, USER).statuses] == [
        False,
        False,
        True,
    ]


def test_an_override_needs_a_known_domain_but_no_rule(limits: config.Limits) -> None:
    descriptor = Descriptor((("nobody", "x"),), override=FixedWindow(1, Unit.HOUR))
    service = limiter(limits, memory())
    assert [decide(service, descriptor).over for _ in range(2)] == [False, True]
    assert decide(service, descriptor).statuses[0].rule == OVERRIDE
    assert decide(service, descriptor, domain="other").statuses[0].limit is None


def test_an_override_replaces_the_configured_limit(limits: config.Limits) -> None:
    status = decide(limiter(limits, memory()), Descriptor(USER.entries, override=FixedWindow(50, Unit.HOUR))).statuses[
        0
    ]
    assert status.limit == FixedWindow(50, Unit.HOUR)


def test_new_limits_count_from_the_next_request_on(limits: config.Limits, tmp_path: Path) -> None:
    service = limiter(limits, memory())
    (tmp_path / "d.yaml").write_text(RULES.replace("requests_per_unit: 2", "requests_per_unit: 1"))
    assert [decide(service, USER).over] == [False]
    service.use(config.load(tmp_path))
    assert decide(service, USER).over


def test_allow_admits_when_the_store_is_away(limits: config.Limits) -> None:
    decision = decide(limiter(limits, AbsentStore()), USER, FREE)
    assert decision.failure is FailureMode.ALLOW
    assert [status.over for status in decision.statuses] == [False, False]


def test_allow_does_not_admit_what_a_limit_of_zero_always_denies(limits: config.Limits) -> None:
    decision = decide(limiter(limits, AbsentStore()), USER, NEVER, Descriptor(NEVER.entries, hits=0))
    assert [status.over for status in decision.statuses] == [False, True, False]


def test_deny_denies_every_descriptor_that_has_a_limit(limits: config.Limits) -> None:
    decision = decide(limiter(limits, AbsentStore(), FailureMode.DENY), USER, FREE, PATH, UNKNOWN)
    assert decision.failure is FailureMode.DENY
    assert [status.over for status in decision.statuses] == [True, False, True, False]
    assert all(status.count is None for status in decision.statuses)


def test_local_counts_in_memory_when_the_store_is_away(limits: config.Limits) -> None:
    service = limiter(limits, AbsentStore(), FailureMode.LOCAL)
    decisions = [decide(service, USER) for _ in range(3)]
    assert [decision.over for decision in decisions] == [False, False, True]
    assert {decision.failure for decision in decisions} == {FailureMode.LOCAL}


def test_local_denies_when_its_memory_is_full(limits: config.Limits) -> None:
    service = limiter(limits, AbsentStore(), FailureMode.LOCAL, room=1)
    assert not decide(service, USER).over
    assert decide(service, Descriptor((("user", "bob"),))).over


def test_a_request_without_limits_is_no_failure_when_the_store_is_away(limits: config.Limits) -> None:
    assert decide(limiter(limits, AbsentStore(), FailureMode.DENY), FREE).failure is None
