from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import sliding_window
from ratelimit_service.limits import SLICES, SlidingWindow, Unit
from ratelimit_service.model import Count
from ratelimit_service.sliding_window import Slices

NOW = 1_763_870_400_000_000  # microseconds since the epoch; a slice of THREE begins here
THREE = SlidingWindow(3, Unit.MINUTE)  # slices of 1.2 seconds
SLICE = THREE.slice_us
SPAN = 60_000_000


def take(limit: SlidingWindow, now_us: int, slices: Slices, hits: int) -> tuple[bool, Slices]:
    """One charge: whether it fits, and the window afterwards."""
    slices = sliding_window.settle(limit, now_us, slices)
    fits = sliding_window.fits(limit, slices, hits)
    return fits, sliding_window.add(limit, now_us, slices, hits) if fits and hits else slices


def admitted(limit: SlidingWindow, times: Sequence[int]) -> list[bool]:
    """Whether one hit at each of these times, from NOW on, fits."""
    slices: Slices = ()
    answers = []
    for time in times:
        fits, slices = take(limit, NOW + time, slices, 1)
        answers.append(fits)
    return answers


def wait(limit: SlidingWindow, now_us: int, slices: Slices, hits: int, *, over: bool) -> int:
    settled = sliding_window.settle(limit, now_us, slices)
    return sliding_window.wait_us(limit, now_us, settled, hits, over=over)


def test_a_window_admits_its_limit_and_no_more_in_its_span() -> None:
    assert admitted(THREE, [0, 1, 2, 3, SPAN - 1]) == [True, True, True, False, False]


def test_a_hit_is_forgotten_at_most_one_slice_after_it_has_left_the_span() -> None:
    assert admitted(THREE, [0, 0, 0, SPAN, SPAN + SLICE - 1, SPAN + SLICE]) == [True, True, True, False, False, True]
    late = SLICE - 1  # the end of a slice: what it holds leaves as soon as it may
    assert admitted(THREE, [late] * 3 + [SPAN + late, SPAN + SLICE]) == [True, True, True, False, True]


def test_hits_are_forgotten_one_after_the_other_and_not_all_at_once() -> None:
    times = [0, 10 * SLICE, 20 * SLICE, *(SPAN + SLICE + after * 10 * SLICE for after in (0, 0, 1, 1, 2, 2))]
    assert admitted(THREE, times) == [True] * 3 + [True, False] * 3


def test_denied_hits_do_not_count() -> None:
    _, slices = take(THREE, NOW, (), 3)
    for _ in range(100):
        fits, after = take(THREE, NOW + SLICE, slices, 1)
        assert (fits, after) == (False, slices)


def test_a_look_asks_about_one_hit() -> None:
    _, two = take(THREE, NOW, (), 2)
    _, three = take(THREE, NOW, two, 1)
    assert sliding_window.fits(THREE, two, 0)
    assert not sliding_window.fits(THREE, three, 0)


def test_a_limit_of_zero_has_room_for_nothing() -> None:
    never = SlidingWindow(0, Unit.DAY)
    assert not sliding_window.fits(never, (), 1)
    assert not sliding_window.fits(never, (), 0)


def test_more_hits_than_the_limit_never_fit() -> None:
    assert not sliding_window.fits(THREE, (), 4)
    assert sliding_window.fits(THREE, (), 3)


def test_hits_of_one_slice_are_kept_together() -> None:
    slices: Slices = ()
    for time in (0, 5, SLICE - 1, SLICE, 7 * SLICE):
        slices = sliding_window.add(THREE, NOW + time, slices, 2)
    first = NOW // SLICE
    assert slices == ((first, 6), (first + 1, 2), (first + 7, 2))
    assert sliding_window.used(slices) == 10


def test_what_is_given_back_is_taken_from_the_newest_hits() -> None:
    slices = ((1, 2), (5, 1), (9, 3))
    assert sliding_window.take_away(slices, 1) == ((1, 2), (5, 1), (9, 2))
    assert sliding_window.take_away(slices, 3) == ((1, 2), (5, 1))
    assert sliding_window.take_away(slices, 5) == ((1, 1),)


def test_no_more_is_given_back_than_is_there() -> None:
    assert sliding_window.take_away(((1, 2), (5, 1)), 4) == ()
    assert sliding_window.take_away((), 1) == ()


def test_a_clock_set_back_moves_the_hits_of_the_future_into_the_present() -> None:
    later = NOW // SLICE
    slices = ((later - 3, 1), (later, 1), (later + 1, 1))
    back = NOW - 2 * SLICE
    assert sliding_window.settle(THREE, back, slices) == ((later - 3, 1), (later - 2, 2))
    assert not take(THREE, back, slices, 1)[0]
    assert take(THREE, back + SPAN + SLICE, sliding_window.settle(THREE, back, slices), 3)[0]


def test_a_window_is_empty_once_its_newest_slice_is_forgotten() -> None:
    _, slices = take(THREE, NOW, (), 1)
    _, slices = take(THREE, NOW + 5 * SLICE, slices, 1)
    assert sliding_window.ends_us(THREE, slices) == NOW + 5 * SLICE + SPAN + SLICE
    assert sliding_window.ends_us(THREE, ()) == 0
    assert wait(THREE, NOW + 5 * SLICE + 7, slices, 1, over=False) == SPAN + SLICE - 7
    assert wait(THREE, NOW, (), 1, over=False) == 0


