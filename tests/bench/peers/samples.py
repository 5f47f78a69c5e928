"""Figures that a run could have found."""

from __future__ import annotations

from bench.peers.load import Latency
from bench.peers.results import Compared, Footprint, Results, Run, Section, Tried, Turns

MIB = 1024 * 1024


def run(cpu: float = 50.0, rate: float = 10_000.0, p99: float = 2_000.0, busy: float = 1.0) -> Run:
    latency = Latency(p99 / 4, p99 / 2, p99, p99 * 2, p99 * 4)
    return Run(rate, int(rate * 3), latency, cpu, 5.0, busy, 0.01, 0.2, 60.0)


def turns(ours: list[Run], theirs: list[Run]) -> Turns:
    return Turns(ours, theirs)


def compared(key: str = "one", title: str = "3 descriptors", *, factor: float = 2.0) -> Compared:
    """Ours takes 1/factor of the peer's CPU time and latency."""
    theirs = [run(cpu=100, rate=10_000, p99=4_000) for _ in range(3)]
    ours = [run(cpu=100 / factor, rate=10_000 * factor, p99=4_000 / factor) for _ in range(3)]
    return Compared(key, title, turns(ours, theirs), 5_000.0, turns(ours, theirs))


def results(*, factor: float = 2.0, start: float = 0.01) -> Results:
    tried = [Tried("3 descriptors", "WINDOW=0", 9_000.0, 9_100.0, taken=False)]
    tried.append(Tried("3 descriptors", "WINDOW=150us", 10_000.0, 10_100.0, taken=True))
    workloads = [compared(factor=factor), compared("two", "10 descriptors", factor=factor)]
    section = Section("rls", "ShouldRateLimit", "our limiter", "their limiter", "A=1", "B=2", tried, workloads)
    ours = Footprint("our limiter", [start, start * 2, start * 3], 20 * MIB, 25 * MIB, 60_000, ["python3", "envoy"])
    theirs = Footprint("their limiter", [0.1, 0.2, 0.3], 30 * MIB, 40 * MIB, 30_000, ["ratelimit"])
    return Results({"processor": "one, 2 cores"}, 3.0, 3, [section], [ours, theirs])
