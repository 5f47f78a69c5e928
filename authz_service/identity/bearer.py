"""The Authorization header → one bearer token (RFC 6750 section 2.1). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

from authz_service.errors import CredentialRefused

MAX_TOKEN_BYTES = 16 * 1024
_JWT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """Return the token of a request, or None where it brings no credential at all.

    Envoy joins repeated headers with commas, which no token contains: two credentials are never taken for one.

    Raises:
        CredentialRefused: the header is there, but holds no single well-formed bearer token.
    """
    header = headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.strip().partition(" ")
    token = token.strip()
    if "," in header:
        raise CredentialRefused("credential_repeated", "more than one credential was sent", "invalid_request")
    if scheme.lower() != "bearer":
        raise CredentialRefused("scheme_unsupported", "only the Bearer scheme is accepted", "invalid_request")
    if len(token) > MAX_TOKEN_BYTES:
        raise CredentialRefused("token_too_large", f"the token is larger than {MAX_TOKEN_BYTES} bytes")
    if not _JWT.fullmatch(token):
        raise CredentialRefused("token_malformed", "the token is not a signed JWT")
    return token
