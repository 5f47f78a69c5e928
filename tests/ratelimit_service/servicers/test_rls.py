from __future__ import annotations

import asyncio

import pytest
from google.protobuf import json_format
from prometheus_client import CollectorRegistry

from ratelimit_service.compiling import MAX_METADATA_DEPTH
from ratelimit_service.limiter import Limiter, Modes
from ratelimit_service.limits import MAX_UINT32
from ratelimit_service.model import Decision, Role
from ratelimit_service.rules import Limits
from ratelimit_service.servicers import rls_messages as messages
from ratelimit_service.servicers.rls import RateLimitServicer
from ratelimit_service.servicers.rls_messages import Extras, HeaderNames
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.telemetry import Metrics
from service_kit import rpc
from service_kit.rpc import RpcError
from service_kit.wire.envoy_type_pb2 import RateLimitUnit
from service_kit.wire.rate_limit_pb2 import RateLimitRequest, RateLimitResponse
from service_kit.wire.ratelimit_descriptor_pb2 import RateLimitDescriptor
from tests.ratelimit_service import configured

NOW_US = 1_763_870_417_000_000  # 17 seconds into a minute
RULES = """
domain: d
descriptors:
  - key: user
    rate_limit: {unit: minute, requests_per_unit: 2, name: per-user}
  - key: tokens
    rate_limit: {unit: minute, requests_per_unit: 60, algorithm: token_bucket, burst: 3}
  - key: sliding
    rate_limit: {unit: minute, requests_per_unit: 2, algorithm: sliding_window}
  - key: free
  - key: open
    rate_limit: {unlimited: true, name: open}
  - key: never
    rate_limit: {unit: day, requests_per_unit: 0}
  - key: shadow
    shadow_mode: true
    rate_limit: {unit: minute, requests_per_unit: 0, name: tried}
  - key: quota
    quota_mode: true
    rate_limit: {unit: minute, requests_per_unit: 1}
  - key: special
    rate_limit: {unit: minute, requests_per_unit: 5, replaces: [{name: per-user}]}
"""
OK, OVER_LIMIT = RateLimitResponse.OK, RateLimitResponse.OVER_LIMIT
UNITS = RateLimitResponse.RateLimit


class Service:
    """The servicer on a store in memory, with its metrics, at an instant that does not pass."""

    def __init__(self, limits: Limits | None, modes: Modes | None = None, extras: Extras | None = None) -> None:
        self.registry = CollectorRegistry()
        store = MemoryStore(lambda: NOW_US, 1_000)
        limiter = Limiter(store, store, modes or Modes())
        if limits:
            limiter.use(limits)
        self.servicer = RateLimitServicer(limiter, Metrics(self.registry), extras)

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
def service() -> Service:
    return Service(configured.limits(RULES))


def descriptor(*entries: tuple[str, str], hits: int | None = None, negative: bool = False) -> RateLimitDescriptor:
    message = RateLimitDescriptor(
        entries=[RateLimitDescriptor.Entry(key=key, value=value) for key, value in entries], is_negative_hits=negative
    )
    if hits is not None:
        message.hits_addend.value = hits
    return message


def of(key: str, value: str = "x", hits: int | None = None, *, negative: bool = False) -> RateLimitDescriptor:
    return descriptor((key, value), hits=hits, negative=negative)


def override(unit: int, requests: int = 1) -> RateLimitDescriptor:
    message = of("anything")
    message.limit.requests_per_unit = requests
    message.limit.unit = unit  # type: ignore[assignment]
    return message


def codes(response: RateLimitResponse) -> list[int]:
    return [status.code for status in response.statuses]


USER = of("user", "alice")
BARE = RateLimitResponse.DescriptorStatus(code=OK)


# Statuses


def test_a_status_tells_the_limit_what_remains_and_when_it_resets(service: Service) -> None:
    response = service.ask(USER)
    assert response.overall_code == OK
    (status,) = response.statuses
    assert status.code == OK
    assert status.current_limit.requests_per_unit == 2
    assert status.current_limit.unit == UNITS.MINUTE
    assert status.current_limit.name == "per-user"
    assert status.limit_remaining == 1
    assert status.duration_until_reset.seconds == 43
    assert status.duration_until_reset.nanos == 0


def test_overall_is_over_once_any_descriptor_is(service: Service) -> None:
    service.ask(USER, hits=2)
    response = service.ask(of("user", "bob"), USER)
    assert codes(response) == [OK, OVER_LIMIT]
    assert response.overall_code == OVER_LIMIT
    assert response.statuses[1].limit_remaining == 0


