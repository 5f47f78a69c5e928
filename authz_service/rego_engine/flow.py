"""What a statement reads, writes and holds: the questions that every pass and the generator ask of a plan. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
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
_HOLDERS = frozenset({plan.Blocks, plan.Dispatch, plan.Scan, plan.Not, plan.With})
_CHANGES: dict[type, str] = {plan.Append: "array", plan.Add: "set", plan.Insert: "object"}

# Statements that may be undefined by themselves, apart from what the blocks in them are.
GUARDS = (
    plan.Call, plan.CallDynamic, plan.Dot, plan.Equal, plan.NotEqual, plan.IsType, plan.IsDefined, plan.IsUndefined,
    plan.Length, plan.Member, plan.Not, plan.With, plan.Break,
)  # fmt: skip


def operands(statement: Statement) -> list[Operand]:
    """Every operand that the statement itself reads."""
    kind = type(statement)
    found: list[Operand] = [getattr(statement, name) for name in _OPERANDS.get(kind, ())]
    if kind is plan.Call:
        found += statement.arguments  # type: ignore[attr-defined]  # which a call has
    elif kind is plan.CallDynamic:
        found += statement.path  # type: ignore[attr-defined]  # which a dynamic call has
    return found


def reads(statement: Statement) -> list[int]:
    """Every local that the statement itself reads; one that it changes in place is read too."""
    kind = type(statement)
    found = [each.number for each in operands(statement) if type(each) is Local]
    found += [getattr(statement, name) for name in _READS.get(kind, ())]
    if kind is plan.CallDynamic:
        found += statement.arguments  # type: ignore[attr-defined]  # which a dynamic call has
    elif kind in _CHANGES:
        found.append(getattr(statement, _CHANGES[kind]))
    return found


def writes(statement: Statement) -> tuple[int, ...]:
    """Every local that the statement itself gives another value."""
    names = _WRITES.get(type(statement))
    if names is None:
        return ()
    if len(names) == 1:
        return (getattr(statement, names[0]),)
    return tuple(number for name in names if (number := getattr(statement, name)) is not None)


def changes(statement: Statement) -> int | None:
    """The local whose array, object or set the statement changes in place."""
    name = _CHANGES.get(type(statement))
    return None if name is None else int(getattr(statement, name))


def blocks(statement: Statement) -> tuple[Block, ...]:
    """The blocks that a statement holds."""
    if type(statement) not in _HOLDERS:
        return ()
    match statement:
        case plan.Blocks(blocks=found) | plan.Dispatch(blocks=found):
            return found
        case plan.Scan(block=block) | plan.Not(block=block) | plan.With(block=block):
            return (block,)
        case _:
            raise AssertionError(statement)


def with_blocks(statement: Statement, change: Callable[[Block], Block]) -> Statement:
    """Return the statement with each of its blocks changed."""
    if type(statement) not in _HOLDERS:
        return statement
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


def walk(found: Iterable[Block]) -> list[Statement]:
    """Every statement of some blocks, those inside others too, in order."""
    statements: list[Statement] = []
    for block in found:
        for statement in block.statements:
            statements.append(statement)
            if type(statement) in _HOLDERS:
                statements += walk(blocks(statement))
    return statements


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


def order_is_unseen(scan: plan.Scan, reads_in_all: Mapping[int, int]) -> bool:
    """Whether a scan comes to the same whatever the order of its items; `reads_in_all` counts the function's reads.

    What it assigns for good it assigns once or as a constant; it only adds to sets and objects; and it calls nothing
    that can tell (`print`, `rand.intn`).
    """
    inside: Counter[int] = Counter()
    carried = set(writes(scan))
    constants: dict[int, plan.Constant] = {}
    for statement in walk([scan.block]):
        inside.update(reads(statement))
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
        if isinstance(statement, plan.Assign) and isinstance(statement.source, plan.Constant):
            if constants.setdefault(statement.target, statement.source) != statement.source:
                carried.add(statement.target)
        elif not isinstance(statement, plan.AssignOnce | plan.With):
            carried.update(writes(statement))
    return all(reads_in_all[number] == inside[number] for number in carried)


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
