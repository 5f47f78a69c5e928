"""Buckets in Valkey or Redis: the counter store that the service runs on.

The deadline covers a request as a whole: the wait for others, the way there, and the answer. Connections are opened in
the background, so the service starts, and recovers, without waiting for the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ratelimit_service.model import Charge, Charges, Count
from ratelimit_service.stores import script
from ratelimit_service.stores.batch import Answer, Pending
from ratelimit_service.stores.script import Packed
from ratelimit_service.stores.servers import Servers


class ValkeyStore:
    """A counter store on one server, a Sentinel's primary or a Cluster. Lives on one event loop."""

    def __init__(self, servers: Servers, *, deadline: float, prefix: str = "", sparing: bool = False) -> None:
        """`deadline` is in seconds; `prefix` goes before every key."""
        self._servers = servers
        self._deadline = deadline
        self._prefix = prefix
        self._sparing = sparing

    async def hit(self, charges: Sequence[Charge], *, denied: bool = False) -> Sequence[Count]:
        """Charge all buckets of one request."""
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.create_future()
        self._servers.submit(Pending(self._packed(charges, denied=denied), loop.time() + self._deadline, answer))
        now_us, numbers = await answer
        return script.decode(charges, now_us, numbers)

    def _packed(self, charges: Sequence[Charge], *, denied: bool) -> Packed:
        if denied or not isinstance(charges, Charges):
            return script.pack(charges, denied=denied, sparing=self._sparing, prefix=self._prefix)
        found: Packed | None = charges.packed
        if found is None:
            found = charges.packed = script.pack(charges, sparing=self._sparing, prefix=self._prefix)
        return found

    async def check(self) -> None:
        """Look whether the store answers; raises `StoreUnavailableError`. Opens a connection where there is none."""
        await self._servers.check()

    async def close(self) -> None:
        """End the connections."""
        await self._servers.close()
