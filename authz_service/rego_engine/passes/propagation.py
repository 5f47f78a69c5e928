"""Copies and constants are put where they are read, checks that cannot fail go, and so do assignments nobody reads.

Both planners assign what they could name (regopy nearly everything); the other passes need it gone to see anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.builtins.registry import find
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.plan import Block, Constant, Function, Local, Operand, Plan, Statement
from authz_service.rego_engine.values import UNDEFINED, Value, equal, key

MAX_ROUNDS = 10
MAX_FOLDED_ITEMS = 1_000  # of a composite that becomes a constant
_COMPOSITES = (list, dict, set)


def propagate(found: Plan, data: Value) -> Plan:
    """Return the plan with each function simplified until nothing more changes."""
    del data
    return replace(found, functions={name: _function(function) for name, function in found.functions.items()})


def _function(function: Function) -> Function:
    for _ in range(MAX_ROUNDS):
        blocks = tuple(_Known(set(function.parameters) - {plan.INPUT}).block(block) for block in function.blocks)
        changed = Counter(number for statement in flow.walk(blocks) if (number := flow.changes(statement)) is not None)
        blocks = tuple(_fold_composites(block, changed) for block in blocks)
        read = {number for statement in flow.walk(blocks) for number in flow.reads(statement)} | {function.result}
        blocks = tuple(_drop_unread(block, read) for block in blocks)
        if blocks == function.blocks:
            break
        function = replace(function, blocks=blocks)
    return function


@dataclass(slots=True)
class _Known:
    """What is known at a point: locals that have a value, and what stands for a local as long as neither changes."""

    defined: set[int]
    stands_for: dict[int, Operand] = field(default_factory=dict)

    def forget(self, written: Iterable[int]) -> None:
        gone = set(written)
        self.defined -= gone
        self.stands_for = {
            target: source
            for target, source in self.stands_for.items()
            if target not in gone and not (isinstance(source, Local) and source.number in gone)
        }

    def copy(self) -> _Known:
        return _Known(set(self.defined), dict(self.stands_for))

    def operand(self, found: Operand) -> Operand:
        return self.stands_for.get(found.number, found) if isinstance(found, Local) else found

    def number(self, found: int) -> int:
        source = self.stands_for.get(found)
        return source.number if isinstance(source, Local) else found

    def block(self, block: Block) -> Block:
        """Simplify a block; afterwards, only what holds however it was left is known."""
        inside = self.copy()
        statements: list[Statement] = []
        for statement in block.statements:
            done = inside.statement(statement)
            if done is not None:
                statements.append(done)
                if isinstance(done, plan.Break):
                    break
        self.forget(_written(block))
        return Block(tuple(statements))

    def statement(self, statement: Statement) -> Statement | None:
        """Return what is left of a statement."""
        statement = self._renamed(flow.with_operands(statement, self.operand))
        match statement:
            case plan.Equal(left=Constant(value=left), right=Constant(value=right)):
                return None if equal(left, right) else plan.Break(0, where=statement.where)
            case plan.NotEqual(left=Constant(value=left), right=Constant(value=right)):
                return plan.Break(0, where=statement.where) if equal(left, right) else None
            case plan.IsDefined(source=source) if source in self.defined:
                return None
            case plan.Call(function=name, arguments=arguments, target=target):
                value = _known_result(name, arguments)
                if value is UNDEFINED:
                    return self._kept(statement)
                return self._kept(plan.Assign(Constant(value), target, where=statement.where))
            case plan.IsType(source=Constant(value=value), types=types):
                return None if type(value) in types else plan.Break(0, where=statement.where)
            case _:
                return self._kept(statement)

    def _kept(self, statement: Statement) -> Statement:
        if isinstance(statement, plan.Scan):
            written = [*_written(statement.block), *flow.writes(statement)]
            self.forget(written)
            body = self.copy()
            body.defined.update(flow.writes(statement))
            statement = flow.with_blocks(statement, body.block)
            self.forget(written)
            return statement
        if isinstance(statement, plan.With):
            replaced = statement.local
            self.forget([replaced])
            statement = flow.with_blocks(statement, self.block)
            self.forget([replaced])
            return statement
        statement = flow.with_blocks(statement, self.block)
        changed = flow.changes(statement)
        self.forget([*flow.writes(statement), *([] if changed is None else [changed])])
        if changed is not None:
            self.defined.add(changed)
        match statement:
            case plan.Assign(source=Constant() as source, target=target):
                self.stands_for[target] = source
                self.defined.add(target)
            case plan.Assign(source=Local(number=number) as source, target=target) if number != target:
                self.stands_for[target] = source
                if number in self.defined:
                    self.defined.add(target)
            case plan.Call(target=target) | plan.CallDynamic(target=target) | plan.Dot(target=target):
                self.defined.add(target)
            case plan.Make(target=target) | plan.Length(target=target) | plan.Merge(target=target):
                self.defined.add(target)
            case plan.AssignOnce(target=target):
                self.defined.add(target)
            case plan.IsDefined(source=source):
                self.defined.add(source)
            case _:
                pass
        return statement

    def _renamed(self, statement: Statement) -> Statement:
        """Read a copy's origin in the places that name a local and are no operand."""
        match statement:
            case plan.IsDefined(source=source) if isinstance(self.stands_for.get(source), Local):
                return replace(statement, source=self.number(source))
            case plan.Scan(source=source) if isinstance(self.stands_for.get(source), Local):
                return replace(statement, source=self.number(source))
            case plan.Merge(left=left, right=right):
                return replace(statement, left=self.number(left), right=self.number(right))
            case _:
                return statement


