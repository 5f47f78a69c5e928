"""Small plans by hand, their evaluation, and an interpreter of the IR to hold the generated code against.

The interpreter is as plain as it can be: it walks the statements, never changes a value, and knows no pass and no code.
A statement says how many blocks it leaves (`GO_ON`: none), and a block how many it leaves beyond itself.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from authz_service.rego_engine import passes, plan, values
from authz_service.rego_engine.builtins.registry import TABLE
from authz_service.rego_engine.codegen.module import Options
from authz_service.rego_engine.compiled import CompiledPolicy, CompileOptions, compile_plan
from authz_service.rego_engine.errors import CONFLICT_ERROR, BuiltinFault, EvaluationError
from authz_service.rego_engine.passes import base_data
from authz_service.rego_engine.plan import Block, Constant, Entrypoint, Function, Local, Operand, Plan, Statement
from authz_service.rego_engine.values import UNDEFINED, Value, compare, equal, key, plain

INPUT, DATA, RESULT = 0, 1, 2
RULE: Final = "test/rule"
CONFLICT: Final = "a conflict"
GO_ON: Final = -1

NO_PASSES: Final = frozenset(name for name, _ in passes.ORDER)
WAYS: Final[Mapping[str, CompileOptions]] = {
    "all passes": CompileOptions(),
    "no pass": CompileOptions(without=NO_PASSES),
    **{f"without {name}": CompileOptions(without=frozenset({name})) for name in sorted(NO_PASSES)},
    **{f"only {name}": CompileOptions(without=NO_PASSES - {name}) for name in sorted(NO_PASSES)},
    "not inline": CompileOptions(generator=Options(inline=False)),
    "in order": CompileOptions(generator=Options(any_order=False)),
    "all kept": CompileOptions(generator=Options(keep_once=False)),
    "with probes": CompileOptions(generator=Options(probes=True)),
}


# Plans


def block(*statements: Statement) -> Block:
    """Return a block of statements."""
    return Block(statements)


def const(value: Value) -> Constant:
    """Return an operand that is known."""
    return Constant(value)


def function(
    *blocks: Block, name: str = "g0.data.test.rule", operands: Iterable[int] = (), path: tuple[str, ...] = ()
) -> Function:
    """Return a rule, or a function of some operands; its result is `RESULT`."""
    return Function(name, (INPUT, DATA, *operands), RESULT, blocks, path)


def returning(*statements: Statement, name: str = "g0.data.test.rule", operands: Iterable[int] = ()) -> Function:
    """Return a rule of one block that assigns the result, and then returns it."""
    return function(block(*statements), block(plan.Return(RESULT)), name=name, operands=operands)


def call(name: str, target: int, *operands: Operand) -> plan.Call:
    """Return the call of a rule or a function of the plan."""
    return plan.Call(name, (Local(INPUT), Local(DATA), *operands), target)


def entrypoint(name: str, rule: str) -> Entrypoint:
    """Return what planners write to ask for a rule."""
    statements = (
        call(rule, 2),
        plan.Assign(Local(2), 3),
        plan.Make(dict, 4),
        plan.Insert(const("result"), Local(3), 4, once=False),
        plan.AddResult(4),
    )
    return Entrypoint(name, (Block(statements),))


def whole(*functions: Function) -> Plan:
    """Return a plan of functions, the last of which may be asked for as `RULE`."""
    return Plan({RULE: entrypoint(RULE, functions[-1].name)}, {each.name: each for each in functions})


# Evaluation


def ask(policy: CompiledPolicy, document: Value = UNDEFINED, rule: str = RULE) -> Value:
    """Return a rule's value, `UNDEFINED`, or `CONFLICT`."""
    try:
        return policy.evaluate(rule, document, policy.evaluation(document, seconds=60))
    except EvaluationError as error:
        if error.code != CONFLICT_ERROR:
            raise
        return CONFLICT


def evaluate(
    found: Plan, document: Value = UNDEFINED, data: Value = None, options: CompileOptions | None = None
) -> Value:
    """Compile a plan and ask for its rule."""
    data = {} if data is None else data
    return ask(compile_plan(found, data, options), document)


