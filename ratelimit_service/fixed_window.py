"""Fixed windows, pure: now and unit in, window and count out. The rules are envoyproxy/ratelimit's.

A charge is over when the count *after* it exceeds the limit, and it stays counted although it was denied. To look (0
hits) at a count equal to the limit is therefore not over.
"""

from __future__ import annotations

from ratelimit_service.model import Count, FixedWindow, Unit

MAX_COUNT = 2**52  # where a window's count stops growing: far above any limit, and exact as a double


def start(unit: Unit, now_us: int) -> int:
    """The start of the window that `now_us` (microseconds since the epoch) lies in, in seconds since the epoch."""
    now = now_us // 1_000_000
    return now - now % unit.value


def add(counted: int, hits: int) -> int:
    """The count after `hits` more."""
    return min(counted + hits, MAX_COUNT)


def count(limit: FixedWindow, now_us: int, counted: int) -> Count:
    """What a window with `counted` hits, those of the charge among them, says to the charge."""
    return Count(
        over=counted > limit.requests_per_unit,
        remaining=max(0, limit.requests_per_unit - counted),
        reset_seconds=limit.unit.value - now_us // 1_000_000 % limit.unit.value,
    )
