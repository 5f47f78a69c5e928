"""Nonces for DPoP proofs (RFC 9449 section 8) that need no memory: a time, and a MAC over it. Pure.

Each replica with the same secret accepts what the others have given out. A nonce is good in the period in which it was
made and in the next one, so for at most two.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from authz_service.identity import jws
from authz_service.identity.jws import JwsError

PERIOD: Final = 150  # seconds
MIN_SECRET_BYTES = 32
MAX_CHARACTERS = 64
_COUNTER_BYTES, _MAC_BYTES = 8, 16


class Nonces:
    """Makes nonces and tells them from others; times are in epoch seconds."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MIN_SECRET_BYTES:
            raise ValueError(f"the secret of nonces must have at least {MIN_SECRET_BYTES} bytes")
        self._secret = secret
        self._current = (-1, "")

    def current(self, now: float) -> str:
        """Return the nonce of this period."""
        period = int(now) // PERIOD
        if self._current[0] != period:
            self._current = (period, self._make(period))
        return self._current[1]

    def accepts(self, nonce: str, now: float) -> bool:
        """Whether a nonce is of this period or the one before."""
        if len(nonce) > MAX_CHARACTERS:
            return False
        try:
            data = jws.decode(nonce)
        except JwsError:
            return False
        period = int(now) // PERIOD
        made = int.from_bytes(data[:_COUNTER_BYTES])
        return made in {period, period - 1} and hmac.compare_digest(nonce, self._make(made))

    def _make(self, period: int) -> str:
        counter = period.to_bytes(_COUNTER_BYTES)
        return jws.encode(counter + hmac.digest(self._secret, b"dpop-nonce" + counter, hashlib.sha256)[:_MAC_BYTES])
