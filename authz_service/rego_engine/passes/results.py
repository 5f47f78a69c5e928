"""A rule's result goes straight to the caller: fewer blocks, and no more of them run than needed.

- Blocks that only hold blocks are opened.
- A rule's own result local, copied into the function's at the end, is the function's.
- Where every definition gives the same value, the first that holds ends the function (OPA's early exit). So does the
  last that can, and each branch of an `else`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Constant, Function, Local, Operand, Plan, Statement
from authz_service.rego_engine.values import Value, equal


def return_early(found: Plan, data: Value) -> Plan:
    """Return the plan with each function ending as soon as its result is certain."""
    del data
    return replace(found, functions={name: _function(function) for name, function in found.functions.items()})


def _function(function: Function) -> Function:
    blocks = _forwarded(list(_opened(function.blocks)), function.result)
    if not _is_plain(blocks, function.result):
        return replace(function, blocks=tuple(blocks))
    return replace(function, blocks=tuple(_Returns(blocks, function.result).blocks()))


def _opened(blocks: Iterable[Block]) -> Iterator[Block]:
    for block in blocks:
        if (
            len(block.statements) == 1
            and isinstance(held := block.statements[0], plan.Blocks)
            and not _breaks_out(held)
        ):
            yield from _opened(held.blocks)
        elif block.statements:
            yield block


def _breaks_out(held: plan.Blocks) -> bool:
    def look(block: Block, depth: int) -> bool:
        return any(
            (isinstance(statement, plan.Break) and statement.index > depth)
            or (isinstance(statement, plan.CallDynamic) and statement.leaves > depth)
            or any(look(inner, depth + 1) for inner in flow.blocks(statement))
            for statement in block.statements
        )

    return any(look(block, 0) for block in held.blocks)


def _forwarded(blocks: list[Block], result: int) -> list[Block]:
    """Write to the function's result what is written to a rule's own and then copied."""
    copies = {number: source for number, block in enumerate(blocks) if (source := _copied(block, result)) is not None}
    for own in set(copies.values()):
        ends = [number for number, source in copies.items() if source == own]
        chains = _chains(blocks, own, ends)
        if chains is None:
            continue
        ordered = any(
            isinstance(statement, plan.IsUndefined) and statement.source == own for statement in flow.walk(blocks)
        )
        # An else chain asks whether its own result is there: the function's is the same only if nobody wrote it before.
        if ordered and (len(chains) > 1 or any(_writes(block, result) for block in blocks[: chains[0].start])):
            continue
        for number in range(len(blocks)):
            if any(number in chain for chain in chains):
                blocks[number] = _renamed(blocks[number], own, result)
        blocks = [block for number, block in enumerate(blocks) if number not in ends]
        return _forwarded(blocks, result)
    return blocks


def _copied(block: Block, result: int) -> int | None:
    match block.statements:
        case (plan.IsDefined(source=own), plan.AssignOnce(source=Local(number=number), target=target)) if (
            number == own and target == result and own != result
        ):
            return own
        case _:
            return None


def _chains(blocks: list[Block], own: int, ends: list[int]) -> list[range] | None:
    """The blocks that belong to each copy, from the reset before it on; None where `own` is used in any other way."""
    chains = []
    start = 0
    for end in ends:
        first = next((n for n in range(start, end) if _mentions(blocks[n], own)), end)
        if first == end or not _resets_first(blocks[first], own):
            return None
        chains.append(range(first, end))
        start = end + 1
    inside = {number for chain in chains for number in chain} | set(ends)
    if any(_mentions(block, own) for number, block in enumerate(blocks) if number not in inside):
        return None
    for chain in chains:
        for statement in flow.walk(blocks[number] for number in chain):
            if own in {*flow.reads(statement), *flow.writes(statement)} and not isinstance(
                statement, plan.Reset | plan.AssignOnce | plan.IsUndefined
            ):
                return None
            if isinstance(statement, plan.AssignOnce) and statement.source == Local(own):
                return None
    return chains


def _resets_first(block: Block, own: int) -> bool:
    return bool(block.statements) and isinstance(first := block.statements[0], plan.Reset) and first.target == own


def _mentions(block: Block, number: int) -> bool:
    return any(number in {*flow.reads(each), *flow.writes(each)} for each in flow.walk([block]))


def _writes(block: Block, number: int) -> bool:
    return any(isinstance(each, plan.AssignOnce) and each.target == number for each in flow.walk([block]))


def _renamed(block: Block, own: int, result: int) -> Block:
    statements: list[Statement] = []
    for statement in block.statements:
        match statement:
            case plan.Reset(target=target) if target == own:
                continue
            case plan.AssignOnce(target=target) if target == own:
                statements.append(replace(statement, target=result))
            case plan.IsUndefined(source=source) if source == own:
                statements.append(replace(statement, source=result))
            case _:
                statements.append(flow.with_blocks(statement, lambda each: _renamed(each, own, result)))
    return Block(tuple(statements))


def _is_plain(blocks: list[Block], result: int) -> bool:
    """Whether the result is only ever assigned once, outside of `with`, and returned at the end."""
    ends = ((plan.Return(result),), (plan.IsDefined(result), plan.Return(result)))
    if not blocks or tuple(replace(each, where=plan.NOWHERE) for each in blocks[-1].statements) not in ends:
        return False
    if any(isinstance(each, plan.Return) for each in flow.walk(blocks[:-1])):
        return False
    for statement in flow.walk(blocks):
        uses = result in {*flow.reads(statement), *flow.writes(statement)}
        if uses and not isinstance(
            statement, plan.AssignOnce | plan.IsUndefined | plan.IsDefined | plan.Return | plan.Reset
        ):
            return False
        if isinstance(statement, plan.AssignOnce) and statement.source == Local(result):
            return False
        if isinstance(statement, plan.With | plan.Not) and any(
            result in {*flow.reads(each), *flow.writes(each)} for each in flow.walk(flow.blocks(statement))
        ):
            return False
    resets = [
        n
        for n, block in enumerate(blocks)
        for each in flow.walk([block])
        if isinstance(each, plan.Reset) and each.target == result
    ]
    first = next((n for n, block in enumerate(blocks) if _writes(block, result)), len(blocks))
    return all(n < first for n in resets)


class _Returns:
    """The function's blocks with each assignment of the result that is final as a return."""

    def __init__(self, blocks: list[Block], result: int) -> None:
        self._blocks = blocks
        self._result = result
        self._open = [self._values(block) for block in blocks]  # values of each block that does not ask first
        self._certain = True

    def _asks_first(self, block: Block) -> bool:
        return any(isinstance(each, plan.IsUndefined) and each.source == self._result for each in block.statements[:1])

    def _values(self, block: Block) -> list[Operand]:
        """The values that a block may give, where it gives one even if another block has; constants as such."""
        return [] if self._asks_first(block) else self._given(block.statements)

    def _given(self, statements: tuple[Statement, ...]) -> list[Operand]:
        return [
            each.source
            for each in flow.walk([Block(statements)])
            if isinstance(each, plan.AssignOnce) and each.target == self._result
        ]

    def _later(self) -> list[list[Operand]]:
        """For each block, the values that the blocks after it may give: none, the only one, or two of several."""
        found: list[list[Operand]] = []
        later: list[Operand] = []
        for values in reversed(self._open):
            found.append(later)
            for value in values:
                if not later or (len(later) == 1 and not _same(value, later[0])):
                    later = [*later, value]
        return found[::-1]

    def blocks(self) -> Iterator[Block]:
        """Convert, as long as whatever was given before has been returned: then there is no result yet."""
        for block, later in zip(self._blocks, self._later(), strict=True):
            asks = self._asks_first(block)
            statements = block.statements[1:] if asks and self._certain else block.statements
            if self._certain or asks:
                yield self._convert(Block(statements), later, scanned=False)
            else:
                yield block

    def _convert(self, block: Block, later: list[Operand], *, scanned: bool) -> Block:
        statements: list[Statement] = []
        for number, statement in enumerate(block.statements):
            match statement:
                case plan.AssignOnce(source=source, target=target) if target == self._result:
                    rest = [*later, *self._given(block.statements[number + 1 :])]
                    if self._is_final(source, rest, scanned=scanned):
                        statements.append(plan.ReturnValue(source, where=statement.where))
                        break
                    self._certain = False
                    statements.append(statement)
                case plan.Scan():
                    within = self._given(statement.block.statements)
                    rest = [*later, *self._given(block.statements[number + 1 :]), *within[1:]]
                    statements.append(flow.with_blocks(statement, partial(self._convert, later=rest, scanned=True)))
                case plan.Blocks():
                    if len(statement.blocks) == 1:
                        rest = [*later, *self._given(block.statements[number + 1 :])]
                        change = partial(self._convert, later=rest, scanned=scanned)
                        statements.append(flow.with_blocks(statement, change))
                    else:
                        self._certain = self._certain and not self._given((statement,))
                        statements.append(statement)
                case _:
                    statements.append(statement)
        return Block(tuple(statements))

    def _is_final(self, source: Operand, later: list[Operand], *, scanned: bool) -> bool:
        """Whether nothing that follows could give another value; in a scan, the next item could."""
        if not self._certain:
            return False
        if not isinstance(source, Constant):
            return not later and not scanned
        return all(_same(source, other) for other in later)


def _same(one: Operand, other: Operand) -> bool:
    return isinstance(one, Constant) and isinstance(other, Constant) and equal(one.value, other.value)
