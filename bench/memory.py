"""Memory of the services at rest and under load, and whether it grows with the number of requests.

As PSS of a service's process with all below it, from /proc, so on Linux only. Ten times a tenth of the requests goes
through the whole gateway, closed loop; PSS is read after each, and while each runs. The first tenth fills caches and
pools; the slope is fitted to the points after it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from statistics import quantiles
from typing import Any

from bench import accounting
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
    """Bytes in 1,000 requests: the median of the slopes between any two points, and the quarters around it.

    A single point that is off, as after a garbage collection, does not move the median; where the quarters have
    different signs, it is noise.
    """

    slope: float
    low: float
    high: float


async def run(requests: int) -> dict[str, Any]:
    """Measure and print; return it in bytes."""
    if not accounting.IS_KNOWN:
        print("\nMemory: not measured, this system has no /proc/PID/smaps_rollup")
        return {}
    head(f"Memory through {requests:,} requests")
    points = []
    async with running(alone=False) as (stack, state):
        pids = {name: state.pids[name] for name in SERVICES}
        await asyncio.sleep(REST_SECONDS)
        rest = pss(pids)
        show("at rest", rest)
        load = Load(
            stack.ports.gateway,
            tuple(request(PATH, token) for token in stack.tokens()),
            CONNECTIONS,
            count=max(requests // POINTS, CONNECTIONS),
            ca_file=state.ca_file,
        )
        for number in range(1, POINTS + 1):
            most = await _send(load, pids, stack)
            points.append(Point(number * load.count, pss(pids), most))
            show(f"after {points[-1].requests:,}", points[-1].after)
    return tail(rest, points)


def head(title: str) -> None:
    """Print what is measured."""
    print(f"\n{title}: PSS of each service with all its processes, MiB\n")
    print(f"  {'':<44} " + " ".join(f"{name:>18}" for name in SERVICES))


def tail(rest: Mapping[str, int], points: Sequence[Point]) -> dict[str, Any]:
    """Print the most that was held, and the growth; return all of it in bytes."""
    most = {name: max(point.most[name] for point in points) for name in SERVICES}
    grown = {name: growth(points, name) for name in SERVICES}
    show("most while loaded", most)
    told = [f"{found.slope:,.0f}" for found in grown.values()]
    print(f"  {'growth, bytes in 1,000 requests':<44} " + " ".join(f"{text:>18}" for text in told))
    told = [f"{found.low:,.0f} to {found.high:,.0f}" for found in grown.values()]
    print(f"  {'  its middle half':<44} " + " ".join(f"{text:>18}" for text in told))
    return {
        "rest": rest,
        "most": most,
        "points": [asdict(point) for point in points],
        "bytes_in_1000_requests": {name: asdict(found) for name, found in grown.items()},
    }


def growth(points: Sequence[Point], service: str) -> Growth:
    """Fit what a service holds to the requests that it answered (Theil and Sen's slope), the first point left out."""
    slopes = [
        (after.after[service] - before.after[service]) / (after.requests - before.requests) * 1_000
        for before, after in combinations(points[1:], 2)
    ]
    low, slope, high = quantiles(slopes, n=4, method="inclusive")
    return Growth(slope, low, high)


async def _send(load: Load, pids: Mapping[str, int], stack: MeasuredStack) -> dict[str, int]:
    """Send a load; return the most that each service held meanwhile."""
    most = pss(pids)
    sending = asyncio.ensure_future(send_from_a_process(load, 60 + load.count / SLOWEST_RATE))
    while not (await asyncio.wait([sending], timeout=SAMPLE_SECONDS))[0]:
        most = {name: max(held, most[name]) for name, held in pss(pids).items()}
        stack.trim_logs()
    outcome = sending.result()
    if outcome.failed:
        raise RuntimeError(f"not every request ended in 200: {outcome.failed}")
    return most


def pss(pids: Mapping[str, int]) -> dict[str, int]:
    """What each service holds now, in bytes."""
    return {name: accounting.pss_bytes(pid) for name, pid in pids.items()}


def show(name: str, held: Mapping[str, int]) -> None:
    """Print what each service holds."""
    print(f"  {name:<44} " + " ".join(f"{held[service] / MIB:>18.1f}" for service in SERVICES), flush=True)