def test_what_matches_nothing_is_ok_and_says_nothing_else(service: Service) -> None:
    response = service.ask(of("nobody"), of("free"), descriptor())
    assert list(response.statuses) == [BARE, BARE, BARE]
    assert list(service.ask(USER, domain="other").statuses) == [BARE]
    assert response.overall_code == OK


def test_an_unlimited_rule_tells_the_largest_number_and_no_limit(service: Service) -> None:
    (status,) = service.ask(of("open")).statuses
    assert status == RateLimitResponse.DescriptorStatus(code=OK, limit_remaining=4_294_967_295)


def test_a_rule_that_is_replaced_is_ok_and_says_nothing_else(service: Service) -> None:
    for _ in range(3):
        response = service.ask(USER, of("special"))
        assert response.statuses[0] == BARE
        assert response.statuses[1].current_limit.requests_per_unit == 5
    assert service.ask(USER).statuses[0].limit_remaining == 1


def test_a_rule_in_shadow_mode_is_ok_and_tells_its_limit_and_what_remains(service: Service) -> None:
    response = service.ask(of("shadow"))
    (status,) = response.statuses
    assert (response.overall_code, status.code, status.limit_remaining) == (OK, OK, 0)
    assert (status.current_limit.name, status.current_limit.unit) == ("tried", UNITS.MINUTE)
    assert status.duration_until_reset.seconds == 43


def test_the_global_shadow_mode_changes_the_overall_code_alone() -> None:
    response = Service(configured.limits(RULES), Modes(shadow=True)).ask(of("never"), USER)
    assert (response.overall_code, codes(response)) == (OK, [OVER_LIMIT, OK])
    assert response.statuses[0].HasField("current_limit")


def test_a_quota_that_is_over_says_so_and_denies_only_with_all_others(service: Service) -> None:
    service.ask(of("quota", "a"))
    one = service.ask(of("quota", "a"), of("quota", "b"))
    assert (one.overall_code, codes(one)) == (OK, [OVER_LIMIT, OK])
    both = service.ask(of("quota", "a"), of("quota", "b"))
    assert (both.overall_code, codes(both)) == (OVER_LIMIT, [OVER_LIMIT, OVER_LIMIT])


def test_what_binds_and_is_over_denies_whatever_quotas_say(service: Service) -> None:
    assert service.ask(of("quota"), of("never")).overall_code == OVER_LIMIT


def test_a_token_bucket_tells_whole_tokens_and_seconds(service: Service) -> None:
    (status,) = service.ask(of("tokens")).statuses
    assert status.current_limit.requests_per_unit == 60
    assert (status.limit_remaining, status.duration_until_reset.seconds) == (2, 1)
    (over,) = service.ask(of("tokens", hits=3)).statuses
    assert (over.code, over.limit_remaining, over.duration_until_reset.seconds) == (OVER_LIMIT, 2, 1)


def test_a_sliding_window_tells_what_remains_and_when_it_is_empty_or_has_room(service: Service) -> None:
    (status,) = service.ask(of("sliding")).statuses
    assert (status.current_limit.requests_per_unit, status.current_limit.unit) == (2, UNITS.MINUTE)
    assert (status.limit_remaining, status.duration_until_reset.seconds) == (1, 61)
    (over,) = service.ask(of("sliding", hits=2)).statuses
    assert (over.code, over.limit_remaining, over.duration_until_reset.seconds) == (OVER_LIMIT, 1, 61)


def test_the_same_bucket_twice_in_a_request_adds_up(service: Service) -> None:
    assert codes(service.ask(USER, USER, USER)) == [OK, OK, OVER_LIMIT]


# Hits


def test_hits_of_the_descriptor_go_before_those_of_the_request_and_those_before_one(service: Service) -> None:
    def remaining(response: RateLimitResponse) -> int:
        return int(response.statuses[0].limit_remaining)

    assert remaining(service.ask(of("tokens", "x"))) == 2
    assert remaining(service.ask(of("tokens", "x"), hits=2)) == 0
    assert remaining(service.ask(of("tokens", "y", hits=2), hits=1)) == 1
    assert remaining(service.ask(of("tokens", "y", hits=0), hits=1)) == 1


