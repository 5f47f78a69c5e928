"""A plan that has been checked and compiled, and its evaluation. Safe to use from many threads at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from authz_service.rego_engine import flow, passes, plan
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.registry import find
from authz_service.rego_engine.codegen import calls
from authz_service.rego_engine.codegen.function import TooDeepError
from authz_service.rego_engine.codegen.loading import compile_parts, load
from authz_service.rego_engine.codegen.module import Options, write
from authz_service.rego_engine.errors import INTERNAL_ERROR, EvaluationError
from authz_service.rego_engine.input_use import members_read
from authz_service.rego_engine.passes import base_data
from authz_service.rego_engine.plan import Plan, Where
from authz_service.rego_engine.runtime import Evaluation
from authz_service.rego_engine.values import Value
from service_kit.faults import ConfigurationError, Fault, Faults

MAX_CALL_DEPTH = 300  # rules that call one another; Python takes about 1,000 calls, the caller's own included
DEFAULT_SECONDS = 0.1  # one evaluation


@dataclass(frozen=True, slots=True)
class CompileOptions:
    """Which passes to leave out, by name, and what the generator may do."""

    without: frozenset[str] = frozenset()
    generator: Options = field(default_factory=Options)


# For coverage and explanations: the policy as it is written, with a note of each place that is reached or fails.
PROBING: Final = CompileOptions(
    without=frozenset(name for name, _ in passes.ORDER), generator=Options(inline=False, any_order=False, probes=True)
)


@dataclass(frozen=True, slots=True)
class Code:
    """A compiled plan without its data: what one process makes and another may load.

    `places` are what probes report by number. `may_wait`: the policy can call `http.send`, so that an evaluation may
    wait for others. `reads` are the members of the input that it looks at; None: any.
    """

    source: tuple[str, ...]
    parts: tuple[bytes, ...]
    places: tuple[Where, ...]
    may_wait: bool
    reads: frozenset[str] | None


class CompiledPolicy:
    """The rules that may be asked for, over one data document. Nothing in it changes once it is built."""

    def __init__(self, code: Code, data: Value) -> None:
        """`data` is the base document; it must not be changed afterwards."""
        self._code = code
        self._entries = load(code.parts, data)
        self._data = data

    @property
    def source(self) -> str:
        """The generated Python."""
        return "".join(self._code.source)

    @property
    def rules(self) -> Sequence[str]:
        """What may be asked for, as `package/path/rule`."""
        return list(self._entries)

    @property
    def places(self) -> Sequence[Where]:
        """The places that probes report by number."""
        return self._code.places

    @property
    def may_wait(self) -> bool:
        """Whether an evaluation may wait for a host that `http.send` asks."""
        return self._code.may_wait

    @property
    def reads(self) -> frozenset[str] | None:
        """The members of the input that an evaluation may look at; None: any. Others need not be there."""
        return self._code.reads

    def evaluation(
        self,
        document: Value,
        context: Context | None = None,
        *,
        seconds: float = DEFAULT_SECONDS,
        strict: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> Evaluation:
        """Begin an evaluation on an input document, `UNDEFINED` for none. The document is read, and never changed."""
        context = context or Context()
        deadline = clock() + seconds
        context.remaining = lambda: deadline - clock()
        return Evaluation(document, self._data, context, clock, deadline, strict=strict)

    def evaluate(self, rule: str, document: Value, evaluation: Evaluation) -> Value:
        """Return a rule's value, or `UNDEFINED`.

        Raises:
            EvaluationError: a conflict, the deadline, a built-in's error in strict mode, or a fault of ours.
            KeyError: the policy was not compiled for this rule.
        """
        entry = self._entries[rule]
        try:
            return entry(evaluation, document, self._data)
        except EvaluationError:
            raise
        except (RecursionError, MemoryError) as error:
            raise EvaluationError(
                INTERNAL_ERROR, f"{type(error).__name__}: a value is nested too deeply or too large"
            ) from error
        except Exception as error:  # whatever it is, the caller must not take it for an answer
            raise EvaluationError(INTERNAL_ERROR, type(error).__name__) from error


def compile_plan(
    found: Plan, data: Value, options: CompileOptions | None = None, *, source: str = "policy"
) -> CompiledPolicy:
    """Translate a plan and load it over its data. Raises as `translate` does."""
    return CompiledPolicy(translate(found, data, options, source=source), data)


def translate(found: Plan, data: Value, options: CompileOptions | None = None, *, source: str = "policy") -> Code:
    """Check a plan, run the passes over it, and generate its code.

    `source` is what faults without a place of their own name.

    Raises:
        ConfigurationError: the plan calls what is not there, or nests or calls deeper than it may.
    """
    options = options or CompileOptions()
    faults = Faults()
    try:
        for fault in check(found, source):
            faults.add(fault.source, fault.line, fault.text)
        faults.raise_if_any()
        return _translated(found, data, options)
    except (TooDeepError, RecursionError) as error:
        raise ConfigurationError([Fault(source, 0, "has rules whose blocks are nested too deeply")]) from error


def _translated(found: Plan, data: Value, options: CompileOptions) -> Code:
    may_wait = any(
        isinstance(statement, plan.Call) and statement.function == "http.send"
        for function in found.functions.values()
        for statement in flow.walk(function.blocks)
    )
    reads = members_read(found)
    found = base_data.address(found, data)
    for name, change in passes.ORDER:
        if name not in options.without:
            found = change(found, data)
    written = write(found, options.generator)
    return Code(written.parts, tuple(compile_parts(written.parts)), written.places, may_wait, reads)


def check(found: Plan, source: str) -> Iterator[Fault]:
    """Every fault that would only show when a request comes to it."""
    seen: set[tuple[str, Where]] = set()
    bodies = [function.blocks for function in found.functions.values()]
    bodies += [entrypoint.blocks for entrypoint in found.entrypoints.values()]
    for function in found.functions.values():
        if function.parameters[: calls.DOCUMENTS] != (plan.INPUT, plan.DATA):
            yield Fault(source, 0, f"has the function {function.name!r}, which does not take input and data first")
        if len(set(function.parameters)) < len(function.parameters):
            yield Fault(source, 0, f"has the function {function.name!r}, which has one parameter twice")
    for blocks in bodies:
        for block in blocks:
            yield from _bad_breaks(block, 0, source)
        for statement in flow.walk(blocks):
            if not isinstance(statement, plan.Call) or (statement.function, statement.where) in seen:
                continue
            text = _bad_call(statement, found.functions)
            if text:
                seen.add((statement.function, statement.where))
                yield Fault(statement.where.file or source, statement.where.row, text)
    depth = calls.depth(found)
    if depth < 0:
        yield Fault(source, 0, "has rules that call one another in a circle")
    elif depth > MAX_CALL_DEPTH:
        yield Fault(source, 0, f"has rules that call one another {depth} deep; at most {MAX_CALL_DEPTH} are possible")


def _bad_breaks(block: plan.Block, around: int, source: str) -> Iterator[Fault]:
    """The statements that leave more blocks than there are; `around` counts those around this one."""
    for statement in block.statements:
        leaves = 0
        if isinstance(statement, plan.Break):
            leaves = statement.index
        elif isinstance(statement, plan.CallDynamic):
            leaves = statement.leaves
        if not 0 <= leaves <= around:
            text = f"leaves {leaves} blocks beyond its own, of {around} that there are"
            yield Fault(statement.where.file or source, statement.where.row, text)
        for inner in flow.blocks(statement):
            yield from _bad_breaks(inner, around + 1, source)


def _bad_call(statement: plan.Call, functions: Mapping[str, Any]) -> str:
    name, count = statement.function, len(statement.arguments)
    if name in functions:
        wanted = len(functions[name].parameters)
        return "" if count == wanted else f"calls {name} with {count} operands, which takes {wanted}"
    builtin = find(name)
    if builtin is None:
        return f"calls {name}, which is no function that is known here"
    wanted = builtin.arity
    return "" if count == wanted else f"calls {name} with {count} operands, which takes {wanted}"