def passed(found: Plan, name: str, data: Value = None) -> Function:
    """Return the rule of a plan after one pass alone."""
    change = dict(passes.ORDER)[name]
    return list(change(found, {} if data is None else data).functions.values())[-1]


def agree(found: Plan, documents: Iterable[Value], data: Value = None, ways: Iterable[str] = WAYS) -> None:
    """Assert that generated code, with whatever passes, answers as the interpreter does, and changes no value."""
    documents = list(documents)
    data = {} if data is None else data
    before = copy.deepcopy((documents, data, found))
    expected = [interpret(found, document, data) for document in documents]
    for way in ways:
        policy = compile_plan(found, data, WAYS[way])
        for document, (value, certain) in [*zip(documents, expected, strict=True)] * 2:
            answer = ask(policy, document)
            if value is CONFLICT and not certain and "no pass" not in way:
                continue
            assert same(answer, value), f"{way}: {document!r} gives {answer!r}, not {value!r}\n{policy.source}"
    assert same_all((documents, data), before[:2])
    assert found == before[2]


def same(left: Value, right: Value) -> bool:
    """Whether two answers are the same; `UNDEFINED` and `CONFLICT` are answers too."""
    if left is UNDEFINED or right is UNDEFINED or left is CONFLICT or right is CONFLICT:
        return left is right
    return equal(left, right) and values.write(left) == values.write(right)


def same_all(left: tuple[list[Value], Value], right: tuple[list[Value], Value]) -> bool:
    """Whether documents and data are what they were."""
    return same(left[1], right[1]) and all(map(same, left[0], right[0]))


# Interpretation


class _Conflict(Exception):  # noqa: N818  (an answer rather than an error)
    """Two values where there can be one; `certain` where no early end of the rule that is asked for can avoid it."""

    def __init__(self, *, certain: bool) -> None:
        super().__init__()
        self.certain = certain


class _Returned(Exception):  # noqa: N818  (how a function ends)
    def __init__(self, value: Value) -> None:
        super().__init__()
        self.value = value


def interpret(found: Plan, document: Value, data: Value, rule: str = RULE) -> tuple[Value, bool]:
    """Return a rule's value, `UNDEFINED` or `CONFLICT`, and whether a conflict is certain."""
    found = base_data.address(found, data)
    results: list[Value] = []
    activation = _Activation(found, {INPUT: document, DATA: data}, None, results)
    try:
        for each in found.entrypoints[rule].blocks:
            activation.block(each)
    except _Conflict as conflict:
        return CONFLICT, conflict.certain
    return (results[0]["result"] if results else UNDEFINED), True


