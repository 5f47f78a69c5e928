from __future__ import annotations

import pytest

from ratelimit_service.stores.cluster import Cluster
from ratelimit_service.stores.opening import open_servers
from ratelimit_service.stores.servers import SentinelPrimary, Single
from service_kit.valkey.address import parse as address
from service_kit.valkey.topology import Kind, parse


class Silent:
    """Hears of round trips and of breakers, and says nothing."""

    def sent(self, requests: int) -> None:
        del requests

    def breaker(self, server: str, *, opened: bool) -> None:
        del server, opened


@pytest.mark.parametrize(
    ("kind", "url", "servers"),
    [(Kind.SINGLE, "a:1", Single), (Kind.SENTINEL, "m,a:1", SentinelPrimary), (Kind.CLUSTER, "a:1", Cluster)],
)
def test_each_kind_is_opened_as_servers_of_its_kind_without_connecting(kind: Kind, url: str, servers: type) -> None:
    # No event loop runs here, so nothing could connect.
    assert type(open_servers(parse(kind, url, address), 0.01, Silent())) is servers
