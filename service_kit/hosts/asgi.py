"""gRPC over ASGI: each HTTP request becomes one call of a `rpc.Service`, and its answer goes out with trailers.

ASGI's HTTP messages and its extension `http.response.trailers` (https://asgi.readthedocs.io/en/latest/extensions.html).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from service_kit.hosts.framing import ENCODINGS, Messages, frame, percent_encoded, seconds_of
from service_kit.listening import Limits
from service_kit.rpc import Method, RpcError, Service, Status

Scope = Mapping[str, Any]
Receive = Callable[[], "asyncio.Future[Mapping[str, Any]]"]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

SWEEP_SECONDS = 0.01
STOP_SECONDS = 1.0  # for calls that are stopped to have their answer

_CONTENT_TYPE = (b"content-type", b"application/grpc")
_START = {"type": "http.response.start", "status": 200, "headers": [_CONTENT_TYPE], "trailers": True}
_OK = {"type": "http.response.trailers", "headers": [(b"grpc-status", b"0")]}
_END = {"type": "http.response.body", "body": b""}


class Calls:
    """An ASGI application that answers the calls of some services."""

    def __init__(self, services: Iterable[Service], limits: Limits) -> None:
        self._methods = {method.path: method for service in services for method in service.methods()}
        self._limits = limits
        self._running: set[_Call] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._sweeps = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever it is."""
        if len(self._running) >= self._limits.concurrent_calls:
            await _refuse(send, RpcError(Status.RESOURCE_EXHAUSTED, "too many calls at once"))
            return
        call = _Call(receive, send)
        self._running.add(call)
        if not self._sweeps:
            self._sweeps = True
            self._idle.clear()
            call.loop.call_later(SWEEP_SECONDS, self._sweep)
        try:
            await self._call(scope, call)
        finally:
            self._running.discard(call)

    async def drained(self, seconds: float) -> None:
        """Wait until no call is in flight, for at most `seconds`; those that are then get UNAVAILABLE."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            for call in list(self._running):
                call.stop(RpcError(Status.UNAVAILABLE, "stopping"))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._idle.wait(), STOP_SECONDS)

    def _sweep(self) -> None:
        """Look after all calls in flight at once: a timer and a look at the caller for each would cost as much as one.

        Deadlines are kept to within a sweep; nearly all calls have ended before the first.
        """
        if not self._running:
            self._sweeps = False
            self._idle.set()
            return
        loop = asyncio.get_running_loop()
        now = loop.time()
        for call in list(self._running):
            call.look(now)
        loop.call_later(SWEEP_SECONDS, self._sweep)

    async def _call(self, scope: Scope, call: _Call) -> None:
        headers = dict(scope["headers"])
        if scope["method"] != "POST" or not headers.get(b"content-type", b"").startswith(b"application/grpc"):
            await _refuse_http(call.send, scope["method"])
            return
        method = self._methods.get(scope["path"])
        if method is None:
            await _refuse(call.send, RpcError(Status.UNIMPLEMENTED, "unknown method"))
            return
        try:
            if (timeout := headers.get(b"grpc-timeout")) is not None:
                call.deadline = call.loop.time() + seconds_of(timeout)
            messages = Messages(self._limits.receive_bytes, headers.get(b"grpc-encoding"))
            await self._answer(method, call, messages)
        except asyncio.CancelledError:
            if not call.stopped:
                raise
            call.task.uncancel()
            await call.end_stopped()
        except Exception as error:  # noqa: BLE001  (the boundary: every fault becomes a status)
            await call.fail(method.ended_by(error))

    async def _answer(self, method: Method, call: _Call, messages: Messages) -> None:
        requests: Any
        if method.streams_requests:
            requests = _each(method, call, messages)
        else:
            requests = method.parse(await _only(call, messages))
        if not method.streams_responses:
            response = await method.handler(requests)
            await call.finish_with(self._framed(method.response.SerializeToString(response)))
            return
        async for response in method.handler(requests):
            await call.send_message(self._framed(method.response.SerializeToString(response)))
        await call.finish()

    def _framed(self, message: bytes) -> bytes:
        if len(message) > self._limits.send_bytes:
            raise RpcError(Status.RESOURCE_EXHAUSTED, f"the answer is larger than {self._limits.send_bytes} bytes")
        return frame(message)


class _Call:
    """One call's two directions, its deadline, and whether its caller is still there."""

    __slots__ = (
        "_ended", "_failing", "_reason", "_receive", "_receiving", "_seen", "_started", "_watch", "_whole", "deadline",
        "loop", "send", "stopped", "task",
    )  # fmt: skip

    def __init__(self, receive: Receive, send: Send) -> None:
        self.send = send
        self.loop = asyncio.get_running_loop()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (ASGI servers run an application as a task)
        self.task = task
        self.deadline: float | None = None  # on the loop's clock
        self.stopped = False
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
        event = await self._receive()
        self._receiving = False
        if event["type"] != "http.request":
            self.stopped = True
            raise asyncio.CancelledError
        more = event.get("more_body", False)
        self._whole = not more
        return event["body"], more

    async def finish_with(self, body: bytes) -> None:
        """Answer with one message."""
        self._ended = self._started = True
        await self.send(_START)
        await self.send({"type": "http.response.body", "body": body, "more_body": False})
        await self.send(_OK)

    async def send_message(self, body: bytes) -> None:
        """Answer with one message of several."""
        if not self._started:
            self._started = True
            await self.send(_START)
        await self.send({"type": "http.response.body", "body": body, "more_body": True})

    async def finish(self) -> None:
        """End a stream of answers."""
        self._ended = True
        if not self._started:
            await self.send(_START)
        await self.send(_END)
        await self.send(_OK)

    async def fail(self, error: RpcError) -> None:
        """End with a status: in the trailers where messages went before, else in the headers alone."""
        if self._ended:  # the answer is out, or on its way to a caller that is gone
            return
        self._ended = True
        if not self._started:
            await _refuse(self.send, error)
            return
        await self.send(_END)
        await self.send({"type": "http.response.trailers", "headers": _status(error)})

    def look(self, now: float) -> None:
        """Stop the call where its deadline is over; watch for its caller's going where it takes a while."""
        if self.deadline is not None and now >= self.deadline:
            self.stop(RpcError(Status.DEADLINE_EXCEEDED, "the deadline is over"))
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
        if self._reason is not None:
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


