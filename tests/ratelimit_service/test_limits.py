from __future__ import annotations

from collections.abc import Callable
from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service.limits import (
    MAX_SECONDS,
    MAX_UINT32,
    SLICES,
    FixedWindow,
    Limit,
    SlidingWindow,
    TokenBucket,
    Unit,
    unit_of,
)

KINDS: list[Callable[[int, Unit, int], Limit]] = [
    lambda requests, unit, multiplier: FixedWindow(requests, unit, multiplier=multiplier),
    lambda requests, unit, multiplier: SlidingWindow(requests, unit, multiplier=multiplier),
    lambda requests, unit, multiplier: TokenBucket(requests, unit, 1, multiplier=multiplier),
]


def test_a_month_has_30_days_and_a_year_365() -> None:
    assert Unit.MONTH.value == 30 * 86_400
    assert Unit.YEAR.value == 365 * 86_400


@pytest.mark.parametrize("kind", KINDS)
def test_a_span_is_so_many_units_long(kind: Callable[[int, Unit, int], Limit]) -> None:
    assert kind(1, Unit.MINUTE, 1).seconds == 60
    assert kind(1, Unit.MINUTE, 5).seconds == 300
    assert kind(1, Unit.YEAR, 50).seconds == MAX_SECONDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("unit", "multiplier"), [(Unit.DAY, 0), (Unit.DAY, -1), (Unit.YEAR, 51), (Unit.SECOND, MAX_SECONDS + 1)]
)
def test_a_span_outside_its_bounds_cannot_be_built(
    kind: Callable[[int, Unit, int], Limit], unit: Unit, multiplier: int
) -> None:
    with pytest.raises(ValueError, match="from one unit to 50 years"):
        kind(1, unit, multiplier)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("requests", [-1, MAX_UINT32 + 1])
def test_requests_outside_their_bounds_are_refused(kind: Callable[[int, Unit, int], Limit], requests: int) -> None:
    with pytest.raises(ValueError, match="requests_per_unit"):
        kind(requests, Unit.DAY, 1)


def test_windows_may_let_nothing_through_and_a_token_bucket_may_not() -> None:
    assert FixedWindow(0, Unit.DAY).requests_per_unit == 0
    assert SlidingWindow(0, Unit.DAY).requests_per_unit == 0
    with pytest.raises(ValueError, match="from 1 to"):
        TokenBucket(0, Unit.DAY, 1)


@pytest.mark.parametrize("kind", KINDS)
def test_the_largest_number_of_the_protocol_is_allowed(kind: Callable[[int, Unit, int], Limit]) -> None:
    assert kind(MAX_UINT32, Unit.DAY, 1).requests_per_unit == 2**32 - 1


@given(st.sampled_from(Unit), st.integers(1, 50))
def test_the_slices_of_a_window_make_up_its_span(unit: Unit, multiplier: int) -> None:
    window = SlidingWindow(1, unit, multiplier=multiplier)
    assert window.slice_us * SLICES == unit.value * multiplier * 1_000_000


@pytest.mark.parametrize(
    ("requests", "unit", "multiplier"), [(100, Unit.MINUTE, 1), (1, Unit.YEAR, 7), (4_000_000_007, Unit.SECOND, 3)]
)
def test_a_token_takes_a_whole_number_of_ticks_to_refill(requests: int, unit: Unit, multiplier: int) -> None:
    bucket = TokenBucket(requests, unit, burst=3, multiplier=multiplier)
    assert bucket.token_ticks * requests == bucket.seconds * 1_000_000 * bucket.ticks_per_us
    assert bucket.capacity_ticks == 3 * bucket.token_ticks


@pytest.mark.parametrize(
    ("requests", "unit", "burst", "multiplier"),
    [
        (1, Unit.SECOND, 0, 1),
        (1, Unit.SECOND, MAX_UINT32 + 1, 1),
        (1, Unit.YEAR, 51, 1),
        (1, Unit.YEAR, 6, 10),
    ],
)
def test_a_burst_outside_its_bounds_cannot_be_built(requests: int, unit: Unit, burst: int, multiplier: int) -> None:
    with pytest.raises(ValueError, match=r"burst"):
        TokenBucket(requests, unit, burst, multiplier=multiplier)


def test_a_token_bucket_may_take_just_50_years_to_fill() -> None:
    assert TokenBucket(1, Unit.YEAR, 50).burst == 50
    assert TokenBucket(1, Unit.YEAR, 5, multiplier=10).burst == 5


def test_a_burst_may_be_the_largest_number_of_the_protocol() -> None:
    assert TokenBucket(MAX_UINT32, Unit.SECOND, MAX_UINT32).burst == MAX_UINT32


@pytest.mark.parametrize("limit", [FixedWindow(1, Unit.DAY), SlidingWindow(1, Unit.DAY), TokenBucket(1, Unit.DAY, 1)])
def test_a_limit_is_nameless_and_of_one_unit_where_nothing_else_is_said(limit: Limit) -> None:
    assert (limit.name, limit.multiplier) == ("", 1)


@pytest.mark.parametrize(
    ("unit", "multiplier", "exact"),
    [
        (Unit.SECOND, 1, Unit.SECOND),
        (Unit.SECOND, 60, Unit.MINUTE),
        (Unit.MINUTE, 60, Unit.HOUR),
        (Unit.HOUR, 24, Unit.DAY),
        (Unit.DAY, 7, Unit.WEEK),
        (Unit.DAY, 30, Unit.MONTH),
        (Unit.DAY, 365, Unit.YEAR),
        (Unit.MINUTE, 5, None),
        (Unit.SECOND, 61, None),
        (Unit.WEEK, 2, None),
        (Unit.MONTH, 12, None),  # 360 days
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_a_span_is_told_in_the_unit_that_is_just_as_long(
    kind: Callable[[int, Unit, int], Limit], unit: Unit, multiplier: int, exact: Unit | None
) -> None:
    assert unit_of(kind(1, unit, multiplier)) is exact


def test_limits_are_equal_when_they_were_given_the_same() -> None:
    assert FixedWindow(1, Unit.DAY, "n") == FixedWindow(1, Unit.DAY, "n")
    others: list[Limit] = [
        FixedWindow(1, Unit.DAY, "m"),
        FixedWindow(1, Unit.DAY, "n", 2),
        FixedWindow(2, Unit.DAY, "n"),
        SlidingWindow(1, Unit.DAY, "n"),
    ]
    assert FixedWindow(1, Unit.DAY, "n") not in others


def test_a_limit_does_not_change_any_more() -> None:
    with pytest.raises(FrozenInstanceError):
        FixedWindow(1, Unit.DAY).requests_per_unit = 2  # type: ignore[misc]
