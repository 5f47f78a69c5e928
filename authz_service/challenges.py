"""A refused credential → the challenge that tells the client what to bring (RFC 6750, RFC 9449, RFC 9728). Pure."""

from __future__ import annotations

from collections.abc import Sequence

from authz_service.errors import CredentialRefused, Scheme

REALM = "agent-gateway"

Headers = list[tuple[str, str]]


class Challenges:
    """Makes challenges. None of their parts comes from a request."""

    def __init__(self, *, proof_algorithms: Sequence[str] = (), resource_metadata: str | None = None) -> None:
        """`proof_algorithms`: with which DPoP proofs may be signed; none where DPoP is not accepted."""
        self._algorithms = " ".join(proof_algorithms)
        self._metadata = f', resource_metadata="{resource_metadata}"' if resource_metadata else ""

    def answer(self, refusal: CredentialRefused, text: str) -> Headers:
        """Return the headers of an answer to a refused credential; `text` is what the client is told."""
        headers = [("www-authenticate", value) for value in self._values(refusal, text)]
        if refusal.nonce is not None:  # RFC 9449 section 8: exactly one, and not for caches
            headers += [("dpop-nonce", refusal.nonce), ("cache-control", "no-store")]
        if self._algorithms:  # so that a client in a browser can read them
            headers.append(("access-control-expose-headers", "DPoP-Nonce, WWW-Authenticate"))
        return headers

    def _values(self, refusal: CredentialRefused, text: str) -> list[str]:
        """Return one challenge for the scheme that was tried, or, where nothing was sent, one for each there is."""
        error = ""
        if refusal.error is not None:
            error = f', error="{refusal.error}", error_description="{_quotable(text)}"'
        bearer = f'Bearer realm="{REALM}"{error}{self._metadata}'
        proof = f'DPoP realm="{REALM}"{error}, algs="{self._algorithms}"{self._metadata}'
        if not self._algorithms:
            return [bearer]
        if refusal.error is None:
            return [proof, bearer]
        return [proof if refusal.scheme is Scheme.DPOP else bearer]


def _quotable(text: str) -> str:
    """Leave out what a quoted string of the RFC may not hold (RFC 6750 section 3)."""
    return "".join(
        character for character in text if character in " !" or ("#" <= character <= "~" and character != "\\")
    )
