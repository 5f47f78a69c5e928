"""How the store's servers are arranged, from the words of envoyproxy/ratelimit's REDIS_TYPE and REDIS_URL."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass, replace

from service_kit.valkey.address import Address

MAX_ADDRESSES = 100


class Kind(enum.Enum):
    """The arrangements."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


@dataclass(frozen=True, slots=True)
class Topology:
    """Where to ask: the server, the Sentinels, or some nodes of a Cluster.

    With Sentinels, `name` is what they call the primary, and `primary` how to speak to it, but for host and port.
    """

    kind: Kind
    addresses: tuple[Address, ...]
    name: str = ""
    primary: Address | None = None

    def __str__(self) -> str:
        places = ",".join(map(str, self.addresses))
        return f"{self.name},{places}" if self.kind is Kind.SENTINEL else places


def parse(
    kind: Kind, url: str, server: Callable[[str], Address], sentinel: Callable[[str], Address] | None = None
) -> Topology:
    """Read `REDIS_URL`; raises `ValueError` with a text that holds no password.

    It is one address, or, separated by commas, the name of the primary and the Sentinels, or nodes of a Cluster.
    `server` and `sentinel` read one address each, with what else is configured for it.
    """
    if kind is Kind.SINGLE:
        return Topology(kind, (server(url),))
    parts = [part.strip() for part in url.split(",")]
    if len(parts) > MAX_ADDRESSES:
        raise ValueError(f"names more than {MAX_ADDRESSES} servers")
    if kind is Kind.SENTINEL:
        name, *places = parts
        if not name or not places:
            raise ValueError("must be the primary's name and the Sentinels' addresses: name,host:port,host:port")
        # Sentinels have no databases: the number is the primary's.
        sentinels = tuple(replace(address, database=0) for address in map(sentinel or server, places))
        return _over_tcp(Topology(kind, sentinels, name, server(places[0])))
    addresses = tuple(map(server, parts))
    if any(address.database for address in addresses):
        raise ValueError("names a database, and a Cluster has only one")
    return _over_tcp(Topology(kind, addresses))


def _over_tcp(topology: Topology) -> Topology:
    """Sentinels and nodes of a Cluster name other servers by host and port."""
    if any(address.path for address in topology.addresses):
        raise ValueError("names a unix socket, which is for a single server")
    return topology
