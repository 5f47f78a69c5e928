"""How long a program takes until its first answer, and how much memory it holds at rest and after a load."""

from __future__ import annotations

import time

from bench.peers import load
from bench.peers.load import Load
from bench.peers.measuring import Bench, ready
from bench.peers.processes import Program, Running
from bench.peers.results import Footprint
from bench.peers.workloads import Workload

STARTS = 5
REST_SECONDS = 2.0
LOAD_SECONDS = 5.0


def measure(bench: Bench, pair: tuple[Program, Program], workload: Workload) -> list[Footprint]:
    """Start both in turn, several times, with warm file caches; the last start of each is loaded too."""
    starts: tuple[list[float], list[float]] = ([], [])
    found: list[Footprint] = []
    for number in range(-1, STARTS):  # the first fills the file caches
        for program, took in zip(pair, starts, strict=True):
            began = time.monotonic()
            with bench.running(program) as running:
                expected = ready(running, workload)
                if number >= 0:
                    took.append(time.monotonic() - began)
                if number == STARTS - 1:
                    found.append(_memory(bench, running, workload, expected, took))
    return found


def _memory(bench: Bench, running: Running, workload: Workload, expected: bytes, starts: list[float]) -> Footprint:
    time.sleep(REST_SECONDS)
    at_rest = running.pss_bytes()
    outcome = load.send(
        bench.generator,
        Load(
            running.program.port, workload.method, workload.write(bench.folder), expected, LOAD_SECONDS, 0, None,
            once=False,
        ),
    )  # fmt: skip
    after = running.pss_bytes()
    return Footprint(running.program.name, starts, at_rest, after, outcome.calls, running.processes())
