from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import fixed_window
from ratelimit_service.limits import MAX_UINT32, FixedWindow, Unit
from ratelimit_service.model import Count

LIMIT = FixedWindow(10, Unit.MINUTE)


@pytest.mark.parametrize(("now", "start"), [(0, 0), (59, 0), (60, 60), (1_763_870_399, 1_763_870_340)])
def test_windows_begin_at_whole_multiples_of_the_unit(now: int, start: int) -> None:
    assert fixed_window.start(LIMIT, now * 1_000_000 + 999_999) == start


@pytest.mark.parametrize(("now", "start"), [(0, 0), (299, 0), (300, 300), (1_763_870_399, 1_763_870_100)])
def test_windows_of_several_units_begin_at_whole_multiples_of_their_length(now: int, start: int) -> None:
    assert fixed_window.start(FixedWindow(1, Unit.MINUTE, multiplier=5), now * 1_000_000) == start


@pytest.mark.parametrize(
    ("counted", "hits", "over"),
    [(0, 0, False), (10, 1, False), (11, 1, True), (10, 0, False), (11, 0, True), (11, -1, False), (99, -1, False)],
)
def test_a_charge_is_over_once_the_count_after_it_exceeds_the_limit(counted: int, hits: int, over: bool) -> None:  # noqa: FBT001
    assert fixed_window.over(LIMIT, counted, hits) is over


@pytest.mark.parametrize(("counted", "remaining"), [(0, 10), (10, 0), (11, 0), (1_000, 0)])
def test_what_remains_is_never_below_zero(counted: int, remaining: int) -> None:
    count = fixed_window.count(LIMIT, 0, counted, over=counted > 10)
    assert (count.remaining, count.used, count.over) == (remaining, counted, counted > 10)


@pytest.mark.parametrize(("now_us", "reset"), [(0, 60), (1, 60), (999_999, 60), (1_000_000, 59), (59_999_999, 1)])
def test_the_reset_is_from_one_second_to_the_whole_unit(now_us: int, reset: int) -> None:
    count = fixed_window.count(LIMIT, now_us, 1, over=False)
    assert count == Count(over=False, remaining=9, reset_us=60_000_000 - now_us, used=1)
    assert count.reset_seconds == reset


def test_the_reset_of_several_units_is_that_of_the_whole_window() -> None:
    five = FixedWindow(1, Unit.MINUTE, multiplier=5)
    assert fixed_window.count(five, 61_000_000, 1, over=False).reset_seconds == 239
    assert fixed_window.count(five, 1_763_870_399_999_999, 1, over=False).reset_us == 1


def test_a_limit_of_zero_denies_every_hit_but_not_a_look() -> None:
    never = FixedWindow(0, Unit.DAY)
    assert fixed_window.over(never, fixed_window.add(0, 1), 1)
    assert not fixed_window.over(never, fixed_window.add(0, 0), 0)


def test_a_count_stops_growing_where_doubles_stay_exact() -> None:
    assert fixed_window.add(fixed_window.MAX_COUNT - 1, MAX_UINT32) == 2**52


def test_a_count_never_falls_below_zero() -> None:
    assert fixed_window.add(3, -2) == 1
    assert fixed_window.add(3, -5) == 0


@given(st.integers(0, 2**52), st.integers(-MAX_UINT32, MAX_UINT32))
def test_a_count_stays_within_its_bounds(counted: int, hits: int) -> None:
    assert 0 <= fixed_window.add(counted, hits) <= fixed_window.MAX_COUNT
