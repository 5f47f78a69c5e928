"""authz_service's Check: from a parsed message to the serialised answer, founding policy, ES256 and RS256 tokens.

One process and no gRPC: the CPU time of one call is what a core spends on one decision.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from authz_service.answers import NOT_SEARCHED
from authz_service.dlp.request import scan_request
from authz_service.dlp.terms import open_terms
from authz_service.identity.key_source import Fetched
from authz_service.identity.parts import IdentityParts
from authz_service.identity.proof_keys import thumbprint
from authz_service.policy.compiled_engine import Terms, load_engine
from authz_service.policy.compiling import Job
from authz_service.policy.document import build_input
from authz_service.policy.engine import Engine
from authz_service.policy.opa_server import OpaEngine
from authz_service.policy.target import parse_target
from authz_service.routing import RouteRule
from authz_service.servicers.ext_authz import ExtAuthzServicer, to_request
from authz_service.settings.dlp import DlpSettings
from bench import remote_opa
from bench.judging import DECISION, ORIGIN, identity_of, pipeline_of
from bench.measure import WARM_UP_CALLS, Figures, measure
from service_kit.wire import ext_authz_pb2

ISSUER = "https://idp.example"
POLICIES = Path(__file__).parent.parent / "rego"
CALLS = 3_000
BODY_POLICY = """package agent_gateway

import rego.v1

default decision := false

decision if count(input.parsed_body.items) > 10
"""
RULE = RouteRule(DECISION, anonymous=False)


class _Keys:
    """An issuer's keys in memory."""

    def __init__(self) -> None:
        self.rsa = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.ec = ec.generate_private_key(ec.SECP256R1())
        public = [
            {**json.loads(RSAAlgorithm.to_jwk(self.rsa.public_key())), "kid": "RS256"},
            {**json.loads(ECAlgorithm.to_jwk(self.ec.public_key())), "kid": "ES256"},
        ]
        self._text = json.dumps({"keys": public}).encode()

    async def fetch(self) -> Fetched:
        return Fetched(self._text)

    async def changed(self) -> bool:
        return False

    def token(self, algorithm: str, **more: Any) -> str:
        claims = {
            "iss": ISSUER, "aud": "agent-gateway", "sub": "alice", "agent_id": "a1", "email": "alice@company.example",
            "roles": ["engineer"], "exp": int(time.time()) + 3600, "jti": str(uuid.uuid4()), **more,
        }  # fmt: skip
        key: Any = self.rsa if algorithm == "RS256" else self.ec
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": algorithm})


class _Holder:
    """Somebody with a key, who proves with each request that he has it."""

    def __init__(self) -> None:
        self._key = ec.generate_private_key(ec.SECP256R1())
        public = json.loads(ECAlgorithm.to_jwk(self._key.public_key()))
        self._jwk = {name: public[name] for name in ("crv", "kty", "x", "y")}
        self.jkt = thumbprint(self._jwk, "ES256")

    def proof(self, token: str) -> str:
        """A proof for the request that is measured."""
        ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
        claims = {
            "jti": str(uuid.uuid4()),
            "htm": "GET",
            "htu": f"{ORIGIN}/reports/q3",
            "iat": int(time.time()),
            "ath": ath,
        }
        return jwt.encode(claims, self._key, "ES256", {"typ": "dpop+jwt", "jwk": self._jwk})


class _Says:
    """A policy that costs nothing, to tell its share."""

    revision = "none"
    reads = None
    loaded = 0.0

    async def decide(self, rule: str, document: object) -> bool:
        del rule, document
        return True


def _message(token: str | None, extra: str = "", *, proof: str = "", body: bytes = b"") -> bytes:
    request = ext_authz_pb2.CheckRequest()
    http = request.attributes.request.http
    http.id, http.method, http.path, http.host, http.scheme = "1", "GET", "/reports/q3?page=2", "api.example", "https"
    http.protocol, http.size = "HTTP/2", -1
    usual = {":authority": "api.example", ":method": "GET", "accept": "*/*", "user-agent": "agent/1.0 (desktop)"}
    http.headers.update(usual | {"x-request-id": str(uuid.uuid4()), "x-forwarded-for": "192.0.2.1", "x-note": extra})
    if token:
        http.headers["authorization"] = f"Bearer {token}"
    if proof:
        http.headers["authorization"], http.headers["dpop"] = f"DPoP {token}", proof
    if body:
        http.method, http.raw_body, http.size, http.headers["content-type"] = (
            "POST",
            body,
            len(body),
            "application/json",
        )
    request.attributes.source.address.socket_address.address = "192.0.2.1"
    return request.SerializeToString()


