"""The gateway's figures as tables, and the goals beside what was reached. Prints; the figures are values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench import h2load
from bench.gateway import CORES, DISTURBED, RATES, TURNS, Comparison, Run, share_cores, usable_cores
from bench.gateway_stack import AGENTS, PARTS, PATH
from bench.percentiles import Percentiles, middle

GOAL_RATE = 4_000.0  # requests in a second, on two cores
GOAL_AT = 1_000.0  # requests in a second
GOAL_P50 = 1.5  # milliseconds added
GOAL_P99 = 8.0


@dataclass(frozen=True, slots=True)
class Goal:
    """What is wanted and what was reached. `reached` is None where it was not measured."""

    name: str
    unit: str
    wanted: float
    reached: float | None
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether it was reached."""
        if self.reached is None:
            return False
        return self.reached >= self.wanted if self.at_least else self.reached <= self.wanted


def goals(found: Sequence[Comparison]) -> list[Goal]:
    """Hold the figures against the goals. A rate that was not sustained has no latencies that mean anything."""
    at = next((each for each in found if each.wanted == GOAL_AT and each.is_sustained), None)
    fastest = max((each.rate for each in found if each.wanted is None), default=None)
    failed = sum(sum(each.failed.values()) for each in found)
    return [
        Goal("saturation", "requests/s", GOAL_RATE, fastest, at_least=True),
        Goal(f"p50 added at {GOAL_AT:,.0f}/s", "ms", GOAL_P50, at.added.p50 if at else None),
        Goal(f"p99 added at {GOAL_AT:,.0f}/s", "ms", GOAL_P99, at.added.p99 if at else None),
        Goal("requests without a 200", "", 0, failed),
    ]


def head(*, bodies: bool) -> None:
    """Print what is measured."""
    own, load = share_cores(usable_cores())
    where = f"on cores {_list(own)}, the load on {'the same' if own == load else _list(load)}" if own else ""
    what = "The whole gateway" if bodies else "The gateway without ext_proc: tokens, policy, limits, audit"
    print(f"\n{what}, {where}\n")
    print(f"  GET {PATH} over TLS, {AGENTS} agents in turn. Medians of {TURNS} runs each, in turn with Envoy alone.")
    print("  Latencies in ms, at a given rate from the moment that a request was due.\n")
    print(f"  {'':<42} {'p50':>8} {'p95':>8} {'p99':>8} {'p99.9':>8} {'answers/s':>10} {'not 200':>8}")


def show(each: Comparison) -> None:
    """Print the rows of one load."""
    print(f"  {each.name}")
    for name, runs in (("Envoy alone", each.alone), ("the gateway", each.gateway)):
        rate, failed = median(run.rate for run in runs), sum(sum(run.failed.values()) for run in runs)
        print(f"    {name:<40} {_row(middle([run.latency for run in runs]))} {rate:>10,.0f} {failed:>8}")
    if each.wanted is not None:
        note = "" if each.is_sustained else "    not sustained: latencies grow as long as it lasts"
        print(f"    {'added':<40} {_row(each.added)}{note}")
    for why, number in each.failed.items():
        print(f"    {number} ended in: {why}")


def tail(found: Sequence[Comparison]) -> None:
    """Print what was passed over, where the CPU time went, and the goals."""
    measured = {each.wanted for each in found}
    too_high = [f"{rate:,}/s" for rate in RATES if rate not in measured]
    if too_high:
        print(f"  Not measured: {', '.join(too_high)}, since a lower rate was not sustained")
    if not h2load.PROGRAM:
        print(f"  {h2load.ABSENT}")
    timed = [each for each in found if each.wanted is not None and each.is_sustained]
    if timed:
        late = middle([run.late for run in (*timed[-1].gateway, *timed[-1].alone) if run.late])
        print(f"  Of that our generator's own delay, at {timed[-1].name}: p50 {late.p50:.2f} ms, p99 {late.p99:.2f} ms")
    _show_cpu(found)
    left_out = sum(each.left_out for each in found)
    if left_out:
        print(f"  {left_out} more pairs of runs were disturbed by other programs and are left out")
    others = max(each.others for each in found)
    if others > DISTURBED:
        print(f"  In those above other programs took up to {others:.1f} cores: on a quiet machine figures are better")
    print(f"\n  {'goal, on ' + str(CORES) + ' cores':<42} {'wanted':>14} {'reached':>10}")
    for goal in goals(found):
        sign = "≥" if goal.at_least else "≤"
        reached = "not held" if goal.reached is None else f"{goal.reached:,.4g}"
        wanted = f"{sign} {goal.wanted:,.4g} {goal.unit}".rstrip()
        print(f"  {goal.name:<42} {wanted:>14} {reached:>10}  {'met' if goal.is_met else 'MISSED'}")


def _show_cpu(found: Sequence[Comparison]) -> None:
    parts = [*PARTS, "load"]
    if not all(run.cpu for each in found for run in each.gateway):
        return
    print("\n  CPU time for a request through the gateway, µs; and of others meanwhile, in cores\n")
    print(f"  {'':<42} " + " ".join(f"{part.removesuffix('_service'):>9}" for part in [*parts, "together", "others"]))
    for each in found:
        spent = {part: median(run.cpu[part] for run in each.gateway) for part in parts}
        others = median(run.others for run in each.gateway)
        columns = " ".join(f"{cpu:>9.0f}" for cpu in [*spent.values(), sum(spent.values())])
        print(f"  {each.name:<42} {columns} {others:>9.2f}")
    alone = median(run.cpu["envoy"] for run in found[-1].alone)
    print(f"  Envoy alone, {found[-1].name}: {alone:.0f}")


def values(found: Sequence[Comparison]) -> dict[str, Any]:
    """All of it for a JSON file."""

    def runs_of(runs: Sequence[Run]) -> list[dict[str, Any]]:
        return [asdict(run) for run in runs]

    return {
        "loads": [
            {
                "name": each.name, "wanted_rate": each.wanted, "rate": each.rate, "sustained": each.is_sustained,
                "left_out": each.left_out,
                "added_ms": asdict(each.added), "gateway": runs_of(each.gateway), "alone": runs_of(each.alone),
            }
            for each in found
        ],
        "goals": [{**asdict(goal), "met": goal.is_met} for goal in goals(found)],
    }  # fmt: skip


def _row(found: Percentiles) -> str:
    return f"{found.p50:>8.2f} {found.p95:>8.2f} {found.p99:>8.2f} {found.p999:>8.2f}"


def _list(cores: Sequence[int]) -> str:
    return ", ".join(map(str, cores))
