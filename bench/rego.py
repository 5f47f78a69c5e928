"""`make bench-rego`: the engine beside regopy's virtual machine, and beside `opa bench` where opa is at hand.

All in one run, so that the ratios hold on a noisy machine.
"""

from __future__ import annotations

import asyncio
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from authz_service.policy.compiling import Job, compile_policy
from authz_service.policy.regopy_compiler import compile_sources
from authz_service.rego_engine import values
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.compiled import CompiledPolicy, compile_plan
from bench.rego_policies import Policy, all_policies, equalities
from bench.regopy_vm import RegopyVm

ROUNDS = 9
ROUND_SECONDS = 0.15
RELOADS = 5
TICK_SECONDS = 0.001
MEMORY_EVALUATIONS = 1_000_000
MEMORY_RELOADS = 1_000


def compiled(policy: Policy) -> CompiledPolicy:
    """Compile in this process."""
    return compile_plan(compile_sources(policy.sources, [policy.rule]), policy.sources.data)


def microseconds(call: Callable[[], object]) -> float:
    """Return the median over rounds of what a call takes, in microseconds."""
    call()
    started = time.perf_counter()
    call()
    count = max(1, int(ROUND_SECONDS / max(time.perf_counter() - started, 1e-7)))
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(count):
            call()
        rounds.append((time.perf_counter() - started) / count * 1e6)
    return statistics.median(rounds)


def ours(policy: Policy) -> float:
    """Measure the engine, having seen that its answer is right. A new evaluation for each call, as for each request."""
    built = compiled(policy)

    def call() -> object:
        return built.evaluate(policy.rule, policy.document, built.evaluation(policy.document, Context(time_ns=1)))

    answer = values.to_json(call())
    if answer != policy.expected:
        sys.exit(f"{policy.name}: {answer} is not {policy.expected}")
    return microseconds(call)


def regopy(policy: Policy) -> float:
    """Measure regopy's virtual machine."""
    vm = RegopyVm(policy.sources, [policy.rule])
    return microseconds(lambda: vm.evaluate(policy.rule, policy.document))


def opa(policy: Policy) -> float | None:
    """Measure OPA by its own `opa bench`, in microseconds for an evaluation; None where opa is not at hand."""
    program = shutil.which("opa") or shutil.which("opa", path=str(Path.home() / "go" / "bin"))
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, text in enumerate(policy.sources.modules.values()):
            (folder / f"{number}.rego").write_text(text, "utf-8")
        (folder / "data.json").write_text(json.dumps(policy.sources.data), "utf-8")
        (folder / "input").write_text(json.dumps(policy.document), "utf-8")
        command = [
            program, "bench", "--format", "json", "--count", "3", "--metrics=false", "--data", str(folder),
            "--input", str(folder / "input"), f"data.{policy.rule.replace('/', '.')}",
        ]  # fmt: skip
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
    decoder, text, runs = json.JSONDecoder(), done.stdout.strip(), []
    while text:
        found, end = decoder.raw_decode(text)
        runs += found if isinstance(found, list) else [found]
        text = text[end:].lstrip()
    return float(statistics.median(run["T"] / run["N"] / 1e3 for run in runs))


def _row(name: str, mine: float, vm: float, other: float | None) -> str:
    beside = f"{other:>10.1f} {other / mine:>7.1f}x" if other else f"{'-':>10} {'-':>8}"
    return f"  {name:<42} {mine:>10.2f} {vm:>10.1f} {vm / mine:>7.1f}x {beside}"


def speed() -> None:
    """Print the comparison."""
    print("\nA decision, median µs\n")
    print(f"  {'':<42} {'engine':>10} {'regopy VM':>10} {'ratio':>8} {'opa bench':>10} {'ratio':>8}")
    for policy in all_policies():
        print(_row(policy.name, ours(policy), regopy(policy), opa(policy)), flush=True)


def index() -> None:
    """Print what more rules cost."""
    few, many = ours(equalities(10)), ours(equalities(1_000))
    print(f"\n  10 rules {few:.2f} µs, 1,000 rules {many:.2f} µs: {many / few:.2f}x (at most 2 is wanted)")
    policy = equalities(1_000)
    started = time.perf_counter()
    compile_sources(policy.sources, [policy.rule])
    front = time.perf_counter() - started
    started = time.perf_counter()
    compiled(policy)
    whole = time.perf_counter() - started
    print(f"  1,000 rules compile in {whole:.2f} s, of it regopy and the checks {front:.2f} s (under 3 s is wanted)")


def waits() -> None:
    """Print how long the event loop is held up while a policy of 1,000 rules is compiled and loaded."""
    policy = equalities(1_000)

    async def run(folder: str) -> list[float]:
        loop = asyncio.get_running_loop()
        found = []
        for _ in range(RELOADS):
            task = asyncio.ensure_future(compile_policy(Job((folder,), rules=(policy.rule,))))
            while not task.done():
                before = loop.time()
                await asyncio.sleep(TICK_SECONDS)
                found.append(loop.time() - before - TICK_SECONDS)
            await task
        return sorted(found)

    with tempfile.TemporaryDirectory() as folder:
        for name, text in policy.sources.modules.items():
            Path(folder, name).write_text(text, "utf-8")
        found = [wait * 1e3 for wait in asyncio.run(run(folder))]
    print(f"  {RELOADS} reloads of them: a call waits {found[len(found) // 2]:.2f} ms (median),", end=" ")
    print(f"{found[len(found) * 999 // 1000]:.1f} ms (99.9 %), {found[-1]:.1f} ms at most (20 ms is wanted)")


def memory() -> None:
    """Print whether memory stays flat over evaluations and over reloads."""
    policy = next(all_policies())
    built = compiled(policy)
    plan = compile_sources(policy.sources, [policy.rule])

    def evaluate(count: int) -> None:
        for _ in range(count):
            built.evaluate(policy.rule, policy.document, built.evaluation(policy.document, Context(time_ns=1)))

    def reload(count: int) -> None:
        for _ in range(count):
            compile_plan(plan, policy.sources.data)

    for name, run, count in (("evaluations", evaluate, MEMORY_EVALUATIONS), ("reloads", reload, MEMORY_RELOADS)):
        run(count // 10)
        before = _resident()
        run(count)
        print(f"  memory over {count:,} {name}: {_resident() - before:+.1f} MiB", flush=True)
    print(f"  peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


def _resident() -> float:
    """This process's resident memory in MiB."""
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


if __name__ == "__main__":
    speed()
    index()
    waits()
    memory()
