"""The trail of an evaluation → which rules held, which failed, and where. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from authz_service.rego_engine.plan import Where
from authz_service.rego_engine.values import UNDEFINED, Value

MAX_STEPS = 10_000  # of a trail that is shown


@dataclass(slots=True)
class Step:
    """One evaluation of a rule: what it came to, where expressions of it failed, and the rules it asked."""

    rule: str
    value: Value = UNDEFINED
    failed_at: list[Where] = field(default_factory=list)
    asked: list[Step] = field(default_factory=list)

    @property
    def held(self) -> bool:
        """Whether the rule has a value other than false."""
        return self.value is not UNDEFINED and self.value is not False

    def to_json(self) -> dict[str, Any]:
        """Return the step as JSON values; of its value, only whether it held."""
        return {
            "rule": self.rule,
            "held": self.held,
            "failed_at": [str(where) for where in self.failed_at],
            "asked": [step.to_json() for step in self.asked],
        }


def explain(trail: Sequence[tuple[str, Any]], places: Sequence[Where]) -> Sequence[Step]:
    """Read a trail (`Evaluation.trail` of a policy compiled with probes) as a tree of steps."""
    root = Step("")
    open_ = [root]
    for kind, what in trail[:MAX_STEPS]:
        if kind == "enter":
            step = Step(what.partition(".")[2].removeprefix("data."))
            open_[-1].asked.append(step)
            open_.append(step)
        elif kind == "leave":
            open_.pop().value = what
        elif places[what] not in open_[-1].failed_at:
            open_[-1].failed_at.append(places[what])
    return root.asked


def show(steps: Sequence[Step], indent: int = 0) -> list[str]:
    """Return the steps as lines, indented by who asked for whom."""
    lines = []
    for step in steps:
        mark = "✓" if step.held else "✗"
        places = ", ".join(str(where) for where in step.failed_at)
        lines.append("  " * indent + f"{mark} {step.rule}" + (f"   not at {places}" if places else ""))
        lines += show(step.asked, indent + 1)
    return lines
