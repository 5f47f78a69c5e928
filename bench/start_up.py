"""How long a start takes: each service until its first gRPC call is answered, and the whole gateway."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import grpc

from bench.checking import message
from bench.gateway_stack import MeasuredStack, listens, running
from devstack.processes import Processes, Program
from service_kit.wire import rate_limit_pb2

ROUNDS = 5
POLL_SECONDS = 0.002
LIMIT_SECONDS = 30.0
CHECK = "/envoy.service.auth.v3.Authorization/Check"
SHOULD_RATE_LIMIT = "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit"


@dataclass(frozen=True, slots=True)
class MeasuredService:
    """A program, the port that it answers on, and a call that it answers whoever asks."""

    program: Program
    port: int
    method: str
    message: bytes


async def run() -> dict[str, Any]:
    """Measure and print; in seconds."""
    print(f"\nStart, seconds until the first gRPC call is answered; {ROUNDS} starts with warm file caches\n")
    print(f"  {'':<44} {'median':>8} {'least':>8} {'most':>8}")
    found: dict[str, list[float]] = {}
    async with services() as all_services:
        for service in all_services:
            found[service.program.name] = [await _start(service) for _ in range(ROUNDS)]
            _show(service.program.name, found[service.program.name])
    found["the whole gateway"] = [await _whole() for _ in range(ROUNDS)]
    _show("the whole gateway, first 200 through it", found["the whole gateway"])
    return found


def _show(name: str, took: list[float]) -> None:
    print(f"  {name:<44} {median(took):>8.2f} {min(took):>8.2f} {max(took):>8.2f}", flush=True)


async def _whole() -> float:
    began = time.monotonic()
    async with running(alone=False):
        return time.monotonic() - began


@asynccontextmanager
async def services() -> AsyncIterator[list[MeasuredService]]:
    """Start what both services need, and yield what starts them."""
    """What the services need to start, issuer and Valkey, and how to start them."""
    with TemporaryDirectory(prefix="bench-") as name:
        stack = MeasuredStack(Path(name) / "stack")
        try:
            authz, ratelimit = await stack.start_what_services_need()
            asked = rate_limit_pb2.RateLimitRequest(domain="agent_gateway")
            asked.descriptors.add().entries.add(key="user", value="bench")
            yield [
                MeasuredService(authz, stack.ports.authz_grpc, CHECK, message(stack.tokens(1)[0])),
                MeasuredService(ratelimit, stack.ports.ratelimit_grpc, SHOULD_RATE_LIMIT, asked.SerializeToString()),
            ]
        finally:
            await stack.stop(keep_logs=False)


async def _start(service: MeasuredService) -> float:
    processes = Processes()
    began = time.monotonic()
    await processes.start(service.program)
    try:
        await asyncio.wait_for(first_answer(service, processes), LIMIT_SECONDS)
        return time.monotonic() - began
    finally:
        await processes.stop()


async def first_answer(service: MeasuredService, processes: Processes) -> None:
    """Wait until a service answers its call."""
    # A channel that found nobody waits for a second before it tries again: so each try has one of its own.
    options = [("grpc.use_local_subchannel_pool", 1)]
    while True:
        if await listens(service.port):
            async with grpc.aio.insecure_channel(f"127.0.0.1:{service.port}", options) as channel:
                try:
                    await channel.unary_unary(service.method)(service.message, timeout=1)
                except grpc.aio.AioRpcError:
                    pass
                else:
                    return
        processes.check()
        await asyncio.sleep(POLL_SECONDS)
