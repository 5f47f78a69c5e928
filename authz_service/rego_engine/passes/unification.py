"""A comparison with an array that is built for it alone becomes comparisons of its items.

`input.path == ["v1", "orders", id]` builds an array for each rule and request. Item by item nothing is built, a rule
for another path ends at the first item that differs, and `dispatch` can find the rule by one of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Constant, Function, Local, Operand, Plan, Statement
from authz_service.rego_engine.values import Value

NONE = -1  # no local
MAX_ITEMS = 16  # of an array that is taken apart


def unify_items(found: Plan, data: Value) -> Plan:
    """Return the plan with such comparisons taken apart."""
    del data
    return replace(found, functions={name: _function(function) for name, function in found.functions.items()})


def _function(function: Function) -> Function:
    reads = Counter(number for each in flow.walk(function.blocks) for number in flow.reads(each))
    writes = Counter(number for each in flow.walk(function.blocks) for number in flow.writes(each))
    numbers = iter(range(1 + max(flow.locals_of(function)), plan.MAX_LOCALS))
    return replace(function, blocks=tuple(_block(block, reads, writes, numbers) for block in function.blocks))


def _block(block: Block, reads: Counter[int], writes: Counter[int], numbers: Iterator[int]) -> Block:
    built: dict[int, list[Operand]] = {}
    gone: dict[int, list[int]] = {}  # the statements that build each array
    statements: list[Statement | None] = []
    for statement in _called_equal(block, reads):
        statement = flow.with_blocks(statement, lambda each: _block(each, reads, writes, numbers))  # noqa: PLW2901
        place = len(statements)
        match statement:
            case plan.Make(kind=kind, target=target) if kind is list and writes[target] == 1:
                built[target], gone[target] = [], [place]
            case plan.Append(value=value, array=array) if array in built:
                built[array].append(value)
                gone[array].append(place)
            case plan.Equal(left=left, right=right):
                compared, other = _built(left, right, built)
                # Each append reads its array, and the comparison does so once more.
                items = built.get(compared, [])
                if compared in built and reads[compared] == len(items) + 1 and _is_taken_apart(items, writes):
                    for each in gone.pop(compared):
                        statements[each] = None
                    statements += _items(other, built.pop(compared), numbers, statement)
                    continue
            case _:
                pass
        statements.append(statement)
    return Block(tuple(each for each in statements if each is not None))


def _called_equal(block: Block, reads: Counter[int]) -> Iterator[Statement]:
    """The statements, with `equal` as a call that is only asked for being true as the comparison that it is."""
    waiting: plan.Call | None = None
    for statement in block.statements:
        if waiting is not None:
            if statement == plan.NotEqual(Local(waiting.target), Constant(value=False), where=statement.where):
                yield plan.Equal(waiting.arguments[0], waiting.arguments[1], where=waiting.where)
                waiting = None
                continue
            yield waiting
            waiting = None
        if isinstance(statement, plan.Call) and statement.function == "equal" and reads[statement.target] == 1:
            waiting = statement
        else:
            yield statement
    if waiting is not None:
        yield waiting


def _built(left: Operand, right: Operand, built: dict[int, list[Operand]]) -> tuple[int, Operand]:
    if isinstance(right, Local) and right.number in built:
        return right.number, left
    if isinstance(left, Local) and left.number in built:
        return left.number, right
    return NONE, left


def _is_taken_apart(items: list[Operand], writes: Counter[int]) -> bool:
    """Whether the items still are what they were when they were appended: assigned once, and before."""
    return len(items) <= MAX_ITEMS and all(isinstance(each, Constant) or writes[each.number] <= 1 for each in items)


def _items(other: Operand, items: list[Operand], numbers: Iterator[int], compared: plan.Equal) -> Iterator[Statement]:
    where = compared.where
    size = next(numbers)
    yield plan.IsType(other, (list,), where=where)
    yield plan.Length(other, size, where=where)
    yield plan.Equal(Local(size), Constant(len(items)), where=where)
    for position, item in enumerate(items):
        found = next(numbers)
        yield plan.Dot(other, Constant(position), found, where=where)
        yield plan.Equal(Local(found), item, where=where)
