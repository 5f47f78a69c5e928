"""An issuer with an RSA key: its key set, and tokens of the shape that both sides' policies read."""

from __future__ import annotations

import json
import time
import uuid

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm

ISSUER = "https://idp.example"
AUDIENCE = "agent-gateway"
KEY_ID = "bench-1"
GOOD_FOR = 6 * 3600  # seconds: longer than any run
KEY_BITS = 2048


class TokenIssuer:
    """Signs RS256 tokens."""

    def __init__(self) -> None:
        self._key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)

    def key_set(self) -> str:
        """The JWKS, as JSON text."""
        public = json.loads(RSAAlgorithm.to_jwk(self._key.public_key()))
        return json.dumps({"keys": [{**public, "kid": KEY_ID, "use": "sig", "alg": "RS256"}]})

    def pem(self) -> str:
        """The public key alone."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()

    def token(self) -> str:
        """Make a token that nobody has seen before."""
        now = int(time.time())
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "agent_id": "a1", "email": "alice@company.example",
            "roles": ["engineer", "reader"], "tenant": "acme", "scopes": ["scope-1", "scope-196", "scope-197"],
            "iat": now, "exp": now + GOOD_FOR, "jti": str(uuid.uuid4()),
        }  # fmt: skip
        return jwt.encode(claims, self._key, algorithm="RS256", headers={"kid": KEY_ID})
