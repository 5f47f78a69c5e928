"""One function: its locals, its blocks, and how each block is left.

A block that a statement may leave early becomes nested `if`s where few statements can do so, and else a loop that runs
once, left by `break`. A scan's block is a `for`, left by `continue`. A `Break` over several loops sets a flag that each
loop on the way looks at.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.codegen.expression import Constants, local, operand
from authz_service.rego_engine.literals import comment
from authz_service.rego_engine.plan import Block, Operand, Statement, Where

MAX_NESTED_IFS = 3  # guards in one block, before it becomes a loop
MAX_LOOPS = 17  # nested; Python takes 20, and a call of a built-in needs one
MAX_INDENTATION = 90  # levels; Python takes 100


class TooDeepError(Exception):
    """A function nests more than Python can."""


@dataclass(slots=True)
class Frame:
    """A block that is being written. `loop`: "for", "once" or "" (nested ifs); `flag` is set where a break crosses."""

    loop: str
    flag: str | None = None


class FunctionWriter:
    """Collects the lines of one function."""

    def __init__(self, constants: Constants, *, probes: bool) -> None:
        """`probes`: also write what coverage and explanations need."""
        self.constants = constants
        self.probes = probes
        self.lines: list[str] = []
        self._depth = 1
        self._frames: list[Frame] = []
        self._crossed: list[Frame] = []  # blocks that a break has left from within a loop inside them
        self.scopes = 0  # of `with`s around what is being written
        self._flags = 0
        self._shown = plan.NOWHERE

    # Lines

    def line(self, text: str) -> None:
        """Write one line."""
        if self._depth > MAX_INDENTATION:
            raise TooDeepError
        self.lines.append("    " * self._depth + text)

    def place(self, where: Where) -> None:
        """Write the place of what follows, where it is another than before."""
        if where.row and where != self._shown:
            self._shown = where
            self.line(f"# {comment(str(where))}")

    @contextmanager
    def indented(self) -> Iterator[None]:
        """Write what is inside one level deeper, and `pass` where that is nothing."""
        depth, count = self._depth, len(self.lines)
        self._depth += 1
        yield
        if not any(not text.lstrip().startswith("#") for text in self.lines[count:]):
            self.line("pass")
        self._depth = depth

    def show(self, found: Operand) -> str:
        """Return the expression for an operand."""
        return operand(found, self.constants)

    def flag(self) -> str:
        """Return a name for one more flag."""
        self._flags += 1
        return f"x{self._flags}"

    # Leaving blocks

    def guard(self, holds: str, fails: str) -> None:
        """Go on in the block only if `holds`."""
        frame = self._frames[-1]
        if frame.loop:
            self.line(f"if {fails}:")
            with self.indented():
                self.line("continue" if frame.loop == "for" else "break")
        else:
            self.line(f"if {holds}:")
            self._depth += 1

    def leave(self, index: int) -> None:
        """Leave this block and `index` more."""
        target = self._frames[-1 - index]
        inside = self._frames[len(self._frames) - index :]
        if any(frame.loop for frame in inside):
            if target.flag is None:
                raise AssertionError("a break to a block that expects none")
            self._crossed.append(target)
            self.line(f"{target.flag} = True")
            self.line("break")
        elif target.loop:
            self.line("continue" if target.loop == "for" else "break")

    def pass_on(self) -> None:
        """After a loop: go on leaving, if a break inside it leaves more than the loop."""
        for target in self._frames:
            if not any(target is crossed for crossed in self._crossed):
                continue
            outer = next(frame for frame in reversed(self._frames) if frame.loop)
            self.line(f"if {target.flag}:")
            with self.indented():
                self.line("continue" if outer is target and target.loop == "for" else "break")

    # Blocks

    @contextmanager
    def once(self, block: Block, *, then: str | None = None, closing: Iterable[str] = ()) -> Iterator[None]:
        """Write a block around what is inside.

        `then` is the line to run where the block comes to its end, `closing` are those to run however it is left.
        """
        guards = sum(isinstance(statement, flow.GUARDS) for statement in block.statements)
        targeted, crossed = _breaks_to(block)
        # A break over lines that close must come by them, so there is a loop for it to leave.
        passed = bool(closing) and _breaks_out(block)
        loop = "once" if targeted or passed or guards > MAX_NESTED_IFS else ""
        frame = Frame(loop, self.flag() if crossed else None)
        if frame.flag:
            self.line(f"{frame.flag} = False")
        depth = self._depth
        if loop:
            self.line("while True:")
        self._frames.append(frame)
        self._check_loops()
        if loop:
            self._depth += 1
        count = len(self.lines)
        yield
        if then:
            self.line(then)
        if loop:
            self.line("break")
        elif self._depth > depth and (
            len(self.lines) == count or self.lines[-1].rstrip().endswith(":") or self.lines[-1].lstrip().startswith("#")
        ):
            self.line("pass")
        self._depth = depth
        self._frames.pop()
        for text in closing:
            self.line(text)
        if loop:
            self.pass_on()

    @contextmanager
    def loop(self, head: str, block: Block) -> Iterator[None]:
        """Write a `for` around what is inside."""
        _, crossed = _breaks_to(block)
        frame = Frame("for", self.flag() if crossed else None)
        self.line(head)
        self._frames.append(frame)
        self._check_loops()
        with self.indented():
            if frame.flag:
                self.line(f"{frame.flag} = False")
            yield
        self._frames.pop()
        self.pass_on()

    def _check_loops(self) -> None:
        if sum(bool(frame.loop) for frame in self._frames) > MAX_LOOPS:
            raise TooDeepError


def _breaks_to(block: Block) -> tuple[bool, bool]:
    """Whether a break inside leaves the block, and whether one does so from a block within it."""
    targeted = crossed = False

    def look(statements: Iterable[Statement], depth: int) -> None:
        nonlocal targeted, crossed
        for statement in statements:
            index = statement.index if isinstance(statement, plan.Break) else -1
            if isinstance(statement, plan.CallDynamic):
                index = statement.leaves
            if index == depth and (depth or isinstance(statement, plan.Break)):
                targeted = True
                crossed = crossed or depth > 0
            for inner in flow.blocks(statement):
                look(inner.statements, depth + 1)

    look(block.statements, 0)
    return targeted, crossed


def _breaks_out(block: Block) -> bool:
    """Whether a break inside leaves more than the block."""

    def look(statements: Iterable[Statement], depth: int) -> bool:
        return any(
            (isinstance(each, plan.Break) and each.index > depth)
            or (isinstance(each, plan.CallDynamic) and each.leaves > depth)
            or any(look(inner.statements, depth + 1) for inner in flow.blocks(each))
            for each in statements
        )

    return look(block.statements, 0)


def initial_locals(function: plan.Function) -> list[str]:
    """Return the locals that must start undefined, in order."""
    missing = flow.unassigned(function.parameters, function.blocks)
    return [local(number) for number in sorted(missing - set(function.parameters))]
