"""How full a bucket is, from the value that the store keeps of it (see hit.lua). Pure."""

from __future__ import annotations

import re
from typing import NamedTuple

from ratelimit_service import sliding_window, token_bucket
from ratelimit_service.commands import wording
from ratelimit_service.commands.bucket_names import BucketName
from ratelimit_service.limits import FixedWindow, Limit, SlidingWindow, TokenBucket, Unit

_NUMBERS = re.compile(rb"[0-9]{1,16}(?: [0-9]{1,16})*")

WINDOW_NUMBERS = 2  # its start and its count
BUCKET_NUMBERS = 3  # microseconds, ticks, ticks per microsecond


class Fill(NamedTuple):
    """What is used: hits that were counted, or tokens that are missing, which only the `limit` tells.

    `until_us` is the time until the window ends or is empty, or until the bucket is full again.
    """

    used: int | None
    limit: Limit | None
    until_us: int

    @property
    def size(self) -> int | None:
        """How much there is to use."""
        if isinstance(self.limit, TokenBucket):
            return self.limit.burst
        return self.limit.requests_per_unit if self.limit else None

    @property
    def percent(self) -> float | None:
        """How much of it is used. A limit of 0 has nothing left."""
        if self.used is None or self.size is None:
            return None
        return 100.0 * self.used / self.size if self.size else 100.0


def read(name: BucketName, value: bytes, now_us: int, limit: Limit | None) -> Fill | None:
    """Read a value at the store's time; None where nothing is used, or the value is not a bucket's.

    `limit` is that of the rule that counts there, if it is known.
    """
    if _NUMBERS.fullmatch(value) is None:
        return None
    numbers = list(map(int, value.split(b" ")))
    if name.kind == "w":
        return _window(name, numbers, now_us, limit)
    if name.kind == "s":
        return _sliding(name, numbers, now_us, limit)
    return _bucket(numbers, now_us, limit)


def shown(fill: Fill) -> str:
    """What is used, in words."""
    if fill.used is None:
        return "in use"
    return f"{fill.used:,}" if fill.size is None else f"{fill.used:,} of {fill.size:,}"


def until(name: BucketName, fill: Fill) -> str:
    """When that will be over, in words."""
    what = {"w": "ends", "s": "is empty", "b": "is full"}[name.kind]
    return f"{what} in {wording.duration(fill.until_us)}"


def _window(name: BucketName, numbers: list[int], now_us: int, limit: Limit | None) -> Fill | None:
    if len(numbers) != WINDOW_NUMBERS:
        return None
    start, counted = numbers
    until_us = (start + name.seconds) * 1_000_000 - now_us
    if until_us <= 0 or counted == 0:
        return None
    return Fill(counted, limit if isinstance(limit, FixedWindow) else None, until_us)


def _sliding(name: BucketName, numbers: list[int], now_us: int, limit: Limit | None) -> Fill | None:
    if len(numbers) % 2:
        return None
    window = SlidingWindow(0, Unit.SECOND, multiplier=name.seconds)
    stored = tuple(zip(numbers[::2], numbers[1::2], strict=True))
    slices = sliding_window.settle(window, now_us, stored)
    counted = sliding_window.used(slices)
    if counted == 0:
        return None
    known = limit if isinstance(limit, SlidingWindow) else None
    return Fill(counted, known, sliding_window.ends_us(window, slices) - now_us)


def _bucket(numbers: list[int], now_us: int, limit: Limit | None) -> Fill | None:
    if len(numbers) != BUCKET_NUMBERS:
        return None
    us, ticks, ticks_per_us = numbers
    if ticks_per_us == 0 or (us, ticks) <= (now_us, 0):
        return None
    if not isinstance(limit, TokenBucket):
        return Fill(None, None, us + (ticks > 0) - now_us)
    # Of another rate, it is read as the store reads it: rounded up.
    full_at = (
        us * ticks_per_us + ticks if ticks_per_us == limit.ticks_per_us else (us + (ticks > 0)) * limit.ticks_per_us
    )
    settled = token_bucket.settle(limit, now_us, full_at)
    count = token_bucket.count(limit, now_us, settled, 0, over=False)
    return Fill(count.used, limit, count.reset_us)
