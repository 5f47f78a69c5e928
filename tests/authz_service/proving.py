"""DPoP proofs made with real keys, sound ones and any others."""

from __future__ import annotations

import base64
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.authz_service.minting import NOW, SigningKey, key

URI = "https://api.example/reports"
_MEMBERS = {"EC": ("crv", "x", "y"), "RSA": ("n", "e"), "OKP": ("crv", "x")}


@dataclass(frozen=True)
class Prover:
    """Somebody who holds a key."""

    key: SigningKey

    @property
    def jwk(self) -> dict[str, Any]:
        """The public key as a proof brings it."""
        jwk = self.key.public_jwk()
        return {name: jwk[name] for name in ("kty", *_MEMBERS[jwk["kty"]])}

    @property
    def jkt(self) -> str:
        """Its thumbprint (RFC 7638), reckoned another way than the service does."""
        members = ",".join(f'"{name}":"{value}"' for name, value in sorted(self.jwk.items()))
        return b64(hashlib.sha256(f"{{{members}}}".encode()).digest())

    def claims(self, token: str, **changed: Any) -> dict[str, Any]:
        """What a proof for a GET of `URI` says now; a claim given as None is left out."""
        usual = {"jti": uuid.uuid4().hex, "htm": "GET", "htu": URI, "iat": int(NOW), "ath": ath(token)}
        return {name: value for name, value in {**usual, **changed}.items() if value is not None}

    def proof(self, token: str, header: Mapping[str, Any] | None = None, **changed: Any) -> str:
        """A proof; a member of the header given as None is left out."""
        return self.signed(self.claims(token, **changed), header)

    def signed(self, claims: Any, header: Mapping[str, Any] | None = None) -> str:
        """A proof of exactly these claims."""
        usual = {"typ": "dpop+jwt", "alg": self.key.algorithm, "jwk": self.jwk, **(header or {})}
        return self.key.sign_raw({name: value for name, value in usual.items() if value is not None}, claims)


def prover(algorithm: str = "ES256", number: int = 7) -> Prover:
    """Somebody with a key of his own."""
    return Prover(key(algorithm, None, number))


def ath(token: str) -> str:
    """The hash of a token as a proof has it."""
    return b64(hashlib.sha256(token.encode()).digest())


def b64(data: bytes) -> str:
    """Base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
