"""What large bodies do to Check: its latency at a fixed rate, alone and while a megabyte after the other is redacted.

One authz_service on Envoy's HTTP/2 stack, with the shipped policies and detectors. Checks come at even times, whether
those before are answered or not, and their latency counts from then. Bodies come on Process from another program, in
parts as Envoy sends them, each full of findings, the next when the last is answered.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import grpc
import grpc.aio

from bench.checking import message
from bench.dlp_speed import KIB, MIB, dense
from bench.gateway_stack import MeasuredStack, listens
from bench.percentiles import Percentiles, percentiles
from devstack.processes import Processes
from service_kit.wire import envoy_core_pb2, ext_authz_pb2, ext_proc_mode_pb2, ext_proc_pb2

RATE = 100  # checks in a second
SECONDS = 10.0
PART = 64 * KIB
GOAL_MS = 5.0  # that the 99th percentile may be longer beside bodies
SEED = 20_261_126
LIMIT_SECONDS = 30.0
CHECK = "/envoy.service.auth.v3.Authorization/Check"
PROCESS = "/envoy.service.ext_proc.v3.ExternalProcessor/Process"
_RECORD = 200  # bytes


async def run() -> dict[str, Any]:
    """Measure and print; in milliseconds."""
    print(f"\nCheck beside bodies: {RATE} checks/s on one authz_service, milliseconds\n")
    with TemporaryDirectory(prefix="bench-") as name:
        stack = MeasuredStack(Path(name) / "stack")
        processes = Processes()
        try:
            authz, _ = await stack.start_what_services_need()
            await processes.start(authz)
            await asyncio.wait_for(_until_listens(stack.ports.authz_grpc, processes), LIMIT_SECONDS)
            return await _measure(stack.ports.authz_grpc, message(stack.tokens(1)[0]))
        finally:
            await processes.stop()
            await stack.stop(keep_logs=False)


async def _until_listens(port: int, processes: Processes) -> None:
    while not await listens(port):
        processes.check()
        await asyncio.sleep(0.05)


async def _measure(port: int, data: bytes) -> dict[str, Any]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        await channel.channel_ready()
        await _checks(channel, data, SECONDS / 5)  # warms up
        alone = await _checks(channel, data, SECONDS)
        command = [sys.executable, "-m", "bench.bodies", str(port)]
        pipe = asyncio.subprocess.PIPE
        sender = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
        try:
            assert sender.stdout
            await sender.stdout.readline()  # the first has been answered
            beside = await _checks(channel, data, SECONDS)
            said, _ = await sender.communicate(b"\n")
        finally:
            if sender.returncode is None:
                sender.kill()
                await sender.wait()
    sent: dict[str, float] = json.loads(said)
    added = (beside - alone).p99
    _show("alone", alone)
    _show(f"beside {sent['bodies']} bodies of 1 MiB, {sent['mb_s']:.1f} MB/s", beside)
    print(f"  p99 {added:+.2f} ms   goal {GOAL_MS:g}: {'met' if added <= GOAL_MS else 'MISSED'}")
    return {"alone": asdict(alone), "beside": asdict(beside), **sent}


def _show(name: str, found: Percentiles) -> None:
    print(f"  {name:<44} p50 {found.p50:>7.2f}   p99 {found.p99:>7.2f}   most {found.most:>7.2f}", flush=True)


async def _checks(channel: grpc.aio.Channel, data: bytes, seconds: float) -> Percentiles:
    """Ask at even times; a check that comes late because we were late ourselves counts as long."""
    ask = channel.unary_unary(CHECK, response_deserializer=ext_authz_pb2.CheckResponse.FromString)
    took: list[float] = []

    async def one(due: float) -> None:
        answer = await ask(data, timeout=LIMIT_SECONDS)
        took.append(time.monotonic() - due)
        if answer.status.code != 0:
            raise RuntimeError(f"a check was not allowed: {answer.status.code}")

    began = time.monotonic()
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(seconds * RATE)):
            due = began + number / RATE
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            tasks.create_task(one(due))
    return percentiles(took)


def body() -> bytes:
    """A mebibyte of JSON: records with a finding each."""
    text = dense(random.Random(SEED), MIB - 256 * KIB)  # noqa: S311  (it only makes a text up)
    rows = [{"n": at, "note": text[at : at + _RECORD]} for at in range(0, len(text), _RECORD)]
    return json.dumps(rows).encode().ljust(MIB)


def _messages(data: bytes) -> list[Any]:
    """An exchange as Envoy tells it."""
    modes = ext_proc_mode_pb2.ProcessingMode
    first = ext_proc_pb2.ProcessingRequest()
    for key, value in ((":method", b"POST"), (":path", b"/notes"), ("content-type", b"application/json")):
        first.request_headers.headers.headers.append(envoy_core_pb2.HeaderValue(key=key, raw_value=value))
    first.protocol_config.request_body_mode = modes.FULL_DUPLEX_STREAMED
    first.protocol_config.response_body_mode = modes.NONE
    parts = []
    for at in range(0, len(data), PART):
        part = ext_proc_pb2.HttpBody(body=data[at : at + PART], end_of_stream=at + PART >= len(data))
        parts.append(ext_proc_pb2.ProcessingRequest(request_body=part))
    return [first, *parts]


async def send(port: int) -> None:
    """Send one body after the other until a line comes, and print how many; a line too when the first is through."""
    data = body()
    messages = _messages(data)
    stop = asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = channel.stream_stream(
            PROCESS,
            request_serializer=ext_proc_pb2.ProcessingRequest.SerializeToString,
            response_deserializer=ext_proc_pb2.ProcessingResponse.FromString,
        )
        count, redacted, began = 0, 0, time.monotonic()
        while not stop.done():
            redacted = 0
            async for answer in call(iter(messages)):
                redacted += answer.request_body.response.body_mutation.streamed_response.body.count(b"[REDACTED")
            if not redacted:
                raise RuntimeError("nothing was redacted")
            count += 1
            if count == 1:
                print("{}", flush=True)
                began = time.monotonic()
        rate = (count - 1) * len(data) / (time.monotonic() - began) / 1e6
        print(json.dumps({"bodies": count, "redacted_in_each": redacted, "mb_s": rate}), flush=True)


if __name__ == "__main__":
    asyncio.run(send(int(sys.argv[1])))
