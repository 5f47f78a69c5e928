"""Where buckets live: the port, and what every store of counters must do.

`hit` charges all buckets of one request in one step. An implementation

- MUST be atomic: no other request is counted between two charges of one call.
- MUST answer one `Count` for each charge, in the order of the charges.
- MUST use one clock for a bucket, whoever calls: the store's own. Callers never pass the time.
- MUST take a request for denied when a charge of role BINDING is over, when there are charges of role QUOTA and all of
  them are, or when the caller says `denied`.
- MUST count fixed windows always, the hits of a denied request too (see `fixed_window`); with `sparing`, those windows
  of a denied request that are not over themselves count nothing.
- MUST charge token buckets and sliding windows all or nothing: in a denied request none of them is charged, and their
  counts tell what they hold uncharged. One that is over itself, and denies nothing, is not charged either.
- MUST charge nothing for 0 hits. A fixed window is then over when its count exceeds the limit, a bucket or a sliding
  window when it has no room for one hit.
- MUST give back negative hits, in a denied request too: such a charge is never over, no count falls below 0, and no
  bucket gets fuller than full.
- MUST add up charges of one call that name the same bucket, each seeing those before it.
- MUST never admit more than a limit allows. A store that has no room or lost its way raises instead.
- MUST return or raise `StoreUnavailableError`, and no other exception, within the deadline that it was built with.
- MUST bound what it holds, and let go of buckets whose window has ended or that are full again: they tell nothing.

After `StoreUnavailableError` it is unknown whether the charges were counted. A store that stands in front of another
may know some of the answers all the same, and then raises `PartlyKnownError`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ratelimit_service.model import Charge, Count
from service_kit.valkey.errors import StoreUnavailableError


class PartlyKnownError(StoreUnavailableError):
    """The store did not answer, but of some charges it is known what it would have said: `known`, one for each."""

    def __init__(self, error: StoreUnavailableError, known: Sequence[Count | None]) -> None:
        super().__init__(str(error))
        self.known = known


class CounterStore(Protocol):
    """Counts hits. See the module for what implementations must guarantee."""

    async def hit(self, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
        """Charge all of one request's buckets atomically; raises `StoreUnavailableError`."""
        ...
