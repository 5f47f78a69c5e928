"""IP networks."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import networks
from authz_service.rego_engine.builtins.networks import MAX_ADDRESSES
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("net.cidr_contains", ["10.20.0.0/16", "10.20.30.40"], True),
    ("net.cidr_contains", ["10.20.0.0/16", "10.21.0.1"], False),
    ("net.cidr_contains", ["10.20.7.9/16", "10.20.30.0/24"], True),
    ("net.cidr_contains", ["10.20.0.0/16", "10.0.0.0/8"], False),
    ("net.cidr_contains", ["10.0.0.0/008", "10.1.1.1"], True),
    ("net.cidr_contains", ["fd00:a::/32", "fd00:a:1::7"], True),
    ("net.cidr_contains", ["fd00:a::/32", "fd00:b::/48"], False),
    ("net.cidr_contains", ["::/0", "10.1.1.1"], False),
    ("net.cidr_contains", ["0.0.0.0/0", "::ffff:10.1.1.1"], True),
    ("net.cidr_contains", ["::ffff:10.0.0.0/104", "10.1.1.1"], True),
    ("net.cidr_contains", ["::/72", "::/72"], True),
    ("net.cidr_overlap", ["10.20.0.0/16", "10.20.30.40"], True),
    ("net.cidr_intersects", ["10.20.0.0/16", "10.0.0.0/8"], True),
    ("net.cidr_intersects", ["10.20.0.0/16", "10.21.0.0/16"], False),
    ("net.cidr_is_valid", ["fd00::/8"], True),
    ("net.cidr_is_valid", ["10.1.2.3/33"], False),
    ("net.cidr_is_valid", ["10.01.2.3/8"], False),
    ("net.cidr_is_valid", ["10.1.2.3"], False),
    ("net.cidr_is_valid", ["fe80::1%eth0/64"], False),
    ("net.cidr_is_valid", [7], False),
    ("net.cidr_expand", ["172.20.4.7/31"], make_set(["172.20.4.6", "172.20.4.7"])),
    ("net.cidr_expand", ["fd00::f/127"], make_set(["fd00::e", "fd00::f"])),
    (
        "net.cidr_merge",
        [["172.20.4.0/25", "172.20.4.128/25", "172.20.9.0/24"]],
        make_set(["172.20.4.0/24", "172.20.9.0/24"]),
    ),
    ("net.cidr_merge", [make_set(["fd00::/65", "fd00:0:0:0:8000::/65"])], make_set(["fd00::/64"])),
    ("net.cidr_merge", [["172.20.4.9"]], make_set(["172.20.4.9/16"])),
    ("net.cidr_merge", [["200.1.2.3", "200.1.3.0/24"]], make_set(["200.1.2.0/23"])),
    ("net.cidr_merge", [["::/0", "10.1.1.0/24"]], make_set(["::/0"])),
    ("net.cidr_merge", [[]], set()),
    ("net.cidr_contains_matches", ["10.0.0.0/8", "10.1.1.1"], make_set([["10.0.0.0/8", "10.1.1.1"]])),
    ("net.cidr_contains_matches", [["11.0.0.0/8", "10.0.0.0/8"], ["10.1.1.1", "9.9.9.9"]], make_set([[1, 0]])),
    (
        "net.cidr_contains_matches",
        [{"office": "10.0.0.0/8", "all": ["0.0.0.0/0", "x"]}, make_set([["10.1.1.1", 7]])],
        make_set([["office", ["10.1.1.1", 7]], ["all", ["10.1.1.1", 7]]]),
    ),
    ("net.cidr_contains_matches", [[], ["no network"]], set()),
    ("net.lookup_ip_addr", ["fd00:0::1"], make_set(["fd00::1"])),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_networks_are_read_and_compared_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


@pytest.mark.parametrize(
    ("name", "operands", "reason"),
    [
        ("net.cidr_contains", ["10.0.0.0", "10.1.1.1"], "invalid CIDR address: 10.0.0.0"),
        (
            "net.cidr_contains",
            ["10.0.0.0/8", "ten"],
            "not a valid textual representation of an IP address or CIDR: ten",
        ),
        ("net.cidr_expand", ["10.0.0.0/40"], "invalid CIDR address: 10.0.0.0/40"),
        ("net.cidr_contains_matches", [["10.0.0.0/8"], [[]]], "operand 2: element must be string or non-empty array"),
        ("net.cidr_contains_matches", [[3], ["a"]], "operand 1: element must be string or non-empty array"),
        ("net.cidr_merge", [["fd00::1"]], "IPv6 invalid: needs prefix length"),
        ("net.cidr_merge", [[1]], "element must be string"),
        ("net.cidr_merge", ["10.0.0.0/8"], "operand must be an array"),
    ],
)
def test_what_is_no_network_is_a_fault(name: str, operands: list[Value], reason: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (BUILTIN_ERROR, reason)


def test_an_operand_that_is_no_string_has_the_wrong_type() -> None:
    found = fault("net.cidr_contains", 1, "10.0.0.0")
    assert (found.code, found.text) == (TYPE_ERROR, "operand 1 must be string but got number")


def test_a_network_of_too_many_addresses_is_not_expanded() -> None:
    assert len(call("net.cidr_expand", "10.0.0.0/16")) == MAX_ADDRESSES
    assert "more than" in fault("net.cidr_expand", "10.0.0.0/15").text
    assert "more than" in fault("net.cidr_expand", "::/0").text


def test_too_many_matches_are_a_fault() -> None:
    every = ["0.0.0.0/0"] * 400
    assert "more than" in fault("net.cidr_contains_matches", every, every).text


def test_names_are_not_looked_up_but_for_localhost() -> None:
    assert call("net.lookup_ip_addr", "localhost") == {"127.0.0.1", "::1"}
    assert "do not reach the network" in fault("net.lookup_ip_addr", "example.com").text


SMALL_NETWORKS = st.builds(lambda host, bits: f"10.9.8.{host}/{bits}", st.integers(0, 255), st.integers(24, 32))


@given(st.lists(SMALL_NETWORKS, max_size=8))
def test_merged_networks_hold_the_same_addresses_and_are_the_fewest(texts: list[str]) -> None:
    merged = call("net.cidr_merge", texts)
    nets = [ipaddress.IPv4Network(text, strict=False) for text in texts]
    assert merged == {str(network) for network in ipaddress.collapse_addresses(nets)}


@given(SMALL_NETWORKS, SMALL_NETWORKS)
def test_a_network_contains_another_when_it_has_all_its_addresses(outer: str, inner: str) -> None:
    addresses = call("net.cidr_expand", inner)
    assert call("net.cidr_contains", outer, inner) == (addresses <= call("net.cidr_expand", outer))
    assert call("net.cidr_contains", outer, inner) == all(call("net.cidr_contains", outer, one) for one in addresses)
    assert call("net.cidr_contains_matches", outer, inner) == (
        make_set([[outer, inner]]) if call("net.cidr_contains", outer, inner) else set()
    )


@pytest.mark.parametrize("name", declared(networks))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
