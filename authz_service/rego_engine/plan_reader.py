"""plan.json → a typed, validated `Plan`, or every fault that it has. Pure.

There are two dialects: OPA's (`opa build -t plan`) and regopy's; `regopy_dialect` holds the differences. A statement,
operand or field that is not known here is a fault: a plan that is half understood would be evaluated wrongly.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Protocol

from authz_service.rego_engine import numbers, plan
from authz_service.rego_engine.plan import Block, Constant, Local, Operand, Plan, Statement, Where
from service_kit.faults import Faults

MAX_NESTING = 100  # blocks within blocks; the passes go down into each


class PlanError(Exception):
    """A plan that cannot be read."""


class Dialect(Protocol):
    """What differs between the writers of plans."""

    row_offset: int
    dynamic_prefix: tuple[str, ...]
    falls_back: bool

    def string(self, text: str) -> str:
        """Return the string that an entry of the plan's table stands for."""
        ...

    def block(self, statements: Sequence[Statement]) -> Sequence[Statement]:
        """Return a block's statements, with what this writer leaves out."""
        ...


class OpaDialect:
    """As OPA writes it."""

    row_offset = 0
    dynamic_prefix: tuple[str, ...] = ()
    falls_back = False

    def string(self, text: str) -> str:
        """Return it as it stands."""
        return text

    def block(self, statements: Sequence[Statement]) -> Sequence[Statement]:
        """Return it as it stands."""
        return statements


def read_plan(text: str | bytes, dialect: Dialect, files: Mapping[str, str], source: str, faults: Faults) -> Plan:
    """Read a plan. `files` maps the plan's names to those to show; `source` is what faults without a place name."""
    try:
        return _Reader(json.loads(text), dialect, files).plan()
    except PlanError as error:
        faults.add(source, 0, f"is not a plan that can be read: {error}")
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        faults.add(source, 0, f"is not a plan that can be read: {type(error).__name__}: {error}"[:300])
    return Plan({}, {})


class _Reader:
    def __init__(self, document: Any, dialect: Dialect, files: Mapping[str, str]) -> None:
        static = document.get("static") or {}
        self._document = document
        self._dialect = dialect
        self._strings = [_text(entry["value"]) for entry in static.get("strings") or []]
        self._files = [files.get(name, name) for name in (_text(entry["value"]) for entry in static.get("files") or [])]
        self._depth = 0

    def plan(self) -> Plan:
        functions = {}
        for item in (self._document.get("funcs") or {}).get("funcs") or []:
            name = _text(item["name"])
            if name in functions:
                raise PlanError(f"has the function {name!r} twice")
            functions[name] = plan.Function(
                name,
                tuple(_local(number) for number in item["params"]),
                _local(item["return"]),
                self._blocks(item["blocks"]),
                tuple(_text(part) for part in _list(item.get("path") or [])),
            )
        entrypoints: dict[str, plan.Entrypoint] = {}
        for item in (self._document.get("plans") or {}).get("plans") or []:
            name = _text(item["name"])
            if name in entrypoints:
                raise PlanError(f"has the entrypoint {name!r} twice")
            entrypoints[name] = plan.Entrypoint(name, self._blocks(item["blocks"]))
        return Plan(entrypoints, functions, tuple(self._files))

    def _blocks(self, items: Sequence[Any] | None) -> tuple[Block, ...]:
        return tuple(self._block(item) for item in items or ())

    def _block(self, item: Mapping[str, Any]) -> Block:
        self._depth += 1
        if self._depth > MAX_NESTING:
            raise PlanError(f"blocks are nested more than {MAX_NESTING} deep")
        found = [self._statement(each["type"], each["stmt"]) for each in item["stmts"] or ()]
        self._depth -= 1
        return Block(tuple(self._dialect.block([each for each in found if each is not None])))

    def _where(self, item: Mapping[str, Any]) -> Where:
        row = item.get("row")
        if row is None or not self._files:
            return plan.NOWHERE
        file = _at(self._files, item.get("file", 0), "file")
        return Where(file, _whole(row) + self._dialect.row_offset)

    def _statement(self, kind: str, item: Mapping[str, Any]) -> Statement | None:
        if kind == "NopStmt":
            return None
        read = _STATEMENTS.get(kind)
        if read is None:
            raise PlanError(f"statement {kind!r} is not known")
        unknown = item.keys() - _PLACE - _FIELDS[kind]
        if unknown:
            raise PlanError(f"statement {kind!r} has the unknown field {min(unknown)!r}")
        return read(self, item, self._where(item))

    def operand(self, item: Mapping[str, Any]) -> Operand:
        kind, value = item["type"], item["value"]
        if kind == "local":
            return Local(_local(value))
        if kind == "string_index":
            return Constant(self.string(value))
        if kind == "bool" and isinstance(value, bool):
            return Constant(value)
        raise PlanError(f"operand {kind!r} is not known")

    def string(self, index: int) -> str:
        return (
            self._dialect.string(_at(self._strings, index, "string"))
            .encode("utf-16", "surrogatepass")
            .decode("utf-16", "replace")
        )

    def number(self, item: Mapping[str, Any]) -> Constant:
        index = item["index"] if "index" in item else item["Index"]
        text = _at(self._strings, index, "string")
        return Constant(numbers.parse(text.replace(".", "0.", 1) if text.lstrip("-").startswith(".") else text))

    def call_dynamic(self, item: Mapping[str, Any], where: Where) -> Statement:
        arguments = tuple(_local(each["value"] if isinstance(each, dict) else each) for each in item["args"])
        path = tuple(self.operand(each) for each in item["path"])
        prefix = self._dialect.dynamic_prefix
        if prefix:
            if tuple(each.value for each in path[: len(prefix)] if isinstance(each, Constant)) != prefix:
                raise PlanError("a dynamic call has an unknown root")
            path = (Constant("g0"), *path[len(prefix) :])
        falls_back = self._dialect.falls_back
        return plan.CallDynamic(
            path, arguments, _local(item["result"]), 0 if falls_back else 3, falls_back, where=where
        )

    def block(self, item: Mapping[str, Any]) -> Block:
        return self._block(item)

    def blocks(self, items: Sequence[Any]) -> tuple[Block, ...]:
        return self._blocks(items)


