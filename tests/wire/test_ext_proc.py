"""Streams of bodies on both hosts: answered as they come, or ended with a status; never ended cleanly too early."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from service_kit.health import SERVING
from service_kit.wire import envoy_core_pb2, ext_proc_mode_pb2, ext_proc_pb2
from tests.authz_service.exchange.fixed_bodies import FORBIDDEN, HARMLESS, SECRET
from tests.wire.hosting import PATIENCE, SERVERS, Client, Hosted, connected, hosted, refused, run, until

MODES = ext_proc_mode_pb2.ProcessingMode
IDLE_SECONDS = 3.0  # ten times what a heartbeat takes on a slow machine
Request = ext_proc_pb2.ProcessingRequest


@pytest.fixture(scope="module", params=SERVERS)
def process(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    folder = tmp_path_factory.mktemp("p")
    with hosted(folder, request.param, module="tests.wire.processor") as started:
        yield started


def _headers(request_mode: Any, response_mode: Any = MODES.NONE) -> Any:
    message = Request(request_headers=ext_proc_pb2.HttpHeaders(end_of_stream=False))
    field = envoy_core_pb2.HeaderValue(key="x-request-id", raw_value=b"r-1")
    message.request_headers.headers.headers.append(field)
    message.protocol_config.request_body_mode = request_mode
    message.protocol_config.response_body_mode = response_mode
    message.protocol_config.SetInParent()
    return message


def _body(data: bytes, *, end: bool = False) -> Any:
    return Request(request_body=ext_proc_pb2.HttpBody(body=data, end_of_stream=end))


def _streamed(answer: Any) -> Any:
    return answer.request_body.response.body_mutation.streamed_response


def test_parts_are_answered_while_the_stream_is_open(process: Hosted) -> None:
    async def scene(client: Client) -> None:
        call = client.process()
        await call.write(_headers(MODES.FULL_DUPLEX_STREAMED))
        assert (await call.read()).WhichOneof("response") == "request_headers"
        await call.write(_body(b"a " + SECRET + b" b"))
        assert _streamed(await call.read()).body == b"a " + HARMLESS + b" b"
        await call.write(_body(SECRET[:5]))
        await call.write(_body(SECRET[5:], end=True))
        last = _streamed(await call.read())
        assert (last.body, last.end_of_stream) == (HARMLESS, True)
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK

    run(scene, process.grpc)


def test_a_large_body_that_comes_whole_is_answered_whole(process: Hosted) -> None:
    async def scene(client: Client) -> None:
        call = client.process()
        await call.write(_headers(MODES.BUFFERED))
        await call.read()
        await call.write(_body(b"x" * 1_000_000 + SECRET, end=True))
        assert (await call.read()).request_body.response.body_mutation.body == b"x" * 1_000_000 + HARMLESS

    run(scene, process.grpc)


def test_a_blocked_body_is_answered_and_the_stream_is_left_to_the_caller_to_end(process: Hosted) -> None:
    async def scene(client: Client) -> None:
        call = client.process()
        await call.write(_headers(MODES.BUFFERED))
        await call.read()
        await call.write(_body(FORBIDDEN, end=True))
        assert (await call.read()).immediate_response.status.code == 403
        await asyncio.sleep(0.1)
        assert not call.done()
        await call.done_writing()
        assert await call.code() is grpc.StatusCode.OK

    run(scene, process.grpc)


@pytest.mark.parametrize(
    "messages",
    [
        [_body(b"x")],
        [Request()],
        [_headers(MODES.BUFFERED_PARTIAL)],
        [_headers(MODES.STREAMED), _headers(MODES.STREAMED)],
    ],
    ids=["no headers", "nothing", "partial", "twice"],
)
def test_what_cannot_be_taken_ends_with_a_status(process: Hosted, messages: list[Any]) -> None:
    async def scene(client: Client) -> None:
        call = client.process()
        for message in messages:
            await call.write(message)

        async def read() -> None:
            while await call.read() is not grpc.aio.EOF:
                pass
            raise AssertionError(await call.code())

        assert (await refused(read()))[0] == "INVALID_ARGUMENT"

    run(scene, process.grpc)


def test_an_end_within_a_body_is_not_answered_with_ok(process: Hosted) -> None:
    async def scene(client: Client) -> None:
        call = client.process()
        await call.write(_headers(MODES.STREAMED))
        await call.read()
        await call.done_writing()
        assert await call.code() is grpc.StatusCode.CANCELLED

    run(scene, process.grpc)


def test_a_caller_that_goes_away_leaves_what_was_found(process: Hosted) -> None:
    before = process.log().count("cut_off")

    async def scene(client: Client) -> None:
        call = client.process()
        await call.write(_headers(MODES.FULL_DUPLEX_STREAMED))
        await call.read()
        await call.write(_body(SECRET + b" "))
        await call.read()
        call.cancel()

    run(scene, process.grpc)
    until(lambda: process.log().count("cut_off") > before)
    assert SECRET.decode() not in process.log()


@pytest.mark.parametrize("server", SERVERS)
def test_exchanges_at_their_bound_take_no_place_of_check_and_health(server: str, tmp_path: Path) -> None:
    """Live streams may last for hours. One that ends gives its place to the next."""

    async def scene(client: Client) -> None:
        calls = []
        for _ in range(3):
            calls.append(client.process())
            await calls[-1].write(_headers(MODES.STREAMED))
            await calls[-1].read()
        for _ in range(2):
            further = client.process()
            answer = await refused(further.read())
            assert answer == ("RESOURCE_EXHAUSTED", "too many exchanges at once")
        async with asyncio.timeout(PATIENCE):
            assert await client.check("/reports") == "denied /reports"
            assert await client.health("") == SERVING
        await calls[0].write(_body(b"x", end=True))
        await calls[0].read()
        await calls[0].done_writing()
        assert await calls[0].code() is grpc.StatusCode.OK
        again = client.process()
        await again.write(_headers(MODES.STREAMED))
        assert (await again.read()).WhichOneof("response") == "request_headers"
        for call in (*calls[1:], again):
            call.cancel()

    with hosted(
        tmp_path, server, module="tests.wire.processor", problem='{"exchanges": 3}', concurrent_calls=2
    ) as running:
        run(scene, running.grpc)


@pytest.mark.parametrize("server", SERVERS)
def test_checks_at_their_bound_take_no_place_of_exchanges(server: str, tmp_path: Path) -> None:
    async def scene(client: Client) -> None:
        waiting = asyncio.ensure_future(client.check("/wait"))
        async with connected(running.grpc) as other:
            while not await _is_full(other):
                if waiting.done():  # it came while the other call was there
                    waiting = asyncio.ensure_future(client.check("/wait"))
                await asyncio.sleep(0.01)
            call = other.process()
            await call.write(_headers(MODES.STREAMED))
            assert (await call.read()).WhichOneof("response") == "request_headers"
            call.cancel()
        waiting.cancel()

    with hosted(
        tmp_path, server, module="tests.wire.processor", problem='{"exchanges": 3}', concurrent_calls=1
    ) as running:
        run(scene, running.grpc)


@pytest.mark.parametrize("server", SERVERS)
def test_an_exchange_of_which_nothing_comes_ends_and_one_with_heartbeats_stays(server: str, tmp_path: Path) -> None:
    """The end is a status, and leaves what was found; the process has nothing to complain of."""

    async def scene(client: Client) -> None:
        calls = [client.process() for _ in range(3)]
        for call in calls[:2]:
            await call.write(_headers(MODES.FULL_DUPLEX_STREAMED))
            await call.read()
            await call.write(_body(SECRET + b" "))
            await call.read()

        enough = asyncio.Event()

        async def beating() -> None:
            while not enough.is_set():
                await calls[0].write(_body(b": "))
                assert _streamed(await calls[0].read()).body == b": "
                await asyncio.sleep(0.1)

        beats = asyncio.ensure_future(beating())
        for call in calls[1:]:  # one after its first part, and one that never began
            status, text = await refused(call.read())
            assert (status, text) == ("DEADLINE_EXCEEDED", "nothing of the exchange came for too long")
        await asyncio.sleep(2 * IDLE_SECONDS)
        assert not beats.done()
        enough.set()
        await beats  # taken back amid a write, it would leave that write going on beside the next one
        await calls[0].write(_body(b"end", end=True))
        calls[0].cancel()

    pace = f'{{"idle_seconds": {IDLE_SECONDS}}}'
    with hosted(tmp_path, server, module="tests.wire.processor", problem=pace) as running:
        run(scene, running.grpc)
        until(lambda: '"code":"idle"' in running.log().replace(" ", ""))
        assert running.end() == 0
        assert "Traceback" not in running.log()
        assert "Error" not in running.log()
        assert SECRET.decode() not in running.log()


async def _is_full(client: Client) -> bool:
    try:
        await client.check("/more")
    except grpc.aio.AioRpcError as error:
        return error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    return False
