"""Which server keeps a bucket: one, the primary that Sentinels tell, or the node of a Cluster that has its slot."""

from __future__ import annotations

import asyncio
from typing import Protocol

from ratelimit_service.stores.batch import Pending
from ratelimit_service.stores.node import Node, Watcher
from service_kit.valkey.address import Address
from service_kit.valkey.connection import Reply
from service_kit.valkey.errors import StoreUnavailableError
from service_kit.valkey.sentinels import SENTINEL_SECONDS, Sentinels


class Servers(Protocol):
    """Takes each request to the server that keeps its buckets."""

    def submit(self, pending: Pending) -> None:
        """Take a request; its future is answered by its deadline."""

    async def check(self) -> None:
        """Look whether the store answers; raises `StoreUnavailableError`."""

    async def scan(self, pattern: str, *, most: int | None = None) -> list[bytes]:
        """Every key that fits, some more than once; for an operator's tools, not for the path of a request.

        With `most`, looking ends soon after so many have been found.
        """
        ...

    async def ask(self, tag: str, *command: int | str) -> Reply:
        """Send a command to the server that keeps the keys of a tag; raises `StoreUnavailableError`."""
        ...

    async def close(self) -> None:
        """End what goes on in the background."""


class Single:
    """One server, or the primary that Sentinels tell."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def submit(self, pending: Pending) -> None:
        """Take a request."""
        self._node.submit(pending)

    async def check(self) -> None:
        """Look whether the server answers."""
        await self._node.ask("PING")

    async def scan(self, pattern: str, *, most: int | None = None) -> list[bytes]:
        """Every key that fits."""
        return await scan_node(self._node, pattern, most)

    async def ask(self, tag: str, *command: int | str) -> Reply:
        """Send a command."""
        del tag
        return await self._node.ask(*command)

    async def close(self) -> None:
        """End what goes on in the background."""
        await self._node.close()


async def scan_node(node: Node, pattern: str, most: int | None) -> list[bytes]:
    """Every key of one server that fits, by SCAN; with `most`, so many and a little more."""
    found: list[bytes] = []
    cursor = "0"
    while True:
        reply = await node.ask("SCAN", cursor, "MATCH", pattern, "COUNT", 1_000)
        match reply:
            case [bytes() as following, [*keys]]:
                cursor = following.decode("ascii", "replace")
                found += [key for key in keys if isinstance(key, bytes)]
            case _:
                raise StoreUnavailableError("the reply is not that of SCAN: is this Valkey or Redis?")
        if cursor == "0" or (most is not None and len(found) >= most):
            return found


def single(address: Address, deadline: float, watcher: Watcher) -> Single:
    """One server at an address that does not change."""

    async def find() -> Address:
        return address

    return Single(Node(find, deadline, watcher))


class SentinelPrimary(Single):
    """The primary that Sentinels tell, followed when it changes."""

    def __init__(self, sentinels: Sentinels, deadline: float, watcher: Watcher) -> None:
        self._sentinels = sentinels
        super().__init__(Node(self._find, deadline, watcher, primary=True))
        self._last: Address | None = None
        self._following: asyncio.Task[None] | None = None

    async def _find(self) -> Address:
        self._last = await self._sentinels.find()
        if self._following is None:
            self._following = asyncio.get_running_loop().create_task(self._follow())
        return self._last

    async def _follow(self) -> None:
        """Let go of a primary that has been replaced and does not know it: what it counts will be thrown away."""
        while True:
            await asyncio.sleep(SENTINEL_SECONDS)
            try:
                now = await self._sentinels.find()
            except Exception:  # noqa: BLE001, S112  (whatever it is, the next question may be answered)
                continue  # Without a Sentinel the primary that is known stays.
            if self._last is not None and now != self._last:
                self._node.reconnect("another server has become the primary")

    async def close(self) -> None:
        """End what goes on in the background."""
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
        await super().close()
