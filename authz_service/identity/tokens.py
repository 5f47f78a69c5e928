"""A signed token → its verified claims (RFC 7519, RFC 8725). One call checks everything, nothing is skipped. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import jwt

from authz_service.errors import CredentialRefused
from authz_service.identity.keys import KeySet

LEEWAY = 30.0  # seconds by which our clock and the issuer's may differ

# PyJWT checks the signature only. Issuer, audience and times are checked below, against the `now` that is passed in.
_SIGNATURE_ONLY: Any = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
    "enforce_minimum_key_length": True,
}
_REFUSED_HEADERS = ("jwk", "jku", "x5u", "x5c", "crit", "b64")


@dataclass(frozen=True, slots=True)
class TokenHeader:
    """What an unverified token says of itself: only good for finding the keys that can verify it."""

    issuer: str
    algorithm: str
    key_id: str | None


@dataclass(frozen=True, slots=True)
class TokenTerms:
    """On what terms an issuer's tokens are accepted."""

    issuer: str
    audiences: Sequence[str]
    algorithms: Sequence[str]


def read_header(token: str) -> TokenHeader:
    """Read issuer, algorithm and key id of a token that is not verified yet.

    Raises:
        CredentialRefused: it is no JWT, or it brings keys or extensions of its own (RFC 8725 section 3.10).
    """
    try:
        read = jwt.decode_complete(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise CredentialRefused("token_malformed", "the token is not a signed JWT") from error
    header, claims = read["header"], read["payload"]
    if any(name in header for name in _REFUSED_HEADERS):
        raise CredentialRefused("token_header_refused", "the token's header brings keys or extensions")
    issuer, algorithm, key_id = claims.get("iss"), header.get("alg"), header.get("kid")
    if not isinstance(issuer, str) or not isinstance(algorithm, str) or not isinstance(key_id, str | None):
        raise CredentialRefused("token_malformed", "the token is not a signed JWT")
    return TokenHeader(issuer, algorithm, key_id)


def verify(token: str, header: TokenHeader, terms: TokenTerms, keys: KeySet, now: float) -> Mapping[str, Any]:
    """Verify a token and return its claims. `now` is in epoch seconds.

    Raises:
        CredentialRefused: the algorithm is not accepted, no key fits, or signature, issuer, audience or times do not
            hold. Its code says which.
    """
    if header.algorithm not in terms.algorithms:
        raise CredentialRefused("algorithm_refused", "the token's algorithm is not accepted")
    key = keys.pick(header.key_id, header.algorithm)
    if key is None:
        raise CredentialRefused("key_unknown", "the token is signed with an unknown key")
    try:
        claims = jwt.decode(token, key, algorithms=[header.algorithm], options=_SIGNATURE_ONLY)
    except (jwt.PyJWTError, ValueError, TypeError) as error:
        raise CredentialRefused("signature_invalid", "the token's signature does not hold") from error
    if claims.get("iss") != terms.issuer:
        raise CredentialRefused("issuer_unknown", "the token's issuer is not trusted")
    if "cnf" in claims:
        # Its holder would have to prove a key (RFC 7800). Taken as a plain bearer token it is worth stealing again.
        raise CredentialRefused("binding_unsupported", "the token is bound to a key, which is not supported yet")
    _check_audience(claims.get("aud"), terms.audiences)
    check_times(claims, now)
    return claims


def _check_audience(audience: Any, accepted: Sequence[str]) -> None:
    named = [audience] if isinstance(audience, str) else audience
    if not isinstance(named, list) or not any(name in accepted for name in named if isinstance(name, str)):
        raise CredentialRefused("audience_wrong", "the token is meant for somebody else")


def check_times(claims: Mapping[str, Any], now: float) -> None:
    """Check the times of claims whose signature holds; raises `CredentialRefused`. `now` is in epoch seconds."""
    expires = _time(claims, "exp")
    if expires is None:
        raise CredentialRefused("expiry_missing", "the token has no expiry")
    if now >= expires + LEEWAY:
        raise CredentialRefused("token_expired", "the token has expired")
    not_before = _time(claims, "nbf")
    if not_before is not None and now < not_before - LEEWAY:
        raise CredentialRefused("token_not_yet_valid", "the token is not valid yet")
    issued = _time(claims, "iat")
    if issued is not None and now < issued - LEEWAY:
        raise CredentialRefused("token_not_yet_valid", "the token was issued in the future")


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