def _known_result(name: str, arguments: tuple[Operand, ...]) -> Value:
    """The result of a built-in's call that can be made once, at load; UNDEFINED where it is to be made each time."""
    builtin = find(name)
    if builtin is None or not builtin.pure or not all(isinstance(each, Constant) for each in arguments):
        return UNDEFINED
    try:
        value = builtin.function(*(each.value for each in arguments if isinstance(each, Constant)))
    except (BuiltinFault, RecursionError):
        return UNDEFINED  # an error where it stands, each time
    small = type(value) not in _COMPOSITES or len(value) <= MAX_FOLDED_ITEMS
    return value if small else UNDEFINED


def _written(block: Block) -> set[int]:
    found: set[int] = set()
    for statement in flow.walk([block]):
        found.update(flow.writes(statement))
        changed = flow.changes(statement)
        if changed is not None:
            found.add(changed)
    return found


def _drop_unread(block: Block, read: set[int]) -> Block:
    statements = []
    for statement in block.statements:
        if isinstance(statement, plan.Assign | plan.Reset | plan.Fetch) and statement.target not in read:
            continue
        if isinstance(statement, plan.Blocks) and not any(each.statements for each in statement.blocks):
            continue
        if isinstance(statement, plan.Scan):
            statement = replace(  # noqa: PLW2901  (the same statement, leaner)
                statement,
                key=statement.key if statement.key in read else None,
                value=statement.value if statement.value in read else None,
            )
        statements.append(flow.with_blocks(statement, lambda each: _drop_unread(each, read)))
    return Block(tuple(statements))


def _fold_composites(block: Block, changed: Counter[int]) -> Block:
    """Make a constant of an array, object or set that is built of constants in one go and not changed afterwards."""
    statements: list[Statement] = []
    waiting = list(block.statements)
    while waiting:
        statement = waiting.pop(0)
        if isinstance(statement, plan.Make):
            count = 0
            while count < len(waiting) and _adds_constant(waiting[count], statement.target):
                count += 1
            if count == changed[statement.target]:
                value = statement.kind()
                for each in waiting[:count]:
                    _add(value, each)
                del waiting[:count]
                statement = plan.Assign(Constant(value), statement.target, where=statement.where)
        statements.append(flow.with_blocks(statement, lambda each: _fold_composites(each, changed)))
    return Block(tuple(statements))


def _adds_constant(statement: Statement, target: int) -> bool:
    return (
        flow.changes(statement) == target
        and all(isinstance(each, Constant) for each in flow.operands(statement))
        and not (isinstance(statement, plan.Insert) and statement.once)
    )


def _add(value: Value, statement: Statement) -> None:
    match statement:
        case plan.Append(value=Constant(value=item)):
            value.append(item)
        case plan.Add(value=Constant(value=item)):
            value.add(key(item))
        case plan.Insert(key=Constant(value=name), value=Constant(value=item)):
            value[key(name)] = item
        case _:
            raise AssertionError(statement)
