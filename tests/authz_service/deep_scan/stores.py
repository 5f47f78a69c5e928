"""The stream on a real server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from authz_service.deep_scan.store import DeepScanStore
from service_kit.valkey.client import Client
from tests.authz_service.revocation.stores import single
from tests.valkey_servers import Server

DEADLINE = 5.0  # seconds


@contextlib.asynccontextmanager
async def opened(
    server: Server, *, entries: int = 100, keep_seconds: float = 600.0, deadline: float = DEADLINE
) -> AsyncIterator[DeepScanStore]:
    """A store with a client of its own."""
    client = Client(single(server), deadline=deadline)
    try:
        yield DeepScanStore(client, entries=entries, keep_seconds=keep_seconds, deadline=deadline)
    finally:
        await client.close()


def run(server: Server, scenario: Callable[[DeepScanStore], Awaitable[None]], **terms: float) -> None:
    """Run a scenario with a store on an empty server."""

    async def go() -> None:
        async with opened(server, **terms) as store:  # type: ignore[arg-type]
            await scenario(store)

    with contextlib.closing(server.client()) as client:
        client.flushall()
    asyncio.run(go())
