"""A development issuer: a key made at start, its key set over HTTP, and tokens for three sample agents."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jwt.algorithms import ECAlgorithm

AUDIENCE = "agent-gateway"
ALGORITHM = "ES256"
TOKEN_SECONDS = 12 * 3600


@dataclass(frozen=True, slots=True)
class SampleAgent:
    """A person with an agent."""

    user: str
    email: str
    agent: str
    roles: tuple[str, ...]


AGENTS: Mapping[str, SampleAgent] = {
    "hr": SampleAgent("hanna", "hanna@company.example", "hanna-desktop", ("hr_access",)),
    "dev": SampleAgent("deniz", "deniz@company.example", "deniz-desktop", ("engineer", "allow_local_file_use")),
    "intern": SampleAgent("ines", "ines@company.example", "ines-laptop", ("intern",)),
}


class Issuer:
    """Signs tokens with ES256, whose signatures are short, and shows the public key at `/jwks`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._key_id = uuid.uuid4().hex[:8]

    def claims(self, agent: SampleAgent) -> dict[str, Any]:
        """The claims of a fresh token for an agent."""
        now = int(time.time())
        return {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": agent.user,
            "email": agent.email,
            "agent_id": agent.agent,
            "roles": list(agent.roles),
            "iat": now,
            "exp": now + TOKEN_SECONDS,
            "jti": uuid.uuid4().hex[:16],
        }

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Sign any claims: wrong ones too, for tests."""
        return jwt.encode(dict(claims), self._key, algorithm=ALGORITHM, headers={"kid": self._key_id})

    def application(self) -> web.Application:
        """`GET /jwks`; `POST /sign`, which signs whatever claims it is sent; `GET /key`, the private key.

        Whoever reaches it can sign anything at any rate: it is for tests, which need wrong tokens of every kind.
        """
        application = web.Application()
        application.router.add_get("/jwks", self._jwks)
        application.router.add_post("/sign", self._sign)
        application.router.add_get("/key", self._private_key)
        return application

    async def _jwks(self, request: web.Request) -> web.Response:
        del request
        key = json.loads(ECAlgorithm.to_jwk(self._key.public_key()))
        return web.json_response({"keys": [{**key, "kid": self._key_id, "use": "sig", "alg": ALGORITHM}]})

    async def _private_key(self, request: web.Request) -> web.Response:
        del request
        pem = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return web.json_response({"kid": self._key_id, "algorithm": ALGORITHM, "pem": pem.decode()})

    async def _sign(self, request: web.Request) -> web.Response:
        return web.Response(text=self.sign(await request.json()))
