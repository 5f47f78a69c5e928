"""Which DPoP proofs were used before (RFC 9449 section 11.1): the port, and the twin in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from authz_service.errors import ReplayUnknown

MAX_ENTRIES = 200_000  # of about 120 bytes each


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

    def __len__(self) -> int:
        return len(self._until)

    async def first_use(self, key: str, seconds: float) -> bool:
        """Note a key."""
        now = self._monotonic()
        until = self._until.get(key)
        if until is not None and now < until:
            return False
        if len(self._until) >= self._capacity:
            self._forget(now)
            if len(self._until) >= self._capacity:
                raise ReplayUnknown("the replay store is full")
        self._until.pop(key, None)
        self._until[key] = now + seconds
        return True

    def _forget(self, now: float) -> None:
        """Let go of the keys whose time is over; each is looked at once for a store that has filled up."""
        self._until = {key: until for key, until in self._until.items() if now < until}
