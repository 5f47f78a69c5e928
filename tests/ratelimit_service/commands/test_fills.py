"""The values that hit.lua writes, as the twin in memory counts them."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import keys
from ratelimit_service.commands import bucket_names, fills
from ratelimit_service.commands.bucket_names import BucketName
from ratelimit_service.commands.fills import Fill
from ratelimit_service.limits import FixedWindow, Limit, SlidingWindow, TokenBucket, Unit
from ratelimit_service.model import Charge
from ratelimit_service.stores.memory import MemoryStore, _Bucket, _Sliding, _Window

NOW_US = 1_763_870_400_000_000
WINDOW = FixedWindow(10, Unit.MINUTE)
SLIDING = SlidingWindow(10, Unit.MINUTE)
BUCKET = TokenBucket(60, Unit.MINUTE, burst=10)
LIMITS: tuple[Limit, ...] = (WINDOW, SLIDING, BUCKET, TokenBucket(7, Unit.SECOND, burst=9))


def name_of(limit: Limit) -> BucketName:
    name = bucket_names.parse(keys.bucket("d", [("user", "a")], limit))
    assert name is not None
    return name


def fill(limit: Limit, value: str, *, known: bool = True, now_us: int = NOW_US) -> Fill | None:
    return fills.read(name_of(limit), value.encode(), now_us, limit if known else None)


def test_a_fixed_window_shows_its_count_until_it_ends() -> None:
    start = NOW_US // 1_000_000
    assert fill(WINDOW, f"{start} 4") == Fill(4, WINDOW, 60_000_000)
    assert fill(WINDOW, f"{start} 4", known=False) == Fill(4, None, 60_000_000)
    assert fill(WINDOW, f"{start - 59} 4") == Fill(4, WINDOW, 1_000_000)
    assert fill(WINDOW, f"{start - 60} 4") is None
    assert fill(WINDOW, f"{start} 0") is None


def test_a_sliding_window_shows_the_slices_that_count() -> None:
    present = NOW_US // SLIDING.slice_us
    assert fill(SLIDING, f"{present - 51} 7 {present - 50} 2 {present} 1") == Fill(3, SLIDING, 51 * SLIDING.slice_us)
    assert fill(SLIDING, f"{present - 51} 7") is None
    assert fill(SLIDING, f"{present} 5", known=False) == Fill(5, None, 51 * SLIDING.slice_us)


def test_a_bucket_shows_its_missing_tokens_where_the_limit_is_known() -> None:
    assert fill(BUCKET, f"{NOW_US + 3_000_000} 0 1") == Fill(3, BUCKET, 3_000_000)
    assert fill(BUCKET, f"{NOW_US + 3_000_000} 0 1", known=False) == Fill(None, None, 3_000_000)
    assert fill(BUCKET, f"{NOW_US} 0 1") is None
    assert fill(BUCKET, f"{NOW_US} 1 7", known=False) == Fill(None, None, 1)
    # Of another rate: read as the store reads it, and never as fuller than full.
    assert fill(BUCKET, f"{NOW_US + 2_999_999} 1 7") == Fill(3, BUCKET, 3_000_000)
    assert fill(BUCKET, f"{NOW_US + 99_000_000} 0 1") == Fill(10, BUCKET, 10_000_000)


@pytest.mark.parametrize(
    "value",
    ["", "x", "1", "1 2 3 4 5", "1  2", "-1 2", " 1 2", "1 2 ", "1.5 2", "99999999999999999 1", "1 2\n", "0 0 0"],
)
@pytest.mark.parametrize("limit", LIMITS[:3])
def test_a_value_that_no_bucket_has_is_passed_over(limit: Limit, value: str) -> None:
    assert fill(limit, value) is None


def test_how_much_is_used_follows_from_the_limit() -> None:
    assert (Fill(5, WINDOW, 1).percent, Fill(12, WINDOW, 1).percent) == (50.0, 120.0)
    assert (Fill(3, BUCKET, 1).size, Fill(3, BUCKET, 1).percent) == (10, 30.0)
    assert Fill(1, FixedWindow(0, Unit.DAY), 1).percent == 100.0
    assert (Fill(5, None, 1).percent, Fill(None, None, 1).percent) == (None, None)


def test_what_is_used_is_told_in_words() -> None:
    assert [fills.shown(each) for each in (Fill(1_200, WINDOW, 1), Fill(5, None, 1), Fill(None, None, 1))] == [
        "1,200 of 10",
        "5",
        "in use",
    ]
    assert [fills.until(name_of(limit), Fill(1, limit, 5_000_000)) for limit in LIMITS[:3]] == [
        "ends in 5 s",
        "is empty in 5 s",
        "is full in 5 s",
    ]


@given(
    st.sampled_from(LIMITS),
    st.lists(st.tuples(st.integers(0, 20_000_000), st.integers(1, 4)), min_size=1, max_size=20),
    st.integers(0, 90_000_000),
)
def test_what_is_shown_is_what_the_next_charge_would_find(
    limit: Limit, hits: list[tuple[int, int]], later: int
) -> None:
    now_us = NOW_US
    store = MemoryStore(lambda: now_us, 10)
    name = name_of(limit)
    for wait, number in hits:
        now_us += wait
        asyncio.run(store.hit([Charge(name.name, number, limit)]))
    state = store._states.get(name.name)
    if isinstance(state, _Window):
        value = f"{state.start} {state.counted}"
    elif isinstance(state, _Sliding):
        value = " ".join(f"{number} {count}" for number, count in state.slices)
    else:
        assert isinstance(state, _Bucket)
        value = f"{state.full_at // state.ticks_per_us} {state.full_at % state.ticks_per_us} {state.ticks_per_us}"
    now_us += later
    (count,) = asyncio.run(store.hit([Charge(name.name, 0, limit)]))
    shown = fill(limit, value, now_us=now_us)
    assert (shown.used if shown else 0) == count.used
    if shown and not count.over:
        assert shown.until_us == count.reset_us