@dataclass
class _Activation:
    """One call of a function: its locals. `depth` counts the calls around it."""

    plan: Plan
    locals: dict[int, Value]
    function: Function | None
    results: list[Value]
    depth: int = 0

    def read(self, operand: Operand) -> Value:
        return operand.value if isinstance(operand, Constant) else self.locals.get(operand.number, UNDEFINED)

    def block(self, found: Block) -> int:
        for statement in found.statements:
            leaves = self.statement(statement)
            if leaves != GO_ON:
                return leaves
        return GO_ON

    def assign(self, target: int | None, value: Value) -> int:
        if target is not None:
            self.locals[target] = value
        return 0 if value is UNDEFINED else GO_ON

    def call(self, name: str, arguments: list[Value]) -> Value:
        called = self.plan.functions[name]
        inner = _Activation(
            self.plan, dict(zip(called.parameters, arguments, strict=True)), called, self.results, self.depth + 1
        )
        try:
            for each in called.blocks:
                inner.block(each)
        except _Returned as returned:
            return returned.value
        return UNDEFINED

    def statement(self, found: Statement) -> int:  # noqa: PLR0912, PLR0915  (a branch for each statement: the whole IR at a glance)
        local = self.locals
        match found:
            case plan.Blocks(blocks=blocks):
                for each in blocks:
                    leaves = self.block(each)
                    if leaves > 0:
                        return leaves - 1
            case plan.Scan():
                for name, value in _items(local.get(found.source)):
                    self.assign(found.key, name)
                    self.assign(found.value, value)
                    leaves = self.block(found.block)
                    if leaves > 0:
                        return leaves - 1
            case plan.Not():
                leaves = self.block(found.block)
                if leaves != 0:
                    return max(leaves - 1, 0)
            case plan.With():
                before = local.get(found.local, UNDEFINED)
                local[found.local] = _put(before, found.path, self.read(found.value))
                leaves = self.block(found.block)
                local[found.local] = before
                if leaves != GO_ON:
                    return max(leaves - 1, 0)
            case plan.Break(index=index):
                return index
            case plan.Call(function=name) if name in self.plan.functions:
                return self.assign(found.target, self.call(name, [self.read(each) for each in found.arguments]))
            case plan.Call(function=name):
                try:
                    return self.assign(found.target, TABLE[name].function(*map(self.read, found.arguments)))
                except BuiltinFault:
                    return self.assign(found.target, UNDEFINED)
            case plan.CallDynamic():
                path = tuple(map(self.read, found.path))
                named = [each for each in self.plan.functions.values() if each.path and each.path == path]
                if not named:
                    return 0
                value = self.call(named[0].name, [local[each] for each in found.arguments])
                self.assign(found.target, value)
                return found.leaves if value is UNDEFINED else GO_ON
            case plan.Dot():
                return self.assign(found.target, _find(self.read(found.source), self.read(found.key)))
            case plan.Equal():
                return GO_ON if equal(self.read(found.left), self.read(found.right)) else 0
            case plan.NotEqual():
                return 0 if equal(self.read(found.left), self.read(found.right)) else GO_ON
            case plan.IsType():
                return GO_ON if type(self.read(found.source)) in found.types else 0
            case plan.IsDefined():
                return 0 if local.get(found.source, UNDEFINED) is UNDEFINED else GO_ON
            case plan.IsUndefined():
                return GO_ON if local.get(found.source, UNDEFINED) is UNDEFINED else 0
            case plan.Assign():
                local[found.target] = self.read(found.source)
            case plan.AssignOnce():
                there, value = local.get(found.target, UNDEFINED), self.read(found.source)
                if there is not UNDEFINED and not equal(there, value):
                    own = self.function is not None and found.target == self.function.result
                    raise _Conflict(certain=own and self.depth == 1)
                local[found.target] = value
            case plan.Reset():
                local[found.target] = UNDEFINED
            case plan.Make():
                local[found.target] = found.kind()
            case plan.Append():
                local[found.array] = [*local[found.array], self.read(found.value)]
            case plan.Add():
                local[found.set] = local[found.set] | {key(self.read(found.value))}
            case plan.Insert():
                name, value = key(self.read(found.key)), self.read(found.value)
                if found.once and name in local[found.object] and not equal(local[found.object][name], value):
                    raise _Conflict(certain=False)
                local[found.object] = {**local[found.object], name: value}
            case plan.Merge():
                local[found.target] = _merged(local[found.left], local[found.right])
            case plan.Length():
                value = self.read(found.source)
                return self.assign(
                    found.target, len(value) if isinstance(value, list | dict | set | str) else UNDEFINED
                )
            case plan.Return():
                raise _Returned(local.get(found.source, UNDEFINED))
            case plan.AddResult():
                self.results.append(local[found.value])
            case _:
                raise AssertionError(found)
        return GO_ON


def _items(source: Value) -> Iterator[tuple[Value, Value]]:
    by_order = functools.cmp_to_key(compare)
    if isinstance(source, list):
        yield from enumerate(source)
    elif isinstance(source, set):
        yield from ((each, each) for each in sorted(map(plain, source), key=by_order))
    elif isinstance(source, dict):
        yield from ((each, source[key(each)]) for each in sorted(map(plain, source), key=by_order))


def _find(source: Value, name: Value) -> Value:
    return next((value for each, value in _items(source) if equal(each, name)), UNDEFINED)


def _put(document: Value, path: tuple[str, ...], value: Value) -> Value:
    if not path:
        return value
    above = document if isinstance(document, dict) else {}
    return {**above, path[0]: _put(above.get(path[0], UNDEFINED), path[1:], value)}


def _merged(left: Value, right: Value) -> Value:
    if not isinstance(left, dict) or not isinstance(right, dict):
        return left
    return {**right, **{name: _merged(value, right[name]) if name in right else value for name, value in left.items()}}
