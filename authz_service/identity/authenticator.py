"""Headers → Identity, for several issuers. Each issuer's keys, and how they are kept fresh, are its `KeyRing`'s."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from authz_service.errors import CredentialRefused
from authz_service.identity import key_rings, tokens
from authz_service.identity.bearer import bearer_token
from authz_service.identity.claims import to_identity
from authz_service.identity.freshness import Freshness
from authz_service.identity.key_rings import KeyRing, Result
from authz_service.identity.key_source import KeySource
from authz_service.identity.tokens import TokenTerms
from authz_service.identity.verified import Verified, VerifiedTokens
from authz_service.model import Identity
from authz_service.settings.identity import Issuer

Known = Literal["known", "new"]


@dataclass(frozen=True, slots=True)
class _Trusted:
    """One issuer with its keys."""

    issuer: Issuer
    terms: TokenTerms
    ring: KeyRing


class Authenticator:
    """Verifies callers. `monotonic` gives seconds for ages; wall-clock time comes with each call."""

    def __init__(
        self,
        issuers: Sequence[tuple[Issuer, KeySource]],
        *,
        monotonic: Callable[[], float],
        refreshed: Callable[[str, Result], None],
        looked_up: Callable[[Known], None],
    ) -> None:
        """`refreshed` hears of every fetch of keys: the issuer, and how it ended.

        `looked_up` hears of every token: `known`, if it was verified a moment ago, or `new`.
        """
        self._trusted = {
            issuer.issuer: _Trusted(
                issuer,
                TokenTerms(issuer.issuer, issuer.audiences, issuer.algorithms),
                KeyRing(issuer.issuer, source, Freshness.of(issuer.keys), monotonic=monotonic, refreshed=refreshed),
            )
            for issuer, source in issuers
        }
        self._rings = [trusted.ring for trusted in self._trusted.values()]
        self._monotonic = monotonic
        self._looked_up = looked_up
        self._verified = VerifiedTokens()

    async def authenticate(self, headers: Mapping[str, str], now: float) -> Identity | None:
        """Name the caller, or None where the request brings no credential. `now` is in epoch seconds.

        Raises:
            CredentialRefused: a credential that does not hold.
            KeysUnavailable: the issuer's keys are not at hand.
        """
        token = bearer_token(headers)
        if token is None:
            return None
        known = self._known(token, now)
        self._looked_up("new" if known is None else "known")
        return known or await self._verify(token, now)

    def _known(self, token: str, now: float) -> Identity | None:
        """Whom a token names that was verified before, if nothing has changed but the time."""
        verified = self._verified.find(token, self._monotonic())
        if verified is None:
            return None
        keys = self._trusted[verified.identity.issuer].ring.keys
        if keys is None or keys.keys is not verified.keys:
            return None  # The whole way, which may fetch keys and knows what to say.
        tokens.check_times(verified.identity.claims, now)
        return verified.identity

    async def _verify(self, token: str, now: float) -> Identity:
        header = tokens.read_header(token)
        trusted = self._trusted.get(header.issuer)
        if trusted is None:
            raise CredentialRefused("issuer_unknown", "the token's issuer is not trusted")
        if header.algorithm not in trusted.terms.algorithms:
            raise CredentialRefused("algorithm_refused", "the token's algorithm is not accepted")
        keys = await trusted.ring.keys_for(header.key_id, header.algorithm)
        claims = tokens.verify(token, header, trusted.terms, keys, now)
        identity = to_identity(claims, trusted.issuer.claims, trusted.issuer.issuer)
        self._verified.keep(token, Verified(identity, keys.keys, self._monotonic()))
        return identity

    async def load(self) -> list[tuple[Issuer, str]]:
        """Fetch every issuer's keys once, together; return those that failed, and why."""
        problems = await asyncio.gather(*(ring.load() for ring in self._rings))
        return [
            (trusted.issuer, problem)
            for trusted, problem in zip(self._trusted.values(), problems, strict=True)
            if problem is not None
        ]

    async def keep_fresh(self, report: Callable[[str | None, str], None]) -> None:
        """Keep every issuer's keys fresh until cancelled; what `report` hears stands at `key_rings.keep_fresh`."""
        await key_rings.keep_fresh(self._rings, report)
