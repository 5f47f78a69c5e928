"""A store on real servers, for the tests of its parts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from devstack.ports import HOST
from ratelimit_service.limits import FixedWindow, TokenBucket, Unit
from ratelimit_service.model import Charge
from ratelimit_service.stores.opening import open_servers
from ratelimit_service.stores.valkey import ValkeyStore
from service_kit.valkey.address import Address
from service_kit.valkey.topology import Kind, Topology
from tests.valkey_servers import Server

WINDOW = FixedWindow(100, Unit.YEAR)
BUCKET = TokenBucket(7, Unit.SECOND, burst=2)
CHARGE = Charge("{d}w", 1, WINDOW)

Scenario = Callable[[ValkeyStore], Awaitable[None]]


@dataclass
class Heard:
    """What a store said of its servers."""

    batches: list[int] = field(default_factory=list)
    breakers: list[bool] = field(default_factory=list)

    def sent(self, requests: int) -> None:
        self.batches.append(requests)

    def breaker(self, server: str, *, opened: bool) -> None:
        del server
        self.breakers.append(opened)


def at(server: Server) -> Address:
    return Address(HOST, server.port)


def run(place: Address | Topology, scenario: Scenario, deadline: float = 5.0, prefix: str = "") -> Heard:
    """Let something happen to a store; return what it said."""
    topology = Topology(Kind.SINGLE, (place,)) if isinstance(place, Address) else place
    heard = Heard()

    async def go() -> None:
        store = ValkeyStore(open_servers(topology, deadline, heard), deadline=deadline, prefix=prefix)
        try:
            await scenario(store)
        finally:
            await store.close()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, "something goes on after the store was closed"

    asyncio.run(go())
    return heard
