"""What a decision costs as the things to decide about grow: ten, a hundred, and on to a million where time allows.

Each size is measured in a process of its own, so that none inherits another's memory, with a limit of memory and of
time for what has to be made before. `python -m bench.scaling CASE SIZE` measures one. Beside each figure stands its
ratio to the smallest size's: that is what tells, on whatever machine.
"""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from types import FrameType
from typing import Any

from bench.scaling_cases import CASES

SETUP_SECONDS = 60.0
CALLS_SECONDS = 60.0  # for the calls after it, far more than they take
MEMORY_BYTES = 8 * 1024**3
SLOWEST = 10_000.0  # microseconds: where a decision takes this long, larger sizes are passed over
TIMES = 10  # from one size to the next


@dataclass(frozen=True, slots=True)
class Row:
    """Of one size: seconds to make what is decided about, then microseconds of a decision (`p99`: where each is timed).

    `stopped` tells why there are none.
    """

    size: int
    setup: float = 0.0
    median: float = 0.0
    p99: float | None = None
    stopped: str = ""


def run() -> dict[str, Any]:
    """Measure and print every case."""
    print("\nHow the cost of a decision grows: in one process, without gRPC\n")
    print(f"  {'':<58} {'setup s':>8} {'median µs':>10} {'p99 µs':>9} {'ratio':>7}")
    return {name: [asdict(row) for row in _rows(name)] for name in CASES}


def _rows(name: str) -> list[Row]:
    case = CASES[name]
    rows: list[Row] = []
    for size in case.sizes:
        why = passed_over(rows, size)
        rows.append(Row(size, stopped=why) if why else measure(name, size))
        print(line(case.title, rows), flush=True)
        if rows[-1].stopped:
            break
    return rows


def passed_over(rows: Sequence[Row], size: int) -> str:
    """Tell why a size need not be tried after those before it; empty where it should be."""
    if not rows:
        return ""
    last = rows[-1]
    # As it grew from the size before; from one size alone it is taken to grow with the size.
    growth = last.setup / rows[-2].setup if len(rows) > 1 else size / last.size
    expected = last.setup * growth
    if expected > SETUP_SECONDS:
        return f"not measured: setup would take about {expected:.0f} s, and {SETUP_SECONDS:.0f} s is the limit"
    if last.median > SLOWEST:
        return f"not measured: a decision takes {last.median / 1_000:.0f} ms at {last.size:,}"
    return ""


def line(title: str, rows: Sequence[Row]) -> str:
    """Return the last row as a line of the table."""
    row = rows[-1]
    name = f"{row.size:>9,} {title}"
    if row.stopped:
        return f"  {name:<58} {row.stopped}"
    p99 = "-" if row.p99 is None else f"{row.p99:.1f}"
    return f"  {name:<58} {row.setup:>8.2f} {row.median:>10.1f} {p99:>9} {row.median / rows[0].median:>6.2f}x"


def measure(name: str, size: int) -> Row:
    """Measure one size in a process of its own."""
    command = [sys.executable, "-m", "bench.scaling", name, str(size)]
    try:
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=True, timeout=SETUP_SECONDS + CALLS_SECONDS
        )
    except subprocess.TimeoutExpired:
        return Row(size, stopped=f"stopped after {SETUP_SECONDS + CALLS_SECONDS:.0f} s")
    except subprocess.CalledProcessError as error:
        raise RuntimeError(f"{' '.join(command)} failed:\n{error.stderr}") from error
    found: Mapping[str, Any] = json.loads(done.stdout)
    return Row(**found)


def _in_this_process(name: str, size: int) -> Row:
    """Measure one size. What outgrows its time or memory is told, not raised."""
    with suppress(ValueError, OSError):  # not every system limits it
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, SETUP_SECONDS)
    began = time.monotonic()
    try:
        with CASES[name].make(size) as timed:
            setup = time.monotonic() - began
            signal.setitimer(signal.ITIMER_REAL, 0)
            timing = timed()
    except TimeoutError:
        return Row(size, stopped=f"stopped: setup takes more than {SETUP_SECONDS:.0f} s")
    except MemoryError:
        return Row(size, stopped=f"stopped: takes more than {MEMORY_BYTES / 1024**3:.0f} GiB")
    return Row(size, setup, timing.median, timing.p99)


def _too_long(number: int, frame: FrameType | None) -> None:
    del number, frame
    raise TimeoutError


def main() -> None:
    """Measure one size of one case and print it as JSON."""
    json.dump(asdict(_in_this_process(sys.argv[1], int(sys.argv[2]))), sys.stdout)


if __name__ == "__main__":
    main()
