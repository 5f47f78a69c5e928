from __future__ import annotations

import pytest

from ratelimit_service import fixed_window
from ratelimit_service.model import Count, FixedWindow, Unit

LIMIT = FixedWindow(10, Unit.MINUTE)


@pytest.mark.parametrize(("now", "start"), [(0, 0), (59, 0), (60, 60), (1_763_870_399, 1_763_870_340)])
def test_windows_begin_at_whole_multiples_of_the_unit(now: int, start: int) -> None:
    assert fixed_window.start(Unit.MINUTE, now * 1_000_000 + 999_999) == start


@pytest.mark.parametrize(("counted", "over", "remaining"), [(0, False, 10), (10, False, 0), (11, True, 0)])
def test_a_count_is_over_once_it_exceeds_the_limit(counted: int, over: bool, remaining: int) -> None:  # noqa: FBT001
    count = fixed_window.count(LIMIT, 0, counted)
    assert (count.over, count.remaining) == (over, remaining)


@pytest.mark.parametrize(("now_us", "reset"), [(0, 60), (1, 60), (999_999, 60), (1_000_000, 59), (59_999_999, 1)])
def test_the_reset_is_from_one_second_to_the_whole_unit(now_us: int, reset: int) -> None:
    assert fixed_window.count(LIMIT, now_us, 1) == Count(over=False, remaining=9, reset_seconds=reset)


def test_a_limit_of_zero_denies_every_hit_but_not_a_look() -> None:
    never = FixedWindow(0, Unit.DAY)
    assert fixed_window.count(never, 0, 1).over
    assert not fixed_window.count(never, 0, 0).over


def test_a_count_stops_growing_where_doubles_stay_exact() -> None:
    assert fixed_window.add(fixed_window.MAX_COUNT - 1, 2**32) == 2**52
