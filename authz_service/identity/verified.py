"""Tokens that were verified a moment ago, so that one that comes again costs a hash in place of a signature. Pure.

What was found is good for as long as the issuer's keys are the same, and for `MAX_AGE` at most. What changes with time,
the token's own times above all, is checked each time by whoever asks. Only tokens that held are kept, by their hash.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authz_service.model import Identity

MAX_TOKENS = 10_000  # of about 2 KB each: the claims are kept
MAX_AGE = 300.0  # seconds


@dataclass(frozen=True, slots=True)
class Verified:
    """A token that held: whom it names, and the keys of the issuer's set at that time."""

    identity: Identity
    keys: Sequence[Mapping[str, Any]]
    since: float  # seconds, monotonic


class VerifiedTokens:
    """At most `MAX_TOKENS`; the one that was verified first makes room."""

    def __init__(self) -> None:
        self._known: dict[bytes, Verified] = {}

    def __len__(self) -> int:
        return len(self._known)

    def find(self, token: str, now: float) -> Verified | None:
        """What is known of a token; `now` is in seconds, monotonic."""
        digest = _digest(token)
        known = self._known.get(digest)
        if known is not None and now - known.since >= MAX_AGE:
            del self._known[digest]
            return None
        return known

    def keep(self, token: str, verified: Verified) -> None:
        """Remember a token that held."""
        digest = _digest(token)
        self._known.pop(digest, None)
        if len(self._known) >= MAX_TOKENS:
            del self._known[next(iter(self._known))]
        self._known[digest] = verified


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
