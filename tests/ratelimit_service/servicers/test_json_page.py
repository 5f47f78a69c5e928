from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from ratelimit_service.limiter import Limiter, Modes
from ratelimit_service.servicers.json_page import MAX_BODY_BYTES, JsonPage
from ratelimit_service.servicers.rls import RateLimitServicer
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.telemetry import Metrics
from service_kit.http_host import Reply
from service_kit.wire.rate_limit_pb2 import RateLimitResponse
from tests.ratelimit_service import configured

RULES = "domain: d\ndescriptors: [{key: user, rate_limit: {unit: year, requests_per_unit: 1, name: n}}]\n"
NOT_A_REQUEST = Reply(400, "the body is no RateLimitRequest in JSON\n")


def page(*, configuration: bool = True) -> JsonPage:
    store = MemoryStore(lambda: 0, 100)
    limiter = Limiter(store, store, Modes())
    if configuration:
        limiter.use(configured.limits(RULES))
    return JsonPage(RateLimitServicer(limiter, Metrics(CollectorRegistry())))


def ask(page: JsonPage, body: bytes | dict[str, Any]) -> Reply:
    return asyncio.run(page.answer(body if isinstance(body, bytes) else json.dumps(body).encode()))


def request(user: str = "alice", **fields: Any) -> dict[str, Any]:
    return {"domain": "d", "descriptors": [{"entries": [{"key": "user", "value": user}]}], **fields}


def test_a_request_within_its_limits_is_answered_with_200_and_the_response() -> None:
    reply = ask(page(), request())
    assert (reply.status, reply.content_type) == (200, "application/json")
    assert "\n" not in reply.body
    response = json_format.Parse(reply.body, RateLimitResponse())
    assert response.overall_code == RateLimitResponse.OK
    assert response.statuses[0].current_limit.name == "n"
    assert json.loads(reply.body)["statuses"][0]["currentLimit"]["requestsPerUnit"] == 1


def test_a_request_over_a_limit_is_answered_with_429_and_the_response() -> None:
    asked = page()
    ask(asked, request())
    reply = ask(asked, request())
    assert (reply.status, reply.content_type) == (429, "application/json")
    assert json.loads(reply.body)["overallCode"] == "OVER_LIMIT"
    assert ask(asked, request("bob")).status == 200


def test_names_may_be_written_as_in_the_protocol() -> None:
    asked = page()
    assert ask(asked, request(hits_addend=2)).status == 429
    assert ask(asked, request("bob", hitsAddend=2)).status == 429


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"descriptors": [{}]}, "rate limit domain must not be empty"),
        ({"domain": "d"}, "rate limit descriptor list must not be empty"),
        ({}, "rate limit domain must not be empty"),
        ({"domain": "d", "descriptors": [{"limit": {"requests_per_unit": 1}}]}, "the unit of a descriptor's limit is"),
    ],
)
def test_a_request_that_cannot_be_answered_gets_400_and_the_reason(body: dict[str, Any], text: str) -> None:
    reply = ask(page(), body)
    assert (reply.status, reply.content_type) == (400, "text/plain")
    assert reply.body.startswith(text)
    assert reply.body.endswith("\n")


def test_without_a_configuration_every_request_gets_400() -> None:
    assert ask(page(configuration=False), request()) == Reply(400, "no rate limit configuration loaded\n")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"x",
        b"null",
        b"1",
        b'{"domain": 5}',
        b'{"nothing": 1}',
        b'{"domain": "d", "domain": "d"}',
        b'{"hits_addend": -1}',
        b'{"hits_addend": 1e400}',
        b'{"domain": "\\ud800"}',
        b"\xff",
        b"\xff\xfe",
        b"[" * 50_000,
        b'{"descriptors": [' * 3_000,
    ],
)
def test_what_is_no_request_gets_400_and_no_more(body: bytes) -> None:
    assert ask(page(), body) == NOT_A_REQUEST


@given(st.binary(max_size=40) | st.text(st.sampled_from('{}[]",:0dn \\'), max_size=40).map(str.encode))
def test_whatever_the_bytes_they_are_answered(body: bytes) -> None:
    assert ask(page(), body).status == 400


def test_a_body_that_would_hold_up_the_calls_beside_it_is_refused_unread() -> None:
    reply = ask(page(), b'{"descriptors": [' + b"{}," * MAX_BODY_BYTES)
    assert (reply.status, reply.body) == (400, f"the body is larger than {MAX_BODY_BYTES} bytes\n")
