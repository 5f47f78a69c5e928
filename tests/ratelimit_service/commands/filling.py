"""A real server whose buckets are filled as the service fills them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from devstack.ports import HOST
from ratelimit_service.limiter import Limiter, Modes
from ratelimit_service.model import Descriptor
from ratelimit_service.rules import Entry, Limits
from ratelimit_service.stores.memory import MemoryStore
from ratelimit_service.stores.opening import open_servers
from ratelimit_service.stores.valkey import ValkeyStore
from service_kit.valkey.address import Address
from service_kit.valkey.topology import Kind, Topology
from tests.ratelimit_service.stores.asking import Heard
from tests.valkey_servers import Server


def single(server: Server) -> Topology:
    return Topology(Kind.SINGLE, (Address(HOST, server.port),))


def fill(topology: Topology, limits: Limits, domain: str, *hits: tuple[Sequence[Entry], int], prefix: str = "") -> None:
    """Charge so many hits to each descriptor, each as a request of its own."""

    async def go() -> None:
        store = ValkeyStore(open_servers(topology, 5.0, Heard()), deadline=5.0, prefix=prefix)
        limiter = Limiter(store, MemoryStore(lambda: 0, 1), Modes())
        limiter.use(limits)
        try:
            for entries, number in hits:
                decision = await limiter.decide(limiter.prepare(domain, [Descriptor(tuple(entries), number)]))
                assert decision.failure is None
        finally:
            await store.close()

    asyncio.run(go())
