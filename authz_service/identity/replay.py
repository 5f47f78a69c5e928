"""Which DPoP proofs were used before (RFC 9449 section 11.1): the port, and the twin in memory."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import Protocol

from authz_service.errors import ReplayUnknown

MAX_ENTRIES = 200_000  # of about 250 bytes each
FORGOTTEN_AT_ONCE = 100  # entries whose time is over: no call has to let go of a whole store


class ReplayStore(Protocol):
    """Remembers proofs.

    - MUST answer True once for each key within its time, whoever asks, in whichever process that shares the store.
    - MUST NOT forget a key before its time, whatever else comes in: where there is no room it raises.
    - MUST answer within bounded time or raise `ReplayUnknown`, and nothing else.
    """

    async def first_use(self, key: str, seconds: float) -> bool:
        """Note a key for so many seconds; return whether it was not noted yet."""
        ...


class MemoryReplayStore:
    """For one process that shares its callers with no other."""

    def __init__(self, monotonic: Callable[[], float], capacity: int = MAX_ENTRIES) -> None:
        self._monotonic = monotonic
        self._capacity = capacity
        self._until: dict[str, float] = {}
        self._ends: list[tuple[float, str]] = []  # a heap: what ends first comes first

    def __len__(self) -> int:
        return len(self._until)

    async def first_use(self, key: str, seconds: float) -> bool:
        """Note a key."""
        now = self._monotonic()
        self._forget(now)
        until = self._until.get(key)
        if until is not None and now < until:
            return False
        if len(self._until) >= self._capacity:
            raise ReplayUnknown("the replay store is full")
        self._until[key] = now + seconds
        heapq.heappush(self._ends, (now + seconds, key))
        return True

    def _forget(self, now: float) -> None:
        """Let go of keys whose time is over, so that a store that is full costs no more than an empty one."""
        for _ in range(FORGOTTEN_AT_ONCE):
            if not self._ends or now < self._ends[0][0]:
                return
            until, key = heapq.heappop(self._ends)
            if self._until.get(key) == until:  # else it was noted again meanwhile
                del self._until[key]
