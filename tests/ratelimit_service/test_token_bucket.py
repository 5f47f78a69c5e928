from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import token_bucket
from ratelimit_service.limits import MAX_SECONDS, MAX_UINT32, TokenBucket, Unit
from ratelimit_service.model import Count

NOW = 1_763_870_400_000_000  # microseconds since the epoch
PER_MINUTE = TokenBucket(60, Unit.MINUTE, burst=3)  # one token a second


def take(bucket: TokenBucket, now_us: int, full_at: int, hits: int) -> tuple[bool, int]:
    """One charge: whether it fits, and the instant afterwards."""
    full_at = token_bucket.settle(bucket, now_us, full_at)
    ticks = token_bucket.cost(bucket, hits)
    fits = token_bucket.fits(bucket, now_us, full_at, ticks)
    return fits, full_at + ticks if fits and hits else full_at


def give_back(bucket: TokenBucket, now_us: int, full_at: int, hits: int) -> int:
    """Give hits back; return the instant afterwards."""
    settled = token_bucket.settle(bucket, now_us, full_at)
    return token_bucket.give_back(bucket, now_us, settled, token_bucket.cost(bucket, -hits))


def remaining(bucket: TokenBucket, now_us: int, full_at: int) -> int:
    settled = token_bucket.settle(bucket, now_us, full_at)
    return token_bucket.count(bucket, now_us, settled, bucket.token_ticks, over=False).remaining


def test_a_full_bucket_gives_its_burst_and_then_one_token_each_interval() -> None:
    full_at, admitted = 0, []
    for second in (0, 0, 0, 0, 1, 1, 2):
        fits, full_at = take(PER_MINUTE, NOW + second * 1_000_000, full_at, 1)
        admitted.append(fits)
    assert admitted == [True, True, True, False, True, False, True]


def test_a_token_is_there_at_its_microsecond_and_not_before() -> None:
    _, full_at = take(PER_MINUTE, NOW, 0, 3)
    assert not take(PER_MINUTE, NOW + 999_999, full_at, 1)[0]
    assert take(PER_MINUTE, NOW + 1_000_000, full_at, 1)[0]


def test_more_hits_than_the_bucket_holds_never_fit() -> None:
    assert not take(PER_MINUTE, NOW, 0, 4)[0]
    assert token_bucket.cost(PER_MINUTE, MAX_UINT32) == PER_MINUTE.capacity_ticks + 1


def test_a_look_asks_about_one_token() -> None:
    assert token_bucket.cost(PER_MINUTE, 0) == token_bucket.cost(PER_MINUTE, 1) == PER_MINUTE.token_ticks


def test_a_clock_set_back_leaves_an_empty_bucket_that_refills() -> None:
    _, full_at = take(PER_MINUTE, NOW, 0, 3)
    earlier = NOW - 3_600_000_000
    assert not take(PER_MINUTE, earlier, full_at, 1)[0]
    assert token_bucket.settle(PER_MINUTE, earlier, full_at) == (earlier + 3_000_000) * PER_MINUTE.ticks_per_us


def test_a_rate_may_be_told_over_several_units() -> None:
    slow = TokenBucket(2, Unit.MINUTE, burst=2, multiplier=5)  # a token in two and a half minutes
    _, full_at = take(slow, NOW, 0, 2)
    assert not take(slow, NOW + 149_999_999, full_at, 1)[0]
    assert take(slow, NOW + 150_000_000, full_at, 1)[0]


def test_tokens_given_back_are_there_again() -> None:
    _, full_at = take(PER_MINUTE, NOW, 0, 3)
    assert [remaining(PER_MINUTE, NOW, give_back(PER_MINUTE, NOW, full_at, hits)) for hits in (1, 2, 3)] == [1, 2, 3]


def test_no_bucket_gets_fuller_than_full() -> None:
    _, full_at = take(PER_MINUTE, NOW, 0, 1)
    for hits in (2, 3, 4, MAX_UINT32):
        assert give_back(PER_MINUTE, NOW, full_at, hits) == NOW * PER_MINUTE.ticks_per_us
    assert give_back(PER_MINUTE, NOW, 0, 1) == NOW * PER_MINUTE.ticks_per_us
    sevenths = TokenBucket(7, Unit.SECOND, burst=3)
    assert give_back(sevenths, NOW, 0, 1) == NOW * 7


def test_a_count_tells_whole_tokens_those_that_lack_and_the_time_until_full() -> None:
    full_at = token_bucket.settle(PER_MINUTE, NOW, (NOW + 1_500_000) * PER_MINUTE.ticks_per_us)
    ticks = token_bucket.cost(PER_MINUTE, 1)
    count = token_bucket.count(PER_MINUTE, NOW, full_at, ticks, over=False)
    assert count == Count(over=False, remaining=1, reset_us=1_500_000, used=2)
    assert count.reset_seconds == 2


