"""A look-up inside a scan that is the same for each item is made before the scan."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Constant, Function, Local, Plan, Statement
from authz_service.rego_engine.values import Value


def look_up_before(found: Plan, data: Value) -> Plan:
    """Return the plan with such look-ups moved out, as far as they go."""
    del data
    return replace(found, functions={name: _function(function) for name, function in found.functions.items()})


def _function(function: Function) -> Function:
    writes = Counter(number for each in flow.walk(function.blocks) for number in flow.writes(each))
    numbers = iter(range(1 + max(flow.locals_of(function)), plan.MAX_LOCALS))
    return replace(function, blocks=tuple(_block(block, writes, numbers) for block in function.blocks))


def _block(block: Block, writes: Counter[int], numbers: Iterator[int]) -> Block:
    statements: list[Statement] = []
    for statement in block.statements:
        statement = flow.with_blocks(statement, lambda each: _block(each, writes, numbers))  # noqa: PLW2901
        if isinstance(statement, plan.Scan):
            before, statement = _moved(statement, writes, numbers)  # noqa: PLW2901
            statements += before
        statements.append(statement)
    return Block(tuple(statements))


def _moved(scan: plan.Scan, writes: Counter[int], numbers: Iterator[int]) -> tuple[list[Statement], plan.Scan]:
    """Return what goes before the scan, and what is left of it."""
    changing = {number for each in flow.walk([scan.block]) for number in flow.writes(each)} | set(flow.writes(scan))
    changing |= {number for each in flow.walk([scan.block]) if (number := flow.changes(each)) is not None}
    before: list[Statement] = []
    statements: list[Statement] = []
    for statement in scan.block.statements:
        if (
            isinstance(statement, plan.Dot | plan.Fetch)
            and isinstance(statement.source, Local)
            and statement.source.number not in changing
            and (isinstance(statement.key, Constant) or statement.key.number not in changing)
            and writes[statement.target] == 1
        ):
            place = next(numbers)
            before.append(plan.Fetch(statement.source, statement.key, place, where=statement.where))
            if isinstance(statement, plan.Dot):
                statements.append(plan.IsDefined(place, where=statement.where))
            statements.append(plan.Assign(Local(place), statement.target, where=statement.where))
        else:
            statements.append(statement)
    return before, replace(scan, block=Block(tuple(statements)))
