"""`with` that regopy's front end would drop, or apply to a part of its expression → faults. Pure.

Where the value behind `as` is a reference, a rule, a template or a membership, regopy compiles the expression without
its `with`, and the answer is that of the document as it is. Constants, collections, calls and local variables it takes
as they are meant, and so it does functions in the place of functions. And what a reference goes through on one side of
an operator, `rule[_] == 1 with …`, it looks up outside of the `with`.

Whether a name is a local variable is told by what it is not: a rule of the package, an import, `input` or `data`. What
this misses is missing in the plan, and `plan_checks` counts there.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from authz_service.rego_engine.builtins.registry import find
from authz_service.rego_engine.expressions import (
    END,
    OPERATORS,
    adjoins,
    assigns,
    closing,
    ends_operand,
    expression,
    is_keyword,
    uncollected,
)
from authz_service.rego_engine.lexer import Kind, Token
from authz_service.rego_engine.source_checks import Declared

_DOCUMENTS: Final = frozenset({"input", "data"})
_DROPPED: Final = (
    "regopy would drop this `with`, whose value is no constant, collection, call or local variable: give the value a"
    " name in an expression before, `value := …`, and write `as value`"
)
_HALF: Final = (
    "regopy would apply this `with` to a part of the expression: give what the reference goes through a name,"
    " `value := rule[_] with …`, and compare that in an expression of its own"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What names mean in a module: `names` are the package's rules and the imports, `functions` whole paths."""

    package: tuple[str, ...]
    imports: frozenset[str]
    names: frozenset[str]
    functions: frozenset[tuple[str, ...]]


def check(read: Sequence[Token], parting: frozenset[int], scope: Scope) -> Iterator[tuple[int, str]]:
    """Yield the row of each `with` that regopy would not apply as it is meant, and what to write instead."""
    for place, value in _withs(read):
        if not _is_function(_path(read, place + 1), scope) and not _is_kept(read, value, scope):
            yield read[place].row, _DROPPED
        elif _goes_through(read, expression(read, place, parting)):
            yield read[place].row, _HALF


def counts(read: Sequence[Token], declared: Declared, scope: Scope) -> Mapping[int, int]:
    """Return how many documents are replaced in the rules that start in each row: so many `with` a plan must have."""
    rows = sorted({row for _, row in declared.rules})
    documents = _DOCUMENTS | declared.imports
    found = Counter(dict.fromkeys(rows, 0))
    for place, value in _withs(read):
        path = _path(read, value)
        if rows and read[place + 1].text in documents and not (path and _is_function(path, scope)):
            found[rows[max(bisect_right(rows, read[place].row) - 1, 0)]] += 1
    return found


def _withs(read: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Yield where each `with` stands, and where its value does."""
    for number in range(len(read)):
        if not is_keyword(read, number, "with"):
            continue
        depth = read[number].depth
        for place in range(number + 1, len(read) - 1):
            if read[place].depth < depth:
                break
            if read[place].depth == depth and is_keyword(read, place, "as"):
                yield number, place + 1
                break


def _is_kept(read: Sequence[Token], first: int, scope: Scope) -> bool:
    """Tell whether regopy keeps a `with` whose value starts at a place."""
    token = read[first]
    last = first
    if token.kind is Kind.SIGN:
        last = first + 1
        if token.text != "-" or read[last].kind is not Kind.NUMBER:
            return False
    elif token.kind is Kind.OPEN:
        if token.text == "(":
            return False
        last = closing(read, first)
    elif token.kind is Kind.NAME:
        path = _path(read, first)
        last = first + 2 * (len(path) - 1)
        if last + 1 < len(read) and read[last + 1].text == "(" and adjoins(read[last + 1]):
            last = closing(read, last + 1)
        elif not _is_function(path, scope) and (token.text in scope.names | _DOCUMENTS):
            return False
        elif not _is_function(path, scope):
            last = _keys(read, last)
    elif token.kind not in {Kind.NUMBER, Kind.STRING}:
        return False
    beyond = read[last + 1] if last + 1 < len(read) else END
    return not (adjoins(beyond) or beyond.text in OPERATORS or beyond.text in {"in", ","} or assigns(beyond))


def _is_function(path: tuple[str, ...], scope: Scope) -> bool:
    if path[0] == "data":
        return path[1:] in scope.functions
    return (*scope.package, *path) in scope.functions or (
        path[0] not in scope.names and find(".".join(path)) is not None
    )


def _path(read: Sequence[Token], first: int) -> tuple[str, ...]:
    """Return the names of a reference that are joined by dots."""
    found: list[str] = []
    place = first
    while place < len(read) and read[place].kind is Kind.NAME:
        found.append(read[place].text)
        if place + 2 >= len(read) or read[place + 1].text != "." or not adjoins(read[place + 1]):
            break
        place += 2
    return tuple(found)


def _keys(read: Sequence[Token], last: int) -> int:
    """Return the last place of a local variable's reference."""
    while last + 1 < len(read) and read[last + 1].text == "[" and adjoins(read[last + 1]):
        last = closing(read, last + 1)
        while last + 2 < len(read) and read[last + 1].text == "." and adjoins(read[last + 1]):
            last += 2
    return last


def _goes_through(read: Sequence[Token], places: range) -> bool:
    """Tell whether an expression has an operator, and a reference with a variable for a key."""
    places_of_operands = list(uncollected(read, places))
    joined = any(
        read[place].text in OPERATORS and read[place].kind is Kind.SIGN and ends_operand(read[place - 1])
        for place in places_of_operands
    )
    return joined and any(_is_variable_key(read, place) for place in places_of_operands)


def _is_variable_key(read: Sequence[Token], place: int) -> bool:
    token, key, beyond = read[place], read[min(place + 1, len(read) - 1)], read[min(place + 2, len(read) - 1)]
    return (
        token.text == "["
        and place > 0
        and ends_operand(read[place - 1])
        and adjoins(token)
        and key.kind is Kind.NAME
        and not adjoins(beyond)
    )
