"""Times a coroutine: many calls in a row, on one event loop."""

from __future__ import annotations

import gc
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

WARM_UP_CALLS = 200


@dataclass(frozen=True, slots=True)
class Figures:
    """What `calls` calls took: median and 99th percentile of wall time, mean of CPU time, all in microseconds."""

    name: str
    calls: int
    median: float
    p99: float
    cpu: float


def measure(name: str, call: Callable[[], Awaitable[object]], calls: int) -> Callable[[], Awaitable[Figures]]:
    """Return what measures `call`, to be awaited on the loop that `call` belongs to."""

    async def run() -> Figures:
        for _ in range(WARM_UP_CALLS):
            await call()
        gc.collect()
        took = []
        cpu = time.process_time()
        for _ in range(calls):
            started = time.perf_counter()
            await call()
            took.append(time.perf_counter() - started)
        cpu = time.process_time() - cpu
        took.sort()
        return Figures(name, calls, took[calls // 2] * 1e6, took[calls * 99 // 100] * 1e6, cpu / calls * 1e6)

    return run


def show(title: str, figures: Sequence[Figures]) -> None:
    """Print a table; the last column is each row's CPU time as a multiple of the first row's."""
    print(f"\n{title}\n")
    print(f"  {'':<44} {'calls':>8} {'median µs':>10} {'p99 µs':>9} {'CPU µs':>8} {'per core/s':>11} {'ratio':>7}")
    for row in figures:
        ratio = row.cpu / figures[0].cpu
        print(
            f"  {row.name:<44} {row.calls:>8} {row.median:>10.1f} {row.p99:>9.1f} {row.cpu:>8.1f}"
            f" {1e6 / row.cpu:>11,.0f} {ratio:>6.2f}x"
        )