def test_a_window_that_is_full_and_not_over_tells_when_it_is_empty() -> None:
    _, slices = take(THREE, NOW, (), 2)
    _, slices = take(THREE, NOW + 5 * SLICE, slices, 1)
    assert wait(THREE, NOW + 5 * SLICE, slices, 1, over=False) == SPAN + SLICE


def test_who_is_over_waits_until_so_many_are_forgotten_as_the_charge_needs() -> None:
    slices: Slices = ()
    for after in (0, 10, 20):
        _, slices = take(THREE, NOW + after * SLICE, slices, 1)
    now = NOW + 30 * SLICE
    first = SPAN + SLICE - 30 * SLICE
    assert [wait(THREE, now, slices, hits, over=True) for hits in (0, 1, 2, 3)] == [
        first,
        first,
        first + 10 * SLICE,
        first + 20 * SLICE,
    ]
    assert wait(THREE, now, slices, 4, over=True) == first + 20 * SLICE  # never fits: until the window is empty


def test_a_count_tells_what_is_used_and_what_remains() -> None:
    assert sliding_window.count(THREE, 1, 7, over=False) == Count(over=False, remaining=2, reset_us=7, used=1)
    assert sliding_window.count(THREE, 9, 7, over=True) == Count(over=True, remaining=0, reset_us=7, used=9)


LIMITS = st.builds(
    lambda requests, unit, multiplier: SlidingWindow(requests, unit, multiplier=multiplier),
    st.integers(0, 8),
    st.sampled_from(Unit),
    st.integers(1, 7),
)


@st.composite
def charges(draw: st.DrawFn) -> tuple[SlidingWindow, list[tuple[int, int]]]:
    """A limit, and charges in the order of their times. Pauses are about a slice, about a span, or anything."""
    limit = draw(LIMITS)
    span = limit.seconds * 1_000_000
    near = st.builds(
        lambda length, parts, by: max(length * parts // SLICES + by, 0),
        st.just(span),
        st.one_of(st.integers(0, 3), st.integers(SLICES - 2, SLICES + 2)),
        st.integers(-2, 2),
    )
    now, found = NOW + draw(st.integers(0, span)), []
    for _ in range(draw(st.integers(1, 40))):
        now += draw(st.one_of(st.just(0), near, st.integers(0, 2 * span)))
        found.append((now, draw(st.integers(1, limit.requests_per_unit + 1))))
    return limit, found


@given(charges())
def test_no_span_of_the_windows_length_ever_holds_more_than_the_limit(
    example: tuple[SlidingWindow, list[tuple[int, int]]],
) -> None:
    limit, attempts = example
    slices: Slices = ()
    taken: list[tuple[int, int]] = []
    for now, hits in attempts:
        fits, slices = take(limit, now, slices, hits)
        if fits:
            taken.append((now, hits))
    for end, _ in taken:
        span = [hits for when, hits in taken if end - limit.seconds * 1_000_000 <= when <= end]
        assert sum(span) <= limit.requests_per_unit


@given(charges())
def test_a_charge_is_denied_only_for_hits_of_the_span_and_one_slice_more(
    example: tuple[SlidingWindow, list[tuple[int, int]]],
) -> None:
    limit, attempts = example
    slices: Slices = ()
    taken: list[tuple[int, int]] = []
    for now, hits in attempts:
        fits, slices = take(limit, now, slices, hits)
        if fits:
            taken.append((now, hits))
        else:
            since = now - limit.seconds * 1_000_000 - limit.slice_us
            assert sum(there for when, there in taken if when > since) + hits > limit.requests_per_unit


@given(charges())
def test_a_window_holds_no_more_slices_than_a_span_has_and_one(
    example: tuple[SlidingWindow, list[tuple[int, int]]],
) -> None:
    limit, attempts = example
    slices: Slices = ()
    for now, hits in attempts:
        _, slices = take(limit, now, slices, hits)
        numbers = [number for number, _ in slices]
        assert numbers == sorted(set(numbers))
        assert len(slices) <= SLICES + 1
        assert all(there > 0 for _, there in slices)


@given(charges())
def test_whoever_waits_as_long_as_told_is_admitted_and_not_a_microsecond_sooner(
    example: tuple[SlidingWindow, list[tuple[int, int]]],
) -> None:
    limit, attempts = example
    slices: Slices = ()
    for now, hits in attempts:
        fits, slices = take(limit, now, slices, hits)
        if not fits and hits <= limit.requests_per_unit:
            then = now + wait(limit, now, slices, hits, over=True)
            assert not take(limit, then - 1, slices, hits)[0]
            assert take(limit, then, slices, hits)[0]


@given(LIMITS, st.lists(st.tuples(st.integers(-(10**9), 10**9), st.integers(-4, 4)), max_size=30))
def test_whatever_the_clock_does_no_more_is_counted_than_the_limit(
    limit: SlidingWindow, calls: list[tuple[int, int]]
) -> None:
    slices: Slices = ()
    for time, hits in calls:
        if hits < 0:
            slices = sliding_window.take_away(sliding_window.settle(limit, NOW + time, slices), -hits)
        else:
            _, slices = take(limit, NOW + time, slices, hits)
        assert 0 <= sliding_window.used(slices) <= limit.requests_per_unit


@pytest.mark.parametrize("unit", Unit)
def test_a_slice_of_every_unit_is_a_whole_number_of_microseconds(unit: Unit) -> None:
    limit = SlidingWindow(1, unit)
    assert admitted(limit, [0, unit.value * 1_000_000, unit.value * 1_000_000 + limit.slice_us]) == [True, False, True]
