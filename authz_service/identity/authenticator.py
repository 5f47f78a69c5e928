"""Headers → Identity, for several issuers; keeps each issuer's keys fresh.

An unknown key id causes at most one refresh in `REFRESH_COOLDOWN` seconds for all callers together, so that forged
tokens cannot be turned into load on the issuer.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from authz_service.errors import CredentialRefused, KeysUnavailable
from authz_service.identity import tokens
from authz_service.identity.bearer import bearer_token
from authz_service.identity.claims import to_identity
from authz_service.identity.key_source import KeySource, KeySourceError
from authz_service.identity.keys import REFRESH_AFTER, REFRESH_COOLDOWN, KeySet, KeySetError, parse_key_set
from authz_service.identity.tokens import TokenTerms
from authz_service.identity.verified import Verified, VerifiedTokens
from authz_service.model import Identity
from authz_service.settings.identity import Issuer

log = logging.getLogger(__name__)

Result = Literal["ok", "failed"]
Known = Literal["known", "new"]


@dataclass(slots=True)
class _Trusted:
    """One issuer with what is known of its keys."""

    issuer: Issuer
    terms: TokenTerms
    source: KeySource
    lock: asyncio.Lock
    keys: KeySet | None = None
    attempted: float = float("-inf")


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
                issuer, TokenTerms(issuer.issuer, issuer.audiences, issuer.algorithms), source, asyncio.Lock()
            )
            for issuer, source in issuers
        }
        self._monotonic = monotonic
        self._refreshed = refreshed
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
        keys = self._trusted[verified.identity.issuer].keys
        if keys is None or keys.keys is not verified.keys or not keys.is_usable(self._monotonic()):
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
        keys = await self._keys_for(trusted, header.key_id, header.algorithm)
        claims = tokens.verify(token, header, trusted.terms, keys, now)
        identity = to_identity(claims, trusted.issuer.claims, trusted.issuer.issuer)
        self._verified.keep(token, Verified(identity, keys.keys, self._monotonic()))
        return identity

    async def load(self) -> list[tuple[Issuer, str]]:
        """Fetch every issuer's keys once, together; return those that failed, and why."""
        problems = await asyncio.gather(*(self._refresh(trusted) for trusted in self._trusted.values()))
        return [
            (trusted.issuer, problem)
            for trusted, problem in zip(self._trusted.values(), problems, strict=True)
            if problem is not None
        ]

    def problem(self) -> str | None:
        """Whose keys are too old to verify anything, or None: then tokens of that issuer end in 503."""
        now = self._monotonic()
        stale = [name for name, trusted in self._trusted.items() if not (trusted.keys and trusted.keys.is_usable(now))]
        return f"no usable keys of {', '.join(stale)}" if stale else None

    async def keep_fresh(self, report: Callable[[str | None], None]) -> None:
        """Refresh keys ahead of need until cancelled; while an issuer is away, try again every half minute.

        `report` hears `problem` after each round.
        """
        while True:
            await asyncio.sleep(min(REFRESH_AFTER, REFRESH_COOLDOWN))
            now = self._monotonic()
            for trusted in self._trusted.values():
                if trusted.keys is None or trusted.keys.wants_refresh(now):
                    async with trusted.lock:
                        await self._refresh(trusted)
            report(self.problem())

    async def _keys_for(self, trusted: _Trusted, key_id: str | None, algorithm: str) -> KeySet:
        keys = trusted.keys
        if keys is None or keys.pick(key_id, algorithm) is None:
            async with trusted.lock:
                if trusted.keys is keys and self._monotonic() - trusted.attempted >= REFRESH_COOLDOWN:
                    await self._refresh(trusted)
            keys = trusted.keys
        if keys is None or not keys.is_usable(self._monotonic()):
            raise KeysUnavailable(f"no usable keys of issuer {trusted.issuer.issuer}")
        return keys

    async def _refresh(self, trusted: _Trusted) -> str | None:
        """Fetch keys; on failure the ones at hand stay. Return the problem, if any."""
        trusted.attempted = self._monotonic()
        try:
            keys = parse_key_set(await trusted.source.fetch(), self._monotonic())
        except (KeySourceError, KeySetError) as error:
            self._refreshed(trusted.issuer.issuer, "failed")
            log.warning(
                "keys not refreshed", extra={"fields": {"issuer": trusted.issuer.issuer, "problem": str(error)}}
            )
            return str(error)
        trusted.keys = keys if trusted.keys is None else trusted.keys.renewed(keys)
        self._refreshed(trusted.issuer.issuer, "ok")
        return None
