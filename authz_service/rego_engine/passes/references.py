"""A reference that a function follows in several of its blocks is followed once, at its start.

`input.method` and `input.attributes.request.http` cost a look-up for each name; a policy of rules that all begin with
them would pay again for each rule. A look-up has no effect, so it may come early; what was undefined there is still
asked for where it was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Constant, Function, Local, Plan, Statement
from authz_service.rego_engine.values import Value

MIN_USES = 2

Path = tuple[str | int, ...]


def fetch_once(found: Plan, data: Value) -> Plan:
    """Return the plan with each function's repeated references to the input fetched at its start."""
    del data
    top = 1 + max((number for function in found.functions.values() for number in _locals(function)), default=plan.DATA)
    functions = {}
    for name, function in found.functions.items():
        functions[name] = changed = _function(function, top)
        top = max(top, 1 + max(_locals(changed), default=0))
    return replace(found, functions=functions)


def _locals(function: Function) -> Iterator[int]:
    yield from function.parameters
    yield function.result
    for statement in flow.walk(function.blocks):
        yield from flow.reads(statement)
        yield from flow.writes(statement)


def _function(function: Function, top: int) -> Function:
    if any(isinstance(each, plan.With) and each.local == plan.INPUT for each in flow.walk(function.blocks)):
        return function
    assigned = Counter(number for statement in flow.walk(function.blocks) for number in flow.writes(statement))
    uses: Counter[Path] = Counter()
    for block in function.blocks:
        _count(block, {plan.INPUT: ()}, assigned, uses)
    wanted = {path for path, count in uses.items() if count >= MIN_USES}
    # What leads there is fetched too, though it may be followed once only: `x := input.a` and then `x.b` twice.
    wanted |= {path[:length] for path in wanted for length in range(1, len(path))}
    if not wanted:
        return function
    places = {path: top + number for number, path in enumerate(sorted(wanted, key=_order))}
    fetches = tuple(_fetch(path, places, function) for path in sorted(wanted, key=_order))
    blocks = [_replaced(block, {plan.INPUT: ()}, assigned, places) for block in function.blocks]
    return replace(function, blocks=(Block(fetches), *blocks))


def _order(path: Path) -> tuple[int, list[tuple[str, str | int]]]:
    """What is shorter comes first, and names of one kind are compared with each other only."""
    return len(path), [(type(name).__name__, name) for name in path]


def _fetch(path: Path, places: dict[Path, int], function: Function) -> Statement:
    source = Local(places[path[:-1]] if len(path) > 1 else plan.INPUT)
    return plan.Fetch(source, Constant(path[-1]), places[path], where=function.where)


def _step(statement: Statement, known: dict[int, Path], assigned: Counter[int]) -> Path | None:
    """The path that a look-up follows from the input, if it does and its target has no other value anywhere."""
    match statement:
        case plan.Dot(source=Local(number=source), key=Constant(value=str() | int() as name), target=target) if (
            source in known and assigned[target] == 1 and not isinstance(name, bool)
        ):
            return (*known[source], name)
        case _:
            return None


def _count(
    block: Block, known: dict[int, Path], assigned: Counter[int], uses: Counter[Path], *, in_scan: bool = False
) -> None:
    known = dict(known)
    for statement in block.statements:
        path = _step(statement, known, assigned)
        if path is not None and isinstance(statement, plan.Dot):
            known[statement.target] = path
            uses[path] += MIN_USES if in_scan else 1
        for inner in flow.blocks(statement):
            _count(inner, known, assigned, uses, in_scan=in_scan or isinstance(statement, plan.Scan))


def _replaced(block: Block, known: dict[int, Path], assigned: Counter[int], places: dict[Path, int]) -> Block:
    known = dict(known)
    statements: list[Statement] = []
    for statement in block.statements:
        path = _step(statement, known, assigned)
        if path is not None and isinstance(statement, plan.Dot):
            known[statement.target] = path
            if path in places:
                place = places[path]
                statements.append(plan.IsDefined(place, where=statement.where))
                statements.append(plan.Assign(Local(place), statement.target, where=statement.where))
                continue
        change = partial(_replaced, known=known, assigned=assigned, places=places)
        statements.append(flow.with_blocks(statement, change))
    return Block(tuple(statements))
