"""Fixed windows, pure: now and limit in, window and count out. The rules are envoyproxy/ratelimit's.

A charge is over when the count *after* it exceeds the limit, and it stays counted although it was denied. To look (0
hits) at a count equal to the limit is therefore not over. What is given back (negative hits) is never over.
"""

from __future__ import annotations

from ratelimit_service.limits import FixedWindow
from ratelimit_service.model import Count

MAX_COUNT = 2**52  # where a window's count stops growing: far above any limit, and exact as a double


def start(limit: FixedWindow, now_us: int) -> int:
    """The start of the window that `now_us` (microseconds since the epoch) lies in, in seconds since the epoch."""
    now = now_us // 1_000_000
    return now - now % limit.seconds


def add(counted: int, hits: int) -> int:
    """The count after `hits` more, or fewer."""
    return max(min(counted + hits, MAX_COUNT), 0)


def over(limit: FixedWindow, counted: int, hits: int) -> bool:
    """Whether a charge, after which the window has `counted`, is over."""
    return hits >= 0 and counted > limit.requests_per_unit


def count(limit: FixedWindow, now_us: int, counted: int, *, over: bool) -> Count:
    """What a window with `counted` hits, those of the charge among them, says to the charge."""
    length = limit.seconds * 1_000_000
    return Count(over, max(0, limit.requests_per_unit - counted), length - now_us % length, counted)
