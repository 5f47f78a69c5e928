"""The nouns of rate limiting. Every one of them is frozen, and valid once it is built."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

MAX_UINT32 = 2**32 - 1  # the protocol counts requests per unit and what remains of them in uint32
MAX_FILL_SECONDS = 50 * 365 * 86_400  # the longest that a bucket may take to fill: what keeps hit.lua's sums below 2^53

Entry: TypeAlias = tuple[str, str]
"""One (key, value) of a descriptor."""


class Unit(enum.Enum):
    """The span of time that a limit counts in; its value is its length in seconds.

    Months and years have a fixed length, as in envoyproxy/ratelimit, and are no calendar months and years.
    """

    SECOND = 1
    MINUTE = 60
    HOUR = 3_600
    DAY = 86_400
    WEEK = 7 * 86_400
    MONTH = 30 * 86_400
    YEAR = 365 * 86_400


class FailureMode(enum.Enum):
    """What becomes of a request whose counters cannot be reached."""

    ALLOW = "allow"
    DENY = "deny"
    LOCAL = "local"  # count in this process's own memory


@dataclass(frozen=True, slots=True)
class FixedWindow:
    """At most `requests_per_unit` hits in each window; windows begin at whole multiples of the unit since the epoch.

    Counts as envoyproxy/ratelimit does: denied hits count too, and 0 denies every hit.
    """

    requests_per_unit: int
    unit: Unit
    name: str = ""

    def __post_init__(self) -> None:
        if not 0 <= self.requests_per_unit <= MAX_UINT32:
            raise ValueError(f"requests_per_unit must be from 0 to {MAX_UINT32}")


@dataclass(frozen=True, slots=True)
class TokenBucket:
    """A bucket of `burst` tokens that refills evenly, by `requests_per_unit` tokens each unit.

    Instants of a bucket are counted in ticks. A microsecond has `ticks_per_us` of them, chosen such that one token's
    refill takes a whole number, `token_ticks`: nothing is ever rounded, at 4e9 tokens a second as at one a year.
    """

    requests_per_unit: int
    unit: Unit
    burst: int
    name: str = ""
    ticks_per_us: int = field(init=False, repr=False, compare=False)
    token_ticks: int = field(init=False, repr=False, compare=False)
    capacity_ticks: int = field(init=False, repr=False, compare=False)  # from empty to full

    def __post_init__(self) -> None:
        if not 1 <= self.requests_per_unit <= MAX_UINT32:
            raise ValueError(f"requests_per_unit of a token bucket must be from 1 to {MAX_UINT32}")
        if not 1 <= self.burst <= MAX_UINT32:
            raise ValueError(f"burst must be from 1 to {MAX_UINT32}")
        if self.burst * self.unit.value > MAX_FILL_SECONDS * self.requests_per_unit:
            raise ValueError("a bucket may take at most 50 years to fill (burst / requests_per_unit units)")
        unit_us = self.unit.value * 1_000_000
        common = math.gcd(unit_us, self.requests_per_unit)
        object.__setattr__(self, "ticks_per_us", self.requests_per_unit // common)
        object.__setattr__(self, "token_ticks", unit_us // common)
        object.__setattr__(self, "capacity_ticks", self.burst * self.token_ticks)


Limit: TypeAlias = FixedWindow | TokenBucket


@dataclass(frozen=True, slots=True)
class Node:
    """One rule of the compiled tree, or a domain's root, whose `rule` is empty.

    `rule` names its path by keys and configured values only, so that there are as many names as there are rules.
    """

    rule: str
    limit: Limit | None
    exact: Mapping[Entry, Node]  # children that ask for one value
    any_value: Mapping[str, Node]  # children without a value, by key


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What one descriptor of a request asks. With `hits` 0 it only looks; `override` replaces any configured limit."""

    entries: tuple[Entry, ...]
    hits: int = 1
    override: FixedWindow | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= MAX_UINT32:
            raise ValueError(f"hits must be from 0 to {MAX_UINT32}")


@dataclass(frozen=True, slots=True)
class Charge:
    """Hits on one bucket: the bucket's key (see `keys`), how many, and the limit that it is held to."""

    key: str
    hits: int
    limit: Limit


@dataclass(frozen=True, slots=True)
class Count:
    """What a bucket says to a charge.

    `remaining` is what is left after the charge (whole tokens, of a bucket), never below 0. `reset_seconds` is the time
    until a window ends, until a bucket is full, or, where it is `over`, until the charge would fit; rounded up.
    """

    over: bool
    remaining: int
    reset_seconds: int


@dataclass(frozen=True, slots=True)
class Status:
    """The answer to one descriptor: `limit` and `rule` are None where none applies, `count` where none was made."""

    over: bool
    hits: int
    rule: str | None = None
    limit: Limit | None = None
    count: Count | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer to a request: `statuses` in the order of its descriptors, `over` when any of them is.

    `failure` says which failure mode decided, because the store did not answer.
    """

    domain: str
    statuses: tuple[Status, ...]
    failure: FailureMode | None = None

    @property
    def over(self) -> bool:
        """Whether the request as a whole is over a limit."""
        return any(status.over for status in self.statuses)
