"""What a statement reads, writes and holds: the questions that every pass and the generator ask of a plan. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from authz_service.rego_engine import plan
from authz_service.rego_engine.builtins.registry import find
from authz_service.rego_engine.plan import Block, Local, Operand, Statement

# The fields of each kind of statement: operands that are read, locals that are read, locals that are written (always,
# or changed in place), blocks. One table, so that a new statement is described once.
_OPERANDS: dict[type, tuple[str, ...]] = {
    plan.Append: ("value",),
    plan.Add: ("value",),
    plan.Assign: ("source",),
    plan.AssignOnce: ("source",),
    plan.Dot: ("source", "key"),
    plan.Equal: ("left", "right"),
    plan.Fetch: ("source", "key"),
    plan.Insert: ("key", "value"),
    plan.IsType: ("source",),
    plan.Length: ("source",),
    plan.Member: ("item", "source"),
    plan.NotEqual: ("left", "right"),
    plan.ReturnValue: ("source",),
    plan.With: ("value",),
}
_READS: dict[type, tuple[str, ...]] = {
    plan.AddResult: ("value",),
    plan.AssignOnce: ("target",),
    plan.Dispatch: ("subject", "result"),
    plan.IsDefined: ("source",),
    plan.IsUndefined: ("source",),
    plan.Merge: ("left", "right"),
    plan.Return: ("source",),
    plan.Scan: ("source",),
    plan.With: ("local",),
}
_WRITES: dict[type, tuple[str, ...]] = {
    plan.Assign: ("target",),
    plan.AssignOnce: ("target",),
    plan.Call: ("target",),
    plan.CallDynamic: ("target",),
    plan.Dot: ("target",),
    plan.Fetch: ("target",),
    plan.Length: ("target",),
    plan.Make: ("target",),
    plan.Merge: ("target",),
    plan.Reset: ("target",),
    plan.Scan: ("key", "value"),
    plan.With: ("local",),
}
_CHANGES: dict[type, str] = {plan.Append: "array", plan.Add: "set", plan.Insert: "object"}

# Statements that may be undefined by themselves, apart from what the blocks in them are.
GUARDS = (
    plan.Call, plan.CallDynamic, plan.Dot, plan.Equal, plan.NotEqual, plan.IsType, plan.IsDefined, plan.IsUndefined,
    plan.Length, plan.Member, plan.Not, plan.With, plan.Break,
)  # fmt: skip


def operands(statement: Statement) -> Iterator[Operand]:
    """Every operand that the statement itself reads."""
    for name in _OPERANDS.get(type(statement), ()):
        yield getattr(statement, name)
    if isinstance(statement, plan.Call):
        yield from statement.arguments
    elif isinstance(statement, plan.CallDynamic):
        yield from statement.path


def reads(statement: Statement) -> Iterator[int]:
    """Every local that the statement itself reads; one that it changes in place is read too."""
    for operand in operands(statement):
        if isinstance(operand, Local):
            yield operand.number
    for name in _READS.get(type(statement), ()):
        yield getattr(statement, name)
    if isinstance(statement, plan.CallDynamic):
        yield from statement.arguments
    changed = changes(statement)
    if changed is not None:
        yield changed


def writes(statement: Statement) -> Iterator[int]:
    """Every local that the statement itself gives another value."""
    for name in _WRITES.get(type(statement), ()):
        number = getattr(statement, name)
        if number is not None:
            yield number


def changes(statement: Statement) -> int | None:
    """The local whose array, object or set the statement changes in place."""
    name = _CHANGES.get(type(statement))
    return None if name is None else int(getattr(statement, name))


def blocks(statement: Statement) -> tuple[Block, ...]:
    """The blocks that a statement holds."""
    match statement:
        case plan.Blocks(blocks=found) | plan.Dispatch(blocks=found):
            return found
        case plan.Scan(block=block) | plan.Not(block=block) | plan.With(block=block):
            return (block,)
        case _:
            return ()


def with_blocks(statement: Statement, change: Callable[[Block], Block]) -> Statement:
    """Return the statement with each of its blocks changed."""
    match statement:
        case plan.Blocks(blocks=found) | plan.Dispatch(blocks=found):
            return replace(statement, blocks=tuple(map(change, found)))
        case plan.Scan(block=block) | plan.Not(block=block) | plan.With(block=block):
            return replace(statement, block=change(block))
        case _:
            return statement


def with_operands(statement: Statement, change: Callable[[Operand], Operand]) -> Statement:
    """Return the statement with each operand that it reads changed; a local outside an operand stays."""
    changed: dict[str, Any] = {}
    for name in _OPERANDS.get(type(statement), ()):
        old = getattr(statement, name)
        new = change(old)
        if new is not old:
            changed[name] = new
    if isinstance(statement, plan.Call):
        changed["arguments"] = tuple(map(change, statement.arguments))
    elif isinstance(statement, plan.CallDynamic):
        changed["path"] = tuple(map(change, statement.path))
    return replace(statement, **changed) if changed else statement


def walk(found: Iterable[Block]) -> Iterator[Statement]:
    """Every statement of some blocks, those inside others too, in order."""
    for block in found:
        for statement in block.statements:
            yield statement
            yield from walk(blocks(statement))


def unassigned(parameters: Iterable[int], found: Iterable[Block]) -> set[int]:
    """The locals that may be read before anything has assigned them."""
    missing: set[int] = set()

    def look(block: Block, known: set[int]) -> None:
        known = set(known)
        for statement in block.statements:
            missing.update(number for number in reads(statement) if number not in known)
            if not isinstance(statement, plan.Scan | plan.With):
                known.update(writes(statement))
            for inner in blocks(statement):
                look(inner, known | set(writes(statement)))

    certain = set(parameters)
    for block in found:
        look(block, certain)
        for statement in block.statements:
            if isinstance(statement, GUARDS) or blocks(statement):
                break
            certain.update(writes(statement))
    return missing


def order_is_unseen(block: Block) -> bool:
    """Whether a block run for each item of a collection comes to the same whatever their order.

    What it assigns for good it assigns once or as a constant; it only adds to sets and objects; and it calls nothing
    that can tell (`print`, `rand.intn`).
    """
    for statement in walk([block]):
        match statement:
            case plan.Append() | plan.AddResult() | plan.CallDynamic() | plan.Return():
                return False
            case plan.Insert(once=False):
                return False
            case plan.Call(function=name):
                builtin = find(name)
                if builtin is not None and not builtin.pure:
                    return False
            case _:
                pass
    return True


def renamed(statement: Statement, names: Mapping[int, int]) -> Statement:
    """Return the statement, and what is in its blocks, with locals numbered anew."""

    def change(found: Operand) -> Operand:
        return Local(names[found.number]) if isinstance(found, Local) and found.number in names else found

    statement = with_operands(statement, change)
    kind = type(statement)
    fields = {*_READS.get(kind, ()), *_WRITES.get(kind, ()), *([_CHANGES[kind]] if kind in _CHANGES else [])}
    changed: dict[str, Any] = {name: names[old] for name in fields if (old := getattr(statement, name)) in names}
    if isinstance(statement, plan.CallDynamic):
        changed["arguments"] = tuple(names.get(each, each) for each in statement.arguments)
    if changed:
        statement = replace(statement, **changed)
    return with_blocks(statement, lambda block: Block(tuple(renamed(each, names) for each in block.statements)))


def locals_of(function: plan.Function) -> set[int]:
    """Every local of a function."""
    found = {*function.parameters, function.result}
    for statement in walk(function.blocks):
        found.update(reads(statement))
        found.update(writes(statement))
    return found
