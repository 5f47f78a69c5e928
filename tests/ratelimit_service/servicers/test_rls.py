from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from ratelimit_service import config
from ratelimit_service.limiter import Limiter
from ratelimit_service.model import MAX_UINT32, Decision, FailureMode, FixedWindow, Limit, Status, TokenBucket, Unit
from ratelimit_service.servicers import rls
from ratelimit_service.servicers.rls import RateLimitServicer
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.telemetry import Metrics
from service_kit import rpc
from service_kit.rpc import RpcError
from service_kit.wire.envoy_type_pb2 import RateLimitUnit
from service_kit.wire.rate_limit_pb2 import RateLimitRequest, RateLimitResponse
from service_kit.wire.ratelimit_descriptor_pb2 import RateLimitDescriptor

NOW_US = 1_763_870_417_000_000  # 17 seconds into a minute
RULES = """
domain: d
descriptors:
  - key: user
    rate_limit: {unit: minute, requests_per_unit: 2, name: per-user}
  - key: tokens
    rate_limit: {unit: minute, requests_per_unit: 60, algorithm: token_bucket, burst: 3}
  - key: free
"""
OK, OVER_LIMIT = RateLimitResponse.OK, RateLimitResponse.OVER_LIMIT


class Service:
    """The servicer on a store in memory, with its metrics."""

    def __init__(self, limits: config.Limits | None) -> None:
        self.registry = CollectorRegistry()
        limiter = Limiter(MemoryStore(lambda: NOW_US, 100), FailureMode.ALLOW, MemoryStore(lambda: NOW_US, 100))
        if limits:
            limiter.use(limits)
        self.servicer = RateLimitServicer(limiter, Metrics(self.registry))

    def ask(self, *descriptors: RateLimitDescriptor, domain: str = "d", hits: int = 0) -> RateLimitResponse:
        request = RateLimitRequest(domain=domain, descriptors=descriptors, hits_addend=hits)
        return asyncio.run(self.servicer.should_rate_limit(request))

    def refusal(self, *descriptors: RateLimitDescriptor, domain: str = "d") -> tuple[rpc.Status, str]:
        with pytest.raises(RpcError) as caught:
            self.ask(*descriptors, domain=domain)
        return caught.value.status, caught.value.text

    def calls(self, code: str) -> float | None:
        return self.registry.get_sample_value("ratelimit_calls_total", {"code": code})


@pytest.fixture
def service(tmp_path: Path) -> Service:
    (tmp_path / "d.yaml").write_text(RULES)
    return Service(config.load(tmp_path))


def descriptor(*entries: tuple[str, str], hits: int | None = None) -> RateLimitDescriptor:
    message = RateLimitDescriptor(
        entries=[RateLimitDescriptor.Entry(key=key, value=value) for key, value in entries],
    )
    if hits is not None:
        message.hits_addend.value = hits
    return message


USER = descriptor(("user", "alice"))


def test_a_status_tells_the_limit_what_remains_and_when_it_resets(service: Service) -> None:
    response = service.ask(USER)
    assert response.overall_code == OK
    (status,) = response.statuses
    assert status.code == OK
    assert status.current_limit.requests_per_unit == 2
    assert status.current_limit.unit == RateLimitResponse.RateLimit.MINUTE
    assert status.current_limit.name == "per-user"
    assert status.limit_remaining == 1
    assert status.duration_until_reset.seconds == 43


def test_overall_is_over_once_any_descriptor_is(service: Service) -> None:
    service.ask(USER, hits=2)
    response = service.ask(descriptor(("user", "bob")), USER)
    assert [status.code for status in response.statuses] == [OK, OVER_LIMIT]
    assert response.overall_code == OVER_LIMIT
    assert response.statuses[1].limit_remaining == 0


def test_what_matches_nothing_is_ok_and_says_nothing_else(service: Service) -> None:
    bare = RateLimitResponse.DescriptorStatus(code=OK)
    response = service.ask(descriptor(("nobody", "x")), descriptor(("free", "x")), descriptor())
    assert list(response.statuses) == [bare, bare, bare]
    assert list(service.ask(USER, domain="other").statuses) == [bare]
    assert response.overall_code == OK


def test_a_token_bucket_tells_whole_tokens_and_seconds(service: Service) -> None:
    (status,) = service.ask(descriptor(("tokens", "x"))).statuses
    assert status.current_limit.requests_per_unit == 60
    assert (status.limit_remaining, status.duration_until_reset.seconds) == (2, 1)
    (over,) = service.ask(descriptor(("tokens", "x"), hits=3)).statuses
    assert (over.code, over.limit_remaining, over.duration_until_reset.seconds) == (OVER_LIMIT, 2, 1)


