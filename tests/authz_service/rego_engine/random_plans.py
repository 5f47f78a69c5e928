"""Random plans: functions of any statements in any order, and functions as planners write them.

The second kind has what the passes look for: definitions with a result of their own that is copied, chains of `else`,
and comparisons with constants at the start of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from authz_service.rego_engine import plan
from authz_service.rego_engine.plan import Block, Function, Local, Operand, Plan, Statement
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.planning import DATA, INPUT, RESULT, block, call, const, returning, whole

TEXTS: Final = ["k0", "k1", "k2", "k3", "xs", "m"]
SCALARS: Final[list[Value]] = [*TEXTS, 0, 1, 2, True, False, None, 0.5, Decimal("0.33333333333333333334")]
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "k0": st.sampled_from(SCALARS),
        "k1": st.sampled_from(SCALARS),
        "k2": st.sampled_from(TEXTS[:4]),
        "xs": st.lists(st.sampled_from(SCALARS), max_size=4),
        "m": st.dictionaries(st.sampled_from(TEXTS), st.sampled_from(SCALARS), max_size=3),
    },
)
OPERANDS_FROM, OWN, LOOKED_UP, FIRST_FREE = 5, 9, 10, 11  # locals of the random functions
SLOTS = (3, 4)  # locals that may be undefined: assigned once, reset and asked for
MAX_SCANS, MAX_NESTING, MAX_STATEMENTS = 2, 6, 22  # a function's; what keeps interpretation fast
BUILTINS: Final = {
    "count": 1, "lower": 1, "type_name": 1, "startswith": 2, "contains": 2, "lt": 2, "gte": 2, "neq": 2, "equal": 2,
    "internal.member_2": 2,
}  # fmt: skip
WEIGHTS: Final = {
    "assign": 1, "look_up": 2, "compare": 1, "once": 1, "slot": 1, "build": 1, "length": 1, "scan": 2, "negate": 1,
    "replace": 1, "nest": 2, "leave": 1, "ask": 1, "work_out": 1, "check_type": 1,
}  # fmt: skip
NESTING: Final = frozenset({"build", "scan", "negate", "replace", "nest"})


@dataclass
class Writer:
    """Draws the statements of one function. `readable` are locals that have a value wherever drawing has come to."""

    draw: DrawFn
    called: Sequence[Function]
    readable: list[int]
    top: int = FIRST_FREE
    depth: int = 0
    scans: int = 0
    left: int = MAX_STATEMENTS
    given: bool = False  # this block of the function has assigned the result

    def pick(self, found: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(found))

    def number(self, most: int) -> int:
        return self.draw(st.integers(0, most))

    def target(self) -> int:
        self.top += 1
        return self.top

    def readable_after(self, target: int, *statements: Statement) -> list[Statement]:
        self.readable.append(target)
        return list(statements)

    def local(self) -> Local:
        return Local(self.pick([*self.readable, *self.readable[-3:]]))

    def operand(self) -> Operand:
        return self.local() if self.number(1) else const(self.pick(SCALARS))

    def inner(self, first: Sequence[Statement] = (), also_readable: Sequence[int] = ()) -> Block:
        readable = self.readable
        self.readable = [*readable, *also_readable]
        self.depth += 1
        found = self.block(first)
        self.depth -= 1
        self.readable = readable
        return found

    def block(self, first: Sequence[Statement] = ()) -> Block:
        found = list(first)
        for _ in range(min(self.number(4), self.left)):
            self.left -= 1
            found += self.statements()
            if isinstance(found[-1], plan.Break):
                break
        return Block(tuple(found))

    def statements(self) -> list[Statement]:
        kind = self.pick([name for name, weight in WEIGHTS.items() for _ in range(weight)])
        if kind in NESTING and self.depth >= MAX_NESTING:
            kind = "assign"
        found: list[Statement] = getattr(self, kind)()
        return found

    def assign(self) -> list[Statement]:
        source, target = self.operand(), self.target()
        return self.readable_after(target, plan.Assign(source, target))

    def look_up(self) -> list[Statement]:
        source, name = (self.local(), self.operand())
        if self.number(1):
            source, name = Local(self.pick([INPUT, DATA])), const(self.pick(TEXTS))
        target = self.target()
        return self.readable_after(target, plan.Dot(source, name, target))

    def compare(self) -> list[Statement]:
        kind = self.pick([plan.Equal, plan.Equal, plan.NotEqual])
        return [kind(self.operand(), self.operand())]

    def once(self) -> list[Statement]:
        slot = self.pick(SLOTS if self.depth or self.given else [*SLOTS, RESULT])
        self.given = self.given or slot == RESULT
        return [plan.AssignOnce(self.operand(), slot)]

    def slot(self) -> list[Statement]:
        kind, slot = self.pick([plan.IsDefined, plan.IsUndefined, plan.Reset]), self.pick(SLOTS)
        if kind is not plan.IsDefined:
            return [kind(slot)]
        target = self.target()
        return self.readable_after(target, plan.IsDefined(slot), plan.Assign(Local(slot), target))

    def length(self) -> list[Statement]:
        source, target = self.operand(), self.target()
        return self.readable_after(target, plan.Length(source, target))

    def scan(self) -> list[Statement]:
        if self.scans >= MAX_SCANS:
            return self.look_up()
        before: list[Statement] = []
        source = self.local().number
        if self.number(1):
            source = self.target()
            name = const(self.pick(["xs", "m"]))
            before = self.readable_after(source, plan.Dot(Local(self.pick([INPUT, DATA])), name, source))
        name_target, target = self.target(), self.target()
        first = [] if self.number(2) else [plan.Equal(Local(target), self.operand())]
        self.scans += 1
        body = self.inner(first, (name_target, target))
        self.scans -= 1
        return [*before, plan.Scan(source, name_target, target, body)]

    def negate(self) -> list[Statement]:
        return [plan.Not(self.inner())]

    def replace(self) -> list[Statement]:
        path = tuple(self.draw(st.lists(st.sampled_from(TEXTS), max_size=2)))
        changed = self.pick([INPUT, INPUT, INPUT, DATA, self.local().number])
        return [plan.With(changed, path, self.operand(), self.inner())]

    def nest(self) -> list[Statement]:
        return [plan.Blocks(tuple(self.inner() for _ in range(1 + self.number(2))))]

    def leave(self) -> list[Statement]:
        return [plan.Break(self.number(self.depth))]

    def ask(self) -> list[Statement]:
        if not self.called:
            return self.work_out()
        called, target = self.pick(self.called), self.target()
        if called.path and self.number(1):
            path = (const("g0"), const("test"), self.pick([const(called.path[-1]), self.operand()]))
            leaves = self.number(self.depth)
            return self.readable_after(
                target, plan.CallDynamic(path, (INPUT, DATA), target, leaves=leaves, falls_back=False)
            )
        operands = [self.operand() for _ in called.parameters[2:]]
        return self.readable_after(target, call(called.name, target, *operands))

    def work_out(self) -> list[Statement]:
        name, target = self.pick(sorted(BUILTINS)), self.target()
        found: list[Statement] = [plan.Call(name, tuple(self.operand() for _ in range(BUILTINS[name])), target)]
        if self.number(1):
            found.append(plan.NotEqual(Local(target), const(value=False)))
        return self.readable_after(target, *found)

    def check_type(self) -> list[Statement]:
        return [plan.IsType(self.operand(), self.pick([(list,), (dict,), (set,), (list, dict, set)]))]

    def build(self) -> list[Statement]:
        kind, target = self.pick([list, dict, set]), self.target()
        if self.number(1):
            added: list[Statement] = [self.add(kind, target) for _ in range(self.number(4))]
        else:
            body = self.inner()
            if not any(isinstance(each, plan.Break) for each in body.statements[-1:]):
                body = block(*body.statements, self.add(kind, target))
            added = [plan.Blocks((body,))]
        return self.readable_after(target, plan.Make(kind, target), *added)

    def add(self, kind: type, target: int) -> Statement:
        if kind is list:
            return plan.Append(self.operand(), target)
        if kind is set:
            return plan.Add(self.operand(), target)
        return plan.Insert(self.operand(), self.operand(), target, once=self.number(3) == 0)


def function_of(name: str, operands: Sequence[int], blocks: Sequence[Block]) -> Function:
    """Return a function; one without operands may be called dynamically."""
    path = () if operands else ("g0", "test", name.rpartition(".")[2])
    return Function(name, (INPUT, DATA, *operands), RESULT, (*blocks, block(plan.Return(RESULT))), path)


def any_function(draw: DrawFn, name: str, called: Sequence[Function]) -> Function:
    """Draw a function of any statements."""
    operands = range(OPERANDS_FROM, OPERANDS_FROM + draw(st.integers(0, 2)))
    writer = Writer(draw, called, [])
    blocks = []
    for _ in range(draw(st.integers(1, 4))):
        writer.readable, writer.given = [DATA, *operands], False
        blocks.append(writer.block())
    return function_of(name, operands, blocks)


def planned_function(draw: DrawFn, name: str, called: Sequence[Function]) -> Function:
    """Draw a function as planners write it: definitions, with `else`, each with a result of its own that is copied."""
    operands = range(OPERANDS_FROM, OPERANDS_FROM + draw(st.integers(0, 2)))
    writer = Writer(draw, called, [])
    kind = draw(st.sampled_from([None, None, None, set, dict]))
    guard = draw(st.sampled_from(["none", "input", "input", "operand" if operands else "input"]))
    constant, nested = draw(st.booleans()), draw(st.booleans())
    blocks = [block(plan.Make(kind, RESULT))] if kind else []
    for number in range(draw(st.integers(1, 3) if guard == "none" else st.integers(4, 7))):
        chain = []
        for branch in range(1 if kind else draw(st.sampled_from([1, 1, 1, 2, 3]))):
            writer.readable, writer.left, writer.given = [DATA, *operands], 5, True
            first: list[Statement] = [plan.IsUndefined(OWN) if branch else plan.Reset(OWN)]
            if guard == "operand":
                first += [plan.Equal(Local(operands[0]), Local(operands[-1]))] if writer.number(4) == 0 else []
                first.append(plan.Equal(Local(operands[0]), const(TEXTS[number % 4])))
            elif guard == "input":
                first += [plan.Dot(Local(INPUT), const("k2"), LOOKED_UP)]
                first += [plan.Equal(Local(LOOKED_UP), const(TEXTS[number % 5]))]
            found = writer.block(first) if writer.number(1) else Block((*first, *writer.scan()))
            chain.append(_ending(writer, found, kind, constant=constant))
        copied = block(plan.IsDefined(OWN), plan.AssignOnce(Local(OWN), RESULT))
        if kind is None:
            chain.append(copied)
        blocks += [block(plan.Blocks(tuple(chain)))] if nested else chain
    if kind is None and writer.number(3) == 0:
        blocks.append(block(plan.IsUndefined(RESULT), plan.AssignOnce(const(value=False), RESULT)))
    return function_of(name, operands, blocks)


def _ending(writer: Writer, found: Block, kind: type | None, *, constant: bool) -> Block:
    """Return a definition's block with what gives its result, at its end or within the scan that ends it."""
    last = found.statements[-1]
    if isinstance(last, plan.Break):
        return found
    if kind is not None:
        return block(*found.statements, writer.add(kind, RESULT))
    if isinstance(last, plan.Scan) and not any(isinstance(each, plan.Break) for each in last.block.statements[-1:]):
        source = const("k0") if constant else writer.pick([Local(last.value or 0), const(value=True)])
        body = block(*last.block.statements, plan.AssignOnce(source, OWN))
        return block(*found.statements[:-1], replace(last, block=body))
    return block(*found.statements, plan.AssignOnce(const("k0") if constant else writer.operand(), OWN))


@st.composite
def plans(draw: DrawFn) -> Plan:
    """Draw a plan of a few functions, the last of which is asked for."""
    functions: list[Function] = []
    for number in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from([any_function, planned_function]))
        functions.append(kind(draw, f"g0.data.test.f{number}", functions))
    last = functions[-1]
    if last.parameters[2:]:
        operands = [Local(LOOKED_UP)] * len(last.parameters[2:])
        look_up = plan.Dot(Local(INPUT), const("k2"), LOOKED_UP)
        functions.append(returning(look_up, call(last.name, OWN, *operands), plan.AssignOnce(Local(OWN), RESULT)))
    return whole(*functions)
