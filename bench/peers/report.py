"""The figures as a page and as lines for the terminal. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from string import Template

from bench.peers.load import Latency
from bench.peers.results import Compared, Footprint, Ratio, Results, Run, Section, Turns, per_core

MIB = 1024 * 1024
BOUND_ELSEWHERE = "\\*"


def page(results: Results, template: str) -> str:
    """Fill the template of docs/benchmarks.md."""
    values = {
        "sections": "\n".join(_section(section) for section in results.sections),
        "losses": _list(losses(results)) or "Nowhere, in this run.",
        "footprints": _footprints(results.footprints),
        "tried": _tried(results.sections),
        "settings": _settings(results.sections),
        "machine": _table(("", ""), [list(pair) for pair in results.machine.items()]),
        "seconds": f"{results.seconds:g}",
        "rounds": str(results.rounds),
        "bounded": _bounded(results),
        "disturbed": _disturbed(results),
        "generator": _generator(results),
    }
    return Template(template).substitute(values)


def summary(results: Results) -> str:
    """What counts, for the terminal."""
    lines = []
    for section in results.sections:
        lines.append(
            f"{section.title}: {section.ours} to {section.theirs}, medians, and the least and most of the pairs"
        )
        for each in section.workloads:
            cpu, rate = each.saturation.ratio(per_core), each.saturation.ratio(_rate)
            p99 = each.paced.ratio(_p99)
            lines.append(
                f"  {each.title:<34} per CPU {times(cpu):<18} calls/s {times(rate):<18}"
                f" p99 at {each.rate:,.0f}/s {times(p99)}"
            )
    return "\n".join(lines)


def losses(results: Results) -> list[str]:
    """Where the peer is better by its medians, a line for each workload and for each program."""
    found = []
    for section in results.sections:
        for each in section.workloads:
            worse = _worse(each)
            if worse:
                found.append(f"{section.title}; {each.title}: {'; '.join(worse)}")
    for ours, theirs in zip(results.footprints[::2], results.footprints[1::2], strict=True):
        worse = [
            f"{what} {figure(ours) / figure(theirs):.1f}x"
            for what, figure in _FOOTPRINT_FIGURES
            if figure(ours) > figure(theirs)
        ]
        if worse:
            found.append(f"{ours.program} to {theirs.program}: {'; '.join(worse)}")
    return found


def _worse(each: Compared) -> list[str]:
    calls = each.saturation.ratio(per_core)
    found = [f"calls for CPU time {times(calls)}"] if calls.of_medians < 1 else []
    for name, figure in (("p50", _p50), ("p99", _p99)):
        ratio = each.paced.ratio(figure)
        if ratio.of_medians > 1:
            found.append(f"{name} {times(ratio)}")
    return found


def times(ratio: Ratio) -> str:
    """Write a ratio with its spread."""
    return f"{ratio.of_medians:.2f}x ({ratio.least:.2f} to {ratio.most:.2f})"


_FOOTPRINT_FIGURES: Sequence[tuple[str, Callable[[Footprint], float]]] = (
    ("time until the first answer", lambda each: median(each.starts)),
    ("memory at rest", lambda each: each.at_rest),
    ("memory after a load", lambda each: each.after_load),
)


def _rate(run: Run) -> float:
    return run.rate


def _p50(run: Run) -> float:
    return run.latency.p50


def _p99(run: Run) -> float:
    return run.latency.p99


def _section(section: Section) -> str:
    return "\n".join(
        [f"### {section.title}: {section.ours} and {section.theirs}", "", _saturation(section), "", _paced(section), ""]
    )


def _saturation(section: Section) -> str:
    has_store = any(run.store_cpu for each in section.workloads for run in each.saturation.ours)
    heads = ["at saturation", "calls for 1 s of CPU: ours", "theirs", "ratio", "calls/s: ours", "theirs", "ratio"]
    heads += ["Valkey's CPU, µs a call: ours", "theirs"] if has_store else []
    rows = []
    for each in section.workloads:
        turns = each.saturation
        row = [each.title, *_pair(turns, per_core), f"**{times(turns.ratio(per_core))}**"]
        mark = BOUND_ELSEWHERE if turns.bounded_elsewhere() else ""
        row += [*_pair(turns, _rate), times(turns.ratio(_rate)) + mark]
        if has_store:
            row += [f"{value:.1f}" for value in turns.medians(lambda run: run.store_cpu)]
        rows.append(row)
    return _table(heads, rows)


def _paced(section: Section) -> str:
    heads = ["at an equal rate", "calls/s", "ours: p50 / p95 / p99 / p99.9, ms", "theirs", "p99, ours to theirs"]
    heads += ["CPU, µs a call: ours", "theirs"]
    rows = []
    for each in section.workloads:
        ours, theirs = (_latency(runs) for runs in (each.paced.ours, each.paced.theirs))
        row = [each.title, f"{each.rate:,.0f}", ours, theirs, f"**{times(each.paced.ratio(_p99))}**"]
        rows.append(row + _pair(each.paced, lambda run: run.cpu))
    return _table(heads, rows)


def _latency(runs: Sequence[Run]) -> str:
    figures: Sequence[Callable[[Latency], float]] = (
        lambda found: found.p50,
        lambda found: found.p95,
        lambda found: found.p99,
        lambda found: found.p999,
    )
    return " / ".join(f"{median(figure(run.latency) for run in runs) / 1e3:.2f}" for figure in figures)


def _pair(turns: Turns, figure: Callable[[Run], float]) -> list[str]:
    return [f"{value:,.0f}" for value in turns.medians(figure)]


def _footprints(found: Sequence[Footprint]) -> str:
    heads = [
        "",
        "first answer after, s (least to most)",
        "PSS at rest, MiB",
        "after so many calls",
        "PSS, MiB",
        "processes",
    ]
    rows = [
        [
            each.program,
            f"{median(each.starts):.2f} ({min(each.starts):.2f} to {max(each.starts):.2f})",
            f"{each.at_rest / MIB:.0f}",
            f"{each.calls:,}",
            f"{each.after_load / MIB:.0f}",
            ", ".join(each.processes),
        ]
        for each in found
    ]
    return _table(heads, rows)


def _tried(sections: Sequence[Section]) -> str:
    rows = [
        [
            section.theirs,
            each.settings,
            each.workload,
            f"{each.per_core:,.0f}",
            f"{each.rate:,.0f}",
            "taken" if each.taken else "",
        ]
        for section in sections
        for each in section.tried
    ]
    return _table(["", "settings", "tried on", "calls for 1 s of CPU", "calls/s", ""], rows)


def _settings(sections: Sequence[Section]) -> str:
    pairs = [
        pair
        for section in sections
        for pair in ((section.ours, section.our_settings), (section.theirs, section.their_settings))
    ]
    return _list(f"{name}: {settings}" for name, settings in dict.fromkeys(pairs))


def _bounded(results: Results) -> str:
    """Explain the mark, where it stands anywhere."""
    if not any(each.saturation.bounded_elsewhere() for each in _all_compared(results)):
        return ""
    return (
        f"\n{BOUND_ELSEWHERE} One of the two did not fill its core: Valkey, the load generator or somebody else was the"
        " bound, so\ncalls/s say less than CPU time does.\n"
    )


def _disturbed(results: Results) -> str:
    shares = [run.others for run in _all_runs(results)]
    return f"{median(shares):.1%} in the median run, {max(shares):.0%} in the worst"


def _generator(results: Results) -> str:
    share = max(run.load_cpu for run in _all_runs(results))
    late = median(run.late for each in _all_compared(results) for run in (*each.paced.ours, *each.paced.theirs))
    return f"{share:.0%} of its core at most; at an equal rate, it sent 99 of 100 calls within {late:.0f} µs"


def _all_compared(results: Results) -> list[Compared]:
    return [each for section in results.sections for each in section.workloads]


def _all_runs(results: Results) -> list[Run]:
    return [
        run
        for each in _all_compared(results)
        for turns in (each.saturation, each.paced)
        for run in (*turns.ours, *turns.theirs)
    ]


def _list(items: Iterable[str]) -> str:
    return "\n".join(f"- {item}" for item in items)


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
