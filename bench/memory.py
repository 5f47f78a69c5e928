"""Memory of the services at rest and under load, and whether it grows with the number of requests.

As PSS of a service's process with all below it, from /proc, so on Linux only. Ten times a tenth of the requests goes
through the whole gateway, closed loop; PSS is read after each, and while each runs. The first tenth fills caches and
pools; the slope is fitted to the points after it, by least squares.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import linear_regression, pvariance
from typing import Any

from bench import gateway_processes
from bench.gateway_stack import PATH, SERVICES, MeasuredStack, running
from bench.http_load import Load, request, send_from_a_process

REQUESTS = 100_000
POINTS = 10
CONNECTIONS = 16
REST_SECONDS = 2.0
SAMPLE_SECONDS = 1.0
SLOWEST_RATE = 50  # requests in a second: less is taken as stuck
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Point:
    """What was held after so many requests, and the most while they were on their way; bytes by service."""

    requests: int
    after: Mapping[str, int]
    most: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Growth:
    """Bytes in 1,000 requests, and the standard error of that: a slope of no more than about twice it is noise."""

    slope: float
    error: float


async def run(requests: int) -> dict[str, Any]:
    """Measure and print; return it in bytes."""
    if not gateway_processes.IS_KNOWN:
        print("\nMemory: not measured, this system has no /proc/PID/smaps_rollup")
        return {}
    print(f"\nMemory through {requests:,} requests: PSS of each service with all its processes, MiB\n")
    print(f"  {'':<44} " + " ".join(f"{name:>18}" for name in SERVICES))
    points = []
    async with running(alone=False) as (stack, state):
        pids = {name: state.pids[name] for name in SERVICES}
        await asyncio.sleep(REST_SECONDS)
        rest = _pss(pids)
        _show("at rest", rest)
        load = Load(
            stack.ports.gateway,
            tuple(request(PATH, token) for token in stack.tokens()),
            CONNECTIONS,
            count=max(requests // POINTS, CONNECTIONS),
            ca_file=state.ca_file,
        )
        for number in range(1, POINTS + 1):
            most = await _send(load, pids, stack)
            points.append(Point(number * load.count, _pss(pids), most))
            _show(f"after {points[-1].requests:,}", points[-1].after)
    most = {name: max(point.most[name] for point in points) for name in SERVICES}
    grown = {name: growth(points, name) for name in SERVICES}
    _show("most while loaded", most)
    told = [f"{found.slope:,.0f} ± {found.error:,.0f}" for found in grown.values()]
    print(f"  {'growth, bytes in 1,000 requests':<44} " + " ".join(f"{text:>18}" for text in told))
    return {
        "rest": rest,
        "most": most,
        "points": [asdict(point) for point in points],
        "bytes_in_1000_requests": {name: asdict(found) for name, found in grown.items()},
    }


def growth(points: Sequence[Point], service: str) -> Growth:
    """Fit a line to what a service holds over the requests that it answered, the first point left out."""
    requests = [point.requests for point in points[1:]]
    held = [point.after[service] for point in points[1:]]
    line = linear_regression(requests, held)
    off = [after - line.slope * number - line.intercept for number, after in zip(requests, held, strict=True)]
    spread = pvariance(requests) * len(requests)
    error = sqrt(sum(each * each for each in off) / max(1, len(off) - 2) / spread)
    return Growth(line.slope * 1_000, error * 1_000)


async def _send(load: Load, pids: Mapping[str, int], stack: MeasuredStack) -> dict[str, int]:
    """Send a load; return the most that each service held meanwhile."""
    most = _pss(pids)
    sending = asyncio.ensure_future(send_from_a_process(load, 60 + load.count / SLOWEST_RATE))
    while not (await asyncio.wait([sending], timeout=SAMPLE_SECONDS))[0]:
        most = {name: max(held, most[name]) for name, held in _pss(pids).items()}
        stack.trim_logs()
    outcome = sending.result()
    if outcome.failed:
        raise RuntimeError(f"not every request ended in 200: {outcome.failed}")
    return most


def _pss(pids: Mapping[str, int]) -> dict[str, int]:
    return {name: gateway_processes.pss_bytes(pid) for name, pid in pids.items()}


def _show(name: str, held: Mapping[str, int]) -> None:
    print(f"  {name:<44} " + " ".join(f"{held[service] / MIB:>18.1f}" for service in SERVICES), flush=True)
