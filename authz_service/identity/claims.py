"""Verified claims → Identity, by the claim names of the issuer's configuration. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from authz_service.errors import CredentialRefused
from authz_service.model import Confirmation, Identity

MAX_NAME = 256  # characters of a user, an agent or a role: they travel in headers and descriptors
MAX_ROLES = 200
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)  # of SHA-256


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Which claims hold whom: the name of a claim, or a dotted path into nested ones; `tenant` may be empty."""

    user: str
    agent: str
    roles: str
    tenant: str = ""


def to_identity(claims: Mapping[str, Any], names: ClaimNames, issuer: str) -> Identity:
    """Name the caller. A user is required; agent, tenant and roles may be missing. Times are epoch seconds.

    Raises:
        CredentialRefused: a claim is missing, of the wrong type, too long, or has control characters (which could end a
            header early further on), or the token is bound to something that is not known here.
    """
    user = _name(find(claims, names.user), "user")
    if user is None:
        raise CredentialRefused("claim_missing", "the token does not say who the user is")
    token_id, issued, expires = claims.get("jti"), claims.get("iat"), claims.get("exp")
    return Identity(
        user=user,
        agent=_name(find(claims, names.agent), "agent"),
        roles=_roles(find(claims, names.roles)),
        tenant=_name(find(claims, names.tenant), "tenant") if names.tenant else None,
        issuer=issuer,
        claims=claims,
        issued_at=None if issued is None else float(issued),
        expires_at=math.inf if expires is None else float(expires),
        token_id=token_id if isinstance(token_id, str) else None,
        confirmation=_confirmation(claims["cnf"]) if "cnf" in claims else None,
    )


def find(claims: Mapping[str, Any], path: str) -> Any:
    """Find a claim by its whole name, else by the dotted path into nested ones (`realm_access.roles`)."""
    if path in claims:
        return claims[path]
    value: Any = claims
    for part in path.split("."):
        if not isinstance(value, dict) or part not in value:
            return None
        value = value[part]
    return value


def _confirmation(cnf: Any) -> Confirmation:
    """Read what a token is bound to (RFC 7800). A member that is not known here could not be checked."""
    if not isinstance(cnf, Mapping) or not cnf or not set(cnf) <= {"jkt", "x5t#S256"}:
        raise CredentialRefused("binding_unsupported", "the token is bound to something that cannot be checked here")
    if not all(isinstance(value, str) and _THUMBPRINT.fullmatch(value) for value in cnf.values()):
        raise CredentialRefused("binding_unsupported", "the token is bound to something that is no thumbprint")
    return Confirmation(cnf.get("jkt"), cnf.get("x5t#S256"))


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