def test_hits_of_the_descriptor_go_before_those_of_the_request_and_those_before_one(service: Service) -> None:
    def remaining(response: RateLimitResponse) -> int:
        return int(response.statuses[0].limit_remaining)

    tokens = ("tokens", "x")
    assert remaining(service.ask(descriptor(tokens))) == 2
    assert remaining(service.ask(descriptor(tokens), hits=2)) == 0
    assert remaining(service.ask(descriptor(("tokens", "y"), hits=2), hits=1)) == 1
    assert remaining(service.ask(descriptor(("tokens", "y"), hits=0), hits=1)) == 1


def test_an_empty_domain_is_an_invalid_argument(service: Service) -> None:
    assert service.refusal(USER, domain="") == (
        rpc.Status.INVALID_ARGUMENT,
        "rate limit domain must not be empty",
    )
    assert service.calls("invalid_argument") == 1


def test_an_empty_descriptor_list_is_an_invalid_argument(service: Service) -> None:
    assert service.refusal() == (rpc.Status.INVALID_ARGUMENT, "rate limit descriptor list must not be empty")


def test_without_a_configuration_calls_are_unavailable() -> None:
    bare = Service(None)
    assert bare.refusal(USER) == (rpc.Status.UNAVAILABLE, "no rate limit configuration loaded")
    assert bare.calls("unavailable") == 1


def override(unit: int, requests: int = 1) -> RateLimitDescriptor:
    message = descriptor(("anything", "x"))
    message.limit.requests_per_unit = requests
    message.limit.unit = unit  # type: ignore[assignment]
    return message


@pytest.mark.parametrize(("sent", "answered"), [("SECOND", 1), ("DAY", 4), ("MONTH", 5), ("YEAR", 6)])
def test_an_override_is_counted_and_told_in_the_response_units(service: Service, sent: str, answered: int) -> None:
    message = override(RateLimitUnit.Value(sent))
    codes = [service.ask(message).statuses[0] for _ in range(2)]
    assert [status.code for status in codes] == [OK, OVER_LIMIT]
    assert codes[0].current_limit.unit == answered
    assert codes[0].current_limit.requests_per_unit == 1


@pytest.mark.parametrize("unit", [RateLimitUnit.UNKNOWN, 77])
def test_an_override_of_an_unknown_unit_is_an_invalid_argument(service: Service, unit: int) -> None:
    status, text = service.refusal(override(unit))
    assert status == rpc.Status.INVALID_ARGUMENT
    assert "unit" in text


def test_negative_hits_are_said_not_to_be_supported(service: Service) -> None:
    message = descriptor(("user", "alice"))
    message.is_negative_hits = True
    assert service.refusal(message) == (rpc.Status.INVALID_ARGUMENT, "is_negative_hits is not supported")


@pytest.mark.parametrize(
    "descriptors",
    [
        [USER] * (rls.MAX_DESCRIPTORS + 1),
        [descriptor(*[("k", "v")] * (rls.MAX_ENTRIES + 1))],
        [descriptor(("k", "\u00fc" * (rls.MAX_TEXT_BYTES // 2)))],
        [descriptor(("k", "v"), hits=MAX_UINT32 + 1)],
    ],
)
def test_a_request_beyond_the_bounds_is_an_invalid_argument(
    service: Service, descriptors: list[RateLimitDescriptor]
) -> None:
    assert service.refusal(*descriptors)[0] == rpc.Status.INVALID_ARGUMENT


def test_a_request_just_within_the_bounds_is_answered(service: Service) -> None:
    assert len(service.ask(*[USER] * rls.MAX_DESCRIPTORS).statuses) == rls.MAX_DESCRIPTORS
    service.ask(descriptor(*[("k", "v")] * rls.MAX_ENTRIES))
    service.ask(descriptor(("k", "v" * (rls.MAX_TEXT_BYTES - 2))))
    service.ask(descriptor(("user", "alice"), hits=MAX_UINT32))


def test_the_same_bucket_twice_in_a_request_adds_up(service: Service) -> None:
    response = service.ask(USER, USER, USER)
    assert [status.code for status in response.statuses] == [OK, OK, OVER_LIMIT]


@pytest.mark.parametrize("limit", [FixedWindow(1, unit) for unit in Unit] + [TokenBucket(1, Unit.WEEK, 1)])
def test_a_decision_without_counts_says_only_codes(limit: Limit) -> None:
    statuses = (Status(over=True, hits=1, rule="r", limit=limit), Status(over=False, hits=1, rule="r", limit=limit))
    response = rls.respond(Decision("d", statuses, FailureMode.DENY))
    assert response.overall_code == OVER_LIMIT
    assert [status.code for status in response.statuses] == [OVER_LIMIT, OK]
    assert not any(status.HasField("current_limit") for status in response.statuses)


def test_calls_are_counted_by_code(service: Service) -> None:
    for _ in range(3):
        service.ask(USER)
    assert (service.calls("ok"), service.calls("over_limit")) == (2, 1)


def test_every_method_of_the_protocol_has_a_handler(service: Service) -> None:
    served = service.servicer.service()
    assert [method.path for method in served.methods()] == [
        "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"
    ]
