"""What a management server's messages mean, without a server."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratelimit_service import compiling, config, xds
from ratelimit_service.limits import MAX_UINT32, FixedWindow, Unit
from ratelimit_service.rules import Limits, Node
from service_kit.faults import ConfigurationError, Fault, Faults
from service_kit.wire.discovery_pb2 import DiscoveryResponse
from service_kit.wire.ratelimit_config_pb2 import RateLimitConfig, RateLimitDescriptor, RateLimitPolicy, RateLimitUnit
from tests.ratelimit_service.management_server import descriptor, domain, response

CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"  # a type that is not ours
UNITS = "SECOND, MINUTE, HOUR, DAY, WEEK, MONTH, YEAR"


def with_policy(**policy: Any) -> RateLimitConfig:
    return domain("d", RateLimitDescriptor(key="k", rate_limit=RateLimitPolicy(**policy)))


def of(*configs: RateLimitConfig, merge_domains: bool = False) -> Limits:
    return xds.compile_response(response("1", *configs), merge_domains=merge_domains)


def faults(message: DiscoveryResponse) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        xds.compile_response(message)
    return [str(fault) for fault in caught.value.faults]


def chain(depth: int) -> RateLimitConfig:
    """A domain with so many levels of descriptors."""
    top = RateLimitDescriptor(key="k")
    for _ in range(depth - 1):
        top = RateLimitDescriptor(key="k", descriptors=[top])
    return domain("d", top)


# The format


def tagged(number: int, content: bytes | int) -> bytes:
    """A field as it is on the wire; every length and number here is below 128, a single byte."""
    if isinstance(content, int):
        return bytes([number << 3, content])
    return bytes([number << 3 | 2, len(content)]) + content


@pytest.mark.parametrize(
    ("number", "unit"),
    list(enumerate([Unit.SECOND, Unit.MINUTE, Unit.HOUR, Unit.DAY, Unit.MONTH, Unit.YEAR, Unit.WEEK], 1)),
)
def test_a_resource_is_read_by_the_numbers_of_its_fields(number: int, unit: Unit) -> None:
    policy = tagged(1, number) + tagged(2, 7) + tagged(4, b"mine") + tagged(5, tagged(1, b"other"))
    below = tagged(1, b"below") + tagged(3, tagged(3, 1))
    above = tagged(1, b"key") + tagged(2, b"v") + tagged(3, policy) + tagged(4, below)
    flags = tagged(5, 1) + tagged(6, 1) + tagged(7, 1)
    message = response("1")
    message.resources.add(
        type_url="type.googleapis.com/ratelimit.config.ratelimit.v3.RateLimitConfig",
        value=tagged(1, b"resource") + tagged(2, b"dom") + tagged(3, above + flags),
    )
    [read] = xds.read(message, Faults())
    assert (read.source, read.line, read.domain) == ("xds:resource", 0, "dom")
    [raw] = read.descriptors
    assert (raw.source, raw.line, raw.key, raw.value) == ("xds:resource", 0, "key", "v")
    assert (raw.limit, raw.name, raw.replaces) == (FixedWindow(7, unit, "mine"), "mine", ("other",))
    assert (raw.shadow_mode, raw.detailed_metric, raw.quota_mode, raw.unlimited) == (True, True, True, False)
    [child] = raw.children
    assert (child.key, child.value, child.limit, child.unlimited) == ("below", "", None, True)


def test_every_unit_of_ours_is_one_of_theirs_and_the_other_way_round() -> None:
    assert {unit.name for unit in Unit} | {"UNKNOWN"} == set(RateLimitUnit.keys())


def test_a_descriptor_without_a_policy_has_no_limit() -> None:
    [rule] = of(domain("d", RateLimitDescriptor(key="k"))).rules()
    assert (rule.limit, rule.unlimited) == (None, False)


# The same as from files


KEYS = st.text("ab*é: #'\"\\", min_size=1, max_size=3)
VALUES = st.text("ab*é: #'\"\\", max_size=3)
LIMITED = st.fixed_dictionaries(
    {"unit": st.sampled_from(UNITS.split(", ")), "requests_per_unit": st.integers(0, MAX_UINT32)},
    optional={"name": st.just("n"), "replaces": st.lists(st.just({"name": "m"}), max_size=2)},
)
UNLIMITED = st.fixed_dictionaries({"unlimited": st.just(value=True)}, optional={"name": st.just("n")})
FLAGS = {flag: st.booleans() for flag in ("shadow_mode", "detailed_metric", "quota_mode")}


def levels(below: st.SearchStrategy[list[dict[str, Any]]]) -> st.SearchStrategy[list[dict[str, Any]]]:
    one = st.fixed_dictionaries(
        {"key": KEYS},
        optional={"value": VALUES, "rate_limit": LIMITED | UNLIMITED, "descriptors": below, **FLAGS},
    )
    return st.lists(one, max_size=3)


TREES: st.SearchStrategy[list[dict[str, Any]]] = st.recursive(st.just([]), levels, max_leaves=8)


def as_message(tree: dict[str, Any]) -> RateLimitDescriptor:
    fields = dict(tree)
    if "rate_limit" in fields:
        fields["rate_limit"] = RateLimitPolicy(**fields["rate_limit"])
    return RateLimitDescriptor(**fields | {"descriptors": [as_message(below) for below in tree.get("descriptors", [])]})


def without_places(node: Node) -> Any:
    """The whole of a tree, but for where its rules were written."""
    return (
        replace(node.rule, source="", line=0),
        {entry: without_places(child) for entry, child in node.exact.items()},
        [(wildcard.key, wildcard.value, without_places(wildcard.node)) for wildcard in node.wildcards],
        {key: without_places(child) for key, child in node.any_value.items()},
    )


def outcome(limits: Any) -> Any:
    """The trees that come of it, or the faults without their places."""
    try:
        return {name: without_places(node) for name, node in limits().domains.items()}
    except ConfigurationError as error:
        return sorted(fault.text.partition(", first in ")[0] for fault in error.faults)


@given(TREES)
def test_a_domain_means_the_same_from_a_server_as_from_a_file(trees: list[dict[str, Any]]) -> None:
    def from_file() -> Limits:
        noted = Faults()
        # JSON is YAML, and quotes every text.
        raw = config.parse(json.dumps({"domain": "d", "descriptors": trees}).encode(), "d.yaml", noted)
        return compiling.compile_limits([raw], noted)

    def from_server() -> Limits:
        return of(domain("d", *map(as_message, trees)))

    assert outcome(from_server) == outcome(from_file)


# What is refused


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (RateLimitConfig(name="r"), "xds:r: domain must not be empty"),
        (RateLimitConfig(), "xds:resources[0]: domain must not be empty"),
        (domain("d", RateLimitDescriptor()), "xds:d.v1: descriptors[0].key must not be empty"),
        (
            domain("d", RateLimitDescriptor(key="k", descriptors=[descriptor("a"), RateLimitDescriptor(value="v")])),
            "xds:d.v1: descriptors[0].descriptors[1].key must not be empty",
        ),
        (
            with_policy(requests_per_unit=1),
            f"xds:d.v1: descriptors[0].rate_limit.unit must be one of {UNITS}, but is UNKNOWN",
        ),
        (
            with_policy(unit=8, requests_per_unit=1),
            f"xds:d.v1: descriptors[0].rate_limit.unit must be one of {UNITS}, but is 8",
        ),
        (
            with_policy(unit=-1, requests_per_unit=1),
            f"xds:d.v1: descriptors[0].rate_limit.unit must be one of {UNITS}, but is -1",
        ),
        (
            with_policy(unit="DAY", unlimited=True),
            "xds:d.v1: descriptors[0].rate_limit.unit must not be there where unlimited is true",
        ),
        (
            with_policy(unit="DAY", name="n", replaces=[{"name": "m"}, {}]),
            "xds:d.v1: descriptors[0].rate_limit.replaces[1].name must not be empty",
        ),
        (
            with_policy(unit="DAY", name="n", replaces=[{"name": "n"}]),
            "xds:d.v1: descriptors[0].rate_limit.replaces[0].name must not be the descriptor's own, 'n'",
        ),
        (
            domain("d", descriptor("k"), descriptor("k")),
            "xds:d.v1: duplicate descriptor with key 'k' and no value, first in xds:d.v1",
        ),
    ],
)
def test_a_fault_is_told_by_resource_and_path(sent: RateLimitConfig, expected: str) -> None:
    assert faults(response("1", sent)) == [expected]


def test_an_unlimited_policy_needs_no_unit_that_is_known() -> None:
    [rule] = of(with_policy(unlimited=True, unit=99)).rules()
    assert (rule.unlimited, rule.limit) == (True, None)


def test_all_faults_of_all_resources_are_told_at_once() -> None:
    message = response("1", RateLimitConfig(name="a"), with_policy(), domain("d"))
    message.resources.add(type_url=CLUSTER)
    message.resources.add(type_url=xds.TYPE_URL, value=b"\xff")
    assert faults(message) == [
        "xds:a: domain must not be empty",
        f"xds:d.v1: descriptors[0].rate_limit.unit must be one of {UNITS}, but is UNKNOWN",
        "xds:d.v1: duplicate domain 'd', first in xds:d.v1",
        f"xds:resources[3]: type_url must be {xds.TYPE_URL}, but is '{CLUSTER}'",
        "xds:resources[4]: value is not a RateLimitConfig, or is nested too deeply",
    ]


def test_resources_of_one_domain_are_one_domain_where_they_are_to_be_merged() -> None:
    limits = of(domain("d", descriptor("a")), domain("d", descriptor("b")), merge_domains=True)
    assert {rule.path for rule in limits.rules_of("d")} == {"a", "b"}


def test_a_response_without_resources_leaves_no_limit() -> None:
    assert of().domains == {}


def test_a_response_of_another_type_is_refused_and_one_that_tells_none_is_taken() -> None:
    assert faults(response("1", domain("d"), type_url=CLUSTER)) == [
        f"xds: type_url must be {xds.TYPE_URL}, but is '{CLUSTER}'"
    ]
    assert set(xds.compile_response(response("1", domain("d"), type_url="")).domains) == {"d"}


def test_descriptors_may_be_as_deep_as_the_bound_and_no_deeper() -> None:
    assert sum(1 for _ in of(chain(xds.MAX_DEPTH)).rules()) == xds.MAX_DEPTH
    path = "descriptors[0]." * xds.MAX_DEPTH + "descriptors"
    assert faults(response("1", chain(xds.MAX_DEPTH + 1))) == [f"xds:d.v1: {path} is more than 64 levels deep"]


def test_what_is_too_deep_for_the_parser_of_messages_is_refused() -> None:
    value = b""
    for _ in range(200):
        length = len(value)
        value = b"\x22" + (bytes([length]) if length < 128 else bytes([length & 127 | 128, length >> 7])) + value
    message = response("1")
    message.resources.add(
        type_url=xds.TYPE_URL, value=b"\x1a" + bytes([len(value) & 127 | 128, len(value) >> 7]) + value
    )
    assert faults(message) == ["xds:resources[0]: value is not a RateLimitConfig, or is nested too deeply"]


def test_there_may_be_as_many_resources_as_the_bound_and_no_more() -> None:
    sent = [domain(f"d{number}") for number in range(xds.MAX_RESOURCES + 1)]
    assert len(of(*sent[:-1]).domains) == xds.MAX_RESOURCES
    assert faults(response("1", *sent)) == ["xds: holds more than 1000 resources"]


def test_there_may_be_as_many_descriptors_as_the_bound_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xds, "MAX_DESCRIPTORS", 4)
    nested = RateLimitDescriptor(key="k", descriptors=[descriptor("a"), descriptor("b")])
    first, second = domain("one", nested), domain("two", descriptor("c"))
    assert sum(1 for _ in of(first, second).rules()) == 4
    third = domain("three", descriptor("d"), RateLimitDescriptor())
    assert faults(response("1", first, second, third, domain(""))) == [
        "xds: holds more than 4 descriptors",
        "xds:.v1: domain must not be empty",
    ]


def test_a_long_name_of_a_resource_is_told_in_part() -> None:
    [told] = faults(response("1", RateLimitConfig(name="x" * 1_000_000)))
    assert told == f"xds:{'x' * 200}: domain must not be empty"


SMALL = domain("d", RateLimitDescriptor(key="k", value="v", descriptors=[descriptor("b")])).SerializeToString()
SPLICED = st.tuples(st.integers(0, len(SMALL)), st.integers(0, len(SMALL)), st.binary(max_size=8)).map(
    lambda cut: SMALL[: cut[0]] + cut[2] + SMALL[cut[1] :]
)


@given(st.binary() | SPLICED)
def test_no_bytes_of_a_resource_bring_the_reading_down(value: bytes) -> None:
    message = response("1")
    message.resources.add(type_url=xds.TYPE_URL, value=value)
    try:
        limits = xds.compile_response(message)
    except ConfigurationError as error:
        assert error.faults  # noqa: PT017  (either outcome will do)
    else:
        assert all(rule.source.startswith("xds:") for rule in limits.rules())


def test_responses_are_the_same_whatever_their_nonces_and_order() -> None:
    first = response("1", domain("a"), domain("b"), nonce="n1")
    assert xds.is_same(first, response("1", domain("a"), domain("b"), nonce="n2"))
    assert xds.is_same(first, response("1", domain("b"), domain("a")))
    assert not xds.is_same(first, response("2", domain("a"), domain("b")))
    assert not xds.is_same(first, response("1", domain("a")))
    assert not xds.is_same(first, response("1", domain("a"), domain("a"), domain("b")))
    assert not xds.is_same(first, response("1", domain("a"), domain("b"), type_url=CLUSTER))


# What is said on a stream


def test_the_first_request_asks_for_all_limits_of_the_node() -> None:
    request = xds.Subscription("me").opening()
    assert (request.node.id, request.type_url) == ("me", xds.TYPE_URL)
    assert (request.version_info, request.response_nonce, list(request.resource_names)) == ("", "", [])
    assert not request.HasField("error_detail")


def test_an_ack_tells_the_version_and_nonce_of_the_response() -> None:
    taken = response("v7", nonce="n7")
    request = xds.Subscription("me", "v6").accept(taken).ack(taken)
    assert (request.version_info, request.response_nonce, request.node.id) == ("v7", "n7", "me")
    assert request.type_url == xds.TYPE_URL
    assert not request.HasField("error_detail")


def test_a_nack_tells_the_version_in_use_the_nonce_of_the_response_and_why() -> None:
    error = ConfigurationError([Fault("xds:r", 0, "domain must not be empty"), Fault("xds", 0, "other")])
    request = xds.Subscription("me", "v6").nack(response("v7", nonce="n7"), error)
    assert (request.version_info, request.response_nonce, request.type_url) == ("v6", "n7", xds.TYPE_URL)
    assert (request.error_detail.code, request.error_detail.message) == (
        3,
        "xds: other\nxds:r: domain must not be empty",
    )


@pytest.mark.parametrize("letter", ["x", "é", "€", "😀"])
def test_the_text_of_a_nack_is_bounded_and_cut_between_characters(letter: str) -> None:
    error = ConfigurationError([Fault("f", 0, letter * 10_000)])
    told = xds.Subscription("me").nack(response("1"), error).error_detail.message
    assert told.startswith(f"f: {letter}")
    assert xds.MAX_ERROR_BYTES - 4 < len(told.encode()) <= xds.MAX_ERROR_BYTES


def test_a_new_stream_opens_with_the_version_in_use() -> None:
    request = xds.Subscription("me").accept(response("v7")).opening()
    assert (request.version_info, request.response_nonce) == ("v7", "")
