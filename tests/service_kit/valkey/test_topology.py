from __future__ import annotations

import pytest

from service_kit.valkey import topology
from service_kit.valkey.address import Address
from service_kit.valkey.address import parse as address
from service_kit.valkey.topology import MAX_ADDRESSES, Kind, Topology


def parse(kind: Kind, url: str) -> Topology:
    return topology.parse(kind, url, address, lambda text: address(text, auth="sentinels"))


def test_a_single_server_is_one_address() -> None:
    assert parse(Kind.SINGLE, "cache:7000") == Topology(Kind.SINGLE, (Address("cache", 7000),))
    assert parse(Kind.SINGLE, "unix:///x").addresses == (Address(path="/x"),)


def test_sentinels_follow_the_name_of_the_primary() -> None:
    found = parse(Kind.SENTINEL, "mymaster, s1:26379 ,s2:26379")
    sentinels = tuple(Address(host, 26379, password="sentinels") for host in ("s1", "s2"))
    assert (found.name, found.addresses) == ("mymaster", sentinels)
    assert found.primary == Address("s1", 26379)


def test_sentinels_are_read_as_the_primary_is_where_nothing_else_is_said_of_them() -> None:
    found = topology.parse(Kind.SENTINEL, "m,s1", lambda text: address(text, auth="pw"))
    assert found.addresses == (Address("s1", password="pw"),)
    assert found.primary == Address("s1", password="pw")


def test_a_database_behind_sentinels_is_the_primarys() -> None:
    found = parse(Kind.SENTINEL, "m,redis://s1:26379/3")
    assert [sentinel.database for sentinel in found.addresses] == [0]
    assert found.primary is not None
    assert found.primary.database == 3


def test_nodes_of_a_cluster_are_addresses_in_their_order() -> None:
    assert parse(Kind.CLUSTER, "b:1, a:2") == Topology(Kind.CLUSTER, (Address("b", 1), Address("a", 2)))


@pytest.mark.parametrize(
    ("kind", "url", "text"),
    [
        (Kind.SINGLE, "a:1,b:2", "is no host:port"),
        (Kind.SENTINEL, "", "must be the primary's name and the Sentinels' addresses"),
        (Kind.SENTINEL, "mymaster", "must be the primary's name and the Sentinels' addresses"),
        (Kind.SENTINEL, ",s1:26379", "must be the primary's name and the Sentinels' addresses"),
        (Kind.SENTINEL, "mymaster,", "names no host"),
        (Kind.SENTINEL, "mymaster,unix:///x", "names a unix socket"),
        (Kind.CLUSTER, "", "names no host"),
        (Kind.CLUSTER, "a:1,,b:2", "names no host"),
        (Kind.CLUSTER, "a:1,redis://b/1", "names a database, and a Cluster has only one"),
        (Kind.CLUSTER, "a:1,unix:///x", "names a unix socket"),
        (Kind.CLUSTER, ",".join(["a:1"] * (MAX_ADDRESSES + 1)), "names more than 100 servers"),
    ],
)
def test_what_names_no_such_servers_is_refused_with_the_reason(kind: Kind, url: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        parse(kind, url)


def test_a_hundred_servers_may_be_named() -> None:
    assert len(parse(Kind.CLUSTER, ",".join(["a:1"] * MAX_ADDRESSES)).addresses) == MAX_ADDRESSES


def test_a_topology_is_written_as_it_was_named_and_without_passwords() -> None:
    for kind, url in ((Kind.SINGLE, "a:1"), (Kind.SENTINEL, "m,a:1,b:2"), (Kind.CLUSTER, "a:1,b:2")):
        assert str(parse(kind, url)) == url
    assert str(parse(Kind.SINGLE, "redis://u:s3cret@a:1")) == "a:1"