def test_no_hits_look_and_count_nothing(service: Service) -> None:
    for _ in range(3):
        (status,) = service.ask(of("user", hits=0)).statuses
        assert (status.code, status.limit_remaining) == (OK, 2)
    service.ask(of("user", hits=2))
    assert codes(service.ask(of("user", hits=0))) == [OK]  # a look at a count that equals the limit
    service.ask(of("user"))
    assert codes(service.ask(of("user", hits=0))) == [OVER_LIMIT]


@pytest.mark.parametrize("key", ["user", "tokens", "sliding"])
def test_negative_hits_are_given_back_and_are_never_over(service: Service, key: str) -> None:
    service.ask(of(key, hits=2))
    before = service.ask(of(key, hits=0)).statuses[0].limit_remaining
    response = service.ask(of(key, negative=True))
    assert (response.overall_code, codes(response)) == (OK, [OK])
    assert response.statuses[0].limit_remaining == before + 1
    most = service.ask(of(key, hits=1_000, negative=True)).statuses[0].limit_remaining
    assert most == {"user": 2, "tokens": 3, "sliding": 2}[key]


def test_negative_hits_may_be_those_of_the_request(service: Service) -> None:
    service.ask(of("user", hits=2))
    assert service.ask(of("user", negative=True), hits=2).statuses[0].limit_remaining == 2


# Overrides


@pytest.mark.parametrize("sent", ["SECOND", "MINUTE", "HOUR", "DAY", "MONTH", "YEAR"])
def test_an_override_is_counted_and_told_in_the_response_units(service: Service, sent: str) -> None:
    message = override(RateLimitUnit.Value(sent))
    statuses = [service.ask(message).statuses[0] for _ in range(2)]
    assert [status.code for status in statuses] == [OK, OVER_LIMIT]
    assert statuses[0].current_limit.unit == UNITS.Unit.Value(sent)
    assert (statuses[0].current_limit.requests_per_unit, statuses[0].current_limit.name) == (1, "")


def test_an_override_is_ignored_where_the_domain_is_unknown(service: Service) -> None:
    assert list(service.ask(override(RateLimitUnit.DAY, 0), domain="other").statuses) == [BARE]


@pytest.mark.parametrize("unit", [RateLimitUnit.UNKNOWN, 77])
def test_an_override_of_an_unknown_unit_is_an_invalid_argument(service: Service, unit: int) -> None:
    assert service.refusal(override(unit)) == (
        rpc.Status.INVALID_ARGUMENT,
        "the unit of a descriptor's limit is unknown",
    )


# Headers


def headers(response: RateLimitResponse) -> dict[str, str]:
    return {header.key: header.value for header in response.response_headers_to_add}


def telling(modes: Modes | None = None, names: HeaderNames | None = None) -> Service:
    return Service(configured.limits(RULES), modes, Extras(names or HeaderNames()))


def test_no_headers_are_told_where_nobody_asked_for_them(service: Service) -> None:
    assert headers(service.ask(USER)) == {}


def test_headers_tell_the_limit_what_remains_and_the_seconds_until_it_resets() -> None:
    assert headers(telling().ask(USER)) == {
        "RateLimit-Limit": "2",
        "RateLimit-Remaining": "1",
        "RateLimit-Reset": "43",
    }


def test_headers_may_be_renamed() -> None:
    named = telling(names=HeaderNames("x-limit", "x-left", "x-reset"))
    assert list(headers(named.ask(USER))) == ["x-limit", "x-left", "x-reset"]


def test_headers_are_told_only_where_something_was_counted() -> None:
    service = telling()
    assert headers(service.ask(of("free"), of("open"), of("nobody"))) == {}
    assert headers(service.ask(of("open"), USER, of("free")))["RateLimit-Limit"] == "2"


BINDING, QUOTA, SHADOW = Role.BINDING, Role.QUOTA, Role.SHADOW


def test_in_the_global_quota_mode_no_limit_binds_the_headers() -> None:
    service = telling(Modes(quota=True))
    service.ask(USER, hits=2)
    response = service.ask(of("user", "alice", hits=0), of("never"))
    assert codes(response) == [OK, OVER_LIMIT]
    assert headers(response)["RateLimit-Limit"] == "2"


# Dynamic metadata


def metadata(response: RateLimitResponse) -> object:
    return json_format.MessageToDict(response.dynamic_metadata)


DESCRIBED = """
domain: d
descriptors:
  - {key: a, metadata: {team: search, tiers: [1, {deep: null}]}, rate_limit: {unit: day, requests_per_unit: 1}}
  - {key: b, metadata: {team: other, cost: 0.5}}
"""


