"""A scan that looks for one value is a membership test, and one that only asks whether anything matches ends there.

`some role in input.user.roles; role == "admin"` becomes `"admin" in roles`, which a constant set answers by hash and an
array at the speed of C. A scan whose block does nothing but set the same locals to the same constants each time ends
with the first item that gets to the end of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Constant, Function, Local, Operand, Plan, Statement
from authz_service.rego_engine.values import Value, make_set

_QUESTIONS = (plan.IsDefined, plan.IsUndefined, plan.IsType, plan.Equal, plan.NotEqual)  # without a consequence
MIN_ITEMS = 4  # of a constant array, before it is worth being a set


def test_membership(found: Plan, data: Value) -> Plan:
    """Return the plan with the scans that are membership tests written as such."""
    del data
    return replace(found, functions={name: _function(function) for name, function in found.functions.items()})


test_membership.__test__ = False  # type: ignore[attr-defined]  # no test: its name says what it makes


def _function(function: Function) -> Function:
    reads = Counter(number for statement in flow.walk(function.blocks) for number in flow.reads(statement))
    constants = {
        statement.target: statement.source.value
        for statement in flow.walk(function.blocks)
        if isinstance(statement, plan.Assign) and isinstance(statement.source, Constant)
    }
    writes = Counter(number for statement in flow.walk(function.blocks) for number in flow.writes(statement))
    constants = {number: value for number, value in constants.items() if writes[number] == 1}
    return replace(function, blocks=tuple(_block(block, reads, constants) for block in function.blocks))


def _block(block: Block, reads: Counter[int], constants: Mapping[int, Value], *, end_counts: bool = False) -> Block:
    """`end_counts`: it matters whether the block comes to its end, as under `not`: a scan always lets it."""
    statements: list[Statement] = []
    asked = _asked(block.statements, reads)
    for number, statement in enumerate(asked):
        inner = partial(
            _block, reads=reads, constants=constants, end_counts=isinstance(statement, plan.Not | plan.With)
        )
        statement = flow.with_blocks(statement, inner)  # noqa: PLW2901  (the same statement, changed inside)
        if isinstance(statement, plan.Scan):
            last = number + 1 == len(asked) and not end_counts
            test = _as_test(statement, reads, constants, last=last)
            if test is not None:
                statements += test
                continue
        statements.append(statement)
    return Block(tuple(statements))


def _as_test(
    scan: plan.Scan, reads: Counter[int], constants: Mapping[int, Value], *, last: bool
) -> list[Statement] | None:
    """Return the statements instead of a scan, in its place; None where it is more than a membership test.

    The rest of its block must come to the same however often it is run, since equal items run it once each; and where
    it is not the block's last statement, it goes into a block of its own, so that no match leaves what follows alone.
    """
    if scan.key is not None or not scan.block.statements:
        return None
    position = next((n for n, each in enumerate(scan.block.statements) if scan.value in set(flow.reads(each))), None)
    if position is None or scan.value is None:
        return None
    asked, first = scan.block.statements[:position], scan.block.statements[position]
    if not isinstance(first, plan.Equal) or not all(isinstance(each, _QUESTIONS) for each in asked):
        return None
    item = _other(first, scan.value)
    if item is None or item == Local(scan.value):
        return None
    inside = Counter(number for statement in flow.walk([scan.block]) for number in flow.reads(statement))
    written = {number for statement in flow.walk([scan.block]) for number in flow.writes(statement)}
    if isinstance(item, Local) and item.number in written:
        return None
    rest = scan.block.statements[position + 1 :]
    # What is found equals `item` but need not be it (1 and 1.0 do not look the same): nothing may read it afterwards.
    if reads[scan.value] > 1 or inside[scan.value] != 1 or not _same_each_time(rest):
        return None
    source: Operand = Local(scan.source)
    value = constants.get(scan.source)
    if isinstance(value, list) and len(value) >= MIN_ITEMS:
        source = Constant(make_set(value))
    elif isinstance(value, set):
        source = Constant(value)
    test: list[Statement] = [*asked, plan.Member(item, source, where=first.where), *rest]
    return test if last else [plan.Blocks((Block(tuple(test)),), where=scan.where)]


def _other(found: plan.Equal, number: int) -> Operand | None:
    if found.left == Local(number):
        return found.right
    return found.left if found.right == Local(number) else None


def _same_each_time(statements: tuple[Statement, ...]) -> bool:
    """Whether running the statements again changes nothing: no break out of the scan, and nothing appended."""
    for statement in flow.walk([Block(statements)]):
        match statement:
            case plan.Break() | plan.CallDynamic() | plan.Append() | plan.AddResult() | plan.Return():
                return False
            case _:
                pass
    return True


def _asked(statements: tuple[Statement, ...], reads: Counter[int]) -> list[Statement]:
    """Write `x in xs`, a call whose result is only asked for being true, as a membership test."""
    found: list[Statement] = []
    for statement in statements:
        before = found[-1] if found else None
        if (
            isinstance(statement, plan.NotEqual)
            and statement.right == Constant(value=False)
            and isinstance(before, plan.Call)
            and before.function == "internal.member_2"
            and statement.left == Local(before.target)
            and reads[before.target] == 1
        ):
            item, source = before.arguments
            value = source.value if isinstance(source, Constant) else None
            if isinstance(value, list) and len(value) >= MIN_ITEMS:
                source = Constant(make_set(value))
            found[-1] = plan.Member(item, source, where=before.where)
            continue
        found.append(statement)
    return found
