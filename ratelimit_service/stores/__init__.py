"""Where buckets live: the port, and what every store of counters must do.

`hit` charges all buckets of one request in one step. An implementation

- MUST be atomic: no other request is counted between two charges of one call.
- MUST answer one `Count` for each charge, in the order of the charges.
- MUST use one clock for a bucket, whoever calls: the store's own. Callers never pass the time.
- MUST count fixed windows always: the hits of a denied request too (see `fixed_window`).
- MUST charge token buckets all or nothing: when any charge of the call is over, be it of a window or a bucket, no token
  bucket of the call loses a token (see `token_bucket`), and their counts tell what they hold uncharged.
- MUST charge nothing for 0 hits. A window is then over when its count exceeds the limit, a bucket when it holds no
  whole token.
- MUST add up charges of one call that name the same bucket, each seeing those before it.
- MUST never admit more than a limit allows. A store that has no room or lost its way raises instead.
- MUST return or raise `StoreUnavailableError`, and no other exception, within the deadline that it was built with.
- MUST bound what it holds, and let go of buckets whose window has ended or that are full again: they tell nothing.

After `StoreUnavailableError` it is unknown whether the charges were counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ratelimit_service.model import Charge, Count


class CounterStore(Protocol):
    """Counts hits. See the module for what implementations must guarantee."""

    async def hit(self, charges: Sequence[Charge]) -> Sequence[Count]:
        """Charge all of one request's buckets atomically; raises `StoreUnavailableError`."""
        ...
