"""Requests that came before, so that the next one like them costs a look in place of reading and matching it.

A gateway asks the same again for each call of a user, an agent and an endpoint: what the limits say of it changes only
with the limits. Requests of callers who come once would crowd out the others, so one is remembered when it comes for
the second time.
"""

from __future__ import annotations

from typing import NamedTuple

from ratelimit_service.prepared import Prepared
from ratelimit_service.rules import Limits

CAPACITY = 4_096  # requests, of about 4 KB each where they have three descriptors
MAX_BYTES = 1_024  # of a request that is remembered


class Known(NamedTuple):
    """A request, ready to be counted, and the draft of its answer (see `rls_messages.draft_of`)."""

    prepared: Prepared
    draft: bytes


class KnownRequests:
    """At most `capacity` requests by their bytes, under one `Limits`; the one that was remembered first makes room."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._limits: Limits | None = None
        self._known: dict[bytes, Known] = {}
        self._came_once: set[int] = set()  # hashes: whom two share is remembered a request too early

    def __len__(self) -> int:
        return len(self._known)

    def find(self, limits: Limits, message: bytes) -> Known | None:
        """What is known of a request under these limits; others than those of the last call forget everything."""
        if limits is not self._limits:
            self._limits = limits
            self._known.clear()
            self._came_once.clear()
        return self._known.get(message)

    def keep(self, message: bytes, known: Known) -> None:
        """Take note of a request that `find` did not know, made with the limits that it was given."""
        if len(message) > MAX_BYTES:
            return
        mark = hash(message)
        if mark not in self._came_once:
            if len(self._came_once) >= 2 * self._capacity:
                self._came_once.clear()
            self._came_once.add(mark)
            return
        if len(self._known) >= self._capacity:
            del self._known[next(iter(self._known))]
        self._known[message] = known
