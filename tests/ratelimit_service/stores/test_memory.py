"""What is the twin's own. What every store does is in tests/contracts/test_counter_store.py."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from ratelimit_service.errors import StoreUnavailableError
from ratelimit_service.model import Charge, Count, FixedWindow, Limit, TokenBucket, Unit
from ratelimit_service.stores.memory import SWEEP_EVERY_US, MemoryStore

MINUTE = FixedWindow(2, Unit.MINUTE)
BUCKET = TokenBucket(60, Unit.MINUTE, burst=2)


@dataclass
class Clock:
    now_us: int = 1_763_870_400_000_000

    def __call__(self) -> int:
        return self.now_us

    def pass_seconds(self, seconds: float) -> None:
        self.now_us += int(seconds * 1_000_000)


def hit(store: MemoryStore, *charges: tuple[str, Limit]) -> Sequence[Count]:
    return asyncio.run(store.hit([Charge(key, 1, limit) for key, limit in charges]))


def test_a_window_begins_anew_when_its_unit_is_over() -> None:
    clock = Clock()
    store = MemoryStore(clock, 10)
    assert [hit(store, ("w", MINUTE))[0].over for _ in range(3)] == [False, False, True]
    clock.pass_seconds(59.999_999)
    assert hit(store, ("w", MINUTE))[0].over
    clock.pass_seconds(0.000_001)
    assert hit(store, ("w", MINUTE))[0] == Count(over=False, remaining=1, reset_seconds=60)


def test_a_bucket_refills_with_time() -> None:
    clock = Clock()
    store = MemoryStore(clock, 10)
    assert [hit(store, ("b", BUCKET))[0].over for _ in range(3)] == [False, False, True]
    clock.pass_seconds(1)
    assert [hit(store, ("b", BUCKET))[0].over for _ in range(2)] == [False, True]


def test_a_full_store_makes_room_from_what_has_expired() -> None:
    clock = Clock()
    store = MemoryStore(clock, 2)
    hit(store, ("w", MINUTE), ("b", BUCKET))
    clock.pass_seconds(2)
    hit(store, ("other", BUCKET))
    assert len(store) == 2
    clock.pass_seconds(60)
    hit(store, ("w2", MINUTE), ("w3", MINUTE))
    assert len(store) == 2


def test_a_full_store_refuses_rather_than_forget_a_live_bucket() -> None:
    store = MemoryStore(Clock(), 1)
    hit(store, ("w", MINUTE))
    with pytest.raises(StoreUnavailableError):
        hit(store, ("w", MINUTE), ("new", MINUTE))
    assert [hit(store, ("w", MINUTE))[0].over for _ in range(2)] == [False, True]


def test_a_full_store_looks_for_expired_buckets_once_a_second_at_most() -> None:
    clock = Clock()
    store = MemoryStore(clock, 1)
    hit(store, ("b", BUCKET))
    with pytest.raises(StoreUnavailableError):
        hit(store, ("new", BUCKET))
    clock.now_us += SWEEP_EVERY_US - 1
    with pytest.raises(StoreUnavailableError):
        hit(store, ("new", BUCKET))
    clock.now_us += 1
    hit(store, ("new", BUCKET))


def test_a_look_takes_no_room() -> None:
    store = MemoryStore(Clock(), 1)
    asyncio.run(store.hit([Charge("a", 0, MINUTE), Charge("b", 0, BUCKET)]))
    assert len(store) == 0


def test_a_changed_rate_never_finds_more_tokens_than_there_were() -> None:
    clock = Clock()
    store = MemoryStore(clock, 10)
    slow = TokenBucket(1, Unit.HOUR, burst=2)
    assert [hit(store, ("b", slow))[0].over for _ in range(3)] == [False, False, True]
    odd = TokenBucket(7, Unit.HOUR, burst=2)  # ticks of another length, and a smaller debt at most
    assert hit(store, ("b", odd))[0].over
