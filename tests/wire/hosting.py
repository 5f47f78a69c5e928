"""Starts the sample service on a host, as a process, and calls it with grpcio."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest

from service_kit.wire import ext_authz_pb2, ext_proc_pb2, health_pb2
from tests.wire.sample import AUTHORIZATION, PROCESSOR

CheckRequest, CheckResponse = ext_authz_pb2.CheckRequest, ext_authz_pb2.CheckResponse
ProcessingRequest, ProcessingResponse = ext_proc_pb2.ProcessingRequest, ext_proc_pb2.ProcessingResponse

REPOSITORY = Path(__file__).parent.parent.parent
SERVERS = ("pyvoy", "grpcio")
LOCAL = "127.0.0.1:0"
PATIENCE = 30.0  # seconds that something may take on a slow machine before a test fails


@dataclass(slots=True)
class Hosted:
    """A process that serves. `addresses` are those of each worker, in the order in which they said so."""

    process: subprocess.Popen[bytes]
    output: Path
    errors: Path
    addresses: list[dict[str, Any]] = field(default_factory=list)

    @property
    def grpc(self) -> str:
        """Where calls go."""
        return str(self.addresses[0]["grpc"])

    @property
    def http(self) -> str:
        """Where pages are."""
        return str(self.addresses[0]["http"])

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)

    def log(self) -> str:
        """What it has written to standard error."""
        return self.errors.read_text()

    def started(self) -> list[dict[str, Any]]:
        """What every worker has said that has begun to serve."""
        return [json.loads(line) for line in self.output.read_text().splitlines()]


@contextlib.contextmanager
def hosted(
    folder: Path,
    server: str,
    *,
    grpc_address: str = LOCAL,
    workers: int = 1,
    tls: list[str] | None = None,
    problem: str = "",
    ready: bool = True,
    module: str = "tests.wire.sample",
    **limits: Any,
) -> Iterator[Hosted]:
    """Serve the sample, or another module like it, on a free port. With `ready` false, whatever becomes of it."""
    folder.mkdir(exist_ok=True)
    output, errors = folder / "output", folder / "errors"
    said = {
        "server": server,
        "grpc": grpc_address,
        "workers": workers,
        "tls": tls,
        "problem": problem,
        "limits": limits,
    }
    with output.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", module, json.dumps(said)], stdout=out, stderr=err, cwd=REPOSITORY,
            env={**os.environ, "TMPDIR": str(folder)} if len(str(folder)) < 60 else None,  # sockets have short names
        )  # fmt: skip
    found = Hosted(process, output, errors)
    try:
        if ready:
            until(lambda: len(found.started()) >= workers or process.poll() is not None)
            assert process.poll() is None, found.log()
            found.addresses = found.started()
        yield found
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(PATIENCE)


def until(condition: Callable[[], object]) -> None:
    """Wait until something holds, in bounded time."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@dataclass(slots=True)
class Client:
    """Calls over one channel, with the codecs of the messages."""

    channel: grpc.aio.Channel

    async def check(self, path: str, seconds: float = PATIENCE) -> str:
        """The body of the answer to a path."""
        call = self.channel.unary_unary(
            f"/{AUTHORIZATION}/Check", CheckRequest.SerializeToString, CheckResponse.FromString
        )
        return str((await call(asking(path), timeout=seconds)).denied_response.body)

    async def until(self, path: str, answer: str) -> None:
        """Ask for a path until this is the answer."""
        deadline = time.monotonic() + PATIENCE
        while await self.check(path) != answer:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)

    def process(self, compression: grpc.Compression | None = None) -> Any:
        """A stream of bodies."""
        return self.channel.stream_stream(
            f"/{PROCESSOR}/Process", ProcessingRequest.SerializeToString, ProcessingResponse.FromString
        )(timeout=PATIENCE, compression=compression)

    async def raw(self, path: str, data: bytes) -> bytes:
        """Bytes against bytes."""
        return bytes(await self.channel.unary_unary(path)(data, timeout=PATIENCE))

    async def health(self, service: str) -> int:
        """The status of a service."""
        request = health_pb2.HealthCheckRequest(service=service).SerializeToString()
        return health_pb2.HealthCheckResponse.FromString(await self.raw("/grpc.health.v1.Health/Check", request)).status

    def watch(self, service: str) -> Any:
        """A stream of statuses."""
        return self.channel.unary_stream(
            "/grpc.health.v1.Health/Watch",
            health_pb2.HealthCheckRequest.SerializeToString,
            health_pb2.HealthCheckResponse.FromString,
        )(health_pb2.HealthCheckRequest(service=service), timeout=PATIENCE)


def asking(path: str) -> ext_authz_pb2.CheckRequest:
    """A check of a path."""
    request = CheckRequest()
    request.attributes.request.http.path = path
    return request


def body(text: bytes) -> ext_proc_pb2.ProcessingRequest:
    """A message with a body."""
    return ProcessingRequest(request_body=ext_proc_pb2.HttpBody(body=text))


@contextlib.asynccontextmanager
async def connected(address: str, credentials: grpc.ChannelCredentials | None = None) -> Any:
    """A client of an address, on a connection of its own."""
    options = [("grpc.use_local_subchannel_pool", 1)]
    if credentials is None:
        channel = grpc.aio.insecure_channel(address, options=options)
    else:
        channel = grpc.aio.secure_channel(address, credentials, options=options)
    async with channel:
        yield Client(channel)


def run(scene: Callable[[Client], Awaitable[None]], address: str, credentials: Any = None) -> None:
    """Play a scene with a client, in bounded time."""

    async def bounded() -> None:
        async with asyncio.timeout(2 * PATIENCE), connected(address, credentials) as client:
            await scene(client)

    asyncio.run(bounded())


async def refused(call: Awaitable[Any]) -> tuple[str, str]:
    """The status and the text that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await call
    return raised.value.code().name, raised.value.details() or ""