async def _only(call: _Call, messages: Messages) -> bytes:
    """Return the one message of a request."""
    body, more = await call.chunk()
    if not more and (message := messages.one(body)) is not None:
        return message
    found = list(messages.feed(body))
    while more:
        body, more = await call.chunk()
        found += messages.feed(body)
        if len(found) > 1:
            break
    messages.end()
    if len(found) != 1:
        raise RpcError(Status.INVALID_ARGUMENT, "the request is not one message")
    return found[0]


async def _each(method: Method, call: _Call, messages: Messages) -> AsyncIterator[Any]:
    """Yield the messages of a request as they come."""
    more = True
    while more:
        body, more = await call.chunk()
        for message in messages.feed(body):
            yield method.parse(message)
    messages.end()


def _status(error: RpcError) -> list[tuple[bytes, bytes]]:
    return [(b"grpc-status", b"%d" % error.status), (b"grpc-message", percent_encoded(error.text))]


async def _refuse(send: Send, error: RpcError) -> None:
    """Answer with headers alone (Trailers-Only)."""
    headers = [_CONTENT_TYPE, *_status(error)]
    if error.status is Status.UNIMPLEMENTED:
        headers.append((b"grpc-accept-encoding", ENCODINGS))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({**_END, "more_body": False})


async def _refuse_http(send: Send, method: str) -> None:
    """Answer what is no gRPC at all, as the wire format asks: 415 for the content type."""
    status, headers = (415, []) if method == "POST" else (405, [(b"allow", b"POST")])
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({**_END, "more_body": False})
