"""Real keys, tokens made with them, and tokens forged by hand."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import get_default_algorithms

from authz_service.identity.claims import ClaimNames
from authz_service.settings.identity import Issuer

NOW = 1_763_870_417.0  # epoch seconds
ISSUER = "https://idp.example"
AUDIENCE = "agent-gateway"
NAMES = ClaimNames("sub", "agent_id", "roles")
LIFETIME = 600
_CURVES: Mapping[str, ec.EllipticCurve] = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}


@dataclass(frozen=True)
class SigningKey:
    """A private key that belongs to one algorithm."""

    private: Any
    algorithm: str
    kid: str | None

    def public_jwk(self, **more: Any) -> dict[str, Any]:
        """The public half as a key set has it; a member given as None is left out."""
        jwk = get_default_algorithms()[self.algorithm].to_jwk(self.private.public_key(), as_dict=True)
        members = {**jwk, "kid": self.kid, "use": "sig", **more}
        members.pop("key_ops", None)
        return {name: value for name, value in {**members, **more}.items() if value is not None}

    def private_jwk(self) -> dict[str, Any]:
        """The private half as JWK."""
        return {**get_default_algorithms()[self.algorithm].to_jwk(self.private, as_dict=True), "kid": self.kid}

    def public_pem(self) -> bytes:
        """The public half as PEM."""
        pem: bytes = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return pem

    def token(self, headers: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A token of our issuer that holds; a claim given as None is left out."""
        return self.sign(usual_claims(**claims), headers)

    def sign(self, claims: Mapping[str, Any], headers: Mapping[str, Any] | None = None) -> str:
        """Sign exactly these claims."""
        kid = {"kid": self.kid} if self.kid is not None else {}
        return jwt.encode(dict(claims), self.private, self.algorithm, {**kid, **(headers or {})})

    def sign_raw(self, header: Any, payload: Any) -> str:
        """Sign any header and payload, sound or not; bytes go in as they are."""
        algorithm = get_default_algorithms()[self.algorithm]
        return compact(header, payload, lambda signed: algorithm.sign(signed, self.private))


@cache
def key(algorithm: str = "ES256", kid: str | None = "k1", number: int = 0) -> SigningKey:
    """A key, made once for all tests; `number` tells keys of one kind apart."""
    return SigningKey(_private(algorithm, number), algorithm, kid)


@cache
def _private(algorithm: str, number: int) -> Any:
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm])
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return rsa_private(2048, number)


@cache
def rsa_private(bits: int, number: int = 0) -> rsa.RSAPrivateKey:
    """An RSA key of some size."""
    del number
    return rsa.generate_private_key(65537, bits)


def usual_claims(**claims: Any) -> dict[str, Any]:
    """What our issuer writes; a claim given as None is left out."""
    usual: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "alice",
        "agent_id": "desktop-7",
        "roles": ["engineer"],
        "iat": int(NOW),
        "exp": int(NOW) + LIFETIME,
    }
    return {name: value for name, value in {**usual, **claims}.items() if value is not None}


def key_set(*keys: SigningKey | Mapping[str, Any]) -> bytes:
    """A key set's text."""
    return json.dumps(
        {"keys": [key.public_jwk() if isinstance(key, SigningKey) else dict(key) for key in keys]}
    ).encode()


def encoded(part: Any) -> str:
    """Base64url of a part of a token: bytes as they are, anything else as JSON."""
    data = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(header: Any, payload: Any, sign: Callable[[bytes], bytes]) -> str:
    """A compact JWS of whatever it is given."""
    signed = f"{encoded(header)}.{encoded(payload)}"
    return f"{signed}.{encoded(sign(signed.encode()))}"


def issuer(
    name: str = ISSUER,
    *,
    algorithms: tuple[str, ...] = ("ES256", "RS256", "EdDSA"),
    audiences: tuple[str, ...] = (AUDIENCE,),
    claims: ClaimNames = NAMES,
    **more: Any,
) -> Issuer:
    """An issuer as the configuration describes it; where its keys come from is handed over beside it."""
    return Issuer(name, audiences, algorithms, claims, None, Path("jwks.json"), "authz.yaml", 7, **more)
