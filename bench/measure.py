"""Times a coroutine: many calls in a row, on one event loop."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

WARM_UP_CALLS = 200


@dataclass(frozen=True, slots=True)
class Figures:
    """What `calls` calls took: median and 99th percentile of wall time, mean of CPU time, all in microseconds.

    `rate` is how many were answered in a second.
    """

    name: str
    calls: int
    median: float
    p99: float
    cpu: float
    rate: float


def measure(
    name: str, call: Callable[[], Awaitable[object]], calls: int, *, at_once: int = 1
) -> Callable[[], Awaitable[Figures]]:
    """Return what measures `call`, `at_once` of which are in flight; to be awaited on the loop that it belongs to."""

    async def one_after_the_other(took: list[float], count: int) -> None:
        for _ in range(count):
            started = time.perf_counter()
            await call()
            took.append(time.perf_counter() - started)

    async def run() -> Figures:
        await asyncio.gather(*(one_after_the_other([], WARM_UP_CALLS // at_once + 1) for _ in range(at_once)))
        gc.collect()
        took: list[float] = []
        cpu, began = time.process_time(), time.perf_counter()
        await asyncio.gather(*(one_after_the_other(took, calls // at_once) for _ in range(at_once)))
        wall, cpu = time.perf_counter() - began, time.process_time() - cpu
        took.sort()
        count = len(took)
        return Figures(
            name, count, took[count // 2] * 1e6, took[count * 99 // 100] * 1e6, cpu / count * 1e6, count / wall
        )

    return run


def show(title: str, figures: Sequence[Figures]) -> None:
    """Print a table; the last column is each row's CPU time as a multiple of the first row's."""
    print(f"\n{title}\n")
    print(f"  {'':<44} {'calls':>8} {'median µs':>10} {'p99 µs':>9} {'CPU µs':>8} {'calls/s':>9} {'ratio':>7}")
    for row in figures:
        ratio = row.cpu / figures[0].cpu
        print(
            f"  {row.name:<44} {row.calls:>8} {row.median:>10.1f} {row.p99:>9.1f} {row.cpu:>8.1f}"
            f" {row.rate:>9,.0f} {ratio:>6.2f}x"
        )
