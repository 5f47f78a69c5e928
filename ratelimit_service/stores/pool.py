"""A bounded pool of connections that are opened in the background.

A caller waits for a connection as long as its deadline lets it, but never opens one itself: opening takes longer than a
call may (TLS, authentication), and a caller that gave up would take the half-opened connection down with it, again and
again. Whoever opens is a task of the pool, and its connection goes to whoever waits next.

Nothing is opened before the first caller, and a broken connection is replaced when it is needed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

Connection = TypeVar("Connection")


class Pool(Generic[Connection]):
    """At most `size` connections, on one event loop.

    `connect` opens one within a bounded time or raises; `close` ends one and never raises.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        close: Callable[[Connection], Awaitable[None]],
        size: int,
    ) -> None:
        self._connect = connect
        self._close = close
        self._size = size
        self._idle: list[Connection] = []
        self._busy = 0
        self._opening = 0
        self._tasks: set[asyncio.Task[None]] = set()  # those that open, a moment longer than `_opening` counts them
        self._waiting: deque[asyncio.Future[Connection]] = deque()

    async def take(self) -> tuple[Connection, bool]:
        """Wait for a connection, and say whether it lay idle, in which case its peer may have left unnoticed.

        Raises what `connect` raised. Every connection taken must be given back or dropped.
        """
        if self._idle:
            self._busy += 1
            return self._idle.pop(), True
        waiter: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        self._open_if_needed()
        try:
            return await waiter, False
        except asyncio.CancelledError:
            if waiter.done() and not waiter.cancelled() and waiter.exception() is None:
                self.give(waiter.result())
            raise

    def give(self, connection: Connection) -> None:
        """Put back a connection that is fit for the next caller."""
        self._busy -= 1
        self._offer(connection)

    async def drop(self, connection: Connection) -> None:
        """Close a connection that is not."""
        self._busy -= 1
        self._open_if_needed()
        await self._close(connection)

    async def drop_idle(self) -> None:
        """Close every idle connection: when the server has restarted, all of them are dead."""
        idle, self._idle = self._idle, []
        for connection in idle:
            await self._close(connection)

    async def close(self) -> None:
        """Close what is idle and stop opening. Taken connections are closed by those who drop them."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.drop_idle()

    def _offer(self, connection: Connection) -> None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.done():
                self._busy += 1
                waiter.set_result(connection)
                return
        self._idle.append(connection)

    def _open_if_needed(self) -> None:
        while self._waiting and self._waiting[0].done():
            self._waiting.popleft()
        opened = self._busy + len(self._idle) + self._opening
        if opened < self._size and self._opening < len(self._waiting):
            self._opening += 1
            task = asyncio.get_running_loop().create_task(self._open())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _open(self) -> None:
        try:
            connection = await self._connect()
        except Exception as error:  # noqa: BLE001  (handed to whoever waits, whatever it is)
            self._opening -= 1
            if self._busy or self._opening:
                return  # Others may still serve those who wait.
            while self._waiting:
                waiter = self._waiting.popleft()
                if not waiter.done():
                    waiter.set_exception(error)
            return
        except BaseException:
            self._opening -= 1
            raise
        self._opening -= 1
        self._offer(connection)
