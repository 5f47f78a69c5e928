"""regopy's plan → faults where it cannot mean what the sources do. Pure.

- A variable of a rule that is used in a comprehension or in `every` is one variable. Where it has its value by a
  function's operand, by `=` or by a reference that goes through something, regopy takes the inner one for another, and
  both for one local of the plan, which then is assigned twice on one path.
- Each `with` of the sources is a With statement of the plan: where one is missing, regopy has dropped it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Function, Plan, Where
from service_kit.faults import Fault

_NOT_VARIABLES = (plan.AssignOnce, plan.Reset, plan.With, plan.Merge)
_CLOSED = (plan.Blocks, plan.Not)  # what is assigned in them is of no use behind them


def reassigned(found: Plan) -> Iterator[Fault]:
    """Yield a fault for each function of the plan that assigns a local twice where the rule has one variable."""
    for function in found.functions.values():
        where = _reassigned(function)
        if where is not None:
            name = function.name.partition(".")[2]
            text = (
                f"uses a variable of {name} inside a comprehension or `every` as well as outside, and regopy takes them"
                " for two: write `other := name` before it and use `other` inside, or give the inner one another name"
            )
            yield Fault(where.file or function.where.file, where.row or function.where.row, text)


def lost_withs(found: Plan, expected: Mapping[str, Mapping[int, int]]) -> Iterator[Fault]:
    """Yield a fault for each row whose rules have more `with` in the sources than in the plan.

    `expected` has, for each file, the rows in which rules start and how many `with` they have.
    """
    rows = {file: sorted(counts) for file, counts in expected.items()}
    kept: Counter[tuple[str, int]] = Counter()
    for function in found.functions.values():
        for statement in flow.walk(function.blocks):
            starts = rows.get(statement.where.file)
            if isinstance(statement, plan.With) and starts:
                start = starts[max(bisect_right(starts, statement.where.row) - 1, 0)]
                kept[statement.where.file, start] += 1
    for file, counts in expected.items():
        for row, count in counts.items():
            if kept[file, row] < count:
                text = (
                    "has a `with` that regopy drops: give the value a name in an expression before, `value := …`, and"
                    " write `as value`"
                )
                yield Fault(file, row, text)


def _reassigned(function: Function) -> Where | None:
    for block in function.blocks:
        assigned: dict[int, Where] = {}
        twice: list[Where] = []
        _gather(block, assigned, {}, twice)
        if twice:
            return twice[0]
    return None


def _gather(block: Block, path: dict[int, Where], closed: dict[int, Where], twice: list[Where]) -> None:
    """Add to `path` what a block and what goes on in it assigns, to `closed` what closed blocks in it do."""
    for statement in block.statements:
        if not isinstance(statement, _NOT_VARIABLES):
            for local in flow.writes(statement):
                if local in path or local in closed:
                    twice.append(statement.where)
                path[local] = statement.where
        for inner in flow.blocks(statement):
            if isinstance(statement, _CLOSED):
                own: dict[int, Where] = {}
                deeper: dict[int, Where] = {}
                _gather(inner, own, deeper, twice)
                both = own | deeper
                twice += [where for local, where in both.items() if local in path]
                closed |= both
            else:
                _gather(inner, path, closed, twice)
