"""Headers and query → the one credential that a request brings (RFC 6750 section 2, RFC 9449 section 7.1). Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote_plus

from authz_service.errors import CredentialRefused, Scheme

MAX_TOKEN_BYTES = 16 * 1024
MAX_PROOF_BYTES = 8 * 1024
QUERY_PARAMETER = "access_token"
_TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*", re.ASCII)  # b64token, RFC 6750 section 2.1
_PROOF = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_SCHEMES = {"bearer": Scheme.BEARER, "dpop": Scheme.DPOP}


@dataclass(frozen=True, slots=True)
class Credential:
    """A token, under which scheme it came, and the DPoP proof beside it. None of it is verified."""

    scheme: Scheme
    token: str
    proof: str | None = None


def may_hold_a_token(query: str) -> bool:
    """Whether a query may hold a token (RFC 6750 section 2.3): a look that is fast and errs on the safe side."""
    return "%" in query or QUERY_PARAMETER in query


def read_credential(headers: Mapping[str, str], query: str = "") -> Credential | None:
    """Return a request's credential, or None where it brings none at all.

    Envoy joins repeated headers with commas, which neither a token nor a proof contains: two credentials are never
    taken for one.

    Raises:
        CredentialRefused: there is more than one credential, or one that is not well-formed.
    """
    header, proof = headers.get("authorization"), headers.get("dpop")
    if header is None:
        if proof is not None:
            raise _malformed("proof_without_token", "a DPoP proof was sent without an access token", Scheme.DPOP)
        return None
    if "," in header:
        raise _malformed("credential_repeated", "more than one credential was sent")
    word, _, token = header.strip(" \t").partition(" ")
    token = token.strip(" ")
    scheme = _SCHEMES.get(word.lower())
    if scheme is None:
        # As if nothing had been sent (RFC 6750 section 3): a challenge, and no error.
        raise CredentialRefused("scheme_unsupported", "only the schemes Bearer and DPoP are accepted", error=None)
    if may_hold_a_token(query) and QUERY_PARAMETER in map(
        unquote_plus, (part.partition("=")[0] for part in query.split("&"))
    ):
        raise _malformed("credential_repeated", "more than one credential was sent", scheme)
    if len(token) > MAX_TOKEN_BYTES:
        raise CredentialRefused("token_too_large", f"the token is larger than {MAX_TOKEN_BYTES} bytes", scheme=scheme)
    if not _TOKEN.fullmatch(token):
        raise CredentialRefused("token_malformed", "the token is not well-formed", scheme=scheme)
    return Credential(scheme, token, _proof(scheme, proof))


def _proof(scheme: Scheme, proof: str | None) -> str | None:
    """Check that there is a proof where the scheme wants one, and only there (RFC 9449 section 4.3, item 1)."""
    if scheme is Scheme.BEARER:
        if proof is not None:
            raise _malformed("scheme_mixed", "a DPoP proof was sent with a token under another scheme", Scheme.DPOP)
        return None
    if proof is None:
        raise CredentialRefused("proof_missing", "the token needs a DPoP proof", "invalid_dpop_proof", scheme=scheme)
    if "," in proof:
        raise CredentialRefused(
            "proof_repeated", "more than one DPoP proof was sent", "invalid_dpop_proof", scheme=scheme
        )
    if len(proof) > MAX_PROOF_BYTES:
        raise CredentialRefused(
            "proof_too_large", f"the DPoP proof is larger than {MAX_PROOF_BYTES} bytes", "invalid_dpop_proof",
            scheme=scheme,
        )  # fmt: skip
    if not _PROOF.fullmatch(proof.strip(" \t")):
        raise CredentialRefused(
            "proof_malformed", "the DPoP proof is not a signed JWT", "invalid_dpop_proof", scheme=scheme
        )
    return proof.strip(" \t")


def _malformed(code: str, text: str, scheme: Scheme = Scheme.BEARER) -> CredentialRefused:
    return CredentialRefused(code, text, "invalid_request", scheme=scheme)
