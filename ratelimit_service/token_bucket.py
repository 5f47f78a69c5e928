"""Token buckets, pure and exact: the generic cell rate algorithm (GCRA, ITU-T I.371) over whole numbers.

A bucket is one instant, `full_at`: when it will be full again (GCRA calls it the theoretical arrival time). A token
taken moves it later by the time that one token takes to refill; an instant that is past means a full bucket. A charge
fits when the bucket would not get emptier than empty, that is, when `full_at` stays within the bucket's capacity from
now. From this follows the bound: in any span of t units at most burst + requests_per_unit * t tokens are taken.

Instants are in ticks since the epoch (see `TokenBucket`). Nothing is rounded, except for what callers are told.
"""

from __future__ import annotations

from ratelimit_service.limits import TokenBucket
from ratelimit_service.model import Count


def cost(bucket: TokenBucket, hits: int) -> int:
    """The ticks that `hits` take, or give back when they are negative. To look (0 hits) asks about one token.

    More than the bucket holds can never fit, so such a cost ends one tick above the capacity, which bounds its size.
    """
    return min((abs(hits) or 1) * bucket.token_ticks, bucket.capacity_ticks + 1)


def settle(bucket: TokenBucket, now_us: int, full_at: int) -> int:
    """The stored instant as it counts now: never past, and no later than that of an empty bucket.

    A clock that was set back, or a burst that was lowered, thus leaves an empty bucket and not one in debt.
    """
    now = now_us * bucket.ticks_per_us
    return min(max(full_at, now), now + bucket.capacity_ticks)


def fits(bucket: TokenBucket, now_us: int, full_at: int, ticks: int) -> bool:
    """Whether a charge that costs `ticks` fits into a bucket that is settled."""
    return full_at + ticks <= now_us * bucket.ticks_per_us + bucket.capacity_ticks


def give_back(bucket: TokenBucket, now_us: int, full_at: int, ticks: int) -> int:
    """A settled bucket with `ticks` given back: full at most."""
    return max(full_at - ticks, now_us * bucket.ticks_per_us)


def count(bucket: TokenBucket, now_us: int, full_at: int, ticks: int, *, over: bool) -> Count:
    """What a settled bucket, after the request as a whole, says to a charge that cost `ticks`."""
    now = now_us * bucket.ticks_per_us
    missing = full_at - now
    wait = max(missing + min(ticks, bucket.capacity_ticks) - bucket.capacity_ticks, 0) if over else missing
    remaining = (bucket.capacity_ticks - missing) // bucket.token_ticks
    return Count(over, remaining, reset_us=-(-wait // bucket.ticks_per_us), used=bucket.burst - remaining)
