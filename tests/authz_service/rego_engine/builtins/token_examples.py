"""Made-up tokens for the tests, put together by hand."""

from __future__ import annotations

import base64
import hmac
import json
from typing import Any

from tests.authz_service.rego_engine.builtins.certificate_examples import key, private_pem
from tests.authz_service.rego_engine.builtins.operands import call

SECRET = "secret"
KINDS = {"RS": "RSA", "PS": "RSA", "ES256": "EC", "ES384": "P-384", "ES512": "P-521", "EdDSA": "Ed25519"}
ALGORITHMS = [f"{family}{size}" for family in ("RS", "PS", "ES") for size in (256, 384, 512)] + ["EdDSA"]


def part(content: Any) -> str:
    """Return a part of a token: octets as they are, anything else as JSON."""
    data = content if isinstance(content, bytes) else json.dumps(content).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def coded(header: Any, payload: Any, secret: str = SECRET) -> str:
    """Return a token with a code by HS256, whatever its header says."""
    signed = f"{part(header)}.{part(payload)}"
    return f"{signed}.{part(hmac.digest(secret.encode(), signed.encode(), 'sha256'))}"


def private(algorithm: str, number: int = 0) -> Any:
    """Return a private key for an algorithm."""
    return key(KINDS.get(algorithm) or KINDS[algorithm[:2]], number)


def jwk(algorithm: str, number: int = 0, *, public: bool = True, **more: Any) -> dict[str, Any]:
    """Return a key for an algorithm as a JWK."""
    found: dict[str, Any] = call("crypto.x509.parse_rsa_private_key", private_pem(private(algorithm, number)))
    members = ("kty", "crv", "x", "y", "n", "e")
    return {name: value for name, value in found.items() if not public or name in members} | more


def signed(algorithm: str, payload: dict[str, Any], number: int = 0, **header: Any) -> str:
    """Return a token that is signed."""
    token: str = call("io.jwt.encode_sign", {"alg": algorithm, **header}, payload, jwk(algorithm, number, public=False))
    return token
