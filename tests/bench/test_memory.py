"""The growth that is fitted to memory over requests."""

from __future__ import annotations

from bench.memory import Point, growth


def _points(*held: int) -> list[Point]:
    return [Point(number * 1_000, {"a": each}, {"a": each}) for number, each in enumerate(held, 1)]


def test_what_grows_evenly_has_that_slope() -> None:
    found = growth(_points(0, 500, 700, 900, 1_100), "a")
    assert (found.low, found.slope, found.high) == (200, 200, 200)


def test_the_first_point_is_left_out_since_caches_fill_before_it() -> None:
    assert growth(_points(0, 5_000, 5_000, 5_000), "a").slope == 0


def test_a_single_point_that_is_off_does_not_count() -> None:
    assert growth(_points(0, 100, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000), "a").slope == 0


def test_what_only_swings_has_quarters_on_both_sides() -> None:
    found = growth(_points(0, 500, 900, 500, 900, 500, 900, 500), "a")
    assert found.low < 0 < found.high
