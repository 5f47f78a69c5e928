"""One run of a load, and two programs in turn. Here is where processes, clock and Valkey are touched."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import astuple, dataclass
from pathlib import Path
from statistics import median

import grpc
import redis

from bench import accounting
from bench.peers import answers, load
from bench.peers.load import Load
from bench.peers.processes import POLL_SECONDS, Cores, FailedError, Program, Running
from bench.peers.results import Compared, Run, Tried, Turns, per_core
from bench.peers.workloads import LIMIT, Workload
from devstack.ports import HOST

WARM_UP_SECONDS = 0.5
FIRST_WARM_UP_SECONDS = 1.0  # after a start: caches, pools, and the interpreter's own specialising
PART_OF_SATURATION = 0.5
CALL_SECONDS = 2.0
WRONG_SECONDS = 3.0  # that a program may answer otherwise, while its policy or limits are still read
DISTURBED = 0.1  # of a core: a run in which others took more is done again
MOST_TRIES = 3


@dataclass(frozen=True, slots=True)
class Bench:
    """What every run needs. `store` is None where no Valkey takes part."""

    cores: Cores
    folder: Path
    generator: Path
    seconds: float
    rounds: int
    store: redis.Redis | None
    progress: Callable[[str], None]

    def running(self, program: Program) -> AbstractContextManager[Running]:
        """A program on the server's core."""
        return Running(program, self.cores.server, self.folder / f"{program.port}")


@dataclass(frozen=True, slots=True)
class _Used:
    """Seconds: on the clock, and of CPU time by the server, by Valkey, and by everybody on each of the two cores."""

    wall: float
    server: float
    store: float
    server_core: float
    load_core: float

    @classmethod
    def now(cls, bench: Bench, running: Running) -> _Used:
        """Since whenever; only differences mean something."""
        cores = (accounting.busy_seconds(core) for core in (bench.cores.server, bench.cores.load))
        return cls(time.monotonic(), running.cpu_seconds(), _cpu(bench.store), *cores)

    def __sub__(self, before: _Used) -> _Used:
        return _Used(*(now - then for now, then in zip(astuple(self), astuple(before), strict=True)))

    def by_others(self, generator: float) -> float:
        """The part of a core that nobody of ours used; `generator` is the load generator's CPU time."""
        return max(self.server_core - self.server, self.load_core - self.store - generator, 0) / self.wall


