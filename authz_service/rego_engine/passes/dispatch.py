"""Rules that each begin by comparing the same value with a constant of their own are found by that constant.

As OPA's rule index does: of a thousand rules for a thousand paths, the one that can hold is run, found by hash. The
rules it leads to run in the order they had.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import replace

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Constant, Function, Local, Plan, Statement
from authz_service.rego_engine.values import Value, key

MIN_BLOCKS = 4  # in a row, before a look-up is cheaper than the comparisons
_EFFECTS = (plan.ReturnValue, plan.AssignOnce, plan.Add, plan.Insert)


def dispatch(found: Plan, data: Value) -> Plan:
    """Return the plan with runs of such rules behind one look-up."""
    del data
    return replace(found, functions={name: _function(function) for name, function in found.functions.items()})


def _function(function: Function) -> Function:
    if len(function.blocks) < MIN_BLOCKS:
        return function
    written = Counter(number for each in flow.walk(function.blocks) for number in flow.writes(each))
    # What a look-up may ask for: operands, and what was fetched at the start.
    known = set(function.parameters[2:])
    for block in function.blocks:
        if not all(isinstance(each, plan.Fetch) for each in block.statements):
            break
        known.update(each.target for each in block.statements if isinstance(each, plan.Fetch))
    known = {number for number in known if written[number] <= 1}
    ties = _ties(function, known)
    blocks: list[Block] = []
    run: list[Block] = []
    for block in function.blocks:
        if _subjects(block, known) and _is_own(block, function, ties):
            run.append(block)
            continue
        blocks += _dispatched(run, known, function)
        run = []
        blocks.append(block)
    blocks += _dispatched(run, known, function)
    return replace(function, blocks=tuple(blocks))


def _subjects(block: Block, known: set[int]) -> dict[int, Constant]:
    """The locals that the block compares with a constant before it does anything else, and the constants."""
    found: dict[int, Constant] = {}
    for statement in block.statements:
        match statement:
            case plan.Equal(left=Local(number=number), right=Constant() as constant) if number in known:
                found.setdefault(number, constant)
            case plan.Equal(left=Constant() as constant, right=Local(number=number)) if number in known:
                found.setdefault(number, constant)
            case (
                plan.IsDefined()
                | plan.Equal()
                | plan.NotEqual()
                | plan.Dot()
                | plan.Assign()
                | plan.IsType()
                | plan.Length()
            ):
                pass
            case _:
                break
    return found


def _ties(function: Function, known: set[int]) -> set[int]:
    """The locals that carry a value from one of the function's blocks to another, but for those that all read."""
    own = {*function.parameters, function.result}
    return {number for block in function.blocks for number in flow.unassigned(own, [block])} - known


def _is_own(block: Block, function: Function, ties: set[int]) -> bool:
    """Whether all that the block does for others is to give the function's result, in one way."""
    effects: set[type[Statement]] = set()
    for statement in flow.walk([block]):
        if isinstance(statement, plan.Return | plan.CallDynamic | plan.Dispatch):
            return False
        used = {*flow.reads(statement), *flow.writes(statement)}
        if used & ties:
            return False
        if isinstance(statement, plan.ReturnValue):
            effects.add(plan.ReturnValue)
        elif function.result in used:
            if not isinstance(statement, _EFFECTS):
                return False
            effects.add(type(statement))
    return len(effects) == 1


def _dispatched(run: list[Block], known: set[int], function: Function) -> Iterator[Block]:
    effects = {type(each) for each in flow.walk(run) if isinstance(each, _EFFECTS)} & {
        plan.ReturnValue,
        plan.AssignOnce,
    }
    if len(effects) > 1:
        yield from run
        return
    choice = Counter[int]()
    for number in known:
        constants = {_hashed(subjects[number]) for block in run if number in (subjects := _subjects(block, known))}
        if all(number in _subjects(block, known) for block in run):
            choice[number] = len(constants)
    if len(run) < MIN_BLOCKS or not choice or max(choice.values()) < MIN_BLOCKS:
        yield from run
        return
    subject = max(sorted(choice), key=lambda number: choice[number])
    cases: dict[Hashable, tuple[Value, list[int]]] = {}
    for position, block in enumerate(run):
        constant = _subjects(block, known)[subject]
        cases.setdefault(_hashed(constant), (constant.value, []))[1].append(position)
    statement: Statement = plan.Dispatch(
        subject,
        tuple((value, tuple(positions)) for value, positions in cases.values()),
        tuple(_without(block, subject) for block in run),
        function.result,
    )
    yield Block((statement,))


def _hashed(constant: Constant) -> Hashable:
    return key(constant.value)


def _without(block: Block, subject: int) -> Block:
    """The block without the comparison that led to it."""
    statements = list(block.statements)
    compared = next(each for each in statements if _compares(each, subject))
    return Block(
        tuple(
            each
            for each in statements
            if each is not compared and not (isinstance(each, plan.IsDefined) and each.source == subject)
        )
    )


def _compares(statement: Statement, subject: int) -> bool:
    """Whether a statement compares the subject with a constant."""
    if not isinstance(statement, plan.Equal):
        return False
    sides = (statement.left, statement.right)
    return Local(subject) in sides and any(isinstance(side, Constant) for side in sides)
