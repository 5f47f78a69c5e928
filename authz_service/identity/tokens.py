"""A signed token → its verified claims (RFC 7519, RFC 8725, RFC 9068). One call checks everything, nothing is skipped.

Pure. What an introspection endpoint says of an opaque token is held to the same terms by `check_claims`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authz_service.errors import CredentialRefused
from authz_service.identity import jws
from authz_service.identity.claims import find
from authz_service.identity.jws import Jws, JwsError
from authz_service.identity.keys import KeySet

LEEWAY = 30.0  # seconds by which our clock and the issuer's may differ

# Keys of the token's own, and extensions that have to be understood: none is (RFC 8725 section 3.10).
_REFUSED_HEADERS = ("jwk", "jku", "x5u", "x5c", "crit", "b64")
_RFC_9068 = "at+jwt"
# What a token may call itself. Proofs, logout tokens and the like are signed by issuers too, and are no access tokens.
_TYPES = frozenset({"jwt", _RFC_9068})


@dataclass(frozen=True, slots=True)
class UnverifiedToken:
    """What a token says of itself before it is verified: only good for finding the keys that can verify it."""

    issuer: str
    algorithm: str
    key_id: str | None
    content: Jws


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """On what terms an issuer's tokens are accepted.

    `audiences`: None where none is asked for, as an introspection endpoint may have looked at it. `max_age` is in
    seconds since `iat`, which is then required, as are `required_claims`, by name or dotted path. `access_tokens_only`
    asks for the type of RFC 9068.
    """

    issuer: str
    audiences: Sequence[str] | None
    algorithms: Sequence[str]
    required_claims: Sequence[str] = ()
    max_age: float | None = None
    access_tokens_only: bool = False


@dataclass(frozen=True, slots=True)
class Validity:
    """From when until when claims hold, in epoch seconds, leeway included."""

    begins: float
    ends: float

    def holds(self, now: float) -> bool:
        """Whether they hold now."""
        return self.begins <= now < self.ends


def read(token: str) -> UnverifiedToken:
    """Read a token that is not verified yet.

    Raises:
        CredentialRefused: it is no JWT, or it brings keys or extensions of its own.
    """
    try:
        content = jws.read(token)
    except JwsError as error:
        raise CredentialRefused("token_malformed", "the token is not a signed JWT") from error
    header = content.header
    if any(name in header for name in _REFUSED_HEADERS):
        raise CredentialRefused("token_header_refused", "the token's header brings keys or extensions")
    issuer, algorithm, key_id = content.payload.get("iss"), header.get("alg"), header.get("kid")
    if not isinstance(issuer, str) or not isinstance(algorithm, str) or not isinstance(key_id, str | None):
        raise CredentialRefused("token_malformed", "the token is not a signed JWT")
    return UnverifiedToken(issuer, algorithm, key_id, content)


def verify(token: UnverifiedToken, terms: TokenTerms, keys: KeySet, now: float) -> Mapping[str, Any]:
    """Verify a token and return its claims. `now` is in epoch seconds.

    Raises:
        CredentialRefused: the algorithm or the type is not accepted, no key fits, or signature, issuer, audience, times
            or required claims do not hold. Its code says which.
    """
    if token.algorithm not in terms.algorithms:
        raise CredentialRefused("algorithm_refused", "the token's algorithm is not accepted")
    check_type(token.content.header.get("typ"), only_access_tokens=terms.access_tokens_only)
    key = keys.pick(token.key_id, token.algorithm)
    if key is None:
        raise CredentialRefused("key_unknown", "the token is signed with an unknown key")
    if not token.content.is_signed_with(key):
        raise CredentialRefused("signature_invalid", "the token's signature does not hold")
    claims = token.content.payload
    if claims.get("iss") != terms.issuer:
        raise CredentialRefused("issuer_unknown", "the token's issuer is not trusted")
    if claims.get("exp") is None:
        raise CredentialRefused("expiry_missing", "the token has no expiry")
    check_claims(claims, terms, now)
    return claims


def check_claims(claims: Mapping[str, Any], terms: TokenTerms, now: float) -> None:
    """Check audience, times and required claims; raises `CredentialRefused`."""
    if terms.audiences is not None:
        check_audience(claims.get("aud"), terms.audiences)
    check_times(claims, terms, now)
    for name in terms.required_claims:
        if find(claims, name) is None:
            raise CredentialRefused("claim_missing", "the token lacks a claim that is required")


def check_times(claims: Mapping[str, Any], terms: TokenTerms, now: float) -> None:
    """Check the times of claims, and say which does not hold; raises `CredentialRefused`."""
    expires, not_before, issued = (_time(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is not None and now >= expires + LEEWAY:
        raise CredentialRefused("token_expired", "the token has expired")
    if not_before is not None and now < not_before - LEEWAY:
        raise CredentialRefused("token_not_yet_valid", "the token is not valid yet")
    if issued is not None and now < issued - LEEWAY:
        raise CredentialRefused("token_not_yet_valid", "the token was issued in the future")
    if terms.max_age is not None:
        if issued is None:
            raise CredentialRefused("claim_missing", "the token does not say when it was issued")
        if now >= issued + terms.max_age + LEEWAY:
            raise CredentialRefused("token_too_old", "the token was issued too long ago")


def validity(claims: Mapping[str, Any], terms: TokenTerms) -> Validity:
    """From when until when `check_times` finds no fault; raises `CredentialRefused` for what is no time."""
    expires, not_before, issued = (_time(claims, name) for name in ("exp", "nbf", "iat"))
    begins = max((time - LEEWAY for time in (not_before, issued) if time is not None), default=-math.inf)
    ends = math.inf if expires is None else expires + LEEWAY
    if terms.max_age is not None and issued is not None:
        ends = min(ends, issued + terms.max_age + LEEWAY)
    return Validity(begins, ends)


def check_type(name: Any, *, only_access_tokens: bool) -> None:
    """Check `typ`, a media type whose `application/` may be left out (RFC 7515 section 4.1.9).

    Raises:
        CredentialRefused: it is something else than an access token.
    """
    if name is None and not only_access_tokens:
        return
    word = name.lower().removeprefix("application/") if isinstance(name, str) else ""
    if word not in ({_RFC_9068} if only_access_tokens else _TYPES):
        raise CredentialRefused("token_type_refused", "the token is not an access token")


def check_audience(audience: Any, accepted: Sequence[str]) -> None:
    """Check that a token is meant for us; raises `CredentialRefused`."""
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or not any(name in accepted for name in named if isinstance(name, str)):
        raise CredentialRefused("audience_wrong", "the token is meant for somebody else")


def _time(claims: Mapping[str, Any], name: str) -> float | None:
    """Read a NumericDate; a boolean, a text or a number that is not finite is none."""
    value = claims.get(name)
    if value is None:
        return None
    try:
        number = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise CredentialRefused("token_malformed", f"the token's {name} is not a time")
    return number
