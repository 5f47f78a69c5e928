"""One server: what waits for it, what is on its way, and whether it is worth asking.

Requests that come while a call is on its way wait, and go together in the next one: the busier the server, the more
requests share a round trip, and on an idle one nobody waits. Each request has its deadline, whatever happens:
connections are opened, and slow servers probed, in the background.

A call whose connection was lost is sent once more while there is time. In the unlikely case that the server took it
before it left, the hits count twice: that errs on the strict side.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from ratelimit_service.stores import batch as batches
from ratelimit_service.stores.batch import Batch, Pending
from service_kit.breaker import Breaker
from service_kit.valkey.address import Address
from service_kit.valkey.connection import CONNECT_SECONDS, Connection, Reply, ServerError, connect
from service_kit.valkey.errors import StoreUnavailableError

MAX_WAITING = 10_000  # requests that wait for one server
MAX_SILENT = 3  # probes without an answer, until a connection is given up
GRACE_SECONDS = 0.001  # in which the loop takes in what has arrived: no delay at all would let no loop do so
STALL_SECONDS = 0.25  # without a reply, until a connection is given up


class Watcher(Protocol):
    """Hears what happens at a server: metrics, and whoever knows where else to send what it does not take."""

    def sent(self, requests: int) -> None:
        """Requests went out together."""

    def breaker(self, server: str, *, opened: bool) -> None:
        """The breaker opened or closed."""


class Node:
    """See the module. Lives on one event loop; nothing happens before the first request or check."""

    def __init__(  # noqa: PLR0913  (what it is, and whom it tells what; wired by `servers` and `cluster`)
        self,
        find: Callable[[], Awaitable[Address]],
        deadline: float,
        watcher: Watcher,
        *,
        primary: bool = False,
        moved: Callable[[Pending, ServerError], bool] | None = None,
        failed: Callable[[], None] | None = None,
    ) -> None:
        """`find` tells where the server is, each time that a connection is opened; `deadline` is in seconds.

        `moved` may take over a request that the server would not (it says so by True), `failed` hears of each failure.
        """
        self._find = find
        self._deadline = deadline
        self._watcher = watcher
        self._primary = primary
        self._moved = moved or (lambda _pending, _error: False)
        self._failed = failed or (lambda: None)
        self._breaker = Breaker()
        self._waiting: deque[Pending] = deque()
        self._batch: Batch | None = None
        self._connection: Connection | None = None
        self._name = "?"
        self._reason = StoreUnavailableError("the server has not been reached yet")
        self._script_is_there = True  # assumed: NOSCRIPT tells otherwise
        self._connecting: asyncio.Task[None] | None = None
        self._probing: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._looks_at = 0.0  # when the timer ends; uvloop's handles do not tell
        self._late_again = 0.0
        self._opened_as: str | None = None
        self._troubled = False
        self._flush_is_due = False
        self._closed = False

    def __str__(self) -> str:
        return self._name

    def submit(self, pending: Pending, *, first: bool = False) -> None:
        """Take a request; its future is answered by its deadline. `first` puts it before those that wait."""
        if self._breaker.open or self._closed:
            pending.fail(self._reason)
            return
        if len(self._waiting) >= MAX_WAITING:
            pending.fail(StoreUnavailableError(f"more than {MAX_WAITING} requests wait for the server"))
            return
        if first:
            self._waiting.appendleft(pending)
        else:
            self._waiting.append(pending)
        loop = asyncio.get_running_loop()
        if self._timer is None or self._looks_at > pending.deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._look_at(pending.deadline)
        if not self._flush_is_due and self._batch is None:
            self._flush_is_due = True
            loop.call_soon(self._flush)

    async def ask(self, *command: int | str) -> Reply:
        """Send a command of its own within a second; raises `StoreUnavailableError`."""
        if self._closed:
            raise self._reason
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                if self._connection is None:
                    await asyncio.shield(self._connect())
                if self._connection is None:
                    raise self._reason
                (reply,) = await self._connection.send([command])
        except TimeoutError:
            self.reconnect("timed out")
            raise StoreUnavailableError("timed out") from None
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is not None and not task.cancelling():
                raise self._reason from None  # it was the connecting that was cancelled, and not who asks
            raise
        if isinstance(reply, ServerError):
            raise StoreUnavailableError(str(reply))
        return reply

    @property
    def failing(self) -> bool:
        """Whether its last call failed, or it has no connection."""
        return self._troubled or self._breaker.open or self._connection is None

    def reconnect(self, reason: str) -> None:
        """Give up the connection; the next one is opened where `find` says then."""
        if self._connection is not None:
            self._connection.end(reason)

    async def close(self) -> None:
        """End the connection and all that goes on in the background; what waits hears so."""
        self._closed = True
        self._reason = StoreUnavailableError("the service is ending")
        if self._timer is not None:
            self._timer.cancel()
        tasks = [task for task in (self._connecting, self._probing) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._connection is not None:
            self._connection.end("the service is ending")
        self._fail_all(self._reason)
        self._tell_closed()

    # Out and back

    def _flush(self) -> None:
        self._flush_is_due = False
        if self._batch is not None or self._closed:
            return
        connection = self._connection
        if connection is None:
            if self._waiting:
                self._connect()
            return
        loop = asyncio.get_running_loop()
        batch = batches.take(self._waiting, loop.time())
        if not batch.groups:
            return
        self._batch = batch
        self._watcher.sent(sum(map(len, batch.groups)))
        sent = connection.send(batch.commands(with_script=not self._script_is_there))
        sent.add_done_callback(lambda future: self._landed(batch, future))

    def _landed(self, batch: Batch, future: asyncio.Future[list[Reply]]) -> None:
        if self._batch is batch:
            self._batch = None
        if future.cancelled() or future.exception() is not None:
            self._note_failure(self._reason)
            self._send_again(list(batch.requests()))
            self._flush()
            return
        self._script_is_there = True
        in_time = asyncio.get_running_loop().time() - batch.began <= self._deadline
        for group, reply in batch.replies(future.result()):
            if isinstance(reply, ServerError):
                self._refused(group, reply)
            elif not batches.answer(group, reply):
                self._fail(
                    group, StoreUnavailableError("the reply is not that of the script: is this Valkey or Redis?")
                )
            elif in_time:  # one that is always late is as good as away
                self._note_success()
        self._flush()

    def _refused(self, group: Sequence[Pending], error: ServerError) -> None:
        if error.code == "NOSCRIPT":  # A new or restarted server: EVAL runs the script and keeps it for the next call.
            self._script_is_there = False
            self._requeue(group)
        elif error.code in {"WRONGTYPE", "ERR"} and len(group) > 1:
            for pending in group:
                pending.alone = True
            self._requeue(group)
        elif error.code in {"MOVED", "ASK"}:
            for pending in [pending for pending in group if not self._moved(pending, error)]:
                pending.fail(StoreUnavailableError(str(error)))
        elif (
            error.code == "TRYAGAIN"
        ):  # A slot is on its way: only requests whose keys are all in one place can be had.
            for pending in group:
                if pending.alone:
                    pending.fail(StoreUnavailableError(str(error)))
            self._requeue([pending for pending in group if not pending.alone])
            for pending in group:
                pending.alone = True
        else:
            self._fail(group, StoreUnavailableError(str(error)))
            if "READONLY" in str(error):  # within another error where the script met it
                self.reconnect("this server has become a replica")  # `find` may know who has taken its place

    def _fail(self, group: Sequence[Pending], error: StoreUnavailableError) -> None:
        self._note_failure(error)
        for pending in group:
            pending.fail(error)

    def _requeue(self, group: Sequence[Pending]) -> None:
        self._waiting.extendleft(reversed(group))

    def _send_again(self, pendings: Sequence[Pending]) -> None:
        for pending in reversed(pendings):
            if pending.sent:
                pending.fail(self._reason)
            else:
                pending.sent = True
                self.submit(pending, first=True)

    # Time

    def _look(self) -> None:
        """Expire what is late, after what has come meanwhile: where this process was late itself, the reply is here."""
        self._looks_at = 0.0
        self._timer = asyncio.get_running_loop().call_later(GRACE_SECONDS, self._expire)

    def _expire(self) -> None:
        """Fail what has waited its time out, and look again when the next one has."""
        self._timer = None
        loop = asyncio.get_running_loop()
        now, late, following = loop.time(), False, None
        flying = self._batch.requests() if self._batch else ()
        for pending in (*flying, *self._waiting):
            if pending.answer.done():
                continue
            if pending.deadline > now:
                following = pending.deadline if following is None else min(following, pending.deadline)
                continue
            late = True
            pending.fail(StoreUnavailableError(f"no answer within {self._deadline * 1000:g} ms"))
        while self._waiting and self._waiting[0].answer.done():
            self._waiting.popleft()
        if late and now >= self._late_again:  # however many wait: time without an answer is what counts
            self._late_again = now + self._deadline
            self._note_failure(StoreUnavailableError(f"no answer within {self._deadline * 1000:g} ms"))
            self._give_up_a_stalled_connection(now)
        if following is not None:
            self._look_at(following)

    def _look_at(self, time: float) -> None:
        self._looks_at = time
        self._timer = asyncio.get_running_loop().call_at(time, self._look)

    def _give_up_a_stalled_connection(self, now: float) -> None:
        stalled = self._batch is not None and now - self._batch.began > max(STALL_SECONDS, 2 * self._deadline)
        if stalled and self._connection is not None:
            self._connection.end("timed out")

    def _note_failure(self, error: StoreUnavailableError) -> None:
        self._reason = error
        self._troubled = True
        self._failed()
        if self._breaker.failed() and not self._closed:
            self._opened_as = self._name
            self._watcher.breaker(self._name, opened=True)
            self._fail_all(error)
            self._probing = asyncio.get_running_loop().create_task(self._probe())

    def _note_success(self) -> None:
        self._troubled = False
        if self._breaker.succeeded():
            self._tell_closed()

    def _tell_closed(self) -> None:
        if self._opened_as is not None:  # by the name that it had then: a failover may have changed it
            self._watcher.breaker(self._opened_as, opened=False)
            self._opened_as = None

    def _fail_all(self, error: StoreUnavailableError) -> None:
        waiting, self._waiting = self._waiting, deque()
        for pending in waiting:
            pending.fail(error)

    async def _probe(self) -> None:
        """Ask until there is an answer in time; only then do calls go to this server again."""
        loop = asyncio.get_running_loop()
        silent = 0  # probes in a row
        while self._breaker.open:
            await asyncio.sleep(self._breaker.next_probe())
            self._give_up_a_stalled_connection(loop.time())
            try:
                if self._connection is None:
                    await asyncio.shield(self._connect())
                if self._connection is None:
                    continue
                async with asyncio.timeout(self._deadline):
                    (reply,) = await self._connection.send([("PING",)])
            except TimeoutError:
                silent += 1
                if silent % MAX_SILENT == 0:
                    self.reconnect("timed out")
                continue
            except StoreUnavailableError as error:
                self._reason = error
                continue
            silent = 0
            if isinstance(reply, ServerError):  # it is loading, or busy
                self._reason = StoreUnavailableError(str(reply))
            elif self._breaker.succeeded():
                self._tell_closed()

    # The connection

    def _connect(self) -> asyncio.Task[None]:
        if self._connecting is None or self._connecting.done():
            self._connecting = asyncio.get_running_loop().create_task(self._open())
        return self._connecting

    async def _open(self) -> None:
        try:
            address = await self._find()
            self._name = str(address)
            self._connection = await connect(address, self._lost, primary=self._primary)
        except Exception as error:  # noqa: BLE001  (whatever it is, no thread for a name among it: try again later)
            told = error if isinstance(error, StoreUnavailableError) else StoreUnavailableError(type(error).__name__)
            self._note_failure(told)
            self._fail_all(told)
            return
        self._flush()

    def _lost(self, connection: Connection, error: StoreUnavailableError) -> None:
        if self._connection is connection:
            self._connection = None
            self._reason = error
