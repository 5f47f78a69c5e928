"""What a template consists of, and how each part is carried out. Every step is counted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from authz_service.rego_engine.builtins.template_values import FUNCTIONS, MISSING, OPERANDS, member, shown, truth
from authz_service.rego_engine.builtins.texts import BoundedText
from authz_service.rego_engine.errors import BuiltinFault

MAX_STEPS: Final = 100_000  # parts carried out in one rendering
MAX_VARIABLES: Final = 100  # in scope at one time


class Break(Exception):  # noqa: N818  (a turn of the flow, no error)
    """Leave the innermost range."""


class Continue(Exception):  # noqa: N818  (as above)
    """Go on with the innermost range's next item."""


class Rendering:
    """One rendering: the text so far, and the variables that are in scope, innermost last."""

    def __init__(self, root: Any) -> None:
        self.made = BoundedText()
        self.names: list[tuple[str, Any]] = [("$", root)]
        self._steps = 0

    def step(self) -> None:
        """Count a step."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise BuiltinFault(f"the template takes more than {MAX_STEPS} steps")

    def value(self, name: str) -> Any:
        """Return a variable's value."""
        return self.names[self._place(name)][1]

    def declare(self, name: str, value: Any) -> None:
        """Bring a variable into scope."""
        if len(self.names) > MAX_VARIABLES:
            raise BuiltinFault(f"the template has more than {MAX_VARIABLES} variables in scope")
        self.names.append((name, value))

    def assign(self, name: str, value: Any) -> None:
        """Give a variable another value."""
        self.names[self._place(name)] = (name, value)

    def _place(self, name: str) -> int:
        for place in range(len(self.names) - 1, -1, -1):
            if self.names[place][0] == name:
                return place
        raise BuiltinFault(f'undefined variable "{name}"')


class Expression(Protocol):
    """Has a value."""

    def evaluate(self, run: Rendering, dot: Any) -> Any:
        """Return the value."""
        ...


class Node(Protocol):
    """Writes something, or nothing."""

    def carry_out(self, run: Rendering, dot: Any) -> None:
        """Write to the rendering."""
        ...


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: Any

    def evaluate(self, _run: Rendering, _dot: Any) -> Any:
        """Return the constant."""
        return self.value


@dataclass(frozen=True, slots=True)
class Dot:
    """The value that the surrounding range or with is about."""

    def evaluate(self, _run: Rendering, dot: Any) -> Any:
        """Return it."""
        return dot


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable."""

    name: str

    def evaluate(self, run: Rendering, _dot: Any) -> Any:
        """Return its value."""
        return run.value(self.name)


@dataclass(frozen=True, slots=True)
class Fields:
    """A member of a member of an expression's value."""

    of: Expression
    names: tuple[str, ...]

    def evaluate(self, run: Rendering, dot: Any) -> Any:
        """Return the member."""
        value = self.of.evaluate(run, dot)
        for name in self.names:
            value = member(value, name)
        return value


@dataclass(frozen=True, slots=True)
class Call:
    """A function and its operands. `and` and `or` evaluate no more operands than they need."""

    name: str
    operands: tuple[Expression, ...]

    def evaluate(self, run: Rendering, dot: Any) -> Any:
        """Return the function's result."""
        run.step()
        if self.name in {"and", "or"}:
            value: Any = MISSING
            for operand in self.operands:
                value = operand.evaluate(run, dot)
                if truth(value) == (self.name == "or"):
                    break
            return value
        least, most = OPERANDS.get(self.name, (0 if self.name.startswith("print") else 1, None))
        count = len(self.operands)
        if count < least or (most is not None and count > most) or (self.name == "printf" and not count):
            raise BuiltinFault(f"wrong number of args for {self.name}: got {count}")
        return FUNCTIONS[self.name](*(operand.evaluate(run, dot) for operand in self.operands))


@dataclass(frozen=True, slots=True)
class Pipeline:
    """An expression, and the variables that it declares or is assigned to."""

    expression: Expression
    names: tuple[str, ...] = ()
    declares: bool = False

    def evaluate(self, run: Rendering, dot: Any) -> Any:
        """Return the value."""
        run.step()
        value = self.expression.evaluate(run, dot)
        for name in self.names:
            if self.declares:
                run.declare(name, value)
            else:
                run.assign(name, value)
        return value


@dataclass(frozen=True, slots=True)
class Text:
    """Text between actions."""

    text: str

    def carry_out(self, run: Rendering, _dot: Any) -> None:
        """Write it."""
        run.step()
        run.made.add(self.text)


@dataclass(frozen=True, slots=True)
class Action:
    """A pipeline whose value is written, unless it goes to a variable."""

    pipeline: Pipeline

    def carry_out(self, run: Rendering, dot: Any) -> None:
        """Write the value."""
        value = self.pipeline.evaluate(run, dot)
        if not self.pipeline.names:
            run.made.add(shown(value))


@dataclass(frozen=True, slots=True)
class Turn:
    """A break or a continue."""

    turn: type[Exception]

    def carry_out(self, _run: Rendering, _dot: Any) -> None:
        """Turn the flow."""
        raise self.turn


@dataclass(frozen=True, slots=True)
class Branch:
    """An if, or a with, which makes its value the dot."""

    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]
    is_with: bool

    def carry_out(self, run: Rendering, dot: Any) -> None:
        """Write one branch."""
        mark = len(run.names)
        value = self.pipeline.evaluate(run, dot)
        if truth(value):
            carry_out(self.body, run, value if self.is_with else dot)
        else:
            carry_out(self.otherwise, run, dot)
        del run.names[mark:]


@dataclass(frozen=True, slots=True)
class Range:
    """A range over an array, an object by the order of its keys, or the numbers below a number."""

    pipeline: Pipeline
    body: tuple[Node, ...]
    otherwise: tuple[Node, ...]

    def carry_out(self, run: Rendering, dot: Any) -> None:
        """Write the body for each item, or what is written for none."""
        mark = len(run.names)
        items = _items(self.pipeline.expression.evaluate(run, dot))
        names = self.pipeline.names
        is_empty = True
        for key, item in items:
            is_empty = False
            run.step()
            for name, value in zip(names, (key, item)[-len(names) :] if names else (), strict=True):
                if self.pipeline.declares:
                    run.declare(name, value)
                else:
                    run.assign(name, value)
            try:
                carry_out(self.body, run, item)
            except Continue:
                pass
            except Break:
                break
            finally:
                del run.names[mark:]
        if is_empty:
            carry_out(self.otherwise, run, dot)
            del run.names[mark:]


def carry_out(nodes: tuple[Node, ...], run: Rendering, dot: Any) -> None:
    """Carry out one node after the other."""
    for node in nodes:
        node.carry_out(run, dot)


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    if type(value) is list:
        return iter(enumerate(value))
    if type(value) is dict:
        return iter(sorted(value.items(), key=lambda item: str(item[0])))
    if type(value) is int:
        return ((number, number) for number in range(value))
    if value is None or value is MISSING:
        return iter(())
    raise BuiltinFault("range can't iterate over such a value")
