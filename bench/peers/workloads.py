"""What is asked of both sides: the messages, made before, and what must come back."""

from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.peers import answers, rules
from bench.peers.answers import Expectation
from bench.peers.tokens import TokenIssuer
from service_kit.wire import ext_authz_pb2, rate_limit_pb2

SHOULD_RATE_LIMIT = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"
CHECK = "/envoy.service.auth.v3.Authorization/Check"
DOMAIN = "bench"
# Descriptors have one entry each, so that ten have ten keys.
KEYS = ("user", "agent_id", "endpoint", "tenant", "region", "plan", "tool", "model", "team", "application")
LIMIT = 1_000_000_000  # a year: none is ever over it, and both sides count each call
SPREAD_KEYS = 100_000
NEW_TOKENS = 20_000
BODY_BYTES = 10 * 1024


@dataclass(frozen=True, slots=True)
class Workload:
    """One kind of call. `once`: no message is sent twice, to programs that were just started.

    `counted`: all calls count in the first descriptor's bucket, so that what remains of it tells how many were counted.
    """

    key: str
    title: str
    method: str
    messages: Sequence[bytes]
    expectation: Expectation
    once: bool = False
    counted: bool = False

    def write(self, folder: Path) -> Path:
        """Write the messages as the load generator reads them, each with gRPC's five bytes before it."""
        file = folder / f"{self.key}.messages"
        if not file.exists():
            file.write_bytes(b"".join(b"\0" + len(each).to_bytes(4, "big") + each for each in self.messages))
        return file


def limits() -> str:
    """The file of limits that both rate limiters read."""
    lines = [f"domain: {DOMAIN}", "descriptors:"]
    for key in KEYS:
        lines += [f"  - key: {key}", f"    rate_limit: {{unit: year, requests_per_unit: {LIMIT}}}"]
    return "\n".join(lines) + "\n"


def rate_limit_message(descriptors: int, caller: str) -> bytes:
    """A request with so many descriptors of one entry, all of them the caller's own."""
    request = rate_limit_pb2.RateLimitRequest(domain=DOMAIN)
    for key in KEYS[:descriptors]:
        request.descriptors.add().entries.add(key=key, value=f"{key}-{caller}")
    return request.SerializeToString()


def rate_limits() -> list[Workload]:
    """1, 3 and 10 descriptors; one bucket for each, or 100,000 in all."""
    found = []
    for count in (1, 3, 10):
        name = f"{count} descriptor{'s' if count > 1 else ''}"
        callers = SPREAD_KEYS // count
        spread = [rate_limit_message(count, f"{number:06}") for number in range(callers)]
        expectation = answers.within_limits(count)
        found += [
            Workload(
                f"rls-{count}-hot", f"{name}, one caller", SHOULD_RATE_LIMIT, spread[:1], expectation, counted=True
            ),
            Workload(f"rls-{count}-spread", f"{name}, {callers:,} callers", SHOULD_RATE_LIMIT, spread, expectation),
        ]
    return found


def check_message(path: str, token: str | None, method: str = "GET", body: str = "") -> bytes:
    """A check as Envoy sends it for a request over TLS."""
    request = ext_authz_pb2.CheckRequest()
    attributes = request.attributes
    attributes.source.address.socket_address.address = "192.0.2.17"
    attributes.source.address.socket_address.port_value = 52814
    attributes.destination.address.socket_address.address = "192.0.2.1"
    attributes.destination.address.socket_address.port_value = 8443
    attributes.request.time.seconds = 1_760_000_000
    attributes.tls_session.sni = "api.company.example"
    http = attributes.request.http
    http.id, http.method, http.path, http.host = "13359530607844510314", method, path, "api.company.example"
    http.scheme, http.protocol, http.size = "https", "HTTP/2", len(body) or -1
    headers = {
        ":authority": "api.company.example", ":method": method, ":path": path, ":scheme": "https",
        "accept": "application/json", "accept-encoding": "gzip, deflate, br", "accept-language": "en-GB,en;q=0.9",
        "user-agent": "desktop-agent/3.4.1 (macOS 15.2; arm64)", "x-request-id": str(uuid.uuid4()),
        "x-forwarded-for": "192.0.2.17", "x-forwarded-proto": "https", "x-agent-session": "5f0b1f6e2c",
    }  # fmt: skip
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    if body:
        headers |= {"content-type": "application/json", "content-length": str(len(body))}
        http.body = body
    http.headers.update(headers)
    return request.SerializeToString()


def json_body() -> str:
    """Ten kilobytes of JSON such as an API takes, without anything that looks like a file's content."""
    items: list[dict[str, object]] = []
    while len(json.dumps(items)) < BODY_BYTES:
        number = len(items)
        items.append({
            "id": number, "name": f"Thing number {number}", "amount": number * 1.25, "tags": ["new", "open"],
            "note": "Delivered to the desk on the third floor; please ring twice.", "active": number % 2 == 0,
        })  # fmt: skip
    return json.dumps(items)


def founding_checks(issuer: TokenIssuer) -> list[Workload]:
    """With the founding policy: no token, one token again and again, a new one each time."""
    path = "/reports/q3?page=2"
    nobody, again = check_message(path, None), check_message(path, issuer.token())
    new = [check_message(path, issuer.token()) for _ in range(NEW_TOKENS)]
    return [
        Workload("check-none", "no token, refused", CHECK, [nobody], answers.unauthenticated),
        Workload("check-again", "RS256 token that comes again", CHECK, [again], answers.allowed),
        Workload("check-new", "a new RS256 token each time", CHECK, new, answers.allowed, once=True),
    ]


def rule_checks(issuer: TokenIssuer) -> list[Workload]:
    """With the policy of 200 rules, one token again and again, without and with a body."""
    token = issuer.token()
    plain = check_message(rules.path(rules.GET_RULE), token)
    posted = check_message(rules.path(rules.POST_RULE), token, "POST", json_body())
    return [
        Workload("rules-again", "200 rules, RS256 token again", CHECK, [plain], answers.allowed),
        Workload("rules-body", "the same with 10 KB of JSON", CHECK, [posted], answers.allowed),
    ]
