"""Tokens that were verified a moment ago, so that the next request with one costs a hash in place of a signature.

Remembered is what a token's bytes fix for ever, and which keys it was verified with. What may have changed since (the
time, the issuer's keys, bindings, revocations) is checked each time by whoever asks. Only tokens that held are kept, by
their hash. Pure.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authz_service.identity.tokens import Validity
from authz_service.model import Identity


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that held: whom it names, from when until when, and the keys of the issuer's set at that time."""

    identity: Identity
    keys: Sequence[Mapping[str, Any]]
    validity: Validity
    since: float  # seconds, monotonic


class VerifiedTokens:
    """At most `capacity`, of about 2 KB each since the claims are kept; the one that was verified first makes room."""

    def __init__(self, capacity: int = 10_000, seconds: float = 300.0) -> None:
        """`seconds`: how long one is remembered at most."""
        self._capacity = capacity
        self._seconds = seconds
        self._known: dict[bytes, Verified] = {}

    def __len__(self) -> int:
        return len(self._known)

    @staticmethod
    def digest(token: str) -> bytes:
        """Return what a token is remembered by."""
        return hashlib.sha256(token.encode()).digest()

    def find(self, digest: bytes, now: float) -> Verified | None:
        """What is known of a token; `now` is in seconds, monotonic."""
        known = self._known.get(digest)
        if known is not None and now - known.since >= self._seconds:
            del self._known[digest]
            return None
        return known

    def keep(self, digest: bytes, verified: Verified) -> None:
        """Remember a token that held."""
        if self._capacity == 0:
            return
        self._known.pop(digest, None)
        if len(self._known) >= self._capacity:
            del self._known[next(iter(self._known))]
        self._known[digest] = verified
