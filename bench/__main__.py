"""`python -m bench`: every benchmark, one after another; `--only` names those to run."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from bench import (
    bodies,
    check,
    gateway,
    gateway_report,
    memory,
    memory_by_call,
    process,
    scaling,
    should_rate_limit,
    start_up,
)
from bench.measure import show
from devstack.bytecode import keep_bytecode


@dataclass(frozen=True, slots=True)
class Options:
    """`requests` for the memory's growth; `seconds` of one run through the gateway."""

    requests: int
    seconds: int


def _check(options: Options) -> Any:
    del options
    found = asyncio.run(check.run())
    show("authz_service: Check", found)
    return [asdict(row) for row in found]


def _process(options: Options) -> Any:
    del options
    found = asyncio.run(process.run())
    show("authz_service: Process", found)
    return [asdict(row) for row in found]


def _should_rate_limit(options: Options) -> Any:
    del options
    found = asyncio.run(should_rate_limit.run())
    show("ratelimit_service: ShouldRateLimit", found)
    return [asdict(row) for row in found]


def _store(options: Options) -> Any:
    del options
    should_rate_limit.show_store()


def _gateway(options: Options) -> Any:
    return _through(options, bodies=True)


def _gateway_without_bodies(options: Options) -> Any:
    return _through(options, bodies=False)


def _through(options: Options, *, bodies: bool) -> Any:
    gateway_report.head(bodies=bodies)
    found = asyncio.run(gateway.measure(options.seconds, gateway_report.show, bodies=bodies))
    gateway_report.tail(found)
    return gateway_report.values(found)


def _start_up(options: Options) -> Any:
    del options
    return asyncio.run(start_up.run())


def _memory(options: Options) -> Any:
    return asyncio.run(memory.run(options.requests))


def _memory_by_call(options: Options) -> Any:
    return asyncio.run(memory_by_call.run(options.requests))


def _bodies(options: Options) -> Any:
    del options
    return asyncio.run(bodies.run())


def _scaling(options: Options) -> Any:
    del options
    return scaling.run()


BENCHMARKS: Mapping[str, Callable[[Options], Any]] = {
    "check": _check,
    "process": _process,
    "should_rate_limit": _should_rate_limit,
    "store": _store,
    "gateway": _gateway,
    "gateway_without_bodies": _gateway_without_bodies,
    "start_up": _start_up,
    "memory": _memory,
    "memory_by_call": _memory_by_call,
    "bodies": _bodies,
    "scaling": _scaling,
}


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench", description="Measures Agent Gateway on this machine.")
    parser.add_argument("--only", nargs="+", choices=BENCHMARKS, metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--requests", type=int, default=memory.REQUESTS, help=f"for memory's growth; default: {memory.REQUESTS:,}"
    )
    parser.add_argument("--seconds", type=int, default=4, help="of each run through the gateway; default: 4")
    arguments = parser.parse_args()
    # An end by SIGTERM (`timeout`, a CI job) tidies up as one by Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    keep_bytecode(os.environ)
    options = Options(arguments.requests, arguments.seconds)
    results: dict[str, Any] = {"machine": machine()}
    for name in arguments.only or BENCHMARKS:
        sys.stdout.flush()
        results[name] = BENCHMARKS[name](options)
    if arguments.json:
        arguments.json.write_text(json.dumps(results, indent=1) + "\n")
    return 0


def machine() -> dict[str, Any]:
    """What the figures are of."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


if __name__ == "__main__":
    sys.exit(main())
