"""Sliding windows, pure: a limit that holds for every span of its length, wherever it begins.

Hits are counted by the slice of time that they fell into, slices being `limit.slice_us` long and numbered since the
epoch. A charge fits when it and the hits of the present slice and of the `SLICES` before it stay within the limit. Any
span of the limit's length that ends with an admitted hit lies within these slices, so none ever holds more.
"""

from __future__ import annotations

from ratelimit_service.limits import SLICES, SlidingWindow
from ratelimit_service.model import Count

Slices = tuple[tuple[int, int], ...]
"""The hits of each slice that has any, by its number, the oldest first."""


def settle(limit: SlidingWindow, now_us: int, slices: Slices) -> Slices:
    """Drop the slices that count no longer. Those of the future (the clock was set back) become the present one."""
    present = now_us // limit.slice_us
    kept: dict[int, int] = {}
    for number, hits in slices:
        if number >= present - SLICES:
            kept[min(number, present)] = kept.get(min(number, present), 0) + hits
    return tuple(kept.items())


def used(slices: Slices) -> int:
    """How many hits count."""
    return sum(hits for _, hits in slices)


def fits(limit: SlidingWindow, slices: Slices, hits: int) -> bool:
    """Whether a charge fits into a window that is settled. To look (0 hits) asks about one hit."""
    return used(slices) + max(hits, 1) <= limit.requests_per_unit


def add(limit: SlidingWindow, now_us: int, slices: Slices, hits: int) -> Slices:
    """Count `hits` now."""
    present = now_us // limit.slice_us
    if slices and slices[-1][0] == present:
        return (*slices[:-1], (present, slices[-1][1] + hits))
    return (*slices, (present, hits))


def take_away(slices: Slices, hits: int) -> Slices:
    """Give `hits` back, the newest first; what is not there is not given back."""
    kept = list(slices)
    while hits and kept:
        number, there = kept.pop()
        taken = min(there, hits)
        hits -= taken
        if there > taken:
            kept.append((number, there - taken))
    return tuple(kept)


def ends_us(limit: SlidingWindow, slices: Slices) -> int:
    """The instant when the last hit is forgotten; 0 where there is none."""
    return _forgotten_us(limit, slices[-1][0]) if slices else 0


def wait_us(limit: SlidingWindow, now_us: int, slices: Slices, hits: int, *, over: bool) -> int:
    """Microseconds until a settled window is empty or, if the charge was over, until it would fit."""
    if not slices:
        return 0
    if not over:
        return ends_us(limit, slices) - now_us
    free = limit.requests_per_unit - used(slices)
    if free >= max(hits, 1):
        return 0  # It was over for what came before it in a request that was denied.
    last = slices[-1][0]
    for number, there in slices:
        if free < max(hits, 1):
            free, last = free + there, number
    return _forgotten_us(limit, last) - now_us


def count(limit: SlidingWindow, counted: int, wait: int, *, over: bool) -> Count:
    """What a window that counts `counted` hits says to a charge that has to wait so many microseconds."""
    return Count(over, max(0, limit.requests_per_unit - counted), wait, counted)


def _forgotten_us(limit: SlidingWindow, number: int) -> int:
    return (number + SLICES + 1) * limit.slice_us
