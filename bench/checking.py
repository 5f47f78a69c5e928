"""authz_service's Check with the policies that ship, and messages of as many agents as wanted. One process, no gRPC."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from audit_log.event import DecisionEvent
from authz_service.identity.key_source import Fetched
from authz_service.policy.compiled_engine import Terms, load_engine
from authz_service.policy.compiling import Job
from authz_service.servicers.ext_authz import ExtAuthzServicer
from bench.check import ISSUER, POLICIES
from bench.judging import DECISION, identity_of, pipeline_of
from service_kit.wire import ext_authz_pb2

ALGORITHM = "ES256"
OK = 0  # google.rpc.Code
Check = Callable[[bytes], Awaitable[bytes]]
"""From a serialised CheckRequest to the serialised answer, which is an allow."""


def message(token: str) -> bytes:
    """A serialised CheckRequest with a token, such as Envoy sends."""
    request = ext_authz_pb2.CheckRequest()
    http = request.attributes.request.http
    http.id, http.method, http.path, http.host = "1", "GET", "/reports/q3?page=2", "api.example"
    http.scheme, http.protocol, http.size = "https", "HTTP/2", -1
    http.headers.update({":authority": "api.example", ":method": "GET", "accept": "*/*"})
    http.headers.update({"user-agent": "agent/1.0 (desktop)", "authorization": f"Bearer {token}"})
    request.attributes.source.address.socket_address.address = "192.0.2.1"
    return request.SerializeToString()


class Checking:
    """An issuer with a key, and the service that trusts it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())

    def message_of(self, agent: int) -> bytes:
        """A request of an agent with this number, with a token of its own."""
        claims = {
            "iss": ISSUER, "aud": "agent-gateway", "sub": f"user-{agent}", "agent_id": f"agent-{agent}",
            "email": f"user-{agent}@company.example", "roles": ["engineer"], "exp": int(time.time()) + 3600,
        }  # fmt: skip
        return message(jwt.encode(claims, self._key, algorithm=ALGORITHM, headers={"kid": ALGORITHM}))

    async def fetch(self) -> Fetched:
        """The issuer's key set."""
        public = json.loads(ECAlgorithm.to_jwk(self._key.public_key()))
        return Fetched(json.dumps({"keys": [{**public, "kid": ALGORITHM}]}).encode())

    async def changed(self) -> bool:
        """Never."""
        return False

    async def make(self) -> Check:
        """Make the service."""
        engine = await load_engine(Job((str(POLICIES),), rules=(DECISION,)), Terms(), time.time_ns)
        pipeline = pipeline_of(await identity_of(ISSUER, (ALGORITHM,), self), engine)
        servicer = ExtAuthzServicer(pipeline)

        async def check(data: bytes) -> bytes:
            answer = await servicer.check(ext_authz_pb2.CheckRequest.FromString(data))
            assert answer.status.code == OK
            return answer.SerializeToString()

        return check


class _NoAudit:
    """Builds each event's line, which is what the path pays for, and drops it."""

    def record(self, event: DecisionEvent) -> None:
        event.to_json()
