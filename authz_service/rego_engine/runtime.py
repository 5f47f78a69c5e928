"""What generated code calls: the operations of the IR that are more than an expression of Python's.

Generated code gets one `Evaluation` for each evaluation and passes it on; everything else here is a pure function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final, NoReturn

from authz_service.rego_engine import values
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.errors import (
    CONFLICT_ERROR,
    BuiltinFault,
    DeadlineExceeded,
    EvaluationError,
)
from authz_service.rego_engine.values import UNDEFINED, Undefined, Value, equal, key, plain

STEPS_BETWEEN_LOOKS = 2_000  # items of scans, after which the clock is looked at; a few tenths of a millisecond
MISSING: Final = object()


class Evaluation:
    """One evaluation: its deadline, what it has worked out already, and what built-ins may know of the world.

    `deadline` is a time of `clock`, in seconds. `strict`: a built-in's error ends the evaluation. `trail` and `covered`
    are for policies compiled with probes.
    """

    __slots__ = ("_clock", "_deadline", "_scopes", "_steps", "context", "covered", "memo", "strict", "trail")

    def __init__(  # noqa: PLR0913  (one place builds it)
        self,
        document: Value,
        data: Value,
        context: Context,
        clock: Callable[[], float],
        deadline: float,
        *,
        strict: bool = False,
    ) -> None:
        self.context = context
        self.strict = strict
        self.memo: dict[Any, Value] = {}
        self.covered: set[int] = set()
        self.trail: list[tuple[str, Any]] = []
        self._scopes: list[tuple[Value, Value, dict[Any, Value]]] = [(document, data, self.memo)]
        self._clock = clock
        self._deadline = deadline
        self._steps = STEPS_BETWEEN_LOOKS

    def step(self, count: int) -> None:
        """Note that `count` more items are gone through; now and then, look at the clock."""
        self._steps -= count
        if self._steps <= 0:
            self.look()

    def look(self) -> None:
        """End the evaluation if its time is over."""
        self._steps = STEPS_BETWEEN_LOOKS
        if self._clock() >= self._deadline:
            raise DeadlineExceeded

    def watch(self, items: Iterable[Any]) -> Iterator[Any]:
        """Go through many items, looking at the clock every so often."""
        count = 0
        for item in items:
            count += 1
            if count == STEPS_BETWEEN_LOOKS:
                count = 0
                self.look()
            yield item

    def enter(self, document: Value, data: Value) -> None:
        """Begin a `with`: what was worked out for other documents does not hold, unless they were these before."""
        memo: dict[Any, Value] = next(
            (kept for one, two, kept in reversed(self._scopes) if one is document and two is data), {}
        )
        self._scopes.append((document, data, memo))
        self.memo = memo

    def leave(self) -> None:
        """End a `with`."""
        self._scopes.pop()
        self.memo = self._scopes[-1][2]

    def fault(self, fault: BuiltinFault, name: str, where: str) -> Undefined:
        """Let an error of a built-in make the expression undefined, or in strict mode end the evaluation."""
        if self.strict:
            raise EvaluationError(fault.code, f"{name}: {fault.text}", where) from fault
        return UNDEFINED

    def failed(self, place: int) -> bool:
        """Note where an expression was undefined or false; the answer is False, so that it can stand in a condition."""
        self.trail.append(("failed", place))
        return False

    def conflict(self, text: str, where: str) -> NoReturn:
        """End the evaluation: two answers where there can be one."""
        raise EvaluationError(CONFLICT_ERROR, text, where)


def probed(function: Callable[..., Value], name: str) -> Callable[..., Value]:
    """Return a function that notes in the trail when it begins, and with what value it ends."""

    def run(evaluation: Evaluation, *arguments: Value) -> Value:
        evaluation.trail.append(("enter", name))
        value = function(evaluation, *arguments)
        evaluation.trail.append(("leave", value))
        return value

    return run


def memo_key(value: Value) -> Any:
    """Return what tells one operand from another among kept results: a string itself, anything else its identity."""
    return value if type(value) is str else (id(value),)


def dot(source: Value, name: Value) -> Value:
    """Return what `name` leads to in a value, or `UNDEFINED`: a set's member leads to itself."""
    kind = type(source)
    if kind is dict:
        return source.get(name if type(name) is str else key(name), UNDEFINED)
    if kind is list:
        return _item(source, name)
    if kind is set:
        hashed = key(name)
        return name if hashed in source else UNDEFINED
    return UNDEFINED


def _item(source: list[Value], name: Value) -> Value:
    if type(name) is not int:
        if type(name) not in {float, Decimal} or name != int(name):
            return UNDEFINED
        name = int(name)
    return source[name] if 0 <= name < len(source) else UNDEFINED


def items(evaluation: Evaluation, source: Value) -> Iterable[tuple[Value, Value]]:
    """Return the keys and values of a collection in Rego's order; of anything else, none."""
    kind = type(source)
    if kind is list:
        return _watched(evaluation, enumerate(source), len(source))
    if kind is dict:
        return _watched(evaluation, values.entries(source), len(source))
    if kind is set:
        return _watched(evaluation, ((member, member) for member in values.members(source)), len(source))
    return ()


