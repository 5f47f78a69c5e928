"""The statements that build arrays, objects and sets → lines of Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.codegen.expression import local
from authz_service.rego_engine.codegen.function import FunctionWriter
from authz_service.rego_engine.literals import literal
from authz_service.rego_engine.plan import Local, Operand, Statement

_BRACKETS: Mapping[type, tuple[str, str]] = {list: ("[", "]"), dict: ("{", "}"), set: ("{", "}")}
_EMPTY: Mapping[type, str] = {list: "[]", dict: "{}", set: "set()"}


def built_at_once(made: plan.Make, statements: list[Statement]) -> list[Statement]:
    """Take the statements that go on building what was made, from the first of those that follow."""
    taken: list[Statement] = []
    while statements and flow.changes(statements[0]) == made.target:
        following = statements[0]
        if isinstance(following, plan.Insert) and (following.once or not isinstance(following.key, plan.Constant)):
            break
        if Local(made.target) in flow.operands(following):
            break
        taken.append(statements.pop(0))
    return taken


def make(writer: FunctionWriter, statement: plan.Make, parts: Sequence[Statement] = ()) -> None:
    """Write an empty array, object or set, or one with its first parts."""
    shown = []
    for part in parts:
        match part:
            case plan.Insert(key=key, value=value):
                shown.append(f"{_hashed(writer, key)}: {writer.show(value)}")
            case plan.Append(value=value):
                shown.append(writer.show(value))
            case plan.Add(value=value):
                shown.append(_hashed(writer, value))
            case _:
                raise AssertionError(part)
    left, right = _BRACKETS[statement.kind]
    source = f"{left}{', '.join(shown)}{right}" if shown else _EMPTY[statement.kind]
    writer.line(f"{local(statement.target)} = {source}")


def append(writer: FunctionWriter, statement: plan.Append) -> None:
    """Write an append to an array."""
    writer.line(f"{local(statement.array)}.append({writer.show(statement.value)})")


def insert(writer: FunctionWriter, statement: plan.Insert) -> None:
    """Write an insertion into an object."""
    found, value = local(statement.object), writer.show(statement.value)
    if statement.once:
        writer.line(f"if not insert_once({found}, {writer.show(statement.key)}, {value}):")
        with writer.indented():
            writer.line(f"ev.conflict('object keys must be unique', {literal(str(statement.where))})")
    else:
        writer.line(f"{found}[{_hashed(writer, statement.key)}] = {value}")


def add(writer: FunctionWriter, statement: plan.Add) -> None:
    """Write an addition to a set."""
    writer.line(f"{local(statement.set)}.add({_hashed(writer, statement.value)})")


def _hashed(writer: FunctionWriter, found: Operand) -> str:
    shown = writer.show(found)
    if not isinstance(found, Local):
        return shown if isinstance(found.value, str) else f"key({shown})"
    return f"{shown} if type({shown}) is str else key({shown})"


def merge(writer: FunctionWriter, statement: plan.Merge) -> None:
    """Write the merge of two objects."""
    writer.line(f"{local(statement.target)} = merge({local(statement.left)}, {local(statement.right)})")
