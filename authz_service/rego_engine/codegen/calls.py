"""Which functions are worth remembering: those that one evaluation may call more than once. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Plan

DOCUMENTS = 2  # parameters of a rule: input and data


def called_again(found: Plan) -> frozenset[str]:
    """The functions whose results are to be kept for the length of an evaluation.

    A rule that has one place it is called from, outside of any scan, in a rule that itself runs once, needs none. A
    function of operands is kept where it goes through a collection or calls others.
    """
    sites: Counter[str] = Counter()
    again: set[str] = set()
    for function in found.functions.values():
        many = len(function.parameters) > DOCUMENTS
        for name, in_scan in _calls(function.blocks):
            sites[name] += 1
            if many or in_scan:
                again.add(name)
        if any(isinstance(statement, plan.CallDynamic) for statement in flow.walk(function.blocks)):
            again.update(found.functions)
    from_entrypoints = {name for entrypoint in found.entrypoints.values() for name, _ in _calls(entrypoint.blocks)}
    sites.update(from_entrypoints)
    again.update(name for name, count in sites.items() if count > 1)
    return frozenset(
        name
        for name in again
        if name in found.functions and (len(found.functions[name].parameters) == DOCUMENTS or _is_costly(found, name))
    )


def _is_costly(found: Plan, name: str) -> bool:
    return any(
        isinstance(statement, plan.Scan) or (isinstance(statement, plan.Call) and statement.function in found.functions)
        for statement in flow.walk(found.functions[name].blocks)
    )


def _calls(blocks: Iterable[Block], *, in_scan: bool = False) -> Iterable[tuple[str, bool]]:
    for block in blocks:
        for statement in block.statements:
            if isinstance(statement, plan.Call):
                yield statement.function, in_scan
            yield from _calls(flow.blocks(statement), in_scan=in_scan or isinstance(statement, plan.Scan))


def depth(found: Plan) -> int:
    """How deep the plan's functions call one another; -1 where they do so in a circle."""
    known: dict[str, int] = {}
    open_: set[str] = set()
    called = {
        name: sorted({callee for callee, _ in _calls(function.blocks) if callee in found.functions})
        for name, function in found.functions.items()
    }
    for start in called:
        stack = [start]
        while stack:
            name = stack[-1]
            if name in known:
                stack.pop()
                continue
            if name in open_:
                if any(callee not in known for callee in called[name]):
                    return -1
                known[name] = 1 + max((known[callee] for callee in called[name]), default=0)
                open_.discard(name)
                stack.pop()
                continue
            open_.add(name)
            waiting = [callee for callee in called[name] if callee not in known]
            if any(callee in open_ for callee in waiting):
                return -1
            stack += waiting
    return max(known.values(), default=0)
