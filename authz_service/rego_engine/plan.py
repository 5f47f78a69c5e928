"""The intermediate representation: a policy as OPA's planner leaves it, typed, with its constants in place.

A `Plan` holds one `Entrypoint` for each rule that may be asked for and one `Function` for each rule or function that
they reach. Code is blocks of statements. A statement that is undefined ends its block, and what follows the block goes
on; a block that is left by `Break` ends likewise, with as many blocks around it as `Break.index` says. Names and fields
are those of OPA's IR (openpolicyagent.org/docs/ir); statements that differ there in spelling only are one here.

Local 0 is the input document and local 1 the data document. A plan is never changed: passes return another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authz_service.rego_engine.values import Value, equal

INPUT, DATA = 0, 1
MAX_LOCALS = 1_000_000  # of a function


@dataclass(frozen=True, slots=True)
class Where:
    """A place in a policy: its file and row, counted from 1; row 0 where none is known."""

    file: str = ""
    row: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.row}" if self.row else self.file


NOWHERE = Where()


@dataclass(frozen=True, slots=True, eq=False)
class Constant:
    """A value that is known at load. `path` is where it stands in the base document, if that is where it is from."""

    value: Value
    path: tuple[Value, ...] | None = None

    __hash__ = None  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        """Whether both are the same value: false is not 0."""
        return isinstance(other, Constant) and equal(self.value, other.value)


@dataclass(frozen=True, slots=True)
class Local:
    """A variable of the function."""

    number: int


Operand = Local | Constant


@dataclass(frozen=True, slots=True)
class Block:
    """Statements, one after another."""

    statements: tuple[Statement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What all statements have."""

    where: Where = NOWHERE


@dataclass(frozen=True, slots=True)
class Blocks(Statement):
    """Blocks one after another (BlockStmt)."""

    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Break(Statement):
    """Leave `index` blocks beyond this one."""

    index: int


@dataclass(frozen=True, slots=True)
class Call(Statement):
    """Call a function of the plan or a built-in; undefined where its result is."""

    function: str
    arguments: tuple[Operand, ...]
    target: int


@dataclass(frozen=True, slots=True)
class CallDynamic(Statement):
    """Call the rule at a path that is known only now, on input and data.

    Where no rule is there, the statement is undefined, or the base document's value where `falls_back`. A rule that is
    there and undefined leaves `leaves` blocks beyond this one.
    """

    path: tuple[Operand, ...]
    arguments: tuple[int, ...]
    target: int
    leaves: int
    falls_back: bool


@dataclass(frozen=True, slots=True)
class Dot(Statement):
    """Look a key up; undefined where it is not there."""

    source: Operand
    key: Operand
    target: int


@dataclass(frozen=True, slots=True)
class Fetch(Statement):
    """Look a key up; the target is undefined where it is not there, and the block goes on. Made by passes only."""

    source: Operand
    key: Operand
    target: int


@dataclass(frozen=True, slots=True)
class Equal(Statement):
    """Undefined unless the operands are equal."""

    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class NotEqual(Statement):
    """Undefined if the operands are equal."""

    left: Operand
    right: Operand


@dataclass(frozen=True, slots=True)
class Member(Statement):
    """Undefined unless an item of `source` equals `item`. Made by passes only."""

    item: Operand
    source: Operand


@dataclass(frozen=True, slots=True)
class IsType(Statement):
    """Undefined unless the operand is of one of the types (IsArrayStmt, IsObjectStmt, IsSetStmt)."""

    source: Operand
    types: tuple[type, ...]


@dataclass(frozen=True, slots=True)
class IsDefined(Statement):
    """Undefined if the local is."""

    source: int


@dataclass(frozen=True, slots=True)
class IsUndefined(Statement):
    """Undefined unless the local is."""

    source: int


@dataclass(frozen=True, slots=True)
class Assign(Statement):
    """Assign a local (AssignVarStmt, AssignIntStmt, MakeNullStmt, MakeNumberIntStmt, MakeNumberRefStmt)."""

    source: Operand
    target: int


@dataclass(frozen=True, slots=True)
class AssignOnce(Statement):
    """Assign a local that has no value yet, or the same one; any other is a conflict."""

    source: Operand
    target: int


@dataclass(frozen=True, slots=True)
class Reset(Statement):
    """Make a local undefined."""

    target: int


@dataclass(frozen=True, slots=True)
class Make(Statement):
    """Assign an empty array, object or set, by its type."""

    kind: type
    target: int


@dataclass(frozen=True, slots=True)
class Append(Statement):
    """Append to an array that this function has made."""

    value: Operand
    array: int


@dataclass(frozen=True, slots=True)
class Insert(Statement):
    """Insert into an object that this function has made; `once`: another value for the key is a conflict."""

    key: Operand
    value: Operand
    object: int
    once: bool


@dataclass(frozen=True, slots=True)
class Add(Statement):
    """Add to a set that this function has made."""

    value: Operand
    set: int


@dataclass(frozen=True, slots=True)
class Merge(Statement):
    """Merge two objects, key by key and deeply; the left one's values win (ObjectMergeStmt)."""

    left: int
    right: int
    target: int


@dataclass(frozen=True, slots=True)
class Length(Statement):
    """Assign the number of items."""

    source: Operand
    target: int


@dataclass(frozen=True, slots=True)
class Scan(Statement):
    """Run the block for each key and value; `key` or `value` is None where nothing reads it."""

    source: int
    key: int | None
    value: int | None
    block: Block


@dataclass(frozen=True, slots=True)
class Not(Statement):
    """Undefined if the block runs to its end."""

    block: Block


@dataclass(frozen=True, slots=True)
class With(Statement):
    """Run the block with another value for `local`, or for what is at `path` in it; undefined where the block is."""

    local: int
    path: tuple[str, ...]
    value: Operand
    block: Block


@dataclass(frozen=True, slots=True)
class Return(Statement):
    """End the function."""

    source: int


@dataclass(frozen=True, slots=True)
class ReturnValue(Statement):
    """End the function with a value that decides it already. Made by passes only."""

    source: Operand


@dataclass(frozen=True, slots=True)
class Dispatch(Statement):
    """Run, in order, those of some blocks that a constant equal to `subject` leads to. Made by passes only.

    Every block gives its function's result: by `ReturnValue`, by `AssignOnce` or by adding to it.
    """

    subject: int
    cases: tuple[tuple[Value, tuple[int, ...]], ...]
    blocks: tuple[Block, ...]
    result: int

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, slots=True)
class AddResult(Statement):
    """Add one solution to the entrypoint's results."""

    value: int


@dataclass(frozen=True, slots=True)
class Function:
    """A rule or function; the first two parameters are input and data.

    `path` is where its rule stands below `data`, for dynamic calls.
    """

    name: str
    parameters: tuple[int, ...]
    result: int
    blocks: tuple[Block, ...]
    path: tuple[str, ...] = ()

    @property
    def where(self) -> Where:
        """Where its first statement stands."""
        return next((found.where for block in self.blocks for found in block.statements if found.where.row), NOWHERE)


@dataclass(frozen=True, slots=True)
class Entrypoint:
    """A rule that may be asked for, as `package/path/rule`."""

    name: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole policy."""

    entrypoints: Mapping[str, Entrypoint]
    functions: Mapping[str, Function]
    files: tuple[str, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
