"""A DPoP proof (RFC 9449) → that its sender holds the key to which a token is bound. Pure but for the replay store.

The checks of section 4.3, cheapest first, replay last: only a proof that holds in every other way is remembered, so
that nobody fills the store with proofs that do not.
"""

from __future__ import annotations

import hashlib
import hmac
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authz_service.errors import CredentialRefused, Scheme
from authz_service.identity import jws, target_uri
from authz_service.identity.jws import Jws, JwsError
from authz_service.identity.nonces import Nonces
from authz_service.identity.proof_keys import ProofKeyError, ProofKeys, thumbprint
from authz_service.identity.replay import ReplayStore

MAX_JTI = 256  # characters
CLOCKS_APART = 5.0  # seconds by which the clocks of two replicas may differ
_REFUSED_HEADERS = ("crit", "b64", "jku", "x5u", "x5c")


@dataclass(frozen=True, slots=True)
class ProofTerms:
    """On what terms proofs are accepted.

    `origins` are the public origins under which the gateway is reached, such as `https://api.company.example`, by the
    host in them: a request's own word for scheme and host proves nothing. `max_age` and `skew` are seconds into the
    past and the future in which `iat` must lie.
    """

    algorithms: Sequence[str]
    origins: Mapping[str, str]
    max_age: float
    skew: float


@dataclass(frozen=True, slots=True)
class Request:
    """What of a request a proof names; `path` has no query, `host` no port."""

    method: str
    host: str
    path: str


@dataclass(frozen=True, slots=True)
class Proven:
    """That a proof holds. `nonce` is to be sent back with the answer: the next proof is to carry it."""

    nonce: str | None


class Proofs:
    """Verifies proofs."""

    def __init__(self, terms: ProofTerms, nonces: Nonces | None, replays: ReplayStore) -> None:
        """`nonces`: every proof must carry one of these; None: none is asked for."""
        self._terms = terms
        self._nonces = nonces
        self._replays = replays
        self._keys = ProofKeys()

    async def verify(self, proof: str, token: str, jkt: str, request: Request, now: float) -> Proven:
        """Verify a proof for a token that is bound to the key with thumbprint `jkt`. `now` is in epoch seconds.

        Raises:
            CredentialRefused: it does not hold, was used before, or lacks a nonce.
            ReplayUnknown: whether it was used before cannot be told now.
        """
        content = _read(proof)
        algorithm, key = self._key(content.header)
        try:
            name = thumbprint(key, algorithm)
            if not hmac.compare_digest(name, jkt):
                raise _refused("proof_key_wrong", "the DPoP proof is signed with another key than the token's")
            ready = self._keys.prepare(key, name, algorithm)
        except ProofKeyError as error:
            raise _refused("proof_key_refused", "the DPoP proof's key is not accepted") from error
        claims = content.payload
        uri, issued, token_id = self._check_claims(claims, token, request, now)
        if not content.is_signed_with(ready):
            raise _refused("proof_signature_invalid", "the DPoP proof's signature does not hold")
        nonce = self._check_nonce(claims.get("nonce"), now)
        # One key for the same proof, whatever it was for; and as long as its `iat` could still be accepted.
        digest = jws.encode(hashlib.sha256(f"{name}\n{uri}\n{token_id}".encode()).digest())
        rest = issued + self._terms.max_age - now
        if not await self._replays.first_use(digest, rest + self._terms.skew + CLOCKS_APART):
            raise _refused("proof_replayed", "the DPoP proof was used before")
        return Proven(nonce)

    def nonce(self, now: float) -> str | None:
        """Return the nonce that a proof is to carry now, or None where none is asked for."""
        return self._nonces.current(now) if self._nonces else None

    def _key(self, header: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
        if header.get("typ") != "dpop+jwt":
            raise _refused("proof_type_wrong", "the DPoP proof is not of its type")
        algorithm, key = header.get("alg"), header.get("jwk")
        if not isinstance(algorithm, str) or algorithm not in self._terms.algorithms:
            raise _refused("proof_algorithm_refused", "the DPoP proof's algorithm is not accepted")
        if any(name in header for name in _REFUSED_HEADERS):
            raise _refused("proof_header_refused", "the DPoP proof's header brings extensions or keys from elsewhere")
        if not isinstance(key, dict):
            raise _refused("proof_key_refused", "the DPoP proof's key is not accepted")
        return algorithm, key

    def _check_claims(
        self, claims: Mapping[str, Any], token: str, request: Request, now: float
    ) -> tuple[str, float, str]:
        """Check all claims but the nonce; return URI, `iat` and `jti`."""
        method, uri, token_id = claims.get("htm"), claims.get("htu"), claims.get("jti")
        if not isinstance(method, str) or not isinstance(uri, str) or not isinstance(token_id, str):
            raise _refused("proof_malformed", "the DPoP proof lacks a claim")
        if not 0 < len(token_id) <= MAX_JTI:
            raise _refused("proof_malformed", "the DPoP proof's jti is too long or empty")
        if method != request.method:
            raise _refused("proof_method_wrong", "the DPoP proof is for another method")
        wanted = self._uri(request)
        if wanted is None or target_uri.normalise(uri) != wanted:
            raise _refused("proof_uri_wrong", "the DPoP proof is for another URI")
        issued = claims.get("iat")
        if isinstance(issued, bool) or not isinstance(issued, int | float) or not math.isfinite(issued):
            raise _refused("proof_malformed", "the DPoP proof lacks a claim")
        if not now - self._terms.max_age <= issued <= now + self._terms.skew:
            raise _refused("proof_not_fresh", "the DPoP proof was made too long ago, or in the future")
        expected = jws.encode(hashlib.sha256(token.encode("ascii")).digest())
        given = claims.get("ath")
        if not isinstance(given, str) or not hmac.compare_digest(given.encode(), expected.encode()):
            raise _refused("proof_token_wrong", "the DPoP proof is for another token")
        return wanted, float(issued), token_id

    def _uri(self, request: Request) -> str | None:
        """Return the URI that a proof for this request must name: the public origin of its host, and its path."""
        origin = self._terms.origins.get(request.host)
        path = target_uri.normalise_path(request.path)
        return None if origin is None or path is None else origin + path

    def _check_nonce(self, nonce: Any, now: float) -> str | None:
        """Check the nonce where one is asked for; return a new one where the proof's is of the period before."""
        if self._nonces is None:
            return None
        current = self._nonces.current(now)
        if nonce == current:
            return None
        if not isinstance(nonce, str) or not self._nonces.accepts(nonce, now):
            raise CredentialRefused(
                "proof_nonce_needed", "the DPoP proof must carry the nonce of this answer", "use_dpop_nonce",
                scheme=Scheme.DPOP, nonce=current,
            )  # fmt: skip
        return current


def _read(proof: str) -> Jws:
    try:
        return jws.read(proof)
    except JwsError as error:
        raise _refused("proof_malformed", "the DPoP proof is not a signed JWT") from error


def _refused(code: str, text: str) -> CredentialRefused:
    return CredentialRefused(code, text, "invalid_dpop_proof", scheme=Scheme.DPOP)
