"""Lines sent to a service as OPA sends them, again while it is away, and never more than the buffer holds."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from authz_service.decision_log import service
from authz_service.decision_log.service import BATCH_BYTES, ServiceSink
from authz_service.decision_log.shaping import Fate
from tests.authz_service.policy.opa_servers import Told, response

PATIENCE = 30.0


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "SEND_SECONDS", 0.01)
    monkeypatch.setattr(service, "RETRY_SECONDS", (0.01, 0.05))


def line(number: int, size: int = 10) -> bytes:
    return json.dumps({"n": number, "x": "x" * size}).encode()


def numbers(server: Told) -> list[list[int]]:
    """The events of each request."""
    return [[event["n"] for event in json.loads(gzip.decompress(body))] for _, body in server.requests]


class Sending:
    """A sink that sends to a server of the test."""

    def __init__(self, server: Told, **named: Any) -> None:
        self.fates: Counter[str] = Counter()
        self.changed = asyncio.Event()
        self.sink = ServiceSink(server.url + "/", named.pop("token", None), self._count, lambda: 0.5, **named)

    def _count(self, fate: str, lines: int) -> None:
        self.fates[fate] += lines
        self.changed.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Send until something is so."""
        task = asyncio.ensure_future(self.sink.run())
        try:
            async with asyncio.timeout(PATIENCE):
                while not true():
                    self.changed.clear()
                    await self.changed.wait()
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def test_events_are_posted_as_compressed_arrays(tmp_path: Path) -> None:
    """To the path, with the headers and the token that OPA's services know."""
    (tmp_path / "token").write_text("t0ken\n")

    async def run() -> None:
        async with Told(lambda _: response(b"")).running() as server:
            sending = Sending(server, token=tmp_path / "token")
            assert sending.sink.write([line(1), line(2)]) is None
            await sending.until(lambda: sending.fates["written"] == 2)
            assert numbers(server) == [[1, 2]]
            head = server.requests[0][0]
            assert head.startswith("POST /logs HTTP/1.1\r\n")
            for header in ("Content-Type: application/json", "Content-Encoding: gzip", "Authorization: Bearer t0ken"):
                assert f"\r\n{header}\r\n" in head

    asyncio.run(run())


def test_many_events_go_in_batches_of_bounded_size() -> None:
    async def run() -> None:
        async with Told(lambda _: response(b"")).running() as server:
            sending = Sending(server)
            sending.sink.write([line(number, 1_000) for number in range(1_000)])
            sending.sink.write([line(1_000, 2 * BATCH_BYTES)])
            await sending.until(lambda: sending.fates["written"] == 1_001)
            batches = numbers(server)
            assert [number for batch in batches for number in batch] == list(range(1_001))
            assert batches[-1] == [1_000]  # alone, since it is larger than a batch
            assert all(len(gzip.decompress(body)) <= BATCH_BYTES + 2_000 for _, body in server.requests[:-1])

    asyncio.run(run())


@pytest.mark.parametrize("status", ["500 No", "503 Busy", "429 Slow", "401 Who", "404 Where", "302 There"])
def test_a_batch_that_is_not_taken_is_sent_again_and_what_comes_meanwhile_waits(status: str) -> None:
    answers = [status] * 3 + ["200 OK"] * 9

    async def run() -> None:
        async with Told(lambda _: response(b"", answers.pop(0))).running() as server:
            sending = Sending(server)
            sending.sink.write([line(1)])
            await sending.until(lambda: sending.fates["written"] == 1)
            assert numbers(server) == [[1]] * 4
            assert sending.fates == {"written": 1}

    asyncio.run(run())


@pytest.mark.parametrize("status", ["400 Bad", "413 Large", "422 What"])
def test_a_batch_that_can_never_be_taken_is_given_up(status: str) -> None:
    """Or it would hold up all that come after it."""
    answers = [status, "200 OK"]

    async def run() -> None:
        async with Told(lambda _: response(b"", answers.pop(0))).running() as server:
            sending = Sending(server)
            sending.sink.write([line(1)])
            await sending.until(lambda: sending.fates["failed"] == 1)
            sending.sink.write([line(2)])
            await sending.until(lambda: sending.fates["written"] == 1)
            assert numbers(server) == [[1], [2]]

    asyncio.run(run())


def test_a_buffer_that_is_full_takes_no_more_and_loses_nothing() -> None:
    async def run() -> None:
        async with Told(lambda _: response(b"")).running() as server:
            sending = Sending(server, buffer_bytes=3 * len(line(1)))
            assert sending.sink.write([line(1), line(2)]) is None
            assert sending.sink.write([line(3), line(4)]) is Fate.FULL
            assert sending.sink.write([line(5)]) is None
            await sending.until(lambda: sending.fates["written"] == 3)
            assert numbers(server) == [[1, 2, 5]]
            assert sending.sink.write([line(6), line(7), line(8)]) is None

    asyncio.run(run())


def test_pauses_grow_up_to_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "RETRY_SECONDS", (1.0, 60.0))
    sink = ServiceSink("http://127.0.0.1:1", None, lambda _, __: None, lambda: 0.5)
    pauses = []
    for failures in range(1, 2_000):
        sink._failures = failures
        pauses.append(sink._pause())
    assert pauses[:8] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert pauses[-1] == 60


def test_what_waits_at_the_end_is_sent_once_more() -> None:
    async def run() -> None:
        async with Told(lambda _: response(b"")).running() as server:
            sending = Sending(server)
            sending.sink.write([line(1)])
            await sending.sink.finish()
            assert numbers(server) == [[1]]
            assert sending.fates == {"written": 1}

    asyncio.run(run())


@pytest.mark.parametrize("answer", [None, response(b"", "503 Busy")])
def test_what_is_left_at_the_end_is_lost_and_counted(answer: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """In bounded time, whatever the service does."""
    monkeypatch.setattr(service, "FINISH_SECONDS", 0.2)

    async def run() -> None:
        async with Told(lambda _: answer).running() as server:
            sending = Sending(server)
            sending.sink.write([line(1), line(2)])
            await sending.sink.finish()
            assert sending.fates == {"failed": 2}

    asyncio.run(run())


def test_a_token_that_cannot_be_read_is_a_failure_like_another(tmp_path: Path) -> None:
    async def run() -> None:
        async with Told(lambda _: response(b"")).running() as server:
            sending = Sending(server, token=tmp_path / "token")
            sending.sink.write([line(1)])
            await sending.sink.finish()
            assert (sending.fates, server.requests) == ({"failed": 1}, [])

    asyncio.run(run())
