"""What is the twin's own. What every store does is in tests/contracts/test_counter_store.py."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service.limits import FixedWindow, Limit, SlidingWindow, TokenBucket, Unit
from ratelimit_service.model import Charge, Count, Role
from ratelimit_service.stores.memory import SWEEP_EVERY_US, MemoryStore
from service_kit.valkey.errors import StoreUnavailableError

MINUTE = FixedWindow(2, Unit.MINUTE)
BUCKET = TokenBucket(60, Unit.MINUTE, burst=2)
SLIDING = SlidingWindow(2, Unit.MINUTE)
LIMITS: list[Limit] = [MINUTE, BUCKET, SLIDING]


@dataclass
class Clock:
    now_us: int = 1_763_870_400_000_000  # at the start of a minute, and of a slice of SLIDING

    def __call__(self) -> int:
        return self.now_us

    def pass_seconds(self, seconds: float) -> None:
        self.now_us += int(seconds * 1_000_000)


def charge(store: MemoryStore, *charges: Charge) -> Sequence[Count]:
    return asyncio.run(store.hit(charges))


def hit(store: MemoryStore, *charges: tuple[str, Limit]) -> Sequence[Count]:
    return charge(store, *(Charge(key, 1, limit) for key, limit in charges))


def used(store: MemoryStore, key: str, limit: Limit) -> int:
    """What a look finds."""
    return charge(store, Charge(key, 0, limit))[0].used


# Time


def test_a_window_begins_anew_when_its_unit_is_over() -> None:
    clock = Clock()
    store = MemoryStore(clock, 10)
    assert [hit(store, ("w", MINUTE))[0].over for _ in range(3)] == [False, False, True]
    clock.pass_seconds(59.999_999)
    assert hit(store, ("w", MINUTE))[0].over
    clock.pass_seconds(0.000_001)
    assert hit(store, ("w", MINUTE))[0] == Count(over=False, remaining=1, reset_us=60_000_000, used=1)


def test_a_bucket_refills_with_time() -> None:
    clock = Clock()
    store = MemoryStore(clock, 10)
    assert [hit(store, ("b", BUCKET))[0].over for _ in range(3)] == [False, False, True]
    clock.pass_seconds(1)
    assert [hit(store, ("b", BUCKET))[0].over for _ in range(2)] == [False, True]


def test_a_sliding_window_forgets_with_time() -> None:
    clock = Clock()
    store = MemoryStore(clock, 10)
    assert [hit(store, ("s", SLIDING))[0].over for _ in range(3)] == [False, False, True]
    clock.pass_seconds(61.199_999)
    assert hit(store, ("s", SLIDING))[0].over
    clock.pass_seconds(0.000_001)
    assert [hit(store, ("s", SLIDING))[0].over for _ in range(3)] == [False, False, True]


@pytest.mark.parametrize("limit", [BUCKET, SLIDING])
def test_a_clock_set_back_leaves_nothing_that_outlasts_its_span(limit: Limit) -> None:
    clock = Clock()
    store = MemoryStore(clock, 10)
    hit(store, ("k", limit))
    clock.pass_seconds(-3_600)
    for _ in range(2):  # the first look mends it, whatever is asked
        hit(store, ("k", limit))
    assert hit(store, ("k", limit))[0].over
    clock.pass_seconds(61.2)
    assert not hit(store, ("k", limit))[0].over


def test_a_changed_rate_never_finds_more_tokens_than_there_were() -> None:
    clock = Clock()
    store = MemoryStore(clock, 10)
    slow = TokenBucket(1, Unit.HOUR, burst=2)
    assert [hit(store, ("b", slow))[0].over for _ in range(3)] == [False, False, True]
    odd = TokenBucket(7, Unit.HOUR, burst=2)  # ticks of another length, and a smaller debt at most
    assert hit(store, ("b", odd))[0].over


# Room


def test_a_full_store_makes_room_from_what_has_expired() -> None:
    clock = Clock()
    store = MemoryStore(clock, 3)
    hit(store, ("w", MINUTE), ("b", BUCKET), ("s", SLIDING))
    clock.pass_seconds(2)
    hit(store, ("other", BUCKET))
    assert len(store) == 3
    clock.pass_seconds(60)
    hit(store, ("w2", MINUTE), ("w3", MINUTE), ("s3", SLIDING))
    assert len(store) == 3


def test_a_bucket_makes_room_as_soon_as_it_is_full_again() -> None:
    clock = Clock()
    store = MemoryStore(clock, 1)
    hit(store, ("b", TokenBucket(7, Unit.MINUTE, burst=2)))  # a token takes sixty sevenths of a second
    clock.pass_seconds(8.571_428)
    with pytest.raises(StoreUnavailableError):
        hit(store, ("new", BUCKET))
    clock.pass_seconds(1)
    hit(store, ("new", BUCKET))


def test_a_full_store_refuses_rather_than_forget_a_live_bucket() -> None:
    store = MemoryStore(Clock(), 1)
    hit(store, ("w", MINUTE))
    with pytest.raises(StoreUnavailableError, match="all 1 buckets in memory are in use"):
        hit(store, ("w", MINUTE), ("new", MINUTE))
    assert [hit(store, ("w", MINUTE))[0].over for _ in range(2)] == [False, True]


def test_a_full_store_looks_for_expired_buckets_once_a_second_at_most() -> None:
    clock = Clock()
    store = MemoryStore(clock, 1)
    hit(store, ("b", TokenBucket(10, Unit.SECOND, burst=2)))  # full again after a tenth of a second
    with pytest.raises(StoreUnavailableError):
        hit(store, ("new", BUCKET))
    clock.now_us += SWEEP_EVERY_US - 1
    with pytest.raises(StoreUnavailableError):
        hit(store, ("new", BUCKET))
    clock.now_us += 1
    hit(store, ("new", BUCKET))


def test_a_full_store_looks_again_after_its_clock_was_set_back() -> None:
    clock = Clock()
    store = MemoryStore(clock, 1)
    hit(store, ("b", BUCKET))
    clock.pass_seconds(3_600)
    hit(store, ("later", BUCKET))
    clock.pass_seconds(-3_600)
    with pytest.raises(StoreUnavailableError):
        hit(store, ("new", BUCKET))
    clock.pass_seconds(3_610)
    hit(store, ("new", BUCKET))


def test_a_look_takes_no_room() -> None:
    store = MemoryStore(Clock(), 1)
    charge(store, *(Charge(limit.name or str(number), 0, limit) for number, limit in enumerate(LIMITS)))
    assert len(store) == 0


def test_what_is_over_at_once_takes_no_room_but_as_a_window() -> None:
    store = MemoryStore(Clock(), 10)
    charge(store, Charge("b", 3, BUCKET), Charge("s", 3, SLIDING))
    assert len(store) == 0
    charge(store, Charge("w", 3, MINUTE))
    assert len(store) == 1


# Denied requests


def test_a_denied_request_counts_in_windows_alone() -> None:
    store = MemoryStore(Clock(), 10)
    never = FixedWindow(0, Unit.DAY)
    hit(store, ("w", MINUTE), ("b", BUCKET), ("s", SLIDING), ("n", never))
    assert [used(store, key, limit) for key, limit in zip("wbs", LIMITS, strict=True)] == [1, 0, 0]
    assert used(store, "n", never) == 1


def test_a_request_may_be_denied_by_whoever_asks() -> None:
    store = MemoryStore(Clock(), 10)
    charges = [Charge(key, 1, limit) for key, limit in zip("wbs", LIMITS, strict=True)]
    counts = asyncio.run(store.hit(charges, denied=True))
    assert [(count.over, count.used) for count in counts] == [(False, 1), (False, 0), (False, 0)]


@pytest.mark.parametrize(
    ("roles", "denied"),
    [
        ([Role.BINDING], True),
        ([Role.SHADOW], False),
        ([Role.QUOTA], True),
        ([Role.SHADOW, Role.QUOTA], True),
        ([Role.SHADOW, Role.BINDING], True),
    ],
)
def test_what_a_charge_that_is_over_means_is_in_its_role(roles: list[Role], denied: bool) -> None:  # noqa: FBT001
    store = MemoryStore(Clock(), 10)
    never = FixedWindow(0, Unit.DAY)
    charge(store, Charge("b", 1, BUCKET, Role.SHADOW), *(Charge(role.name, 1, never, role) for role in roles))
    assert used(store, "b", BUCKET) == int(not denied)


def test_quotas_deny_only_together() -> None:
    store = MemoryStore(Clock(), 10)
    never, plenty = FixedWindow(0, Unit.DAY), FixedWindow(9, Unit.DAY)
    charges = [Charge("q1", 1, never, Role.QUOTA), Charge("q2", 1, plenty, Role.QUOTA), Charge("b", 1, BUCKET)]
    assert [count.over for count in charge(store, *charges)] == [True, False, False]
    assert used(store, "b", BUCKET) == 1


def test_a_sparing_store_counts_of_a_denied_request_only_what_is_over() -> None:
    store = MemoryStore(Clock(), 10, sparing=True)
    never = FixedWindow(0, Unit.DAY)
    counts = hit(store, ("w", MINUTE), ("n", never), ("s", SLIDING))
    assert [(count.over, count.used) for count in counts] == [(False, 0), (True, 1), (False, 0)]
    assert [used(store, "w", MINUTE), used(store, "n", never)] == [0, 1]
    hit(store, ("w", MINUTE))
    assert used(store, "w", MINUTE) == 1


def test_a_sparing_store_gives_back_in_a_denied_request_too() -> None:
    store = MemoryStore(Clock(), 10, sparing=True)
    hit(store, ("w", MINUTE), ("w", MINUTE))
    charge(store, Charge("w", -1, MINUTE), Charge("n", 1, FixedWindow(0, Unit.DAY)))
    assert used(store, "w", MINUTE) == 1


# All of it at once, whatever comes


CHARGES = st.lists(
    st.builds(
        lambda which, hits, role: Charge("wbs"[which], hits, LIMITS[which], role),
        st.integers(0, 2),
        st.integers(-2, 3),
        st.sampled_from(Role),
    ),
    min_size=1,
    max_size=4,
)


@given(st.lists(st.tuples(st.integers(0, 80_000_000), CHARGES, st.booleans()), max_size=12), st.booleans())
def test_no_bucket_ever_holds_more_or_less_than_it_can(
    calls: list[tuple[int, list[Charge], bool]],
    sparing: bool,  # noqa: FBT001
) -> None:
    clock = Clock()
    store = MemoryStore(clock, 10, sparing=sparing)
    for pause, charges, denied in calls:
        clock.now_us += pause
        for made, count in zip(charges, asyncio.run(store.hit(charges, denied=denied)), strict=True):
            assert not (count.over and made.hits < 0)
            assert 0 <= count.remaining <= 2
            assert 0 <= count.reset_us <= 61_200_000
            assert count.used >= 0
            if made.limit is not MINUTE:
                assert count.used == 2 - count.remaining


class _Unlisted(dict[str, Any]):
    """Buckets that cannot be gone through."""

    def keys(self) -> NoReturn:
        raise AssertionError

    def __iter__(self) -> NoReturn:
        raise AssertionError


def test_a_hit_costs_the_same_however_many_buckets_there_are() -> None:
    """It looks its own up, and goes through none of the others: a difference of key views would."""
    store = MemoryStore(Clock(), 10)
    store._states = _Unlisted(store._states)
    assert [hit(store, ("w", MINUTE), ("b", BUCKET))[0].remaining for _ in range(2)] == [1, 0]
