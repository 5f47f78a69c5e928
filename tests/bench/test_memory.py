"""The growth that is fitted to memory over requests."""

from __future__ import annotations

import pytest

from bench.memory import Point, growth


def _points(*held: int) -> list[Point]:
    return [Point(number * 1_000, {"a": each}, {"a": each}) for number, each in enumerate(held, 1)]


def test_what_grows_evenly_has_that_slope() -> None:
    found = growth(_points(0, 500, 700, 900, 1_100), "a")
    assert found.slope == pytest.approx(200)
    assert found.error == pytest.approx(0, abs=1e-6)


def test_the_first_point_is_left_out_since_caches_fill_before_it() -> None:
    assert growth(_points(0, 5_000, 5_000, 5_000), "a").slope == pytest.approx(0)


def test_what_only_swings_has_a_slope_within_its_error() -> None:
    found = growth(_points(0, 500, 900, 500, 900, 500, 900, 500), "a")
    assert abs(found.slope) < found.error
