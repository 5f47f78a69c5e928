"""How much may be done in a span of time: the three kinds of limit. Frozen, and valid once built."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass, field
from typing import TypeAlias

MAX_UINT32 = 2**32 - 1  # the protocol counts requests per unit and what remains of them in uint32
MAX_SECONDS = 50 * 365 * 86_400  # the longest span, and the longest that a bucket may take to fill: see hit.lua
SLICES = 50  # parts that a sliding window is counted in; a second's is 20 ms long


class Unit(enum.Enum):
    """What spans of time are told in; its value is its length in seconds.

    Months and years have a fixed length, as in envoyproxy/ratelimit, and are no calendar months and years.
    """

    SECOND = 1
    MINUTE = 60
    HOUR = 3_600
    DAY = 86_400
    WEEK = 7 * 86_400
    MONTH = 30 * 86_400
    YEAR = 365 * 86_400


@dataclass(frozen=True, slots=True)
class FixedWindow:
    """At most `requests_per_unit` hits in each window; they begin at whole multiples of their length since the epoch.

    Counts as envoyproxy/ratelimit does: denied hits count too, and 0 denies every hit. `multiplier` is how many units
    long a window is.
    """

    requests_per_unit: int
    unit: Unit
    name: str = ""
    multiplier: int = 1
    seconds: int = field(init=False, repr=False, compare=False)  # the length of a window

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", _seconds(self.unit, self.multiplier))
        if not 0 <= self.requests_per_unit <= MAX_UINT32:
            raise ValueError(f"requests_per_unit must be from 0 to {MAX_UINT32}")


@dataclass(frozen=True, slots=True)
class SlidingWindow:
    """At most `requests_per_unit` hits in any span of that length, wherever it begins. Denied hits do not count.

    Hits are counted in slices of a fiftieth of the span. A slice that has not left the span as a whole still counts as
    a whole, so no span ever holds more, and a hit is forgotten at most one slice after it has left.
    """

    requests_per_unit: int
    unit: Unit
    name: str = ""
    multiplier: int = 1
    seconds: int = field(init=False, repr=False, compare=False)
    slice_us: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "seconds", _seconds(self.unit, self.multiplier))
        object.__setattr__(self, "slice_us", self.seconds * 1_000_000 // SLICES)
        if not 0 <= self.requests_per_unit <= MAX_UINT32:
            raise ValueError(f"requests_per_unit must be from 0 to {MAX_UINT32}")


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """A bucket of `burst` tokens that refills evenly, by `requests_per_unit` tokens each `multiplier` units.

    Instants of a bucket are counted in ticks. A microsecond has `ticks_per_us` of them, chosen such that one token's
    refill takes a whole number, `token_ticks`: nothing is ever rounded, at 4e9 tokens a second as at one a year.
    """

    requests_per_unit: int
    unit: Unit
    burst: int
    name: str = ""
    multiplier: int = 1
    seconds: int = field(init=False, repr=False, compare=False)
    ticks_per_us: int = field(init=False, repr=False, compare=False)
    token_ticks: int = field(init=False, repr=False, compare=False)
    capacity_ticks: int = field(init=False, repr=False, compare=False)  # from empty to full

    def __post_init__(self) -> None:
        seconds = _seconds(self.unit, self.multiplier)
        if not 1 <= self.requests_per_unit <= MAX_UINT32:
            raise ValueError(f"requests_per_unit of a token bucket must be from 1 to {MAX_UINT32}")
        if not 1 <= self.burst <= MAX_UINT32:
            raise ValueError(f"burst must be from 1 to {MAX_UINT32}")
        if self.burst * seconds > MAX_SECONDS * self.requests_per_unit:
            raise ValueError("a bucket may take at most 50 years to fill (burst / requests_per_unit units)")
        common = math.gcd(seconds * 1_000_000, self.requests_per_unit)
        object.__setattr__(self, "seconds", seconds)
        object.__setattr__(self, "ticks_per_us", self.requests_per_unit // common)
        object.__setattr__(self, "token_ticks", seconds * 1_000_000 // common)
        object.__setattr__(self, "capacity_ticks", self.burst * self.token_ticks)


Limit: TypeAlias = FixedWindow | SlidingWindow | TokenBucket

_UNIT_OF = {unit.value: unit for unit in Unit}


def unit_of(limit: Limit) -> Unit | None:
    """The one unit that is as long as the limit's span; None where it takes several, such as 5 minutes."""
    return limit.unit if limit.multiplier == 1 else _UNIT_OF.get(limit.seconds)


def _seconds(unit: Unit, multiplier: int) -> int:
    if not 1 <= multiplier <= MAX_SECONDS // unit.value:
        raise ValueError("a span must be from one unit to 50 years")
    return unit.value * multiplier
