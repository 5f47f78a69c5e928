"""The whole gateway through the real Envoy: what it adds to Envoy alone, and how much it carries.

Both run at the same time and are loaded in turn, A B A B, so that what else the machine does hits both alike. Of each
percentile the median over the runs counts; what the gateway adds is the median of the differences within each pair. A
pair during which other programs used the cores is measured once more; those with the least of it count, whatever their
latencies are.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median

from bench import accounting, h2load
from bench.gateway_stack import PARTS, PATH, MeasuredStack, running
from bench.http_load import Load, request, send_from_a_process
from bench.percentiles import Percentiles, middle
from devstack.state import State

RATES = (100, 500, 1_000, 2_000)  # requests in a second
TURNS = 3
MOST_TURNS = 8  # with those that are measured once more
DISTURBED = 0.2  # cores: with more than that taken by others, figures are not the gateway's alone
CONNECTIONS = 32
WARM_UP_SECONDS = 1
SUSTAINED = 0.98  # of a rate: what counts as holding it
CORES = 2
LIMIT_SECONDS = 60.0  # for a run, beside its own seconds


@dataclass(frozen=True, slots=True)
class Run:
    """One run: answers in a second, latencies in milliseconds, requests that did not end in 200.

    `late` is by how many milliseconds our generator was late itself. `cpu` is microseconds of CPU time for a request,
    by part, the generator with its start among them; `others` is what ran beside, in cores.
    """

    rate: float
    latency: Percentiles
    late: Percentiles | None
    failed: Mapping[str, int]
    cpu: Mapping[str, float]
    others: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """The same load through the gateway and through Envoy alone, in pairs. `wanted` is None at saturation.

    `left_out` is how many more pairs were measured, in which others used the cores more.
    """

    name: str
    wanted: float | None
    gateway: Sequence[Run]
    alone: Sequence[Run]
    left_out: int = 0

    @property
    def added(self) -> Percentiles:
        """What the gateway adds, in milliseconds."""
        pairs = zip(self.gateway, self.alone, strict=True)
        return middle([ours.latency - theirs.latency for ours, theirs in pairs])

    @property
    def rate(self) -> float:
        """How many requests the gateway answered in a second."""
        return median(run.rate for run in self.gateway)

    @property
    def others(self) -> float:
        """What other programs took at most during a run, in cores."""
        return max(run.others for run in (*self.gateway, *self.alone))

    @property
    def is_sustained(self) -> bool:
        """Whether the gateway kept up; at saturation it does by definition."""
        return self.wanted is None or self.rate >= self.wanted * SUSTAINED

    @property
    def failed(self) -> dict[str, int]:
        """What did not end in 200, of both, by what it ended in."""
        found: dict[str, int] = {}
        for run in (*self.gateway, *self.alone):
            for name, number in run.failed.items():
                found[name] = found.get(name, 0) + number
        return found


@dataclass(frozen=True, slots=True)
class Sent:
    """What a generator tells of a run; `ends` is how many requests ended in which way, warm-up included if known."""

    rate: float
    latency: Percentiles
    ends: Mapping[str, int]
    late: Percentiles | None = None


Pair = tuple[Run, Run]
"""Through the gateway, and through Envoy alone just before."""

Sender = Callable[[int], Awaitable[Sent]]
"""Loads a port."""


class _Loads:
    """What a running stack is loaded with; `seconds` is the length of a run, `cores` are the load's."""

    def __init__(self, stack: MeasuredStack, state: State, seconds: int, cores: tuple[int, ...]) -> None:
        self._stack = stack
        self._state = state
        self._seconds = seconds
        self._cores = cores
        self._tokens = stack.tokens()
        self._requests = tuple(request(PATH, token) for token in self._tokens)

    def python(self, rate: float | None) -> Sender:
        """HTTP/1.1 from our own generator."""

        async def send(port: int) -> Sent:
            load = Load(
                port, self._requests, CONNECTIONS, self._seconds, rate=rate, warm_up=WARM_UP_SECONDS,
                ca_file=self._state.ca_file, cpus=self._cores,
            )  # fmt: skip
            outcome = await send_from_a_process(load, self._seconds + LIMIT_SECONDS)
            return Sent(outcome.rate, outcome.latency, outcome.ends, outcome.late)

        return send

    async def http2(self, port: int) -> Sent:
        """HTTP/2 from h2load."""
        url = f"https://127.0.0.1:{port}{PATH}"
        log = await h2load.send(url, self._tokens[0], self._seconds, WARM_UP_SECONDS)
        return Sent(log.statuses.get("200", 0) / self._seconds, log.latency, log.statuses)

    async def warm_up(self) -> None:
        """Everybody's first requests are slower: send them unmeasured."""
        for port in (self._stack.alone_port, self._stack.ports.gateway):
            await self.python(None)(port)

    async def compare(self, name: str, rate: float | None, send: Sender) -> Comparison:
        """Load both in turn."""
        pids = self._state.pids
        ours = {part: pids[part] for part in PARTS}
        pairs: list[Pair] = []
        while len(pairs) < MOST_TURNS and sum(is_calm(pair) for pair in pairs) < TURNS:
            alone = await _run(send, self._stack.alone_port, {"envoy": pids["alone"]}, self._seconds)
            pairs.append((await _run(send, self._stack.ports.gateway, ours, self._seconds), alone))
            self._stack.trim_logs()
        kept = calmest(pairs)
        gateways, alones = zip(*kept, strict=True)
        return Comparison(name, rate, gateways, alones, len(pairs) - len(kept))