async def run() -> Sequence[Figures]:
    """Measure; the first row is the whole with the usual token, the rest tell where its time goes."""
    keys = _Keys()
    identity_parts = await identity_of(ISSUER, ("RS256", "ES256"), keys)
    dlp, target = open_terms(DlpSettings()), parse_target("/reports/q3?page=2")
    job = Job((str(POLICIES),), rules=(DECISION,))
    engine = await load_engine(job, Terms(), time.time_ns)

    def servicer(policy: Engine) -> ExtAuthzServicer:
        return ExtAuthzServicer(pipeline_of(identity_parts, policy))

    async def whole(judge: ExtAuthzServicer, data: bytes) -> bytes:
        answer = await judge.check(ext_authz_pb2.CheckRequest.FromString(data))
        return answer.SerializeToString()

    full, free = servicer(engine), servicer(_Says())
    rs256, es256, nobody = _message(keys.token("RS256")), _message(keys.token("ES256")), _message(None)
    secret = _message(keys.token("RS256"), "AKIADEMODEMODEMO2345")
    request = to_request(ext_authz_pb2.CheckRequest.FromString(rs256).attributes)
    now = time.time()
    caller = await identity_parts.authenticator.authenticate(request, RULE, now)
    scan = scan_request(request, target, dlp, None, NOT_SEARCHED, body=False)
    document = build_input(request, parse_target(request.path), caller.identity if caller else None, scan)

    async def authenticating() -> object:
        return await identity_parts.authenticator.authenticate(request, RULE, now)

    async def scanning() -> object:
        return scan_request(request, target, dlp, None, NOT_SEARCHED, body=False)

    async def evaluating() -> object:
        return engine.evaluate(DECISION, document)

    new = iter([_message(keys.token("RS256")) for _ in range(2 * CALLS)])  # one for each call, and for warming up

    holder = _Holder()
    bound = keys.token("RS256", cnf={"jkt": holder.jkt})
    proven = iter([_message(bound, proof=holder.proof(bound)) for _ in range(CALLS + WARM_UP_CALLS + 1)])
    items = [{"id": number, "name": f"item {number}", "price": number * 1.5} for number in range(180)]
    with_body = _message(keys.token("RS256"), body=json.dumps({"items": items}).encode().ljust(10_240))
    reading = servicer(await _engine_of(BODY_POLICY))

    rows = [
        measure("whole, RS256 token again, founding policy", lambda: whole(full, rs256), CALLS),
        measure("whole, a new RS256 token each time", lambda: whole(full, next(new)), CALLS),
        measure("whole, RS256 token bound to a key, new proofs", lambda: whole(full, next(proven)), CALLS),
        measure("whole, RS256 token again, 10 KB of JSON read", lambda: whole(reading, with_body), CALLS),
        measure("whole, ES256 token again, founding policy", lambda: whole(full, es256), CALLS),
        measure("whole, a key to redact in a header", lambda: whole(full, secret), CALLS),
        measure("whole, no token (401)", lambda: whole(full, nobody), CALLS),
        measure("whole, RS256 token, a policy that is free", lambda: whole(free, rs256), CALLS),
        measure("of that: an RS256 token that comes again", authenticating, CALLS),
        measure("of that: scan headers and query", scanning, CALLS),
        measure("of that: evaluate the founding policy", evaluating, CALLS),
    ]
    return [*[await row() for row in rows], *await _remote(identity_parts, rs256)]


async def _engine_of(policy: str) -> Engine:
    """Compile one module."""
    with tempfile.NamedTemporaryFile("w", prefix="agent-gateway-bench-", suffix=".rego") as file:
        file.write(policy)
        file.flush()
        return await load_engine(Job((file.name,), rules=(DECISION,)), Terms(), time.time_ns)


async def _remote(identity_parts: IdentityParts, data: bytes) -> Sequence[Figures]:
    """Measure the same with a remote OPA server, whose own CPU time is not among the figures."""
    if not remote_opa.is_there():
        print(f"\nA remote OPA: not measured, {remote_opa.NEEDED}")
        return []
    with remote_opa.serving(POLICIES) as url:
        engine = OpaEngine(url, connections=16, seconds=1.0, now=time.time, told=lambda _: None)
        judge = ExtAuthzServicer(pipeline_of(identity_parts, engine))

        async def whole() -> bytes:
            answer = await judge.check(ext_authz_pb2.CheckRequest.FromString(data))
            assert answer.status.code == 0, answer
            return answer.SerializeToString()

        try:
            return [await measure("whole, RS256 token again, a remote OPA server", whole, CALLS)()]
        finally:
            await engine.close()