def test_a_count_that_is_over_tells_the_time_until_the_charge_would_fit() -> None:
    full_at = (NOW + 2_100_000) * PER_MINUTE.ticks_per_us
    one = token_bucket.count(PER_MINUTE, NOW, full_at, token_bucket.cost(PER_MINUTE, 1), over=True)
    three = token_bucket.count(PER_MINUTE, NOW, full_at, token_bucket.cost(PER_MINUTE, 3), over=True)
    assert (one.reset_us, three.reset_us) == (100_000, 2_100_000)
    assert (one.reset_seconds, three.reset_seconds) == (1, 3)


def test_a_charge_that_can_never_fit_waits_for_a_full_bucket_and_at_least_a_second() -> None:
    ticks = token_bucket.cost(PER_MINUTE, 100)
    full_at = (NOW + 2_100_000) * PER_MINUTE.ticks_per_us
    assert token_bucket.count(PER_MINUTE, NOW, full_at, ticks, over=True).reset_seconds == 3
    now = NOW * PER_MINUTE.ticks_per_us
    count = token_bucket.count(PER_MINUTE, NOW, now, ticks, over=True)
    assert (count.reset_us, count.reset_seconds) == (0, 1)


@st.composite
def buckets(draw: st.DrawFn) -> TokenBucket:
    unit = draw(st.sampled_from(Unit))
    multiplier = draw(st.one_of(st.just(1), st.integers(1, 50)))
    seconds = unit.value * multiplier
    fewest = -(-seconds // MAX_SECONDS)
    requests = draw(st.one_of(st.integers(fewest, fewest + 10), st.integers(fewest, MAX_UINT32)))
    most = min(MAX_UINT32, MAX_SECONDS * requests // seconds)
    burst = draw(st.one_of(st.integers(1, min(most, 5)), st.integers(1, most)))
    return TokenBucket(requests, unit, burst, multiplier=multiplier)


def rate_of(bucket: TokenBucket) -> Fraction:
    """Tokens each microsecond, exactly."""
    return Fraction(bucket.requests_per_unit, bucket.seconds * 1_000_000)


@given(st.data(), buckets())
def test_decisions_are_those_of_a_bucket_kept_in_exact_fractions(data: st.DataObject, bucket: TokenBucket) -> None:
    level = Fraction(bucket.burst)
    rate = rate_of(bucket)
    interval = int(1 / rate) + 1
    now, full_at = NOW, 0
    for _ in range(data.draw(st.integers(1, 30))):
        passed = data.draw(st.one_of(st.just(0), st.integers(0, 3 * interval), st.integers(0, 10**12)))
        hits = data.draw(st.one_of(st.integers(-3, 3), st.integers(0, bucket.burst + 1)))
        now += passed
        level = min(level + rate * passed, Fraction(bucket.burst))
        if hits < 0:
            full_at = give_back(bucket, now, full_at, -hits)
            level = min(level - hits, Fraction(bucket.burst))
        else:
            fits, full_at = take(bucket, now, full_at, hits)
            assert fits == (level >= max(hits, 1))
            level -= hits if fits else 0
        assert remaining(bucket, now, full_at) == int(level)


@given(st.data(), buckets())
def test_in_no_span_more_is_taken_than_the_burst_and_what_refills(data: st.DataObject, bucket: TokenBucket) -> None:
    interval = int(1 / rate_of(bucket)) + 1
    now, full_at = NOW, 0
    taken = []  # (when, hits)
    for _ in range(data.draw(st.integers(1, 30))):
        now += data.draw(st.one_of(st.integers(0, 3), st.integers(interval - 1, interval), st.integers(0, 10**12)))
        hits = data.draw(st.one_of(st.just(1), st.integers(1, bucket.burst + 1)))
        fits, full_at = take(bucket, now, full_at, hits)
        if fits:
            taken.append((now, hits))
    for first in range(len(taken)):
        total = 0
        for when, hits in taken[first:]:
            total += hits
            assert total <= bucket.burst + rate_of(bucket) * (when - taken[first][0])


@given(st.data(), buckets())
def test_whoever_waits_as_long_as_told_is_admitted_and_not_a_microsecond_sooner(
    data: st.DataObject, bucket: TokenBucket
) -> None:
    full_at = data.draw(st.integers(NOW * bucket.ticks_per_us, NOW * bucket.ticks_per_us + bucket.capacity_ticks))
    hits = data.draw(st.integers(1, bucket.burst))
    ticks = token_bucket.cost(bucket, hits)
    if token_bucket.fits(bucket, NOW, full_at, ticks):
        return
    wait = token_bucket.count(bucket, NOW, full_at, ticks, over=True).reset_us
    sooner, then = NOW + wait - 1, NOW + wait
    assert not token_bucket.fits(bucket, sooner, token_bucket.settle(bucket, sooner, full_at), ticks)
    assert token_bucket.fits(bucket, then, token_bucket.settle(bucket, then, full_at), ticks)


@given(buckets(), st.lists(st.integers(0, 10**9), min_size=2, max_size=5))
def test_a_bucket_that_nobody_charges_never_gets_emptier(bucket: TokenBucket, times: list[int]) -> None:
    full_at = NOW * bucket.ticks_per_us + bucket.capacity_ticks
    levels = [remaining(bucket, NOW + time, full_at) for time in sorted(times)]
    assert all(before <= after for before, after in pairwise(levels))
