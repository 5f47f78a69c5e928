from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import token_bucket
from ratelimit_service.model import MAX_FILL_SECONDS, MAX_UINT32, Count, TokenBucket, Unit

NOW = 1_763_870_400_000_000  # microseconds since the epoch
PER_MINUTE = TokenBucket(60, Unit.MINUTE, burst=3)  # one token a second


def take(bucket: TokenBucket, now_us: int, full_at: int, hits: int) -> tuple[bool, int]:
    """One charge: whether it fits, and the instant afterwards."""
    full_at = token_bucket.settle(bucket, now_us, full_at)
    ticks = token_bucket.cost(bucket, hits)
    fits = token_bucket.fits(bucket, now_us, full_at, ticks)
    return fits, full_at + ticks if fits and hits else full_at


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


def test_a_clock_set_back_leaves_an_empty_bucket_that_refills() -> None:
    _, full_at = take(PER_MINUTE, NOW, 0, 3)
    earlier = NOW - 3_600_000_000
    assert not take(PER_MINUTE, earlier, full_at, 1)[0]
    assert token_bucket.settle(PER_MINUTE, earlier, full_at) == (earlier + 3_000_000) * PER_MINUTE.ticks_per_us


def test_a_count_tells_whole_tokens_and_the_time_until_full() -> None:
    full_at = token_bucket.settle(PER_MINUTE, NOW, (NOW + 1_500_000) * PER_MINUTE.ticks_per_us)
    ticks = token_bucket.cost(PER_MINUTE, 1)
    count = token_bucket.count(PER_MINUTE, NOW, full_at, ticks, over=False)
    assert count == Count(over=False, remaining=1, reset_seconds=2)


def test_a_count_that_is_over_tells_the_time_until_the_charge_would_fit() -> None:
    full_at = (NOW + 2_100_000) * PER_MINUTE.ticks_per_us
    one = token_bucket.count(PER_MINUTE, NOW, full_at, token_bucket.cost(PER_MINUTE, 1), over=True)
    three = token_bucket.count(PER_MINUTE, NOW, full_at, token_bucket.cost(PER_MINUTE, 3), over=True)
    assert (one.reset_seconds, three.reset_seconds) == (1, 3)


def test_a_charge_that_can_never_fit_waits_for_a_full_bucket_and_at_least_a_second() -> None:
    ticks = token_bucket.cost(PER_MINUTE, 100)
    full_at = (NOW + 2_100_000) * PER_MINUTE.ticks_per_us
    assert token_bucket.count(PER_MINUTE, NOW, full_at, ticks, over=True).reset_seconds == 3
    now = NOW * PER_MINUTE.ticks_per_us
    assert token_bucket.count(PER_MINUTE, NOW, now, ticks, over=True).reset_seconds == 1


@st.composite
def buckets(draw: st.DrawFn) -> TokenBucket:
    unit = draw(st.sampled_from(Unit))
    requests = draw(st.one_of(st.integers(1, 10), st.integers(1, MAX_UINT32)))
    most = min(MAX_UINT32, MAX_FILL_SECONDS * requests // unit.value)
    return TokenBucket(requests, unit, draw(st.one_of(st.integers(1, min(most, 5)), st.integers(1, most))))


@given(st.data(), buckets())
def test_decisions_are_those_of_a_bucket_kept_in_exact_fractions(data: st.DataObject, bucket: TokenBucket) -> None:
    level = Fraction(bucket.burst)
    rate = Fraction(bucket.requests_per_unit, bucket.unit.value * 1_000_000)  # tokens each microsecond
    interval = int(1 / rate) + 1
    now, full_at, first, admitted = NOW, 0, None, 0
    for _ in range(data.draw(st.integers(1, 30))):
        passed = data.draw(st.one_of(st.just(0), st.integers(0, 3 * interval), st.integers(0, 10**12)))
        hits = data.draw(st.one_of(st.integers(0, 3), st.integers(0, bucket.burst + 1)))
        now += passed
        level = min(level + rate * passed, Fraction(bucket.burst))
        fits, full_at = take(bucket, now, full_at, hits)
        assert fits == (level >= max(hits, 1))
        if fits and hits:
            level -= hits
            admitted += hits
            first = now if first is None else first
        remaining = token_bucket.count(bucket, now, full_at, bucket.token_ticks, over=False).remaining
        assert remaining == int(level)
    if first is not None:
        assert admitted <= bucket.burst + rate * (now - first)
