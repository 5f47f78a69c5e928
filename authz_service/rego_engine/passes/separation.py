"""Blocks of a function that use one number for locals of their own get numbers of their own.

Planners number each rule's locals anew, so that one local has many meanings; the passes after this one want to see
where a value is read.
"""

from __future__ import annotations

from dataclasses import replace

from authz_service.rego_engine import flow
from authz_service.rego_engine.plan import Block, Function, Plan
from authz_service.rego_engine.values import Value


def separate(found: Plan, data: Value) -> Plan:
    """Return the plan with each block's own locals numbered apart."""
    del data
    return replace(found, functions={name: _function(function) for name, function in found.functions.items()})


def _function(function: Function) -> Function:
    shared = {*function.parameters, function.result}
    for block in function.blocks:
        shared |= flow.unassigned(function.parameters, [block])
    top = 1 + max(flow.locals_of(function))
    seen: set[int] = set()
    blocks = []
    for block in function.blocks:
        own = {number for each in flow.walk([block]) for number in (*flow.reads(each), *flow.writes(each))} - shared
        names = {number: top + position for position, number in enumerate(sorted(own & seen))}
        top += len(names)
        seen |= own
        blocks.append(Block(tuple(flow.renamed(each, names) for each in block.statements)) if names else block)
    return replace(function, blocks=tuple(blocks))