def _local(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < plan.MAX_LOCALS:
        raise PlanError(f"local {value!r} is not known")
    return value


def _at(table: Sequence[str], index: Any, what: str) -> str:
    if not isinstance(index, int) or isinstance(index, bool) or not 0 <= index < len(table):
        raise PlanError(f"{what} {index!r} is not in its table of {len(table)}")
    return table[index]


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise PlanError(f"{value!r} is no text"[:100])
    return value


def _list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise PlanError(f"{value!r} is no list"[:100])
    return value


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise PlanError(f"{value!r} is no whole number")
    return value


def _type_check(*types: type) -> Callable[[_Reader, Mapping[str, Any], Where], Statement]:
    return lambda reader, item, where: plan.IsType(reader.operand(item["source"]), types, where=where)


def _make(kind: type) -> Callable[[_Reader, Mapping[str, Any], Where], Statement]:
    return lambda _, item, where: plan.Make(kind, _local(item["target"]), where=where)


def _insert(*, once: bool) -> Callable[[_Reader, Mapping[str, Any], Where], Statement]:
    return lambda reader, item, where: plan.Insert(
        reader.operand(item["key"]), reader.operand(item["value"]), _local(item["object"]), once, where=where
    )


_STATEMENTS: Final[Mapping[str, Callable[[_Reader, Mapping[str, Any], Where], Statement]]] = {
    "ArrayAppendStmt": lambda r, s, w: plan.Append(r.operand(s["value"]), _local(s["array"]), where=w),
    "AssignIntStmt": lambda _, s, w: plan.Assign(Constant(_whole(s["value"])), _local(s["target"]), where=w),
    "AssignVarOnceStmt": lambda r, s, w: plan.AssignOnce(r.operand(s["source"]), _local(s["target"]), where=w),
    "AssignVarStmt": lambda r, s, w: plan.Assign(r.operand(s["source"]), _local(s["target"]), where=w),
    "BlockStmt": lambda r, s, w: plan.Blocks(r.blocks(s["blocks"]), where=w),
    "BreakStmt": lambda _, s, w: plan.Break(_whole(s["index"]), where=w),
    "CallDynamicStmt": lambda r, s, w: r.call_dynamic(s, w),
    "CallStmt": lambda r, s, w: plan.Call(
        _text(s["func"]), tuple(r.operand(each) for each in s["args"] or ()), _local(s["result"]), where=w
    ),
    "DotStmt": lambda r, s, w: plan.Dot(r.operand(s["source"]), r.operand(s["key"]), _local(s["target"]), where=w),
    "EqualStmt": lambda r, s, w: plan.Equal(r.operand(s["a"]), r.operand(s["b"]), where=w),
    "IsArrayStmt": _type_check(list),
    "IsDefinedStmt": lambda _, s, w: plan.IsDefined(_local(s["source"]), where=w),
    "IsObjectStmt": _type_check(dict),
    "IsSetStmt": _type_check(set),
    "IsUndefinedStmt": lambda _, s, w: plan.IsUndefined(_local(s["source"]), where=w),
    "LenStmt": lambda r, s, w: plan.Length(r.operand(s["source"]), _local(s["target"]), where=w),
    "MakeArrayStmt": _make(list),
    "MakeNullStmt": lambda _, s, w: plan.Assign(Constant(None), _local(s["target"]), where=w),
    "MakeNumberIntStmt": lambda _, s, w: plan.Assign(Constant(_whole(s["value"])), _local(s["target"]), where=w),
    "MakeNumberRefStmt": lambda r, s, w: plan.Assign(r.number(s), _local(s["target"]), where=w),
    "MakeObjectStmt": _make(dict),
    "MakeSetStmt": _make(set),
    "NotEqualStmt": lambda r, s, w: plan.NotEqual(r.operand(s["a"]), r.operand(s["b"]), where=w),
    "NotStmt": lambda r, s, w: plan.Not(r.block(s["block"]), where=w),
    "ObjectInsertOnceStmt": _insert(once=True),
    "ObjectInsertStmt": _insert(once=False),
    "ObjectMergeStmt": lambda _, s, w: plan.Merge(_local(s["a"]), _local(s["b"]), _local(s["target"]), where=w),
    "ResetLocalStmt": lambda _, s, w: plan.Reset(_local(s["target"]), where=w),
    "ResultSetAddStmt": lambda _, s, w: plan.AddResult(_local(s["value"]), where=w),
    "ReturnLocalStmt": lambda _, s, w: plan.Return(_local(s["source"]), where=w),
    "ScanStmt": lambda r, s, w: plan.Scan(
        _local(s["source"]), _local(s["key"]), _local(s["value"]), r.block(s["block"]), where=w
    ),
    "SetAddStmt": lambda r, s, w: plan.Add(r.operand(s["value"]), _local(s["set"]), where=w),
    "WithStmt": lambda r, s, w: plan.With(
        _local(s["local"]),
        tuple(r.string(index) for index in s.get("path") or ()),
        r.operand(s["value"]),
        r.block(s["block"]),
        where=w,
    ),
}
_PLACE: Final = frozenset({"file", "row", "col", "end_row", "end_col"})
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    kind: frozenset(fields.split())
    for kind, fields in {
        "ArrayAppendStmt": "value array", "AssignIntStmt": "value target", "AssignVarOnceStmt": "source target",
        "AssignVarStmt": "source target", "BlockStmt": "blocks", "BreakStmt": "index",
        "CallDynamicStmt": "args result path", "CallStmt": "func args result", "DotStmt": "source key target",
        "EqualStmt": "a b", "IsArrayStmt": "source", "IsDefinedStmt": "source", "IsObjectStmt": "source",
        "IsSetStmt": "source", "IsUndefinedStmt": "source", "LenStmt": "source target",
        "MakeArrayStmt": "capacity target", "MakeNullStmt": "target", "MakeNumberIntStmt": "value target",
        "MakeNumberRefStmt": "index Index target", "MakeObjectStmt": "target", "MakeSetStmt": "target",
        "NotEqualStmt": "a b", "NotStmt": "block", "ObjectInsertOnceStmt": "key value object",
        "ObjectInsertStmt": "key value object", "ObjectMergeStmt": "a b target", "ResetLocalStmt": "target",
        "ResultSetAddStmt": "value", "ReturnLocalStmt": "source", "ScanStmt": "source key value block",
        "SetAddStmt": "value set", "WithStmt": "local path value block",
    }.items()
}  # fmt: skip
