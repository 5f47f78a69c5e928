from __future__ import annotations

import pytest

from ratelimit_service.model import MAX_UINT32, Decision, Descriptor, FixedWindow, Status, TokenBucket, Unit


def test_a_month_has_30_days_and_a_year_365() -> None:
    assert Unit.MONTH.value == 30 * 86_400
    assert Unit.YEAR.value == 365 * 86_400


@pytest.mark.parametrize(("requests", "unit"), [(100, Unit.MINUTE), (1, Unit.YEAR), (4_000_000_007, Unit.SECOND)])
def test_a_token_takes_a_whole_number_of_ticks_to_refill(requests: int, unit: Unit) -> None:
    bucket = TokenBucket(requests, unit, burst=3)
    assert bucket.token_ticks * requests == unit.value * 1_000_000 * bucket.ticks_per_us
    assert bucket.capacity_ticks == 3 * bucket.token_ticks


@pytest.mark.parametrize(
    ("requests", "unit", "burst"),
    [
        (0, Unit.SECOND, 1),
        (MAX_UINT32 + 1, Unit.SECOND, 1),
        (1, Unit.SECOND, 0),
        (1, Unit.SECOND, MAX_UINT32 + 1),
        (1, Unit.YEAR, 51),
    ],
)
def test_a_token_bucket_outside_its_bounds_cannot_be_built(requests: int, unit: Unit, burst: int) -> None:
    with pytest.raises(ValueError, match=r"must|may"):
        TokenBucket(requests, unit, burst)


def test_a_token_bucket_may_take_just_50_years_to_fill() -> None:
    assert TokenBucket(1, Unit.YEAR, 50).burst == 50


@pytest.mark.parametrize("requests", [-1, MAX_UINT32 + 1])
def test_a_window_outside_its_bounds_cannot_be_built(requests: int) -> None:
    with pytest.raises(ValueError, match="requests_per_unit"):
        FixedWindow(requests, Unit.DAY)


@pytest.mark.parametrize("hits", [-1, MAX_UINT32 + 1])
def test_hits_outside_their_bounds_are_refused(hits: int) -> None:
    with pytest.raises(ValueError, match="hits"):
        Descriptor((("a", "b"),), hits)


def test_a_decision_is_over_when_any_status_is() -> None:
    under, over = Status(over=False, hits=1), Status(over=True, hits=1)
    assert not Decision("d", (under, under)).over
    assert Decision("d", (under, over)).over
