"""Memory of the services under calls of Check and ShouldRateLimit from h2load, both at once, without Envoy between.

Through the gateway ten million requests take hours on two cores; so they take a good half of one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import accounting, h2load, memory
from bench.gateway_stack import trim
from bench.memory import POINTS, REST_SECONDS, SAMPLE_SECONDS, SLOWEST_RATE, Point
from bench.start_up import LIMIT_SECONDS, MeasuredService, first_answer, services
from devstack.processes import Processes
from service_kit.hosts.framing import frame

CONNECTIONS = 4
STREAMS = 8  # on each connection at once
_SUCCEEDED = re.compile(r"^requests: .* (\d+) succeeded, (\d+) failed, (\d+) errored", re.MULTILINE)


async def run(calls: int) -> dict[str, Any]:
    """Measure and print; return it in bytes."""
    if not accounting.IS_KNOWN or h2load.PROGRAM is None:
        print(f"\nMemory by call: not measured; {h2load.ABSENT}, or the system has no /proc/PID/smaps_rollup")
        return {}
    memory.head(f"Memory through {calls:,} calls of each")
    count = max(calls // POINTS, CONNECTIONS * STREAMS)
    points: list[Point] = []
    processes = Processes()
    async with services() as both:
        try:
            for service in both:
                await processes.start(service.program)
                await asyncio.wait_for(first_answer(service, processes), LIMIT_SECONDS)
            await asyncio.sleep(REST_SECONDS)
            pids = {service.program.name: processes.ids()[service.program.name] for service in both}
            rest = memory.pss(pids)
            memory.show("at rest", rest)
            for number in range(1, POINTS + 1):
                most = await _send(both, pids, count)
                points.append(Point(number * count, memory.pss(pids), most))
                memory.show(f"after {points[-1].requests:,}", points[-1].after)
        finally:
            await processes.stop()
    return memory.tail(rest, points)


async def _send(both: Sequence[MeasuredService], pids: Mapping[str, int], count: int) -> dict[str, int]:
    """Load both at once; return the most that each held meanwhile."""
    most = memory.pss(pids)
    sending = asyncio.gather(*(_load(service, count) for service in both))
    try:
        while not (await asyncio.wait([asyncio.ensure_future(sending)], timeout=SAMPLE_SECONDS))[0]:
            most = {name: max(held, most[name]) for name, held in memory.pss(pids).items()}
            for service in both:
                trim(service.program.output or service.program.log)
        await sending
    finally:
        sending.cancel()
    return most


async def _load(service: MeasuredService, count: int) -> None:
    """Send one call over and over."""
    assert h2load.PROGRAM is not None
    with TemporaryDirectory(prefix="bench-") as folder:
        data = Path(folder) / "call"
        data.write_bytes(frame(service.message))
        headers = ["-H", "content-type: application/grpc", "-H", "te: trailers"]
        process = await asyncio.create_subprocess_exec(
            h2load.PROGRAM, f"-n{count}", f"-c{CONNECTIONS}", f"-m{STREAMS}", "-t1", f"-d{data}", *headers,
            f"http://127.0.0.1:{service.port}{service.method}", stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            output, _ = await asyncio.wait_for(process.communicate(), 60 + count / SLOWEST_RATE)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    found = _SUCCEEDED.search(output.decode())
    if found is None or found.groups() != (str(count), "0", "0"):
        raise RuntimeError(f"not every call of {service.program.name} was answered")
