"""authz_service's Check: from a parsed message to the serialised answer, founding policy, ES256 and RS256 tokens."""

import json
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from authz_service.dlp.detectors import ALL
from authz_service.dlp.request import scan_request
from authz_service.dlp.scan import Scanner
from authz_service.identity.key_source import Fetched
from authz_service.policy.compiled_engine import Terms, load_engine
from authz_service.policy.compiling import Job
from authz_service.policy.document import build_input
from authz_service.policy.engine import Engine
from authz_service.policy.target import parse_target
from authz_service.routing import RouteRule
from authz_service.servicers.ext_authz import ExtAuthzServicer, to_request
from bench.judging import DECISION, identity_of, pipeline_of
from bench.measure import Figures, measure
from service_kit.wire import ext_authz_pb2

ISSUER = "https://idp.example"
POLICIES = Path(__file__).parent.parent / "rego"
CALLS = 3_000
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

    def token(self, algorithm: str) -> str:
        claims = {
            "iss": ISSUER, "aud": "agent-gateway", "sub": "alice", "agent_id": "a1", "email": "alice@company.example",
            "roles": ["engineer"], "exp": int(time.time()) + 3600, "jti": str(uuid.uuid4()),
        }  # fmt: skip
        key: Any = self.rsa if algorithm == "RS256" else self.ec
        return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": algorithm})


class _Says:
    """A policy that costs nothing, to tell its share."""

    revision = "none"
    reads = None
    loaded = 0.0

    async def decide(self, rule: str, document: object) -> bool:
        del rule, document
        return True


def _message(token: str | None, extra: str = "") -> bytes:
    request = ext_authz_pb2.CheckRequest()
    http = request.attributes.request.http
    http.id, http.method, http.path, http.host, http.scheme = "1", "GET", "/reports/q3?page=2", "api.example", "https"
    http.protocol, http.size = "HTTP/2", -1
    usual = {":authority": "api.example", ":method": "GET", "accept": "*/*", "user-agent": "agent/1.0 (desktop)"}
    http.headers.update(usual | {"x-request-id": str(uuid.uuid4()), "x-forwarded-for": "192.0.2.1", "x-note": extra})
    if token:
        http.headers["authorization"] = f"Bearer {token}"
    request.attributes.source.address.socket_address.address = "192.0.2.1"
    return request.SerializeToString()


async def run() -> Sequence[Figures]:
    """Measure; the first row is the whole with the usual token, the rest tell where its time goes."""
    keys = _Keys()
    identity_parts = await identity_of(ISSUER, ("RS256", "ES256"), keys)
    scanner = Scanner(ALL)
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
    scan = scan_request(request, "/reports", scanner, frozenset({"authorization"}))
    document = build_input(request, parse_target(request.path), caller.identity if caller else None, scan)

    async def authenticating() -> object:
        return await identity_parts.authenticator.authenticate(request, RULE, now)

    async def scanning() -> object:
        return scan_request(request, "/reports", scanner, frozenset({"authorization"}))

    async def evaluating() -> object:
        return engine.evaluate(DECISION, document)

    new = iter([_message(keys.token("RS256")) for _ in range(2 * CALLS)])  # one for each call, and for warming up

    rows = [
        measure("whole, RS256 token again, founding policy", lambda: whole(full, rs256), CALLS),
        measure("whole, a new RS256 token each time", lambda: whole(full, next(new)), CALLS),
        measure("whole, ES256 token again, founding policy", lambda: whole(full, es256), CALLS),
        measure("whole, a key to redact in a header", lambda: whole(full, secret), CALLS),
        measure("whole, no token (401)", lambda: whole(full, nobody), CALLS),
        measure("whole, RS256 token, a policy that is free", lambda: whole(free, rs256), CALLS),
        measure("of that: an RS256 token that comes again", authenticating, CALLS),
        measure("of that: scan headers and query", scanning, CALLS),
        measure("of that: evaluate the founding policy", evaluating, CALLS),
    ]
    return [await row() for row in rows]
