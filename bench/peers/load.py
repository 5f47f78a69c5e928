"""Drives the load generator of bench/load, and reads what it found."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.peers.processes import FailedError

CONNECTIONS = 4  # as many as an Envoy with four workers has
STREAMS = 16  # in flight on each connection at saturation
OPEN_STREAMS = 100  # at a given rate: what is due goes out
DRAIN_SECONDS = 5.0
LIMIT_SECONDS = 20.0  # for a run, beside its own seconds


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: `rate` in calls a second, or None for as fast as answers come."""

    port: int
    method: str
    messages: Path
    expected: bytes
    seconds: float
    warm_up: float
    rate: float | None
    once: bool


@dataclass(frozen=True, slots=True)
class Latency:
    """Microseconds below which so many percent of the answers came."""

    p50: float
    p95: float
    p99: float
    p999: float
    most: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a load. `late` is the 99th percentile of how late a call was sent, µs; `cpu` in seconds."""

    calls: int
    warm_up_calls: int
    errors: Mapping[str, int]
    seconds: float
    rate: float
    latency: Latency
    late: float
    cpu: float


def read(text: str) -> Outcome:
    """Read what the load generator prints."""
    found: Mapping[str, Any] = json.loads(text)
    measured = found["latency"]
    latency = Latency(measured["p50"], measured["p95"], measured["p99"], measured["p999"], measured["max"])
    return Outcome(
        found["calls"], found["warm_up_calls"], found["errors"], found["seconds"], found["rate"], latency,
        found["late_p99"], found["cpu_seconds"],
    )  # fmt: skip


def send(generator: Path, load: Load) -> Outcome:
    """Send it, or raise `FailedError`: also where any answer is not as expected."""
    command = [
        str(generator), "-address", f"127.0.0.1:{load.port}", "-method", load.method,
        "-messages", str(load.messages), "-expect", load.expected.hex(),
        "-connections", str(CONNECTIONS), "-streams", str(STREAMS if load.rate is None else OPEN_STREAMS),
        "-rate", f"{load.rate or 0:.3f}", "-duration", f"{load.seconds}s", "-warmup", f"{load.warm_up}s",
        "-drain", f"{DRAIN_SECONDS}s", *(["-once"] if load.once else []),
    ]  # fmt: skip
    limit = load.seconds + load.warm_up + LIMIT_SECONDS
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=limit)  # noqa: S603
    except subprocess.TimeoutExpired as error:
        raise FailedError(f"the load generator took more than {limit:.0f} s") from error
    if done.returncode:
        raise FailedError(f"the load generator failed: {done.stderr.strip()}")
    outcome = read(done.stdout)
    if outcome.errors or not outcome.calls:
        raise FailedError(f"not every call was answered as it should be: {dict(outcome.errors) or 'none at all'}")
    return outcome
