from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service.limits import FixedWindow, Limit, SlidingWindow, TokenBucket, Unit
from ratelimit_service.model import Charge, Charges, Count, Role
from ratelimit_service.stores.local_cache import LocalCache
from ratelimit_service.stores.memory import MemoryStore
from service_kit.valkey.errors import StoreUnavailableError

MINUTE = FixedWindow(2, Unit.MINUTE)
BUCKET = TokenBucket(60, Unit.MINUTE, burst=2)
SLIDING = SlidingWindow(2, Unit.MINUTE)
NEVER = FixedWindow(0, Unit.DAY)
LIMITS: list[Limit] = [MINUTE, BUCKET, SLIDING]
LIMITED = pytest.mark.parametrize("limit", LIMITS, ids=["window", "bucket", "sliding"])


@dataclass
class Clock:
    now_us: int = 1_763_870_400_000_000  # at the start of a minute, and of a slice of SLIDING

    def __call__(self) -> int:
        return self.now_us


class Cached:
    """A cache before a store in memory: what the store was asked, and what it was told of it."""

    def __init__(self, entries: int = 100, *, sparing: bool = False) -> None:
        self.clock = Clock()
        self.asked: list[list[Charge]] = []
        self.denied: list[bool] = []
        self.away = False
        self.store = MemoryStore(self.clock, 1_000, sparing=sparing)
        self.cache = LocalCache(self, lambda: self.clock.now_us - 5, entries)

    async def hit(self, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
        """As the store behind the cache."""
        self.asked.append(list(charges))
        self.denied.append(denied)
        if self.away:
            raise StoreUnavailableError("away")
        return await self.store.hit(charges, denied=denied)

    def charge(self, *charges: Charge, denied: bool = False) -> Sequence[Count]:
        """Ask through the cache; what was asked before is forgotten."""
        self.asked.clear()
        self.denied.clear()
        return asyncio.run(self.cache.hit(charges, denied=denied))

    def exhaust(self, key: str, limit: Limit, hits: int = 1) -> None:
        """Use a bucket up, and ask once more for so many hits."""
        self.charge(Charge(key, 2, limit))
        assert self.charge(Charge(key, hits, limit))[0].over
        assert self.asked

    def used(self, key: str, limit: Limit) -> int:
        """What the store counts."""
        return asyncio.run(self.store.hit([Charge(key, 0, limit)]))[0].used


@pytest.fixture
def cached() -> Cached:
    return Cached()


@LIMITED
def test_what_is_within_its_limit_is_always_asked(cached: Cached, limit: Limit) -> None:
    for _ in range(2):
        assert not cached.charge(Charge("k", 1, limit))[0].over
        assert len(cached.asked) == 1
    assert len(cached.cache) == 0


@LIMITED
def test_what_is_over_is_answered_without_the_store(cached: Cached, limit: Limit) -> None:
    cached.exhaust("k", limit)
    (count,) = cached.charge(Charge("k", 1, limit))
    assert cached.asked == []
    assert (count.over, count.remaining, count.cached) == (True, 0, True)
    assert not asyncio.run(cached.store.hit([Charge("k", 0, limit)]))[0].cached


@pytest.mark.parametrize(("limit", "seconds"), [(MINUTE, 60), (BUCKET, 1), (SLIDING, 61.2)])
def test_what_is_over_is_so_until_the_time_that_was_told_and_no_longer(
    cached: Cached, limit: Limit, seconds: float
) -> None:
    cached.exhaust("k", limit)
    cached.clock.now_us += int(seconds * 1_000_000) - 1
    (count,) = cached.charge(Charge("k", 1, limit))
    assert (cached.asked, count.over, count.reset_us) == ([], True, 1)
    cached.clock.now_us += 1
    assert not cached.charge(Charge("k", 1, limit))[0].over
    assert len(cached.asked) == 1


def test_a_window_does_not_count_what_is_answered_from_here(cached: Cached) -> None:
    cached.exhaust("k", MINUTE)
    (count,) = cached.charge(Charge("k", 5, MINUTE))
    assert count.used == 7  # as if the hits were beyond the limit, all of them
    assert cached.used("k", MINUTE) == 3


def test_a_window_that_is_over_has_no_room_for_anything(cached: Cached) -> None:
    cached.exhaust("k", MINUTE, hits=2)
    assert cached.charge(Charge("k", 1, MINUTE))[0].over
    assert cached.asked == []


@pytest.mark.parametrize("limit", [BUCKET, SLIDING])
def test_what_had_no_room_for_so_many_hits_has_none_for_as_many_or_more(cached: Cached, limit: Limit) -> None:
    cached.charge(Charge("k", 1, limit))
    assert cached.charge(Charge("k", 2, limit))[0].over
    for hits in (2, 3):
        assert cached.charge(Charge("k", hits, limit))[0].over
        assert cached.asked == []
    assert not cached.charge(Charge("k", 1, limit))[0].over
    assert len(cached.asked) == 1


@LIMITED
def test_a_look_always_asks(cached: Cached, limit: Limit) -> None:
    cached.exhaust("k", limit)
    cached.charge(Charge("k", 0, limit))
    assert len(cached.asked) == 1
    fresh = Cached()
    fresh.charge(Charge("k", 2, limit))
    fresh.charge(Charge("k", 0, limit))
    assert len(fresh.cache) == 0


@LIMITED
def test_a_look_changes_nothing_of_what_is_known(cached: Cached, limit: Limit) -> None:
    cached.exhaust("k", limit)
    cached.charge(Charge("k", 0, limit), Charge("k", 1, limit))
    assert cached.asked == [[Charge("k", 0, limit)]]
    assert cached.charge(Charge("k", 1, limit))[0].cached


@LIMITED
def test_hits_that_are_given_back_are_noticed(cached: Cached, limit: Limit) -> None:
    cached.exhaust("k", limit)
    cached.charge(Charge("k", -2, limit))
    assert len(cached.cache) == 0
    assert not cached.charge(Charge("k", 1, limit))[0].over


@LIMITED
def test_hits_that_are_given_back_in_the_same_request_are_noticed(cached: Cached, limit: Limit) -> None:
    cached.exhaust("k", limit)
    assert [count.over for count in cached.charge(Charge("k", -2, limit), Charge("k", 1, limit))] == [False, False]


@pytest.mark.parametrize(
    ("limit", "other"),
    [
        (MINUTE, FixedWindow(9, Unit.MINUTE)),
        (BUCKET, TokenBucket(60, Unit.MINUTE, burst=9)),
        (SLIDING, SlidingWindow(9, Unit.MINUTE)),
    ],
)
def test_a_limit_that_has_changed_is_noticed(cached: Cached, limit: Limit, other: Limit) -> None:
    cached.exhaust("k", limit)
    assert not cached.charge(Charge("k", 1, other))[0].over
    assert len(cached.cache) == 0


def test_the_rest_of_a_request_that_is_over_is_asked_as_denied(cached: Cached) -> None:
    cached.exhaust("k", MINUTE)
    first, second, third = cached.charge(Charge("b", 1, BUCKET), Charge("k", 1, MINUTE), Charge("w", 1, MINUTE))
    assert ([charge.key for charge in cached.asked[0]], cached.denied) == (["b", "w"], [True])
    assert [first.over, second.over, third.over] == [False, True, False]
    assert (second.cached, first.cached) == (True, False)
    assert (cached.used("b", BUCKET), cached.used("w", MINUTE)) == (0, 1)


@pytest.mark.parametrize(
    ("roles", "denied"),
    [
        ([Role.BINDING, Role.BINDING], True),
        ([Role.SHADOW, Role.BINDING], False),
        ([Role.QUOTA, Role.BINDING], True),
        ([Role.QUOTA, Role.SHADOW], True),
        ([Role.QUOTA, Role.QUOTA], False),  # the other one decides
    ],
)
def test_whether_the_rest_is_denied_is_in_the_role_of_what_is_known(
    cached: Cached,
    roles: list[Role],
    denied: bool,  # noqa: FBT001
) -> None:
    cached.exhaust("k", MINUTE)
    cached.charge(Charge("k", 1, MINUTE, roles[0]), Charge("other", 1, MINUTE, roles[1]))
    assert cached.denied == [denied]


def test_a_request_that_was_denied_before_stays_so(cached: Cached) -> None:
    cached.charge(Charge("k", 1, MINUTE), denied=True)
    asyncio.run(cached.cache.hit([Charge("k", 1, MINUTE)]))
    assert cached.denied == [True, False]


def test_a_role_is_no_part_of_what_is_known(cached: Cached) -> None:
    cached.exhaust("k", MINUTE)
    assert cached.charge(Charge("k", 1, MINUTE, Role.SHADOW))[0].over
    assert cached.asked == []


def test_answers_come_in_the_order_of_the_charges(cached: Cached) -> None:
    cached.exhaust("a", MINUTE)
    cached.exhaust("c", MINUTE)
    charges = [Charge(key, 1, MINUTE) for key in "abcd"]
    assert [count.over for count in cached.charge(*charges)] == [True, False, True, False]
    assert [count.cached for count in cached.charge(*charges)] == [True, False, True, False]


def test_a_charge_that_never_fits_is_asked_again_where_there_is_nothing_to_wait_for(cached: Cached) -> None:
    for _ in range(2):
        assert cached.charge(Charge("k", 3, BUCKET))[0].over  # more than a full bucket holds
        assert len(cached.asked) == 1


def test_a_bucket_that_comes_twice_in_a_request_is_not_remembered(cached: Cached) -> None:
    for limit in LIMITS:
        overs = [count.over for count in cached.charge(Charge("k", 2, limit), Charge("k", 1, limit))]
        assert overs == [False, True]
        assert len(cached.cache) == 0
        assert [count.over for count in cached.charge(Charge("k", 1, limit))] == [limit is MINUTE]
        cached = Cached()


def test_a_store_that_spares_windows_is_not_thought_over_because_of_a_request_that_came_twice() -> None:
    cached = Cached(sparing=True)
    assert [count.over for count in cached.charge(Charge("k", 2, MINUTE), Charge("k", 2, MINUTE))] == [False, True]
    assert cached.used("k", MINUTE) == 2  # of the two, only the one that was over counted
    cached.charge(Charge("k", -1, MINUTE))
    assert not cached.charge(Charge("k", 1, MINUTE))[0].over


def test_a_failure_of_the_store_is_passed_on_and_teaches_nothing(cached: Cached) -> None:
    cached.away = True
    with pytest.raises(StoreUnavailableError):
        cached.charge(Charge("k", 1, NEVER))
    assert len(cached.cache) == 0


def test_what_is_known_is_answered_while_the_store_is_away(cached: Cached) -> None:
    cached.exhaust("k", MINUTE)
    cached.away = True
    assert cached.charge(Charge("k", 1, MINUTE))[0].over
    with pytest.raises(StoreUnavailableError):
        cached.charge(Charge("k", 1, MINUTE), Charge("other", 1, MINUTE))


def test_the_number_of_entries_is_bounded_and_the_oldest_is_forgotten() -> None:
    cached = Cached(entries=2)
    for key in "abc":
        cached.charge(Charge(key, 1, NEVER))
    assert len(cached.cache) == 2
    asked = []
    for key in "cb":
        cached.charge(Charge(key, 1, NEVER))
        asked += cached.asked
    assert asked == []
    cached.charge(Charge("a", 1, NEVER))
    assert len(cached.asked) == 1
    assert len(cached.cache) == 2


def test_an_entry_that_is_told_anew_takes_no_others_room() -> None:
    cached = Cached(entries=2)
    cached.exhaust("b", BUCKET, hits=2)
    cached.charge(Charge("n", 1, NEVER))
    cached.charge(Charge("b", 1, BUCKET))  # fewer hits than what is known: asked, and known from now on
    cached.charge(Charge("n", 1, NEVER))
    assert cached.asked == []


@dataclass(frozen=True)
class Step:
    """A pause, and a request."""

    pause_us: int
    charges: list[Charge]


STEPS = st.lists(
    st.builds(
        Step,
        st.one_of(st.just(0), st.integers(0, 1_500_000), st.integers(0, 80_000_000)),
        st.lists(
            st.builds(
                lambda which, hits, role: Charge("wbs"[which], hits, LIMITS[which], role),
                st.integers(0, 2),
                st.integers(-1, 3),
                st.sampled_from([Role.BINDING, Role.BINDING, Role.SHADOW, Role.QUOTA]),
            ),
            min_size=1,
            max_size=3,
        ),
    ),
    max_size=15,
)


@given(STEPS, st.booleans())
def test_nobody_is_told_to_be_over_whom_the_store_would_admit(steps: list[Step], sparing: bool) -> None:  # noqa: FBT001
    cached = Cached(sparing=sparing)
    for step in steps:
        cached.clock.now_us += step.pause_us
        keys = [charge.key for charge in step.charges]
        for charge, count in zip(step.charges, cached.charge(*step.charges), strict=True):
            if not count.cached:
                continue
            assert count.over
            assert count.reset_us > 0
            # As the store would say to this charge alone, changing nothing: a copy of it is asked.
            copy = MemoryStore(cached.clock, 1_000)
            copy._states = dict(cached.store._states)
            if keys.count(charge.key) == 1:
                assert asyncio.run(copy.hit([charge]))[0].over


@given(STEPS)
def test_buckets_and_sliding_windows_answer_as_they_would_without_a_cache(steps: list[Step]) -> None:
    cached = Cached()
    plain = MemoryStore(cached.clock, 1_000)
    for step in steps:
        charges = [charge for charge in step.charges if charge.limit is not MINUTE]
        # What a request's charges of one bucket say to each other is the store's, so each bucket comes once here.
        charges = list({charge.key: charge for charge in charges}.values())
        if not charges:
            continue
        cached.clock.now_us += step.pause_us
        expected = asyncio.run(plain.hit(charges))
        assert [count.over for count in cached.charge(*charges)] == [count.over for count in expected]


def test_a_request_of_which_nothing_is_known_goes_on_as_it_is() -> None:
    """A store may know it from before."""
    passed: list[Sequence[Charge]] = []

    class Store:
        async def hit(self, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
            del denied
            passed.append(charges)
            return [Count(over=False, remaining=1, reset_us=1, used=1) for _ in charges]

    charges = Charges([Charge("a", 1, MINUTE), Charge("b", 1, BUCKET)])
    asyncio.run(LocalCache(Store(), lambda: 0, 10).hit(charges))
    assert passed[0] is charges
