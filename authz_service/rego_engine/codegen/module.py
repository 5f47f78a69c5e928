"""A plan → one Python module, and the module → what can be called.

The source is deterministic: the same plan gives the same text. Names of rules and files stand in it as comments and
string literals only, written by `literals`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.builtins.registry import Builtin
from authz_service.rego_engine.codegen import calls
from authz_service.rego_engine.codegen.expression import Constants, local
from authz_service.rego_engine.codegen.function import initial_locals
from authz_service.rego_engine.codegen.statement import StatementWriter
from authz_service.rego_engine.literals import comment, hashed_literal, literal
from authz_service.rego_engine.plan import Plan, Where

MAX_NAME = 60  # characters of a rule's path that go into its function's name


@dataclass(frozen=True, slots=True)
class Options:
    """What the generator may do. `probes`: also write what coverage and explanations need."""

    inline: bool = True
    any_order: bool = True
    keep_once: bool = True
    probes: bool = False


@dataclass(frozen=True, slots=True)
class Source:
    """Generated source, in parts that can be compiled and run one after another.

    It ends in `ENTRIES`: for each rule that may be asked for, what takes an evaluation, input and data and returns the
    rule's value or UNDEFINED. `places` are the numbers that probes report.
    """

    parts: tuple[str, ...]
    places: tuple[Where, ...]


class ModuleWriter:
    """Collects one module."""

    def __init__(self, found: Plan, options: Options) -> None:
        self.options = options
        self.constants = Constants()
        self._plan = found
        self._builtins: dict[str, str] = {}
        self._cases: list[list[str]] = []
        self._tables: list[list[str]] = []
        self._places: dict[Where, int] = {}
        self._numbers = {name: number for number, name in enumerate(found.functions)}
        self._names = {name: f"rule_{number}_{_identifier(name)}" for name, number in self._numbers.items()}
        self._again = calls.called_again(found) if options.keep_once else frozenset(found.functions)

    def builtin(self, found: Builtin) -> str:
        """Return the name that a built-in has in the module."""
        return self._builtins.setdefault(found.name, f"builtin_{_identifier(found.name)}")

    def place_number(self, where: Where) -> int:
        """Return the number that probes report for a place."""
        return self._places.setdefault(where, len(self._places))

    def memo_key(self, name: str, arguments: list[str]) -> str | None:
        """Return the expression under which a call's result is kept, or None where it need not be."""
        if name not in self._again:
            return None
        number = str(self._numbers[name])
        if len(arguments) == calls.DOCUMENTS:
            return number
        parts = [each if each[0] in "'\"" else f"memo_key({each})" for each in arguments[calls.DOCUMENTS :]]
        return f"({number}, {', '.join(parts)})"

    def table(self, function: plan.Function, statement: plan.Dispatch, parameters: list[int], end: str) -> str:
        """Write the blocks of a dispatch as functions, and return the name of the table that leads to them."""
        rule = self._names[function.name]
        first = len(self._cases)
        names = [f"{rule}_case_{first + number}" for number in range(len(statement.blocks))]
        for name, block in zip(names, statement.blocks, strict=True):
            case = replace(function, parameters=tuple(parameters), blocks=(block,))
            writer = StatementWriter(self, self._names, function=case)
            initial = initial_locals(case)
            if initial:
                writer.line(f"{' = '.join(initial)} = UNDEFINED")
            _write_blocks(writer, case.blocks)
            writer.line(f"return {end}")
            shown = ", ".join(["ev", *map(local, parameters)])
            title = comment(f"{function.name}  {case.where}".rstrip())
            self._cases.append(["", "", f"# {title}", f"def {name}({shown}):", *writer.lines])
        table = f"TABLE_{len(self._tables)}"
        rows = [
            f"    {hashed_literal(value)}: ({', '.join(names[each] for each in positions)},),"
            for value, positions in statement.cases
        ]
        self._tables.append(["", "", f"{table} = {{", *rows, "}"])
        return table

    def write(self) -> Source:
        """Return the source.

        Raises:
            TooDeepError: a function nests more than Python can.
        """
        bodies = [self._function(function) for function in self._plan.functions.values()]
        entries = [self._entry(number, entry) for number, entry in enumerate(self._plan.entrypoints.values())]
        rules = [
            f"    ({', '.join(literal(part) for part in function.path)},): {self._names[function.name]},"
            for function in self._plan.functions.values()
            if function.path and len(function.parameters) == calls.DOCUMENTS
        ]
        asked = [f"    {literal(name)}: entry_{number}," for number, name in enumerate(self._plan.entrypoints)]
        names = [f"{name} = builtin({literal(full)})" for full, name in sorted(self._builtins.items())]
        end = ["", "", "RULES = Rules({", *rules, "})", "ENTRIES = {", *asked, "}"]
        parts = [[*names, *self.constants.lines()], *bodies, *self._cases, *self._tables, *entries, end]
        return Source(tuple("\n".join(lines) + "\n" for lines in parts if lines), tuple(self._places))

    def _function(self, function: plan.Function) -> list[str]:
        writer = StatementWriter(self, self._names, function=function)
        parameters = ", ".join(["ev", *map(local, function.parameters)])
        initial = initial_locals(function)
        if initial:
            writer.line(f"{' = '.join(initial)} = UNDEFINED")
        _write_blocks(writer, function.blocks)
        writer.line("return UNDEFINED")
        title = comment(f"{function.name}  {function.where}".rstrip())
        name = self._names[function.name]
        lines = ["", "", f"# {title}", f"def {name}({parameters}):", *_reached(writer.lines)]
        if self.options.probes:
            lines += ["", "", f"{name} = probed({name}, {literal(function.name)})"]
        return lines

    def _entry(self, number: int, entry: plan.Entrypoint) -> list[str]:
        writer = StatementWriter(self, self._names, function=None)
        called = _only_call(entry)
        if called in self._names:
            writer.line(f"return {self._names[called]}(ev, input, data)")
        else:
            missing = flow.unassigned((plan.INPUT, plan.DATA), entry.blocks)
            if missing:
                writer.line(f"{' = '.join(map(local, sorted(missing)))} = UNDEFINED")
            writer.line("results = []")
            _write_blocks(writer, entry.blocks)
            writer.line("return results[0]['result'] if results else UNDEFINED")
        return ["", "", f"# {comment(entry.name)}", f"def entry_{number}(ev, input, data):", *writer.lines]


