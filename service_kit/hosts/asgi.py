"""gRPC over ASGI: each HTTP request becomes one call of a `rpc.Service`, and its answer goes out with trailers.

ASGI's HTTP messages and its extension `http.response.trailers` (https://asgi.readthedocs.io/en/latest/extensions.html).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from typing import Any

from service_kit.hosts.admission import Admission
from service_kit.hosts.call import Call, CallerGoneError, Receive, Send, Unfinished, refuse, refuse_http
from service_kit.hosts.framing import Messages, frame, seconds_of
from service_kit.listening import Limits
from service_kit.rpc import Method, RpcError, Service, Status

Scope = Mapping[str, Any]

SWEEP_SECONDS = 0.01
STOP_SECONDS = 1.0  # for calls that are stopped to have their answer


class Calls:
    """An ASGI application that answers the calls of some services."""

    def __init__(self, services: Iterable[Service], limits: Limits) -> None:
        services = list(services)
        self._methods = {method.path: method for service in services for method in service.methods()}
        self._admission = Admission(services, limits.concurrent_calls)
        self._limits = limits
        self._running: set[Call] = set()
        self._unfinished = Unfinished(limits.unfinished_bytes)
        self._idle = asyncio.Event()
        self._idle.set()
        self._sweeps = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, whatever it is."""
        path = scope["path"]
        if not self._admission.enter(path):
            await refuse(send, RpcError(Status.RESOURCE_EXHAUSTED, "too many calls at once"))
            return
        call = Call(receive, send, self._unfinished)
        self._running.add(call)
        if not self._sweeps:
            self._sweeps = True
            self._idle.clear()
            call.loop.call_later(SWEEP_SECONDS, self._sweep)
        try:
            await self._call(scope, call)
        finally:
            self._running.discard(call)
            self._admission.leave(path)
            if call.held:
                call.release()

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
        loop.call_later(SWEEP_SECONDS, self._sweep)  # first: whatever a look may raise, there is a next one
        now = loop.time()
        for call in list(self._running):
            call.look(now, self._limits.request_seconds)

    async def _call(self, scope: Scope, call: Call) -> None:
        headers = dict(scope["headers"])
        if scope["method"] != "POST" or not headers.get(b"content-type", b"").startswith(b"application/grpc"):
            await refuse_http(call.send, scope["method"])
            return
        method = self._methods.get(scope["path"])
        if method is None:
            await refuse(call.send, RpcError(Status.UNIMPLEMENTED, "unknown method"))
            return
        try:
            if (timeout := headers.get(b"grpc-timeout")) is not None:
                call.deadline = call.loop.time() + seconds_of(timeout)
            messages = Messages(self._limits.receive_bytes, headers.get(b"grpc-encoding"))
            await self._answer(method, call, messages)
        except CallerGoneError:
            return
        except GeneratorExit:  # nobody awaits this any more, and nothing can be sent
            raise
        except asyncio.CancelledError as error:
            await self._cancelled(method, call, error)
        except BaseException as error:  # noqa: BLE001  (the boundary: every fault becomes a status, SystemExit too)
            # Were it to leave, pyvoy would answer OK for a call that never ran, and its loop might be at an end.
            await call.fail(method.ended_by(error))

    async def _cancelled(self, method: Method, call: Call, error: asyncio.CancelledError) -> None:
        """Answer a call that was cut short: by us, by the server, or by something that its handler waited for."""
        if call.stopped:
            call.task.uncancel()
            await call.end_stopped()
        elif call.task.cancelling():
            call.task.uncancel()
            await call.fail(RpcError(Status.CANCELLED, "cancelled"))
        else:
            await call.fail(method.ended_by(error))

    async def _answer(self, method: Method, call: Call, messages: Messages) -> None:
        requests: Any
        if method.streams_requests:
            requests = _each(method, call, messages)
        else:
            call.is_one_message = True
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


async def _only(call: Call, messages: Messages) -> bytes:
    """Return the one message of a request."""
    body, more = await call.chunk()
    if not more and (message := messages.one(body)) is not None:
        return message
    found = list(messages.feed(body))
    while more and len(found) <= 1:
        call.hold(messages.held)
        body, more = await call.chunk()
        found += messages.feed(body)
    messages.end()
    if len(found) != 1:
        raise RpcError(Status.INVALID_ARGUMENT, "the request is not one message")
    return found[0]


async def _each(method: Method, call: Call, messages: Messages) -> AsyncIterator[Any]:
    """Yield the messages of a request as they come."""
    more = True
    while more:
        body, more = await call.chunk()
        for message in messages.feed(body):
            call.waits = None
            yield method.parse(message)
        if messages.held or call.held:
            call.hold(messages.held)
    messages.end()
