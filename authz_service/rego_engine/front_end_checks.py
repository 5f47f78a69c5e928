"""What regopy's front end takes without a word and compiles to something else → faults, before it compiles. Pure.

- `a | b - c` and `a & b - c`: it takes `-` last, OPA first.
- `walk(x)` as a value: it is the array of all pairs there, and each pair in turn in OPA.
- `some name`, and a name within `[…] := …`, that a rule or an import has as well: it takes the rule.

What it does to `with` is in `with_checks`, to `==` in `nested_comparisons`, to `=` in `equations`, to variables in
`plan_checks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from typing import Final

from authz_service.rego_engine import with_checks
from authz_service.rego_engine.expressions import (
    COMPARING,
    END,
    OPERATORS,
    adjoins,
    closing,
    ends_operand,
    follows_anew,
    is_keyword,
    separators,
)
from authz_service.rego_engine.lexer import MAX_TOKENS, Kind, Token, tokens
from authz_service.rego_engine.nested_comparisons import nested_comparisons
from authz_service.rego_engine.source_checks import MAX_FAULTS, Declared, declared
from service_kit.faults import Fault

_DELIMITERS: Final = COMPARING | {",", ";", ":=", "=", ":"}
_WORDS: Final = ("if", "not", "in", "some", "every", "as", "with", "else", "contains")


@dataclass(frozen=True, slots=True)
class _Module:
    read: Sequence[Token]
    declared: Declared


class Sources:
    """The modules of one policy, read: what a name means in one depends on the others of its package."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._modules = {name: _module(text) for name, text in texts.items()}
        self._functions = frozenset(
            (*module.declared.package, *path) for module in self._modules.values() for path in module.declared.functions
        )

    def faults(self) -> Iterator[Fault]:
        """Yield a fault for each row that would be compiled to something else, the first `MAX_FAULTS` of a module."""
        for name, module in self._modules.items():
            scope = self._scope(module.declared)
            parting = separators(module.read)
            found = [
                *_mixed_sets(module.read, parting),
                *_walks(module.read),
                *nested_comparisons(module.read, parting),
                *_shadows(module.read, scope.names),
                *with_checks.check(module.read, parting, scope),
            ]
            for row, rows in islice(groupby(sorted(found), key=itemgetter(0)), MAX_FAULTS):
                yield Fault(name, row, next(rows)[1])

    def withs(self) -> Mapping[str, Mapping[int, int]]:
        """Return how often the rules that start in each row of a module put something in a document's place."""
        return {
            name: with_checks.counts(module.read, module.declared, self._scope(module.declared))
            for name, module in self._modules.items()
        }

    def negating_bodies(self) -> frozenset[str]:
        """Return the modules whose `not` negates a body."""
        return frozenset(name for name, module in self._modules.items() if module.declared.negates_bodies)

    def negated_comparisons(self) -> frozenset[tuple[str, int]]:
        """Return the modules and rows that have a `==` behind a `not` that negates one expression."""
        return frozenset(
            (name, token.row)
            for name, module in self._modules.items()
            if not module.declared.negates_bodies
            for compared in [{token.row for token in module.read if token.text == "=="}]
            for token in module.read
            if token.text == "not" and token.row in compared
        )

    def _scope(self, of: Declared) -> with_checks.Scope:
        beside = (each.declared for each in self._modules.values() if each.declared.package == of.package)
        rules = {path[0] for each in beside for path, _ in each.rules}
        return with_checks.Scope(of.package, of.imports, of.imports | rules, self._functions)


def _module(text: str) -> _Module:
    read = [*islice(tokens(text), MAX_TOKENS), END]
    return _Module(read, declared(text, read[:-1]))


def _mixed_sets(read: Sequence[Token], parting: frozenset[int]) -> Iterator[tuple[int, str]]:
    """Find `-` beside `|` or `&` in one expression, without brackets between them."""
    signs: dict[int, set[str]] = {}  # of the expression that is open, by depth
    before = END
    for number, token in enumerate(read):
        for deeper in [depth for depth in signs if depth > token.depth]:
            del signs[deeper]
        ends = number in parting or token.text in _DELIMITERS or is_keyword(read, number, *_WORDS)
        if ends or follows_anew(before, token):
            signs.pop(token.depth, None)
        elif token.kind is Kind.SIGN and token.text in {"-", "|", "&"} and ends_operand(before):
            found = signs.setdefault(token.depth, set())
            found.add(token.text)
            if "-" in found and len(found) > 1:
                text = "has `-` beside `|` or `&`, and regopy takes them in another order than OPA: write parentheses"
                yield token.row, f"{text}, `(a - b) | c`"
        before = token


def _walks(read: Sequence[Token]) -> Iterator[tuple[int, str]]:
    """Find calls of walk whose value is used otherwise than by a pattern that is unified with each pair."""
    for number in range(len(read) - 1):
        if not is_keyword(read, number, "walk") or read[number + 1].text != "(" or read[number + 1].spaced:
            continue
        end = closing(read, number + 1)
        inside = read[number + 1].depth + 1
        if any(read[place].text == "," and read[place].depth == inside for place in range(number, end)):
            continue
        before, beyond = read[number - 1], read[end + 1] if end + 1 < len(read) else END
        unified = before.text == "=" or (before.text == ":=" and read[number - 2].text in {"]", "}"})
        if not unified or adjoins(beyond) or beyond.text in OPERATORS or beyond.text == "in":
            text = "uses walk as a value, which is all pairs at once in regopy and each pair in turn in OPA"
            yield read[number].row, f"{text}: write `walk(x, [path, value])`"


def _shadows(read: Sequence[Token], names: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Find local variables that have a rule's or an import's name and are declared in a way that regopy passes over."""
    for number, token in enumerate(read):
        places: range = range(0)
        if is_keyword(read, number, "some"):
            places = _some(read, number)
        elif token.text in {"[", "{"} and token.kind is Kind.OPEN and not adjoins(token):
            end = closing(read, number)
            if end + 1 < len(read) and read[end + 1].text == ":=":
                places = range(number + 1, end)
        for place in places:
            named = read[place]
            if named.kind is Kind.NAME and named.text in names and not adjoins(read[place + 1]):
                text = f"declares the variable {named.text}, which a rule or an import is named as well"
                yield named.row, f"{text}, and regopy takes that: give the variable another name"


def _some(read: Sequence[Token], number: int) -> range:
    """Return the places of the names behind a `some` that has no `in`."""
    place = number + 1
    while place + 1 < len(read) and read[place].kind is Kind.NAME and read[place + 1].text == ",":
        place += 2
    return range(0) if is_keyword(read, min(place + 1, len(read) - 1), "in") else range(number + 1, place + 1)