def is_calm(pair: Pair) -> bool:
    """Whether other programs left the cores to both runs."""
    return max(run.others for run in pair) <= DISTURBED


def calmest(pairs: Sequence[Pair]) -> Sequence[Pair]:
    """The pairs that count: those in which others used the cores least."""
    return sorted(pairs, key=lambda pair: max(run.others for run in pair))[:TURNS]


async def measure(seconds: int, progress: Callable[[Comparison], None], *, bodies: bool) -> list[Comparison]:
    """Measure every rate and saturation, `seconds` a run. A rate above one that was not sustained is passed over.

    `bodies` tells whether the gateway looks at bodies, as it ships.
    """
    own, load = share_cores(usable_cores())
    found: list[Comparison] = []
    with _on(own):
        async with running(bodies=bodies) as (stack, state):
            loads = _Loads(stack, state, seconds, load)
            await loads.warm_up()
            wanted: list[tuple[str, float | None, Sender]] = [
                (f"{rate:,}/s", rate, loads.python(rate)) for rate in RATES
            ]
            wanted.append((f"as fast as it goes, {CONNECTIONS} connections", None, loads.python(None)))
            if h2load.PROGRAM:
                wanted.append((f"as fast as it goes, h2load {h2load.CONNECTIONS}x{h2load.STREAMS}", None, loads.http2))
            for name, rate, send in wanted:
                if rate is None or not found or found[-1].is_sustained:
                    found.append(await loads.compare(name, rate, send))
                    progress(found[-1])
    return found


async def _run(send: Sender, port: int, pids: Mapping[str, int], seconds: int) -> Run:
    before, busy, began = _cpu(pids), _busy(), time.monotonic()
    sent = await send(port)
    took = time.monotonic() - began
    spent = {part: cpu - before[part] for part, cpu in _cpu(pids).items()}
    # What was answered in the warm-up cost as much; h2load does not count it.
    requests = max(sent.ends.get("200", 0), sent.rate * (seconds + WARM_UP_SECONDS), 1)
    return Run(
        sent.rate,
        sent.latency,
        sent.late,
        {end: number for end, number in sent.ends.items() if end != "200"},
        {part: cpu / requests * 1e6 for part, cpu in spent.items()},
        max(0.0, (_busy() - busy - sum(spent.values())) / took),
    )


def _cpu(pids: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds until now, by part. What loads is a child of ours that has ended."""
    if not accounting.IS_KNOWN:
        return {}
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {part: accounting.cpu_seconds(pid) for part, pid in pids.items()} | {"load": ended.ru_utime + ended.ru_stime}


def _busy() -> float:
    """CPU seconds of all cores until now, of whomever."""
    return accounting.busy_seconds() if accounting.IS_KNOWN else 0.0


def usable_cores() -> tuple[int, ...]:
    """The cores that this process may run on; none where that is not known."""
    return tuple(sorted(os.sched_getaffinity(0))) if hasattr(os, "sched_getaffinity") else ()


def share_cores(usable: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Two cores for the gateway, the rest for the load; with no more than two both have the same."""
    return usable[:CORES], usable[CORES:] or usable


@contextmanager
def _on(cores: tuple[int, ...]) -> Iterator[None]:
    """Run on these cores for a time, with whatever is started in it."""
    before = usable_cores()
    if cores:
        os.sched_setaffinity(0, cores)
    try:
        yield
    finally:
        if cores:
            os.sched_setaffinity(0, before)