def test_no_metadata_is_told_where_nobody_asked_for_it(service: Service) -> None:
    assert not service.ask(USER).HasField("dynamic_metadata")


def test_metadata_tells_what_was_asked_and_what_the_rules_have_to_say() -> None:
    service = Service(configured.limits(DESCRIBED), extras=Extras(dynamic_metadata=True))
    two = descriptor(("a", "x=1"), ("z", ""), hits=3)
    response = service.ask(of("a"), two, override(RateLimitUnit.HOUR, 7), of("b"), hits=1)
    assert metadata(response) == {
        "domain": "d",
        "descriptors": [
            {"entries": ["a=x"]},
            {"entries": ["a=x=1", "z="], "hitsAddend": 3},
            {"entries": ["anything=x"], "limit": "requests_per_unit:7 unit:HOUR"},
            {"entries": ["b=x"]},
        ],
        "hitsAddend": 1,
        "metadata": {"team": "search", "tiers": [1, {"deep": None}], "cost": 0.5},
    }


def test_metadata_of_a_rule_that_denies_is_not_told() -> None:
    service = Service(configured.limits(DESCRIBED), extras=Extras(dynamic_metadata=True))
    assert metadata(service.ask(of("a", hits=2), of("b"))) == {
        "domain": "d",
        "descriptors": [{"entries": ["a=x"], "hitsAddend": 2}, {"entries": ["b=x"]}],
        "metadata": {"team": "other", "cost": 0.5},
    }
    assert metadata(service.ask(of("nobody"))) == {"domain": "d", "descriptors": [{"entries": ["nobody=x"]}]}


def test_a_response_with_the_deepest_metadata_that_is_taken_can_be_read() -> None:
    deep = "{k: " * MAX_METADATA_DEPTH + "x" + "}" * MAX_METADATA_DEPTH
    text = f"domain: d\ndescriptors: [{{key: a, metadata: {deep}}}]\n"
    response = Service(configured.limits(text), extras=Extras(dynamic_metadata=True)).ask(of("a"))
    assert RateLimitResponse.FromString(response.SerializeToString()) == response


# What cannot be answered


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


@pytest.mark.parametrize(
    "descriptors",
    [
        [USER] * (messages.MAX_DESCRIPTORS + 1),
        [descriptor(*[("k", "v")] * (messages.MAX_ENTRIES + 1))],
        [descriptor(("k", "\u00fc" * (messages.MAX_TEXT_BYTES // 2)))],
        [descriptor(("k", "v"), hits=MAX_UINT32 + 1)],
    ],
)
def test_a_request_beyond_the_bounds_is_an_invalid_argument(
    service: Service, descriptors: list[RateLimitDescriptor]
) -> None:
    assert service.refusal(*descriptors)[0] == rpc.Status.INVALID_ARGUMENT


def test_a_request_just_within_the_bounds_is_answered(service: Service) -> None:
    assert len(service.ask(*[USER] * messages.MAX_DESCRIPTORS).statuses) == messages.MAX_DESCRIPTORS
    service.ask(descriptor(*[("k", "v")] * messages.MAX_ENTRIES))
    service.ask(of("user", hits=MAX_UINT32))


def test_a_refusal_quotes_nothing_of_the_request(service: Service) -> None:
    secret = descriptor(("token", "s3cret"), hits=MAX_UINT32 + 1)
    assert "s3cret" not in service.refusal(secret)[1]


# Counted


def test_calls_are_counted_by_code(service: Service) -> None:
    for _ in range(3):
        service.ask(USER)
    assert (service.calls("ok"), service.calls("over_limit")) == (2, 1)


def test_calls_for_a_domain_that_nobody_configured_are_counted(service: Service) -> None:
    service.ask(USER)
    for domain in ("other", "another"):
        service.ask(USER, domain=domain)
    assert service.registry.get_sample_value("ratelimit_domain_not_found_total") == 2


def test_a_failure_of_the_program_is_counted_and_not_hidden(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(*_: object) -> Decision:
        raise ZeroDivisionError

    monkeypatch.setattr(Limiter, "decide", breaks)
    with pytest.raises(ZeroDivisionError):
        service.ask(USER)
    assert service.calls("internal") == 1


def test_every_method_of_the_protocol_has_a_handler(service: Service) -> None:
    served = service.servicer.service()
    assert [method.path for method in served.methods()] == [
        "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"
    ]
