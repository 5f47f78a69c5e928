"""gRPC over ASGI: each HTTP request becomes one call of a `rpc.Service`, and its answer goes out with trailers.

ASGI's HTTP messages and its extension `http.response.trailers` (https://asgi.readthedocs.io/en/latest/extensions.html).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from typing import Any

from service_kit.hosts.framing import ENCODINGS, Messages, frame, percent_encoded, seconds_of
from service_kit.listening import Limits
from service_kit.rpc import Method, RpcError, Service, Status

Scope = Mapping[str, Any]
Receive = Callable[[], "asyncio.Future[Mapping[str, Any]]"]
Send = Callable[[Mapping[str, Any]], Awaitable[None]]

_CONTENT_TYPE = (b"content-type", b"application/grpc")
_START = {"type": "http.response.start", "status": 200, "headers": [_CONTENT_TYPE], "trailers": True}
_OK = {"type": "http.response.trailers", "headers": [(b"grpc-status", b"0")]}
_END = {"type": "http.response.body", "body": b""}


class Calls:
    """An ASGI application that answers the calls of some services."""

    def __init__(self, services: Iterable[Service], limits: Limits) -> None:
        self._methods = {method.path: method for service in services for method in service.methods()}
        self._limits = limits
        self._running: set[asyncio.Task[Any]] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._ending = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever it is."""
        if len(self._running) >= self._limits.concurrent_calls:
            await _refuse(send, RpcError(Status.RESOURCE_EXHAUSTED, "too many calls at once"))
            return
        task = asyncio.current_task()
        assert task is not None  # noqa: S101  (ASGI servers run an application as a task)
        self._running.add(task)
        self._idle.clear()
        try:
            await self._call(scope, receive, send, task)
        finally:
            self._running.discard(task)
            if not self._running:
                self._idle.set()

    async def drained(self, seconds: float) -> None:
        """Wait until no call is in flight, for at most `seconds`; those that are then get UNAVAILABLE."""
        try:
            await asyncio.wait_for(self._idle.wait(), seconds)
        except TimeoutError:
            self._ending = True
            for task in self._running:
                task.cancel()
            await asyncio.wait(self._running, timeout=1.0)

    async def _call(self, scope: Scope, receive: Receive, send: Send, task: asyncio.Task[Any]) -> None:
        headers = dict(scope["headers"])
        if scope["method"] != "POST" or not headers.get(b"content-type", b"").startswith(b"application/grpc"):
            await _refuse_http(send, scope["method"])
            return
        method = self._methods.get(scope["path"])
        if method is None:
            await _refuse(send, RpcError(Status.UNIMPLEMENTED, "unknown method"))
            return
        call = _Call(receive, send, task)
        try:
            if (timeout := headers.get(b"grpc-timeout")) is not None:
                call.expire_in(seconds_of(timeout))
            messages = Messages(self._limits.receive_bytes, headers.get(b"grpc-encoding"))
            await self._answer(method, call, messages)
        except asyncio.CancelledError:
            if (reason := call.cancelled_by()) is None and not self._ending:
                raise
            task.uncancel()
            if reason is not Status.CANCELLED:  # then nobody is there any more
                await call.fail(
                    RpcError(reason or Status.UNAVAILABLE, "the deadline is over" if reason else "stopping")
                )
        except Exception as error:  # noqa: BLE001  (the boundary: every fault becomes a status)
            await call.fail(method.ended_by(error))
        finally:
            call.close()

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

    def __init__(self, receive: Receive, send: Send, task: asyncio.Task[Any]) -> None:
        self._receive = receive
        self._send = send
        self._task = task
        self._timer: asyncio.TimerHandle | None = None
        self._watch: asyncio.Future[Mapping[str, Any]] | None = None
        self._started = False
        self._ended = False
        self._expired = False
        self._gone = False

    def expire_in(self, seconds: float) -> None:
        """Cancel the call after its deadline."""
        self._timer = asyncio.get_running_loop().call_later(seconds, self._expire)

    def cancelled_by(self) -> Status | None:
        """Return what has cancelled the call: its caller, its deadline, or else somebody from outside."""
        if self._gone:
            return Status.CANCELLED
        return Status.DEADLINE_EXCEEDED if self._expired else None

    async def chunk(self) -> tuple[bytes, bool]:
        """Return the next bytes of the request, and whether more may come; from then on its caller is watched."""
        received = self._receive()
        # Shielded: a server may still answer a future that a deadline has cancelled, which is an error to it.
        event = await (received if received.done() else asyncio.shield(received))
        if event["type"] != "http.request":
            self._gone = True
            raise asyncio.CancelledError
        more = event.get("more_body", False)
        if not more:
            self._watch_caller()
        return event["body"], more

    async def finish_with(self, body: bytes) -> None:
        """Answer with one message."""
        self.close()
        await self._send(_START)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})
        await self._send(_OK)

    async def send_message(self, body: bytes) -> None:
        """Answer with one message of several."""
        if not self._started:
            self._started = True
            await self._send(_START)
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def finish(self) -> None:
        """End a stream of answers."""
        self.close()
        if not self._started:
            await self._send(_START)
        await self._send(_END)
        await self._send(_OK)

    async def fail(self, error: RpcError) -> None:
        """End with a status: in the trailers where messages went before, else in the headers alone."""
        self.close()
        if not self._started:
            await _refuse(self._send, error)
            return
        await self._send(_END)
        await self._send({"type": "http.response.trailers", "headers": _status(error)})

    def close(self) -> None:
        """Be cancelled by nobody any more: the answer goes out whole."""
        self._ended = True
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        if not self._ended:
            self._expired = True
            self._task.cancel()

    def _watch_caller(self) -> None:
        self._watch = self._receive()
        self._watch.add_done_callback(self._told)

    def _told(self, watch: asyncio.Future[Mapping[str, Any]]) -> None:
        if self._ended or watch.cancelled() or watch.exception() is not None:
            return
        if watch.result()["type"] == "http.request":  # pyvoy tells the end of a body a second time
            self._watch_caller()
            return
        self._gone = True
        self._task.cancel()


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
