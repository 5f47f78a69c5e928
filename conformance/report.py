"""Outcomes → a table for the terminal, and the page of what is refused."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from conformance.judging import Outcome

KINDS = ("passed", "refused", "wrong")
BEGIN = "<!-- made by `make conformance`: what follows is written anew by each run -->"
END = "<!-- end of what `make conformance` writes -->"
MAX_REASON = 160  # characters
MAX_NOTES = 6  # cases that are named for one reason


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield the lines of a table: a row for each category that has more than passes, and the sums."""
    columns = sorted({(each.case.version, each.front_end) for each in outcomes})
    titles = [f"{version} by {front_end}" for version, front_end in columns]
    yield f"{'':<40}" + "".join(f"{title:>26}" for title in titles)
    yield f"{'category':<40}" + f"{'passed refused   wrong':>26}" * len(columns)
    counts = Counter((each.case.category, each.case.version, each.front_end, each.kind) for each in outcomes)
    for category in sorted({each.case.category for each in outcomes}):
        yield _row(category, [[counts[category, *column, kind] for kind in KINDS] for column in columns])
    sums = Counter((each.case.version, each.front_end, each.kind) for each in outcomes)
    yield _row("in all", [[sums[*column, kind] for kind in KINDS] for column in columns])


def _row(name: str, cells: Sequence[Sequence[int]]) -> str:
    shown = ("".join(f"{count:>8}" if count else f"{'-':>8}" for count in cell) for cell in cells)
    return f"{name:<40}" + "".join(f"{cell:>26}" for cell in shown)


def share_passed(outcomes: Sequence[Outcome]) -> float:
    """Return the percentage that passed, of the cases that need no network."""
    counted = [each for each in outcomes if not each.case.needs_network]
    return 100.0 * sum(each.kind == "passed" for each in counted) / len(counted) if counted else 0.0


def write_refusals(page: Path, outcomes: Sequence[Outcome], version: str) -> None:
    """Write each reason for a refusal, with its cases, between the page's two marks."""
    text = page.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    made = "\n".join(_refusals(outcomes, version))
    page.write_text(f"{before}{BEGIN}\n\n{made}\n{END}{after}", "utf-8")


def _refusals(outcomes: Sequence[Outcome], version: str) -> Iterator[str]:
    for front_end in sorted({each.front_end for each in outcomes}):
        mine = [each for each in outcomes if each.front_end == front_end]
        kinds = Counter(each.kind for each in mine)
        yield f"### By {front_end}, of OPA {version}'s {len(mine)} cases"
        yield ""
        yield f"{kinds['passed']} pass, {kinds['refused']} are refused, {kinds['wrong']} are wrong."
        yield ""
        reasons: dict[str, list[str]] = defaultdict(list)
        for each in mine:
            if each.kind == "refused":
                reasons[_reason(each.why)].append(f"{each.case.version} {each.case.note}")
        if reasons:
            yield "| reason | cases | such as |"
            yield "| --- | --- | --- |"
        for reason, notes in sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0])):
            more = ", …" if len(notes) > MAX_NOTES else ""
            yield f"| {_cell(reason)} | {len(notes)} | {_cell(', '.join(notes[:MAX_NOTES]) + more)} |"
        yield ""


def _reason(why: str) -> str:
    """Leave out what differs from case to case: file, row, names of rules."""
    text = re.sub(r"^(?:plan|policy|\S*\d+\.rego)(?::\d+)?: ", "", " ".join(why.split()))
    return re.sub(r"in data\.[\w.\[\]\"-]+ ", "", text)[:MAX_REASON]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")