def item_values(evaluation: Evaluation, source: Value) -> Iterable[Value]:
    """Return the values of a collection in the order of their keys."""
    kind = type(source)
    if kind is list:
        return _watched(evaluation, source, len(source))
    if kind is dict:
        return _watched(evaluation, [value for _, value in values.entries(source)], len(source))
    if kind is set:
        return _watched(evaluation, values.members(source), len(source))
    return ()


def item_keys(evaluation: Evaluation, source: Value) -> Iterable[Value]:
    """Return the keys of a collection in Rego's order."""
    kind = type(source)
    if kind is dict:
        return _watched(evaluation, values.keys(source), len(source))
    if kind is list:
        return _watched(evaluation, range(len(source)), len(source))
    if kind is set:
        return _watched(evaluation, values.members(source), len(source))
    return ()


def any_items(evaluation: Evaluation, source: Value) -> Iterable[tuple[Value, Value]]:
    """Return the keys and values of a collection, in an order that nothing can tell."""
    if type(source) is dict:
        pairs = ((plain(name), value) for name, value in source.items())
        return _watched(evaluation, pairs, len(source))
    if type(source) is set:
        return _watched(evaluation, ((plain(name), plain(name)) for name in source), len(source))
    return items(evaluation, source)


def any_values(evaluation: Evaluation, source: Value) -> Iterable[Value]:
    """Return the values of a collection, in an order that nothing can tell."""
    if type(source) is dict:
        return _watched(evaluation, source.values(), len(source))
    if type(source) is set:
        return _watched(evaluation, map(plain, source), len(source))
    return item_values(evaluation, source)


def any_keys(evaluation: Evaluation, source: Value) -> Iterable[Value]:
    """Return the keys of a collection, in an order that nothing can tell."""
    if type(source) is dict or type(source) is set:
        return _watched(evaluation, map(plain, source), len(source))
    return item_keys(evaluation, source)


def _watched(evaluation: Evaluation, found: Iterable[Any], count: int) -> Iterable[Any]:
    evaluation.step(count)
    return found if count < STEPS_BETWEEN_LOOKS else evaluation.watch(found)


def contains(source: Value, item: Value) -> bool:
    """Whether an item of a collection equals `item`."""
    kind = type(source)
    if kind is set:
        return key(item) in source
    if kind is dict:
        source = source.values()
    elif kind is not list:
        return False
    if type(item) is str:
        return item in source
    return any(equal(each, item) for each in source)


def length(source: Value) -> Value:
    """Return how many items (or, of a string, characters) a value has."""
    return len(source) if type(source) in {list, dict, set, str} else UNDEFINED


def insert_once(found: dict[Any, Value], name: Value, value: Value) -> bool:
    """Insert into an object that is being built; say whether it had no other value for the key.

    Where rules overlap, what they build into may be a value of another rule: that is a conflict too.
    """
    if type(found) is not dict:
        return False
    hashed = name if type(name) is str else key(name)
    there = found.setdefault(hashed, value)
    return there is value or equal(there, value)


def copied(value: Value) -> Value:
    """Return what may be built on: a value that others may hold is copied first, one level deep."""
    return value.copy() if type(value) in {list, dict, set} else value


def merge(left: Value, right: Value) -> Value:
    """Merge two objects deeply; where they differ in more than objects, the left one counts."""
    if type(left) is not dict or type(right) is not dict:
        return left
    found = dict(right)
    for name, value in left.items():
        found[name] = merge(value, right[name]) if name in right else value
    return found


def upsert(document: Value, path: tuple[str, ...], value: Value) -> Value:
    """Return a document with another value at a path. The document itself stays as it is."""
    if not path:
        return value
    found = dict(document) if type(document) is dict else {}
    found[path[0]] = upsert(found.get(path[0]), path[1:], value)
    return found


class Rules:
    """The rules by their paths, for references that are known only when they are evaluated."""

    def __init__(self, functions: Mapping[tuple[str, ...], Callable[..., Value]]) -> None:
        self._functions = dict(functions)
        self._above = {path[:depth] for path in functions for depth in range(1, len(path))}

    def call(self, evaluation: Evaluation, path: tuple[Value, ...], arguments: tuple[Value, ...]) -> Value:
        """Return a rule's value; `MISSING` where no rule has the path."""
        function = self._functions.get(path) if all(type(part) is str for part in path) else None
        if function is None:
            return MISSING
        hashed = (path, *map(id, arguments[2:]))
        found = evaluation.memo.get(hashed, MISSING)
        if found is MISSING:
            found = evaluation.memo[hashed] = function(evaluation, *arguments)
        return found

    def look_up(self, evaluation: Evaluation, path: tuple[Value, ...], arguments: tuple[Value, ...]) -> Value:
        """Return what a path below `data` has, whether rules, base documents or both make it."""
        found = self.call(evaluation, path, arguments)
        if found is not MISSING:
            return found
        base = arguments[1]
        for depth, part in enumerate(path[1:], 2):
            above = self.call(evaluation, path[:depth], arguments) if depth < len(path) else MISSING
            if above is not MISSING:
                for rest in path[depth:]:
                    above = dot(above, rest)
                return above
            base = dot(base, part)
        if not all(type(part) is str for part in path) or path not in self._above:
            return base
        built: Value = {}
        for below in sorted(self._functions):
            if below[: len(path)] == path:
                value = self.call(evaluation, below, arguments)
                if value is not UNDEFINED:
                    built = upsert(built, below[len(path) :], value)
        return merge(built, base) if base is not UNDEFINED else built
