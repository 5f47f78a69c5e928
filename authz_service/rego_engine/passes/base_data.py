"""What is looked up in the base document is looked up at load: the document does not change under a policy.

Not where a `with` may put another document in its place: then nothing is done here. A composite value is not written
into the source; it is taken from the document when the module is loaded.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import partial

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Constant, Function, Local, Plan, Statement
from authz_service.rego_engine.runtime import dot
from authz_service.rego_engine.values import UNDEFINED, Value


def fold_data(found: Plan, data: Value) -> Plan:
    """Return the plan with look-ups of constant keys in the base document done."""
    functions = [function.blocks for function in found.functions.values()]
    entrypoints = [entrypoint.blocks for entrypoint in found.entrypoints.values()]
    bodies = [*functions, *entrypoints]
    if any(isinstance(each, plan.With) and each.local == plan.DATA for body in bodies for each in flow.walk(body)):
        return found
    return replace(found, functions={name: _function(function, data) for name, function in found.functions.items()})


def address(found: Plan, data: Value) -> Plan:
    """Return the plan with `data.ports[80]` read as OPA's storage reads it: a key of the document is a string.

    This is no optimisation; it is done whatever passes run.
    """
    return replace(found, functions={name: _addressed(function, data) for name, function in found.functions.items()})


def _addressed(function: Function, data: Value) -> Function:
    written = Counter(number for each in flow.walk(function.blocks) for number in flow.writes(each))
    places = {plan.DATA: data}
    numbers: dict[int, int] = {}

    def look(block: Block) -> Block:
        statements = []
        for statement in block.statements:
            match statement:
                case plan.Assign(source=Constant(value=int() as value), target=target) if written[target] == 1:
                    numbers[target] = value
                case plan.Assign(source=Local(number=plan.DATA), target=target) if written[target] == 1:
                    places[target] = data  # a variable of the policy is none of the reference: `x[80]` is no path
                case plan.Dot(source=Local(number=source), key=name, target=target) if source in places:
                    asked = numbers.get(name.number) if isinstance(name, Local) else name.value
                    if type(asked) is int and type(places[source]) is dict and asked not in places[source]:
                        asked = str(asked)
                        statement = replace(statement, key=Constant(asked))  # noqa: PLW2901  (the same look-up)
                    if asked is not None and written[target] == 1:
                        places[target] = dot(places[source], asked)
                case _:
                    pass
            statements.append(flow.with_blocks(statement, look))
        return Block(tuple(statements))

    blocks = tuple(map(look, function.blocks))
    return function if blocks == function.blocks else replace(function, blocks=blocks)


def _function(function: Function, data: Value) -> Function:
    written = Counter(number for each in flow.walk(function.blocks) for number in flow.writes(each))
    start = {plan.DATA: Constant(data, ())}
    return replace(function, blocks=tuple(_block(block, start, written) for block in function.blocks))


def _block(block: Block, known: dict[int, Constant], written: Counter[int]) -> Block:
    known = dict(known)
    statements: list[Statement] = []
    for statement in block.statements:
        match statement:
            case plan.Dot(source=Local(number=source), key=Constant(value=name), target=target) if (
                source in known and written[target] == 1
            ):
                value = dot(known[source].value, name)
                if value is UNDEFINED:
                    statements.append(plan.Break(0, where=statement.where))
                    break
                path = known[source].path
                known[target] = Constant(value, (*path, name) if path is not None else None)
                statements.append(plan.Assign(known[target], target, where=statement.where))
                continue
            case _:
                pass
        statements.append(flow.with_blocks(statement, partial(_block, known=known, written=written)))
    return Block(tuple(statements))
