"""The measurement of Check beside bodies: what it sends is what Envoy sends, and what fails is not measured."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from bench import bodies
from bench.dlp_speed import MIB
from service_kit.health import Health
from service_kit.hosts.grpcio_host import GrpcioHost
from service_kit.rpc import Service
from service_kit.wire import ext_authz_pb2, ext_proc_mode_pb2
from tests.wire.hosting import hosted
from tests.wire.processes import REPOSITORY, Keys, authz_service

SECONDS = 60.0  # a test fails after that
DENIED = 7  # google.rpc.Code


def test_a_body_is_a_mebibyte_of_json_with_a_finding_in_most_records() -> None:
    data = bodies.body()
    records = json.loads(data)
    assert len(data) == MIB
    assert data == bodies.body()  # the same in each run
    notes = [each["note"] for each in records]
    assert [each["n"] for each in records] == list(range(0, len(records) * 200, 200))
    assert sum("@" in note or any(letter.isdigit() for letter in note) for note in notes) > len(notes) * 0.9


@pytest.mark.parametrize("size", [1, bodies.PART, bodies.PART + 1, 3 * bodies.PART])
def test_an_exchange_is_headers_and_the_body_in_parts_of_which_the_last_is_marked(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + bytes(size % 256)
    first, *parts = bodies._messages(data)
    assert first.WhichOneof("request") == "request_headers"
    assert not first.request_headers.end_of_stream
    assert first.protocol_config.request_body_mode == ext_proc_mode_pb2.ProcessingMode.FULL_DUPLEX_STREAMED
    assert b"".join(part.request_body.body for part in parts) == data
    assert max(len(part.request_body.body) for part in parts) <= bodies.PART
    assert [part.request_body.end_of_stream for part in parts] == [False] * (len(parts) - 1) + [True]


@asynccontextmanager
async def _checked_by(check: Callable[[Any], Awaitable[Any]]) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to a Check of a test's own."""
    descriptor = ext_authz_pb2.DESCRIPTOR.services_by_name["Authorization"]
    host = GrpcioHost("127.0.0.1:0", [Service(descriptor, {"Check": check})], Health([]))
    address = await host.start()
    try:
        async with grpc.aio.insecure_channel(address) as channel:
            yield channel
    finally:
        await host.stop()


def _asked(check: Callable[[Any], Awaitable[Any]], seconds: float) -> Any:
    async def ask() -> Any:
        async with asyncio.timeout(SECONDS), _checked_by(check) as channel:
            data = ext_authz_pb2.CheckRequest().SerializeToString()
            return await bodies._checks(channel, data, seconds)

    return asyncio.run(ask())


def test_checks_come_at_their_rate_whether_those_before_are_answered_or_not() -> None:
    """So one that waits counts as long as it has waited: nothing is left out for its sake."""
    count, together = 0, asyncio.Event()

    async def check(_: Any) -> Any:
        nonlocal count
        count += 1
        if count == 5:
            together.set()
        await together.wait()
        return ext_authz_pb2.CheckResponse()

    found = _asked(check, 10 / bodies.RATE)
    assert count == 10
    assert found.most >= 1_000 * 4 / bodies.RATE  # the first has waited for the fifth


def test_a_check_that_is_not_allowed_is_not_measured() -> None:
    async def check(_: Any) -> Any:
        return ext_authz_pb2.CheckResponse(status={"code": DENIED})

    with pytest.raises(ExceptionGroup) as raised:
        _asked(check, 1 / bodies.RATE)
    assert "not allowed: 7" in str(raised.value.exceptions[0])


@pytest.fixture(scope="module")
def sender() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Starts the program that sends bodies to an address."""
    started: list[subprocess.Popen[str]] = []

    def start(address: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "bench.bodies", address.rpartition(":")[2]]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=REPOSITORY, stdin=pipe, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def test_bodies_are_sent_one_after_the_other_until_a_line_comes(
    sender: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    """And each was redacted."""
    with authz_service(tmp_path, Keys(tmp_path)) as service:
        sending = sender(service.grpc)
        assert sending.stdout
        assert sending.stdout.readline() == "{}\n"
        said, errors = sending.communicate("\n", timeout=SECONDS)
    assert sending.returncode == 0, errors
    told = json.loads(said)
    assert told["bodies"] >= 1
    assert told["redacted_in_each"] > 1_000
    assert told["mb_s"] >= 0


def test_bodies_in_which_nothing_is_redacted_are_no_measurement(
    sender: Callable[[str], subprocess.Popen[str]], tmp_path: Path
) -> None:
    with hosted(tmp_path, "grpcio", module="tests.wire.processor") as running:
        sending = sender(running.grpc)
        said, errors = sending.communicate(timeout=SECONDS)
    assert (sending.returncode, said) == (1, "")
    assert "nothing was redacted" in errors
