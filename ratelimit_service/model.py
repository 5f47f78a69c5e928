"""The nouns of one request. Every one of them is frozen, and valid once it is built."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ratelimit_service.limits import MAX_UINT32, FixedWindow, Limit
from ratelimit_service.rules import Entry, Rule


class FailureMode(enum.Enum):
    """What becomes of a request whose counters cannot be reached."""

    ALLOW = "allow"
    DENY = "deny"
    LOCAL = "local"  # count in this process's own memory


class Role(enum.IntEnum):
    """What it means for a request that a charge is over."""

    BINDING = 0  # the request is denied
    SHADOW = 1  # nothing
    QUOTA = 2  # the request is denied when all charges of this role are over


@dataclass(frozen=True, slots=True)
class Descriptor:
    """What one descriptor of a request asks. With `hits` 0 it only looks; `override` replaces any configured limit.

    With `refund` the hits are given back.
    """

    entries: tuple[Entry, ...]
    hits: int = 1
    override: FixedWindow | None = None
    refund: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= MAX_UINT32:
            raise ValueError(f"hits must be from 0 to {MAX_UINT32}")


class Charge(NamedTuple):
    """Hits on one bucket: the bucket's key (see `keys`), how many (negative: given back), and what it is held to."""

    key: str
    hits: int
    limit: Limit
    role: Role = Role.BINDING


class Charges(tuple[Charge, ...]):  # noqa: SLOT001  (Python gives a tuple no slots but empty ones)
    """All charges of a request that may come again. `packed` is a store's own: what it has made of them."""

    packed: Any = None


class Count(NamedTuple):
    """What a bucket says to a charge.

    `remaining` is what is left after the charge (whole tokens, of a bucket), never below 0. `reset_us` is the time in
    microseconds until a fixed window ends, until a bucket is full or a sliding window empty, or, where either of these
    two is `over`, until the charge would fit. `used` is the window's count after the charge, or the tokens that a
    bucket lacks; that of a fixed window goes above its limit. `cached` says that the store was not asked.
    """

    over: bool
    remaining: int
    reset_us: int
    used: int
    cached: bool = False

    @property
    def reset_seconds(self) -> int:
        """The same in whole seconds, rounded up.

        A charge above the limit never fits. One second rather than none keeps its caller from trying in a loop.
        """
        seconds = -(-self.reset_us // 1_000_000)
        return max(seconds, 1) if self.over else seconds


class Status(NamedTuple):
    """The answer to one descriptor.

    `rule` and `limit` are None where none applies, `count` where none was made. `over` is what the caller is told, and
    `exceeded` what was found: they differ for a rule in shadow mode. `role` is that of the rule.
    """

    over: bool
    hits: int
    rule: Rule | None = None
    limit: Limit | None = None
    count: Count | None = None  # type: ignore[assignment]  # a tuple's own `count` is no use here
    exceeded: bool = False
    role: Role = Role.BINDING


class Decision(NamedTuple):
    """The answer to a request: `statuses` in the order of its descriptors, and whether it is `over` as a whole.

    `failure` says which failure mode decided, because the store did not answer. `shadowed` requests would be over,
    were it not for the global shadow mode.
    """

    domain: str
    descriptors: Sequence[Descriptor]
    statuses: Sequence[Status]
    over: bool
    shadowed: bool = False
    failure: FailureMode | None = None
    metadata: Mapping[str, Any] | None = None
