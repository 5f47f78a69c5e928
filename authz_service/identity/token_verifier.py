"""A token → the Identity that it names, for several issuers; a token that comes again costs a hash.

What is kept of a verified token is whom it names, from when until when, and with which keys that was found. Times and
keys are looked at each time; bindings and revocations are for whoever asks, with each request anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from authz_service.errors import CredentialRefused
from authz_service.identity import tokens
from authz_service.identity.claims import to_identity
from authz_service.identity.jws import looks_like_jws
from authz_service.identity.key_rings import KeyRing
from authz_service.identity.tokens import TokenTerms
from authz_service.identity.verified import Verified, VerifiedTokens
from authz_service.model import Identity
from authz_service.settings.identity import Issuer

Known = Literal["known", "new"]
_ACCESS_TOKENS = frozenset({"bearer", "dpop"})  # token types of RFC 6749 section 7.1 and RFC 9449 section 5


class Introspector(Protocol):
    """Asks an issuer what it says of an opaque token (RFC 7662)."""

    async def introspect(self, token: str, now: float) -> Mapping[str, Any]:
        """Return the claims of an active token; raises `CredentialRefused` or an `Outage`. `now` is in epoch seconds.

        MUST end within bounded time, and MUST keep what it was told no longer than it is configured to.
        """
        ...


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """One issuer with its keys, or with what is asked about its opaque tokens: one of `ring` and `introspector`."""

    issuer: Issuer
    terms: TokenTerms
    ring: KeyRing | None = None
    introspector: Introspector | None = None


def terms_of(issuer: Issuer) -> TokenTerms:
    """Return the terms of an issuer's tokens."""
    return TokenTerms(
        issuer.issuer,
        issuer.audiences or None,
        issuer.algorithms,
        issuer.required_claims,
        issuer.max_age_seconds,
        issuer.access_tokens_only,
    )


class TokenVerifier:
    """Verifies tokens. `monotonic` gives seconds for ages; wall-clock time comes with each call."""

    def __init__(
        self,
        issuers: Sequence[TrustedIssuer],
        cache: VerifiedTokens,
        *,
        monotonic: Callable[[], float],
        looked_up: Callable[[Known], None],
    ) -> None:
        """`looked_up` hears of every token: `known`, if it was verified a moment ago, or `new`."""
        self._signed = {trusted.issuer.issuer: trusted for trusted in issuers if trusted.ring is not None}
        self._opaque = next((trusted for trusted in issuers if trusted.introspector is not None), None)
        self._cache = cache
        self._monotonic = monotonic
        self._looked_up = looked_up

    async def verify(self, token: str, now: float) -> Identity:
        """Name the caller that a token is of. `now` is in epoch seconds.

        Raises:
            CredentialRefused: it does not hold.
            Outage: the issuer's keys are not at hand, or it cannot be asked.
        """
        digest = VerifiedTokens.digest(token)
        verified = self._cache.find(digest, self._monotonic())
        if verified is not None and verified.validity.holds(now) and self._is_current(verified):
            self._looked_up("known")
            return verified.identity
        self._looked_up("new")
        if looks_like_jws(token):
            return await self._verify_signed(token, digest, now)
        return await self._ask(token, now)

    def _is_current(self, verified: Verified) -> bool:
        ring = self._signed[verified.identity.issuer].ring
        keys = ring.keys if ring is not None else None
        return keys is not None and keys.keys is verified.keys

    async def _verify_signed(self, text: str, digest: bytes, now: float) -> Identity:
        token = tokens.read(text)
        trusted = self._signed.get(token.issuer)
        if trusted is None or trusted.ring is None:
            raise CredentialRefused("issuer_unknown", "the token's issuer is not trusted")
        if token.algorithm not in trusted.terms.algorithms:
            raise CredentialRefused("algorithm_refused", "the token's algorithm is not accepted")
        keys = await trusted.ring.keys_for(token.key_id, token.algorithm)
        claims = tokens.verify(token, trusted.terms, keys, now)
        identity = to_identity(claims, trusted.issuer.claims, trusted.issuer.issuer)
        validity = tokens.validity(claims, trusted.terms)
        self._cache.keep(digest, Verified(identity, keys.keys, validity, self._monotonic()))
        return identity

    async def _ask(self, token: str, now: float) -> Identity:
        """Ask about an opaque token. The answer is kept by the introspector, for a time of its own."""
        if self._opaque is None or self._opaque.introspector is None:
            raise CredentialRefused("token_malformed", "the token is not a signed JWT")
        claims = await self._opaque.introspector.introspect(token, now)
        name = self._opaque.issuer.issuer
        if claims.get("iss", name) != name:
            raise CredentialRefused("issuer_unknown", "the token's issuer is not trusted")
        if str(claims.get("token_type", "bearer")).lower() not in _ACCESS_TOKENS:
            raise CredentialRefused("token_type_refused", "the token is not an access token")
        tokens.check_claims(claims, self._opaque.terms, now)
        return to_identity(claims, self._opaque.issuer.claims, name)
