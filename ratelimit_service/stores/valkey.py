"""Buckets in Valkey or Redis: the counter store that the service runs on.

The deadline covers a request as a whole: the wait for others, the way there, and the answer. Connections are opened in
the background, so the service starts, and recovers, without waiting for the server.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ratelimit_service.model import Charge, Count
from ratelimit_service.stores import script
from ratelimit_service.stores.batch import Answer, Pending
from ratelimit_service.stores.servers import Servers
from service_kit.valkey.errors import StoreUnavailableError


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
        keys, words = script.encode(charges, denied=denied, sparing=self._sparing)
        tag = _tag(keys[0])
        if self._prefix:
            keys = [self._prefix + key for key in keys]
        answer: asyncio.Future[Answer] = loop.create_future()
        self._servers.submit(Pending(tag, keys, words, script.weight(charges), loop.time() + self._deadline, answer))
        now_us, numbers = await answer
        return script.decode(charges, now_us, numbers)

    async def check(self) -> None:
        """Look whether the store answers; raises `StoreUnavailableError`. Opens a connection where there is none."""
        await self._servers.check()

    async def close(self) -> None:
        """End the connections."""
        await self._servers.close()


def _tag(key: str) -> str:
    """The hash tag of a key, which all keys of a request share (see `keys`)."""
    start, end = key.find("{"), key.find("}")
    if not 0 <= start < end:
        raise StoreUnavailableError("a bucket's key has no hash tag")
    return key[start + 1 : end]
