"""A token → what it says, and which check of ours it would fail, one by one. Pure; nothing here lets anybody in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from authz_service.errors import CredentialRefused
from authz_service.identity import jws, tokens
from authz_service.identity.claims import to_identity
from authz_service.identity.credentials import MAX_TOKEN_BYTES
from authz_service.identity.jws import Jws, JwsError
from authz_service.identity.keys import KeySet
from authz_service.identity.token_verifier import terms_of
from authz_service.settings.identity import Issuer

_YEAR_5138 = 1e11  # epoch seconds; what lies beyond is no date that anybody means
_TIMES = ("iat", "nbf", "exp", "auth_time")


@dataclass(frozen=True, slots=True)
class Check:
    """One check, how it ended and why; `passed` is None where it could not be made."""

    name: str
    passed: bool | None
    text: str


@dataclass(frozen=True, slots=True)
class TokenReport:
    """What a token says, and the checks in their order. Its signature is not among what is told."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool | None:
        """Whether it would be accepted; None where a check could not be made and none failed."""
        passed = [check.passed for check in self.checks]
        return False if False in passed else None if None in passed else True


def report(
    token: str, issuers: Mapping[str, Issuer], keys: Mapping[str, KeySet], now: float, *, configured: bool
) -> TokenReport:
    """Look at a token. `issuers` are those that are trusted, `keys` what is known of theirs, `now` in epoch seconds.

    Without a configuration (`configured`) only what every token must be is looked at.
    """
    if len(token) > MAX_TOKEN_BYTES:
        return TokenReport({}, {}, (Check("size", False, f"is larger than {MAX_TOKEN_BYTES} bytes"),))
    try:
        content = jws.read(token)
    except JwsError as error:
        return TokenReport({}, {}, (Check("form", False, f"{error}; an opaque token says nothing by itself"),))
    checks = [
        Check("form", True, "a signed JWT"),
        _tried("header", lambda: tokens.read(token), "brings no key and no extension"),
    ]
    issuer = issuers.get(str(content.payload.get("iss")))
    if not configured:
        bare = tokens.TokenTerms("", None, ())
        checks.append(_tried("times", lambda: tokens.check_times(content.payload, bare, now), _times(content, now)))
        checks.append(Check("issuer", None, "not looked at: no --config"))
        return TokenReport(content.header, content.payload, tuple(checks))
    if issuer is None:
        checks.append(Check("issuer", False, "is none of those that are configured"))
        return TokenReport(content.header, content.payload, tuple(checks))
    checks.append(Check("issuer", True, issuer.issuer))
    return TokenReport(content.header, content.payload, (*checks, *_by_terms(content, issuer, keys, now)))


def _by_terms(content: Jws, issuer: Issuer, keys: Mapping[str, KeySet], now: float) -> list[Check]:
    terms, claims, header = terms_of(issuer), content.payload, content.header
    algorithm, audiences = header.get("alg"), ", ".join(issuer.audiences)
    checks = [
        Check("algorithm", algorithm in terms.algorithms, f"{algorithm}; accepted: {', '.join(terms.algorithms)}"),
        _tried("type", lambda: tokens.check_type(header.get("typ"), only_access_tokens=terms.access_tokens_only),
               f"{header.get('typ', 'none given')}"),
        _signature(content, keys.get(issuer.issuer)),
        _tried("audience", lambda: tokens.check_audience(claims.get("aud"), issuer.audiences), f"among {audiences}"),
        Check("expiry", claims.get("exp") is not None, "none" if claims.get("exp") is None else "there is one"),
        _tried("times", lambda: tokens.check_times(claims, terms, now), _times(content, now)),
    ]  # fmt: skip
    untimed = replace(terms, audiences=None, max_age=None)
    if terms.required_claims:
        timeless = {name: value for name, value in claims.items() if name not in {"exp", "nbf", "iat"}}
        text = f"{', '.join(terms.required_claims)} are there"
        checks.append(_tried("required claims", lambda: tokens.check_claims(timeless, untimed, now), text))
    return [*checks, _identity(claims, issuer)]


def _signature(content: Jws, keys: KeySet | None) -> Check:
    if keys is None:
        return Check("signature", None, "not looked at: the issuer's keys are not at hand (--online fetches them)")
    algorithm, key_id = content.header.get("alg"), content.header.get("kid")
    if not isinstance(algorithm, str) or not isinstance(key_id, str | None):
        return Check("signature", False, "the header names no algorithm or key")
    try:
        key = keys.pick(key_id, algorithm)
    except CredentialRefused as error:
        return Check("signature", False, error.text)
    if key is None:
        return Check("signature", False, "no key of the issuer fits")
    holds = content.is_signed_with(key)
    return Check("signature", holds, "holds" if holds else "does not hold")


def _identity(claims: Mapping[str, Any], issuer: Issuer) -> Check:
    try:
        found = to_identity({**claims, "exp": claims.get("exp", 0)}, issuer.claims, issuer.issuer)
    except (CredentialRefused, TypeError, ValueError) as error:
        return Check("caller", False, error.text if isinstance(error, CredentialRefused) else "a time is no number")
    parts = [f"user {found.user}", f"agent {found.agent}", f"roles {', '.join(found.roles) or 'none'}"]
    bound = found.confirmation
    if bound is not None:
        kinds = [*(["a DPoP key"] if bound.jkt else []), *(["a client certificate"] if bound.x5t_s256 else [])]
        parts.append(f"bound to {' and '.join(kinds)}, which has to be proven with each request")
    return Check("caller", True, "; ".join(parts))


def _tried(name: str, attempt: Callable[[], object], text: str) -> Check:
    try:
        attempt()
    except CredentialRefused as refusal:
        return Check(name, False, refusal.text)
    return Check(name, True, text)


def _times(content: Jws, now: float) -> str:
    """Write the times that a token has, and how far they lie from now."""
    told = []
    for name in _TIMES:
        value = content.payload.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _YEAR_5138:
            told.append(f"{name} {datetime.fromtimestamp(value, UTC):%Y-%m-%dT%H:%M:%SZ} ({_distance(value - now)})")
    return ", ".join(told) or "it has none"


def _distance(seconds: float) -> str:
    size, where = abs(seconds), "ahead" if seconds > 0 else "ago"
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if size >= 2 * length:
            return f"{size / length:.0f} {unit} {where}"
    return f"{size:.0f} s {where}"
