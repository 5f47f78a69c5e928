"""Which members of the input a plan can look at, so that nobody need build the others."""

from __future__ import annotations

from collections.abc import Iterable

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import INPUT, Block, Constant, Local, Plan, Statement


def members_read(found: Plan) -> frozenset[str] | None:
    """Return the names of the input's members that the plan reads; None where it may read any.

    Any: the input goes whole to a built-in or into a value, is replaced by `with`, or is asked by a name that is
    computed.
    """
    read: set[str] = set()
    for blocks in _bodies(found):
        for statement in flow.walk(blocks):
            if isinstance(statement, plan.With) and statement.local == INPUT:
                return None
            if INPUT not in flow.reads(statement):
                continue
            name = _member(statement)
            if name is not None:
                read.add(name)
            elif not _hands_on(statement, found):
                return None
    return frozenset(read)


def _bodies(found: Plan) -> Iterable[tuple[Block, ...]]:
    for function in found.functions.values():
        yield function.blocks
    for entrypoint in found.entrypoints.values():
        yield entrypoint.blocks


def _member(statement: Statement) -> str | None:
    """Return the name by which a statement looks into the input, if that is all it does with it."""
    if not isinstance(statement, plan.Dot) or statement.source != Local(INPUT):
        return None
    key = statement.key
    return key.value if isinstance(key, Constant) and isinstance(key.value, str) else None


def _hands_on(statement: Statement, found: Plan) -> bool:
    """Whether a statement does no more than call a function of the plan, each of which takes the input first."""
    if isinstance(statement, plan.CallDynamic):
        return Local(INPUT) not in statement.path and INPUT not in statement.arguments[1:]
    if isinstance(statement, plan.Call) and statement.function in found.functions:
        return Local(INPUT) not in statement.arguments[1:]
    return False
