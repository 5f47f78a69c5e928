"""The adapter from gRPC to ASGI at moments that no socket brings about for sure: the ends of a call that cross."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any

import pytest

from service_kit.hosts.asgi import Calls
from service_kit.hosts.framing import frame
from service_kit.listening import Limits
from service_kit.rpc import Service, Status
from service_kit.wire import ext_proc_pb2, health_pb2

CHECK, WATCH = "/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch"
WHOLE = {"type": "http.request", "body": frame(b""), "more_body": False}
GONE = {"type": "http.disconnect"}
SECONDS = 20.0  # a test fails after that


class Server:
    """An ASGI server for one call: a test says what comes, and sees what goes."""

    def __init__(self, handler: Any, path: str = CHECK, **limits: Any) -> None:
        self.coming: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        self.sent: list[Mapping[str, Any]] = []
        self.answered = asyncio.Event()
        self.breaks: Exception | None = None  # what sending raises
        self._path = path
        health = health_pb2.DESCRIPTOR.services_by_name["Health"]
        processor = ext_proc_pb2.DESCRIPTOR.services_by_name["ExternalProcessor"]
        services = [Service(each, {method.name: handler for method in each.methods}) for each in (health, processor)]
        self.calls = Calls(services, Limits(**limits))

    @property
    def statuses(self) -> list[int]:
        """Every status that was told."""
        headers = [header for message in self.sent for header in message.get("headers", [])]
        return [int(value) for name, value in headers if name == b"grpc-status"]

    def serve(self, *headers: tuple[bytes, bytes]) -> asyncio.Task[None]:
        """Begin a call."""
        typed = (b"content-type", b"application/grpc")
        scope = {"type": "http", "method": "POST", "path": self._path, "headers": [typed, *headers]}

        def receive() -> asyncio.Future[Mapping[str, Any]]:
            return asyncio.ensure_future(self.coming.get())

        async def send(message: Mapping[str, Any]) -> None:
            if self.breaks is not None:
                raise self.breaks
            self.sent.append(message)
            self.answered.set()

        async def run() -> None:
            await self.calls(scope, receive, send)

        return asyncio.create_task(run())


def test_a_message_that_crosses_the_answer_to_a_deadline_runs_nothing() -> None:
    """The caller has been told that its call is over: what it does then nobody could stop."""
    ran = []

    async def check(request: object) -> Any:
        ran.append(request)

    async def scene() -> None:
        server = Server(check)
        call = server.serve((b"grpc-timeout", b"20m"))
        await asyncio.wait_for(server.answered.wait(), SECONDS)
        server.coming.put_nowait(WHOLE)
        await asyncio.wait_for(call, SECONDS)
        assert (ran, server.statuses) == ([], [Status.DEADLINE_EXCEEDED])

    asyncio.run(scene())


def test_a_handler_that_overhears_its_stop_answers_nothing_more() -> None:
    """Its caller has one end of the call already."""

    async def process(requests: AsyncIterator[Any]) -> AsyncIterator[Any]:
        with suppress(asyncio.CancelledError):
            async for _ in requests:
                pass
        yield ext_proc_pb2.ProcessingResponse()

    async def scene() -> None:
        server = Server(process, "/envoy.service.ext_proc.v3.ExternalProcessor/Process")
        call = server.serve((b"grpc-timeout", b"20m"))
        await asyncio.wait_for(server.answered.wait(), SECONDS)
        server.coming.put_nowait({**WHOLE, "more_body": True})
        await asyncio.wait_for(call, SECONDS)
        assert server.statuses == [Status.DEADLINE_EXCEEDED]
        assert [message["type"] for message in server.sent] == ["http.response.start", "http.response.body"]

    asyncio.run(scene())


def test_a_call_that_is_stopped_while_it_waits_for_its_message_ends_with_its_caller() -> None:
    async def check(request: object) -> Any:
        raise AssertionError(request)

    async def scene() -> None:
        server = Server(check)
        call = server.serve((b"grpc-timeout", b"20m"))
        await asyncio.wait_for(server.answered.wait(), SECONDS)
        server.coming.put_nowait(GONE)
        await asyncio.wait_for(call, SECONDS)
        await server.calls.drained(SECONDS)
        assert server.statuses == [Status.DEADLINE_EXCEEDED]

    asyncio.run(scene())


@pytest.mark.parametrize("error", [asyncio.CancelledError(), SystemExit(1), KeyboardInterrupt(), BaseException()])
def test_no_error_of_a_handler_leaves_the_application(error: BaseException) -> None:
    """Its server would take that for an end that is well."""

    async def check(request: object) -> Any:
        del request
        raise error

    async def scene() -> None:
        server = Server(check)
        server.coming.put_nowait(WHOLE)
        await asyncio.wait_for(server.serve(), SECONDS)
        assert server.statuses == [Status.INTERNAL]

    asyncio.run(scene())


def test_a_call_that_its_server_cancels_is_told_so() -> None:
    started = asyncio.Event()

    async def check(request: object) -> Any:
        del request
        started.set()
        await asyncio.sleep(SECONDS)

    async def scene() -> None:
        server = Server(check)
        server.coming.put_nowait(WHOLE)
        call = server.serve()
        await asyncio.wait_for(started.wait(), SECONDS)
        call.cancel()
        await asyncio.wait_for(call, SECONDS)
        assert server.statuses == [Status.CANCELLED]

    asyncio.run(scene())


@pytest.mark.parametrize("path", [CHECK, WATCH])
def test_a_caller_that_is_gone_when_its_answer_goes_out_is_no_fault(
    path: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def check(request: object) -> Any:
        del request
        return health_pb2.HealthCheckResponse()

    async def watch(request: object) -> AsyncIterator[Any]:
        yield await check(request)

    async def scene() -> None:
        server = Server(check if path == CHECK else watch, path)
        server.breaks = OSError("gone")
        server.coming.put_nowait(WHOLE)
        await asyncio.wait_for(server.serve(), SECONDS)
        assert server.sent == []

    asyncio.run(scene())
    assert caplog.records == []


def test_what_a_call_holds_is_given_back_at_its_end() -> None:
    """Else the bound would close on everybody."""

    async def check(request: object) -> Any:
        del request
        return health_pb2.HealthCheckResponse()

    async def scene() -> None:
        server = Server(check, unfinished_bytes=100)
        part = {"type": "http.request", "body": b"\0\0\0\0\x50" + b"x" * 55, "more_body": True}
        for _ in range(5):
            server.coming.put_nowait(part)
            server.coming.put_nowait(GONE)
            await asyncio.wait_for(server.serve(), SECONDS)
        assert server.statuses == []

    asyncio.run(scene())