def ask(port: int, workload: Workload) -> bytes | None:
    """Call once with another client than the one that measures; None where no answer came."""
    # A channel that found nobody waits for a second before it tries again: so each call has one of its own.
    options = [("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(f"{HOST}:{port}", options) as channel:
        try:
            answer = channel.unary_unary(workload.method)(workload.messages[-1], timeout=CALL_SECONDS)
        except grpc.RpcError:
            return None
    return bytes(answer)


def ready(running: Running, workload: Workload) -> bytes:
    """Wait until a program answers as it should; return what each of its answers must begin with."""
    deadline: float | None = None
    while True:
        answer = running.until(lambda: ask(running.program.port, workload))
        try:
            return workload.expectation(answer)
        except answers.WrongAnswerError as error:
            deadline = deadline or time.monotonic() + WRONG_SECONDS
            if time.monotonic() > deadline:
                raise FailedError(f"{running.program.name}, {workload.title}: {error}") from error
            time.sleep(POLL_SECONDS)


def measure(bench: Bench, running: Running, workload: Workload, rate: float | None) -> Run:
    """One run; `rate` is None for saturation."""
    if bench.store is not None:
        bench.store.flushall()
    expected = ready(running, workload)
    wanted = Load(
        running.program.port, workload.method, workload.write(bench.folder), expected, bench.seconds, WARM_UP_SECONDS,
        rate, workload.once,
    )  # fmt: skip
    before = _Used.now(bench, running)
    outcome = load.send(bench.generator, wanted)
    used = _Used.now(bench, running) - before
    running.check()
    calls = outcome.calls + outcome.warm_up_calls
    if workload.counted:
        _counted(running, workload, calls)
    running.trim_output()
    loaded = outcome.seconds + WARM_UP_SECONDS  # of the wall time; the rest is the generator's start and end
    return Run(
        rate=outcome.rate,
        calls=calls,
        latency=outcome.latency,
        cpu=used.server / calls * 1e6,
        store_cpu=used.store / calls * 1e6,
        busy=used.server / loaded,
        others=used.by_others(outcome.cpu),
        load_cpu=outcome.cpu / loaded,
        late=outcome.late,
    )


def compare(bench: Bench, ours: Program, theirs: Program, workload: Workload) -> Compared:
    """Both in turn, at saturation and then at the same rate; in each round both are started anew."""
    saturation: tuple[list[Run], list[Run]] = ([], [])
    paced: tuple[list[Run], list[Run]] = ([], [])
    rate = 0.0
    for _ in range(bench.rounds):
        with ExitStack() as stack:
            pair = _start(bench, stack, ours, theirs, workload)
            for running, runs in zip(pair, saturation, strict=True):
                runs.append(_undisturbed(bench, running, workload, None))
            rate = rate or round_down(min(runs[0].rate for runs in saturation) * PART_OF_SATURATION)
            if workload.once:  # what they were asked they know by now
                stack.close()
                pair = _start(bench, stack, ours, theirs, workload)
            for running, runs in zip(pair, paced, strict=True):
                runs.append(_undisturbed(bench, running, workload, rate))
    return Compared(workload.key, workload.title, Turns(*saturation), rate, Turns(*paced))


def try_out(bench: Bench, programs: Sequence[Program], beside: Sequence[Program], workload: Workload) -> list[Tried]:
    """Measure a peer with several settings; the one with the most calls for its CPU time is taken.

    Those `beside` are measured for comparison only.
    """
    everything = [*programs, *beside]
    found: list[list[Run]] = [[] for _ in everything]
    for _ in range(bench.rounds):
        for program, runs in zip(everything, found, strict=True):
            with bench.running(program) as running:
                _warm_up(bench, running, workload)
                runs.append(_undisturbed(bench, running, workload, None))
    speeds = [median(map(per_core, runs)) for runs in found]
    best = max(speeds[: len(programs)])
    return [
        Tried(workload.title, program.settings, speed, median(run.rate for run in runs), speed == best)
        for program, speed, runs in zip(everything, speeds, found, strict=True)
    ]


def round_down(rate: float) -> float:
    """To two digits: a rate that reads well."""
    digits = len(str(int(rate))) - 2
    step = 10 ** max(digits, 0)
    return float(max(int(rate) // step * step, 1))


def _start(
    bench: Bench, stack: ExitStack, ours: Program, theirs: Program, workload: Workload
) -> tuple[Running, Running]:
    pair = stack.enter_context(bench.running(ours)), stack.enter_context(bench.running(theirs))
    for running in pair:
        _warm_up(bench, running, workload)
    return pair


def _undisturbed(bench: Bench, running: Running, workload: Workload, rate: float | None) -> Run:
    """Measure again where others took much of a core; the run that was disturbed least counts, whatever it says."""
    runs: list[Run] = []
    for _ in range(1 if workload.once else MOST_TRIES):
        runs.append(measure(bench, running, workload, rate))
        bench.progress(_line(running, workload, runs[-1]))
        if runs[-1].others <= DISTURBED:
            break
    return min(runs, key=lambda run: run.others)


def _line(running: Running, workload: Workload, run: Run) -> str:
    return (
        f"  {workload.title:<32} {running.program.name:<20} {run.rate:>7,.0f}/s {run.cpu:>6.1f} µs"
        f"  p50 {run.latency.p50:>6.0f}  p99 {run.latency.p99:>6.0f}  core {run.busy:>4.0%}, others {run.others:>3.0%}"
    )


def _warm_up(bench: Bench, running: Running, workload: Workload) -> None:
    expected = ready(running, workload)
    if workload.once:
        return  # its messages are for the run itself, which has a warm-up of its own
    load.send(
        bench.generator,
        Load(
            running.program.port, workload.method, workload.write(bench.folder), expected, FIRST_WARM_UP_SECONDS, 0,
            None, once=False,
        ),
    )  # fmt: skip


def _counted(running: Running, workload: Workload, calls: int) -> None:
    """Hold what remains of the limit against the calls: these, and one before and one after them."""
    answer = ask(running.program.port, workload)
    if answer is None:
        raise FailedError(f"{running.program.name} answers no more")
    counted = LIMIT - answers.remaining(answer)
    if counted != calls + 2:
        raise FailedError(f"{running.program.name} counted {counted:,} of {calls + 2:,} calls")


def _cpu(store: redis.Redis | None) -> float:
    """CPU time that Valkey has used, in seconds."""
    if store is None:
        return 0.0
    used = store.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])
