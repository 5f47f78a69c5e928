"""Single commands to one server: the one that is named, the Sentinels' primary, or the node of a Cluster with our keys.

All keys of a client MUST share one hash tag: in a Cluster they then live on one node, which a MOVED tells. Connections
are opened in the background and again when they are lost; a server that fails again and again is asked only by a probe
(see `breaker`), and commands fail at once meanwhile. No command is sent twice.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from itertools import cycle
from typing import Any, TypeVar

from service_kit.breaker import Breaker
from service_kit.valkey.address import Address
from service_kit.valkey.connection import Command, Connection, Reply, ServerError, connect
from service_kit.valkey.errors import StoreUnavailableError
from service_kit.valkey.sentinels import SENTINEL_SECONDS, Sentinels
from service_kit.valkey.topology import Kind, Topology

MAX_WAITING = 10_000  # commands on their way
MAX_REDIRECTIONS = 3

T = TypeVar("T")


class Client:
    """See the module. Lives on one event loop; nothing is connected before the first command."""

    def __init__(self, topology: Topology, *, deadline: float) -> None:
        """`deadline` is in seconds, for one command with everything that it takes."""
        self._deadline = deadline
        self._find, self._primary = _finder(topology)
        self._connection: Connection | None = None
        self._connecting: asyncio.Task[Connection] | None = None
        self._background: set[asyncio.Task[Any]] = set()
        self._breaker = Breaker()
        self._reason = StoreUnavailableError("the server has not been reached yet")
        self._at: Address | None = None  # where a Cluster's MOVED has sent us
        self._waiting = 0
        self._follows = topology.kind is not Kind.SENTINEL  # nothing to follow where no Sentinel tells
        self._closed = False
        self.opened = 0  # connections so far: behind a new one there may be another server

    async def ask(self, *command: int | str | bytes, seconds: float | None = None) -> Reply:
        """Send one command and return its reply, within `seconds` or else the client's deadline.

        Raises:
            StoreUnavailableError: no reply in time or none at all, or an error of the server.
        """
        if self._closed or self._breaker.open:
            raise StoreUnavailableError(str(self._reason))  # its own: one that many raise grows with each
        if self._waiting >= MAX_WAITING:
            raise StoreUnavailableError(f"more than {MAX_WAITING} commands wait for the server")
        self._waiting += 1
        work = self._timed(command, self._deadline if seconds is None else seconds)
        # On its own: a caller who goes before the reply comes or fails to come leaves it to be waited for and counted.
        return await asyncio.shield(self._start(work))

    async def _timed(self, command: Command, allowed: float) -> Reply:
        try:
            async with asyncio.timeout(allowed):
                reply = await self._exchange(command)
        except TimeoutError:
            # A reply may still come, to nobody; a connection on which none comes is given up.
            self._failed(StoreUnavailableError(f"no answer within {allowed * 1000:g} ms"))
            self._give_up("timed out")
            raise StoreUnavailableError(str(self._reason)) from None
        except StoreUnavailableError as error:
            self._failed(error)
            raise
        finally:
            self._waiting -= 1
        self._breaker.succeeded()
        return reply

    async def close(self) -> None:
        """End the connection and all that goes on in the background."""
        self._closed = True
        self._reason = StoreUnavailableError("the service is ending")
        tasks = [*self._background, *([self._connecting] if self._connecting else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._give_up("the service is ending")

    async def _exchange(self, command: Command) -> Reply:
        for _ in range(MAX_REDIRECTIONS):
            connection = self._connection
            if connection is None:
                connection = await asyncio.shield(self._connect())
            (reply,) = await connection.send([command])
            if not isinstance(reply, ServerError):
                return reply
            if reply.code == "MOVED" and self._moved(str(reply)):
                continue
            if "READONLY" in str(reply):
                self._give_up("this server has become a replica")
            raise StoreUnavailableError(str(reply))
        raise StoreUnavailableError("the keys' place was redirected again and again")

    def _moved(self, text: str) -> bool:
        host, _, port = text.rpartition(" ")[2].rpartition(":")
        if not host or not port.isdigit() or self._at is None:
            return False
        self._at = replace(self._at, host=host, port=int(port))
        self._give_up("the keys are on another node")
        return True

    def _connect(self) -> asyncio.Task[Connection]:
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.get_running_loop().create_task(self._open())
            self._connecting.add_done_callback(_heard)
        return self._connecting

    async def _open(self) -> Connection:
        try:
            address = self._at = self._at or await self._find()
            connection = await connect(address, self._lost, primary=self._primary)
        except StoreUnavailableError:
            self._at = None  # it may be found elsewhere next time
            raise
        except Exception as error:  # whatever it is, no thread for a name among it: try again later
            self._at = None
            raise StoreUnavailableError(type(error).__name__) from error
        self._connection = connection
        self.opened += 1
        if not self._follows:
            self._follows = True
            self._start(self._follow())
        return connection

    def _lost(self, connection: Connection, error: StoreUnavailableError) -> None:
        if self._connection is connection:
            self._connection = None
            self._reason = error

    def _give_up(self, reason: str) -> None:
        if self._connection is not None:
            self._connection.end(reason)

    def _failed(self, error: StoreUnavailableError) -> None:
        if self._closed:
            return
        self._reason = error
        if self._breaker.failed():
            self._start(self._probe())

    async def _probe(self) -> None:
        """Ask until there is an answer; only then do commands go to the server again."""
        while self._breaker.open:
            await asyncio.sleep(self._breaker.next_probe())
            try:
                async with asyncio.timeout(self._deadline):
                    await self._exchange(("PING",))
            except TimeoutError:
                self._give_up("timed out")
            except StoreUnavailableError as error:
                self._reason = error
            else:
                self._breaker.succeeded()

    async def _follow(self) -> None:
        """Let go of a primary that has been replaced and does not know it."""
        while True:
            await asyncio.sleep(SENTINEL_SECONDS)
            try:
                now = await self._find()
            except StoreUnavailableError:
                continue  # Without a Sentinel the primary that is known stays.
            if self._at is not None and now != self._at:
                self._at = None
                self._give_up("another server has become the primary")

    def _start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)
        task.add_done_callback(_heard)
        return task


def _finder(topology: Topology) -> tuple[Callable[[], Awaitable[Address]], bool]:
    """Return what tells where the server is, and whether it has to be asked if it is the primary."""
    if topology.kind is Kind.SENTINEL and topology.primary is not None:
        return Sentinels(topology.name, topology.addresses, topology.primary).find, True

    named = cycle(topology.addresses)

    async def next_of_those_named() -> Address:
        return next(named)

    return next_of_those_named, False


def _heard(task: asyncio.Task[Any]) -> None:
    """Take note of how work ended: whoever waits for it hears it too, and nobody has to."""
    if not task.cancelled():
        task.exception()