def _write_blocks(writer: StatementWriter, blocks: tuple[plan.Block, ...]) -> None:
    for block in blocks:
        with writer.once(block):
            writer.write_block(block)


def _reached(lines: list[str]) -> list[str]:
    """Leave out what stands behind a return at the function's own level."""
    end = next((number for number, line in enumerate(lines) if line.startswith("    return ")), len(lines))
    return lines[: end + 1]


def _only_call(entry: plan.Entrypoint) -> str:
    """The rule whose value is the entrypoint's only result, where that is all it does."""
    statements = [statement for block in entry.blocks for statement in block.statements]
    kinds = {type(statement) for statement in statements}
    if kinds <= {plan.Call, plan.Assign, plan.Make, plan.Insert, plan.IsDefined, plan.AddResult}:
        called = [statement for statement in statements if isinstance(statement, plan.Call)]
        inserted = [statement for statement in statements if isinstance(statement, plan.Insert)]
        documents = (plan.Local(plan.INPUT), plan.Local(plan.DATA))
        assigned = {each.target: each.source for each in statements if isinstance(each, plan.Assign)}
        if len(called) == len(inserted) == 1 and called[0].arguments == documents:
            value = inserted[0].value
            while isinstance(value, plan.Local) and value.number in assigned:
                value = assigned.pop(value.number)
            return called[0].function if value == plan.Local(called[0].target) else ""
    return ""


def _identifier(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_]", "_", name, flags=re.ASCII)[-MAX_NAME:].strip("_")


def write(found: Plan, options: Options) -> Source:
    """Write a plan's module.

    Raises:
        TooDeepError: a function nests more than Python can.
    """
    return ModuleWriter(found, options).write()
