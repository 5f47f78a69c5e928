"""Verified claims → Identity, by the claim names of the issuer's configuration. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authz_service.errors import CredentialRefused
from authz_service.model import Identity
from authz_service.settings.identity import ClaimNames

MAX_NAME = 256  # characters of a user, an agent or a role: they travel in headers and descriptors
MAX_ROLES = 200


def to_identity(claims: Mapping[str, Any], names: ClaimNames, issuer: str) -> Identity:
    """Name the caller. A user is required; an agent and roles may be missing.

    Raises:
        CredentialRefused: a claim is missing, of the wrong type, too long, or has control characters (which could end
            a header early further on).
    """
    user = _name(_find(claims, names.user), "user")
    if user is None:
        raise CredentialRefused("claim_missing", "the token does not say who the user is")
    token_id = claims.get("jti")
    return Identity(
        user=user,
        agent=_name(_find(claims, names.agent), "agent"),
        roles=_roles(_find(claims, names.roles)),
        issuer=issuer,
        claims=claims,
        expires_at=float(claims["exp"]),
        token_id=token_id if isinstance(token_id, str) else None,
    )


def _find(claims: Mapping[str, Any], path: str) -> Any:
    """Find a claim by its whole name, else by the dotted path into nested ones (`realm_access.roles`)."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def _name(value: Any, what: str) -> str | None:
    if value is None:
        return None
    # A name with space around it would be another one further on: header values lose theirs.
    if (
        not isinstance(value, str)
        or value != value.strip()
        or not 0 < len(value) <= MAX_NAME
        or not value.isprintable()
    ):
        raise CredentialRefused("claim_malformed", f"the token's {what} is not a usable name")
    return value


def _roles(value: Any) -> tuple[str, ...]:
    """Read roles: a list of texts, or one text of words as OAuth scopes are written."""
    if value is None:
        return ()
    roles = value.split() if isinstance(value, str) else value
    if not isinstance(roles, list) or len(roles) > MAX_ROLES:
        raise CredentialRefused("claim_malformed", "the token's roles are not a list of names")
    names = [_name(role, "list of roles") for role in roles]
    if None in names:
        raise CredentialRefused("claim_malformed", "the token's roles are not a list of names")
    return tuple(name for name in names if name is not None)
