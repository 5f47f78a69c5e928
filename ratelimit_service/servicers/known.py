"""Requests that came before, so that the next one like them costs a look in place of reading and matching it.

A gateway asks the same again for each call of a user, an agent and an endpoint: what the limits say of it changes only
with the limits. Requests of callers who come once would crowd out the others, so one is remembered when it comes for
the second time.
"""

from __future__ import annotations

from typing import NamedTuple

from ratelimit_service.prepared import Prepared
from ratelimit_service.rules import Limits

# Of requests that are remembered. What is known of them takes some 35 times as much, a hundred times where many short
# descriptors are in each.
MAX_BYTES = 384 * 1024
MAX_REQUEST_BYTES = 1_024  # of one of them
MAX_SEEN = 8_192  # hashes of requests that came once


class Known(NamedTuple):
    """A request, ready to be counted, and the draft of its answer (see `rls_messages.draft_of`)."""

    prepared: Prepared
    draft: bytes


class KnownRequests:
    """Requests by their bytes, under one `Limits`; where they get too many, those remembered first make room."""

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._limits: Limits | None = None
        self._known: dict[bytes, Known] = {}
        self._came_once: set[int] = set()  # hashes: where two share one, the second is remembered too early

    def __len__(self) -> int:
        return len(self._known)

    def find(self, limits: Limits, message: bytes) -> Known | None:
        """What is known of a request under these limits; others than those of the last call forget everything."""
        if limits is not self._limits:
            self._limits = limits
            self._known.clear()
            self._came_once.clear()
            self._bytes = 0
        return self._known.get(message)

    def keep(self, message: bytes, known: Known) -> None:
        """Take note of a request that `find` did not know, made with the limits that it was given."""
        if len(message) > MAX_REQUEST_BYTES:
            return
        mark = hash(message)
        if mark not in self._came_once:
            if len(self._came_once) >= MAX_SEEN:
                self._came_once.clear()
            self._came_once.add(mark)
            return
        self._known[message] = known
        self._bytes += len(message)
        while self._bytes > self._max_bytes:
            first = next(iter(self._known))
            del self._known[first]
            self._bytes -= len(first)
