"""Stores on real servers, and what may stand in them that we have not written."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

from authz_service.revocation.model import Kind, Order, Subject
from authz_service.revocation.store import RevocationStore
from devstack.ports import HOST
from service_kit.valkey.address import Address, parse
from service_kit.valkey.client import Client
from service_kit.valkey.topology import Kind as Arrangement
from service_kit.valkey.topology import Topology
from service_kit.valkey.topology import parse as parse_topology
from tests.valkey_servers import SentinelSet, Server, cluster, sentinel_set

ARRANGEMENTS = ("single", "sentinel", "cluster")
DEADLINE = 5.0  # seconds
PATIENCE = 30.0


def single(server: Server) -> Topology:
    """One server."""
    return Topology(Arrangement.SINGLE, (Address(HOST, server.port),))


def behind(sentinels: SentinelSet) -> Topology:
    """A primary behind Sentinels."""
    return parse_topology(Arrangement.SENTINEL, sentinels.url, parse)


def clustered(nodes: list[Server]) -> Topology:
    """A Cluster."""
    return parse_topology(Arrangement.CLUSTER, ",".join(f"{HOST}:{node.port}" for node in nodes), parse)


@contextlib.contextmanager
def arranged(arrangement: str) -> Iterator[Topology]:
    """Servers of their own in one of the arrangements."""
    with contextlib.ExitStack() as stack:
        if arrangement == "single":
            yield single(stack.enter_context(Server()))
        elif arrangement == "sentinel":
            yield behind(sentinel_set(stack))
        else:
            yield clustered(cluster(stack))


@contextlib.asynccontextmanager
async def opened(topology: Topology, deadline: float = DEADLINE) -> AsyncIterator[RevocationStore]:
    """A store with a client of its own."""
    client = Client(topology, deadline=deadline)
    try:
        yield RevocationStore(client, deadline=deadline)
    finally:
        await client.close()


def run(topology: Topology, scenario: Callable[[RevocationStore], Awaitable[None]]) -> None:
    """Run a scenario with a store."""

    async def go() -> None:
        async with opened(topology) as store:
            await scenario(store)

    asyncio.run(go())


def order(name: str = "alice", kind: Kind = Kind.USER, **more: float) -> Order:
    """An order for one subject."""
    return Order(Subject(kind, name), "root", "stolen laptop", **more)


async def until(true: Callable[[], bool], what: str) -> None:
    """Wait for something on the event loop."""
    end = asyncio.get_running_loop().time() + PATIENCE
    while not true():
        assert asyncio.get_running_loop().time() < end, f"{what} took more than {PATIENCE} seconds"
        await asyncio.sleep(0.01)
