"""`not f(x)` as OPA means it, in regopy's plan. Pure.

Before OPA negates an expression it evaluates the operands of its calls, the keys of its references and the collections
in it: where one of them is undefined, so is the whole, and `not startswith(input.path, "/admin")` does not hold for a
request without a path. regopy evaluates all of it within the Not statement, for which undefined is as good as false,
and the expression would hold. So all but the last call or comparison, and the references that a comparison compares,
moves in front of the Not.

`not f(x, value)`, the call with its result for a last operand, and `not value == f(x)` are one in regopy's plan, and
two in OPA: with the first, `f(x)` may be undefined. The second is refused.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Constant, Local, Operand, Plan, Statement
from service_kit.faults import Fault

_DOCUMENTS = (Local(plan.INPUT), Local(plan.DATA))
_PLAIN = (plan.Assign, plan.IsDefined, plan.NotEqual)


def parted(found: plan.Not) -> list[Statement]:
    """Return the statements that go before a Not, and the Not without them."""
    statements = found.block.statements
    test = _test(statements)
    if test is None or _is_ambiguous(statements, test):
        return [found]
    kept = _kept(statements, test)
    before = [each for number, each in enumerate(statements[:test]) if number not in kept]
    written = {local for number in kept for local in flow.writes(statements[number])}
    if any(local in written for each in before for local in flow.reads(each)):
        return [found]
    inside = [each for number, each in enumerate(statements) if number >= test or number in kept]
    return [*before, plan.Not(Block(tuple(inside)), where=found.where)]


def ambiguous(found: Plan, compared: Collection[tuple[str, int]]) -> Iterator[Fault]:
    """Yield a fault for each Not that compares with a call, and might be a call that is given its result.

    `compared` are the files and rows that have a comparison behind a `not`.
    """
    for function in found.functions.values():
        for statement in flow.walk(function.blocks):
            if not isinstance(statement, plan.Not) or (statement.where.file, statement.where.row) not in compared:
                continue
            test = _test(statement.block.statements)
            if test is not None and _is_ambiguous(statement.block.statements, test):
                text = "negates `value == f(x)`, which is `f(x, value)` to regopy: write `not f(x) == value`"
                where = statement.where if statement.where.row else function.where
                yield Fault(where.file or function.where.file, where.row, text)


def _is_ambiguous(statements: Sequence[Statement], test: int) -> bool:
    statement = statements[test]
    if not isinstance(statement, plan.Equal) or not isinstance(statement.right, Local):
        return False
    return any(
        isinstance(each, plan.Call) and each.target == statement.right.number and each.arguments != _DOCUMENTS
        for each in statements[:test]
    )


def _test(statements: Sequence[Statement]) -> int | None:
    """Return the place of what is negated: the last statement that is more than bookkeeping."""
    for number in range(len(statements) - 1, -1, -1):
        statement = statements[number]
        if isinstance(statement, plan.Call | plan.Equal | plan.Dot | plan.CallDynamic):
            return number
        if not isinstance(statement, _PLAIN):
            return None
    return None


def _kept(statements: Sequence[Statement], test: int) -> set[int]:
    """Return the places of what stays with the test: the references that it compares, but not their keys."""
    statement = statements[test]
    pending: list[Operand] = []
    if isinstance(statement, plan.Equal):
        pending = [statement.left, statement.right]
    elif isinstance(statement, plan.Dot):
        pending = [statement.source]
    writers = {local: number for number, each in enumerate(statements[:test]) for local in flow.writes(each)}
    kept: set[int] = set()
    while pending:
        operand = pending.pop()
        number = None if isinstance(operand, Constant) else writers.get(operand.number)
        if number is None or number in kept:
            continue
        writer = statements[number]
        if isinstance(writer, plan.Dot | plan.Assign):
            pending.append(writer.source)
            kept.add(number)
        elif isinstance(writer, plan.CallDynamic) or (isinstance(writer, plan.Call) and writer.arguments == _DOCUMENTS):
            kept.add(number)
    return kept
