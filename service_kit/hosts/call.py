"""One gRPC call as ASGI carries it: its two directions, its end, and what it may cost while it is not whole."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from service_kit.hosts.framing import ENCODINGS, percent_encoded
from service_kit.rpc import RpcError, Status

Receive = Callable[[], "asyncio.Future[Mapping[str, Any]]"]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_CONTENT_TYPE = (b"content-type", b"application/grpc")
_START = {"type": "http.response.start", "status": 200, "headers": [_CONTENT_TYPE], "trailers": True}
_OK = {"type": "http.response.trailers", "headers": [(b"grpc-status", b"0")]}
_END = {"type": "http.response.body", "body": b""}


class CallerGoneError(Exception):
    """An answer cannot be sent: whom it is for has gone."""


class Unfinished:
    """The bytes that wait for the rest of their message, in all calls together."""

    __slots__ = ("bytes", "most")

    def __init__(self, most: int) -> None:
        self.bytes = 0
        self.most = most


class Call:
    """One call's two directions, its deadline, and whether its caller is still there."""

    __slots__ = (
        "_ended", "_failing", "_reason", "_receive", "_receiving", "_seen", "_started", "_unfinished", "_watch",
        "_whole", "deadline", "held", "is_one_message", "loop", "send", "stopped", "task", "waits",
    )  # fmt: skip

    def __init__(self, receive: Receive, send: Send, unfinished: Unfinished) -> None:
        self.send = send
        self.loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (ASGI servers run an application as a task)
        self.task = task
        self.deadline: float | None = None  # on the loop's clock
        self.stopped = False
        self.held = 0  # bytes of a message that is not whole
        self.is_one_message = False  # its request, and not a stream of them
        self._unfinished = unfinished
        self.waits: float | None = None  # since when it was seen to wait for the rest of a message
        self._receive = receive
        self._receiving = False
        self._whole = False  # the request has come to its end
        self._seen = False  # by a sweep
        self._watch: asyncio.Future[Mapping[str, Any]] | None = None
        self._failing: asyncio.Task[None] | None = None
        self._started = False
        self._ended = False
        self._reason: RpcError | None = None

    async def chunk(self) -> tuple[bytes, bool]:
        """Return the next bytes of the request, and whether more may come."""
        self._receiving = True
        # A stream's handler may give up waiting, and the server would complain of a future that is cancelled then.
        event = await (self._receive() if self.is_one_message else asyncio.shield(self._receive()))
        self._receiving = False
        if self.stopped or event["type"] != "http.request":
            # Its caller has gone, or has had an answer while this was on its way: nothing is to run for it now.
            self.stopped = True
            if asyncio.current_task() is not self.task:  # a handler may read in a task of its own
                self.task.cancel()
            raise asyncio.CancelledError
        more = event.get("more_body", False)
        self._whole = not more
        return event["body"], more

    def hold(self, size: int) -> None:
        """Say how many bytes wait for the rest of their message; raises `RpcError` where all calls hold too many."""
        self._unfinished.bytes += size - self.held
        self.held = size
        if self._unfinished.bytes > self._unfinished.most:
            raise RpcError(Status.RESOURCE_EXHAUSTED, "too many messages that are not whole")

    def release(self) -> None:
        """Give back what is held."""
        self._unfinished.bytes -= self.held
        self.held = 0

    async def finish_with(self, body: bytes) -> None:
        """Answer with one message."""
        if self._ended:  # by a stop, which the handler has overheard
            return
        self._ended = self._started = True
        try:
            await self.send(_START)
            await self.send({"type": "http.response.body", "body": body, "more_body": False})
            await self.send(_OK)
        except OSError as error:
            raise CallerGoneError from error

    async def send_message(self, body: bytes) -> None:
        """Answer with one message of several."""
        if self._ended:
            return
        try:
            if not self._started:
                self._started = True
                await self.send(_START)
            await self.send({"type": "http.response.body", "body": body, "more_body": True})
        except OSError as error:
            raise CallerGoneError from error

    async def finish(self) -> None:
        """End a stream of answers."""
        if self._ended:
            return
        self._ended = True
        try:
            if not self._started:
                await self.send(_START)
            await self.send(_END)
            await self.send(_OK)
        except OSError as error:
            raise CallerGoneError from error

    async def fail(self, error: RpcError) -> None:
        """End with a status: in the trailers where messages went before, else in the headers alone."""
        if self._ended:  # the answer is out, or on its way to a caller that is gone
            return
        self._ended = True
        with suppress(OSError):  # the caller has gone
            if not self._started:
                await refuse(self.send, error)
                return
            await self.send(_END)
            await self.send({"type": "http.response.trailers", "headers": _status(error)})

    def look(self, now: float, request_seconds: float) -> None:
        """Stop the call where its time is over; watch for its caller's going where it takes a while."""
        if self.deadline is not None and now >= self.deadline:
            self.stop(RpcError(Status.DEADLINE_EXCEEDED, "the deadline is over"))
        elif self._receiving and (self.is_one_message or self.held):
            if self.waits is None:
                self.waits = now
            elif now - self.waits >= request_seconds:
                self.stop(RpcError(Status.DEADLINE_EXCEEDED, f"no whole message within {request_seconds:g} s"))
        elif self._whole and self._seen and self._watch is None:
            self._watch_caller()
        self._seen = True

    def stop(self, reason: RpcError | None) -> None:
        """End the call from outside, with a status where there is still a caller."""
        if self._ended or self.stopped:
            return
        self.stopped = True
        self._reason = reason
        if self._receiving and reason is not None:
            # Not cancelled: the server will answer the future that is waited for, once the answer is out.
            self._failing = self.loop.create_task(self.end_stopped())
        else:
            self.task.cancel()

    async def end_stopped(self) -> None:
        """Answer a call that was stopped, if anybody is there."""
        if self._failing is not None and self._failing is not asyncio.current_task():
            await self._failing
        elif self._reason is not None:
            await self.fail(self._reason)

    def _watch_caller(self) -> None:
        self._watch = self._receive()
        self._watch.add_done_callback(self._told)

    def _told(self, watch: asyncio.Future[Mapping[str, Any]]) -> None:
        if self._ended or watch.cancelled() or watch.exception() is not None:
            return
        if watch.result()["type"] == "http.request":  # pyvoy tells the end of a body a second time
            self._watch_caller()
            return
        self.stop(None)


def _status(error: RpcError) -> list[tuple[bytes, bytes]]:
    return [(b"grpc-status", b"%d" % error.status), (b"grpc-message", percent_encoded(error.text))]


async def refuse(send: Send, error: RpcError) -> None:
    """Answer with headers alone (Trailers-Only)."""
    headers = [_CONTENT_TYPE, *_status(error)]
    if error.status is Status.UNIMPLEMENTED:
        headers.append((b"grpc-accept-encoding", ENCODINGS))
    with suppress(OSError):  # the caller has gone
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({**_END, "more_body": False})


async def refuse_http(send: Send, method: str) -> None:
    """Answer what is no gRPC at all, as the wire format asks: 415 for the content type."""
    status, headers = (415, []) if method == "POST" else (405, [(b"allow", b"POST")])
    with suppress(OSError):
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({**_END, "more_body": False})
