"""Rego v0 → faults, before the sources are compiled. Pure.

regopy takes v0 without complaint and evaluates some of it wrongly: the partial set `deny[msg] { … }` becomes an object.
So what only v0 allows at a module's top is refused, with the way to write it in v1: a body without `if`, an `else`
body without `if`, a partial set without `contains`, and a head that has neither value nor body. Only the outline of a
module is read: its statements, with everything between brackets taken as one piece. What is no Rego of either version
is the compiler's to tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, islice, takewhile
from operator import itemgetter
from typing import Final

from authz_service.rego_engine.lexer import MAX_TOKENS, Kind, Token, tokens
from service_kit.faults import Fault

MAX_FAULTS: Final = 50  # of one module; a v0 file has one for nearly every rule
MAX_EXCERPT: Final = 60  # characters of a policy in a fault

_BUNDLE: Final = "or use a bundle that `opa build --v0-compatible -t plan` made"
_STATEMENTS: Final = frozenset({"package", "import", "default"})
_RESERVED: Final = frozenset({"as", "contains", "else", "every", "if", "in", "not", "some", "with"}) | _STATEMENTS
_PREFIXES: Final = frozenset({"-", "not", "some", "every"})
_INFIX: Final = frozenset("+-*/%&|<>=,") | {"==", "!=", "<=", ">=", ":=", "in", "with", "as"}
_LOGICAL: Final = frozenset({"and", "or"})
_LOGICAL_IMPORTS: Final = frozenset(
    {("future", "keywords"), ("future", "keywords", "and"), ("future", "keywords", "or"), ("rego", "v2")}
)
_NEGATING_IMPORTS: Final = frozenset({("future", "keywords"), ("future", "keywords", "not"), ("rego", "v2")})
_DOTTED: Final = 2  # items of a key that follows a dot


def check_source(name: str, text: str) -> Iterator[Fault]:
    """Yield a fault for each row of a module with a rule that only Rego v0 allows, the first `MAX_FAULTS` of them."""
    read = list(islice(tokens(text), MAX_TOKENS + 1))
    if len(read) > MAX_TOKENS:
        yield Fault(name, 0, f"has more than {MAX_TOKENS} tokens: part it, or move data into a data file")
        return
    rows = groupby(_Outline(text, read).faults(), key=itemgetter(0))
    for row, found in islice(rows, MAX_FAULTS):
        yield Fault(name, row, next(found)[1])


@dataclass(frozen=True, slots=True)
class Declared:
    """What a module declares: its package, the names of its imports, the path and row of each rule's head.

    `negates_bodies`: `not` is that of later versions, under which whatever it negates may be undefined.
    """

    package: tuple[str, ...]
    imports: frozenset[str]
    rules: tuple[tuple[tuple[str, ...], int], ...]
    functions: frozenset[tuple[str, ...]]
    negates_bodies: bool


def declared(text: str, read: Sequence[Token]) -> Declared:
    """Return what the tokens of a module declare."""
    outline = _Outline(text, read)
    for _ in outline.faults():
        pass  # told by `check_source`
    rules, functions = tuple(outline.rules), frozenset(outline.functions)
    return Declared(outline.package, frozenset(outline.imports), rules, functions, outline.negates_bodies)


class _Outline:
    """The top level of one module, read from its first statement to its last."""

    def __init__(self, text: str, read: Sequence[Token]) -> None:
        self._text = text
        self._items = [token for token in read if not token.depth and token.kind is not Kind.CLOSE]
        self._items.append(Token(Kind.CLOSE, "", len(text), 0, 0, spaced=True))
        self._place = 0
        self._infix = _INFIX
        self.package: tuple[str, ...] = ()
        self.imports: set[str] = set()
        self.rules: list[tuple[tuple[str, ...], int]] = []
        self.functions: set[tuple[str, ...]] = set()
        self.negates_bodies = False

    def faults(self) -> Iterator[tuple[int, str]]:
        while self._next.text:
            if self._next.text in {"package", "import"} and not self._starts_reference():
                self._declaration(self._take().text)
            else:
                yield from self._rule()

    def _declaration(self, keyword: str) -> None:
        start = self._place
        self._reference()
        path = tuple(item.text for item in self._items[start : self._place] if item.text != ".")
        self.negates_bodies |= keyword == "import" and path in _NEGATING_IMPORTS
        if keyword == "import" and path in _LOGICAL_IMPORTS:
            self._infix = _INFIX | _LOGICAL  # elsewhere these are names that a rule may have
        names = [item.text for item in self._items[start : self._place] if item.kind is Kind.NAME]
        if self._next.text == "as":
            self._take()
            names = [self._next.text]
            self._reference()
        if keyword == "package":
            self.package = tuple(names)
        else:
            self.imports.update(names[-1:])

    def _rule(self) -> Iterator[tuple[int, str]]:
        defaults = self._next.text == "default" and not self._starts_reference()
        if defaults:
            self._take()
        start = self._place
        if not self._reference():
            self._take()  # a single item: regopy takes `;` between rules
            return
        parts = self._items[start : self._place]
        self._declare(parts)
        bare = self._next.text not in {"contains", ":=", "="}
        if not bare:
            self._take()
            self._expression()
        head = self._excerpt(parts[0].start, self._next.start)
        row = parts[0].row
        if defaults:
            return
        if self._next.text == "if":
            self._take()
            self._expression()
        elif self._next.text == "{":
            self._take()
            yield row, _v0_body(parts, head, bare=bare)
        elif bare and parts[-1].text != "(":  # a function that is true for its arguments needs no more
            yield row, _v0_bare(parts, head)
        yield from self._further_bodies()

    def _declare(self, parts: Sequence[Token]) -> None:
        dotted = list(takewhile(lambda part: part.kind is Kind.NAME or part.text == ".", parts))
        path = tuple(part.text for part in dotted if part.kind is Kind.NAME)
        self.rules.append((path, parts[0].row))
        if parts[-1].text == "(":
            self.functions.add(path)

    def _further_bodies(self) -> Iterator[tuple[int, str]]:
        while True:
            if self._next.text == "{":  # one more body of the same head is v1, too
                self._take()
            elif self._next.text == "else" and not self._starts_reference():
                branch = self._take()
                if self._next.text in {":=", "="}:
                    self._take()
                    self._expression()
                if self._next.text == "if":
                    self._take()
                    self._expression()
                elif self._next.text == "{":
                    head = self._excerpt(branch.start, self._next.start) or "else := value"
                    self._take()
                    yield branch.row, f"`{head} {{ … }}` is Rego v0: write `{head} if {{ … }}`, {_BUNDLE}"
            else:
                return

    def _expression(self) -> None:
        """Pass operands and what joins them: an operand without a joint is the next statement, or a body."""
        every = False
        while True:
            every |= self._prefixes()
            if not self._operand():
                return
            if every and self._next.text == "{":  # the body of `every x in xs { … }`
                self._take()
                every = False
            if not self._joins():
                return
            self._take()

    def _prefixes(self) -> bool:
        """Pass what may stand before an operand; return whether `every` was there."""
        every = False
        while self._next.text in _PREFIXES and not self._starts_reference():
            every |= self._take().text == "every"
        return every

    def _joins(self) -> bool:
        """Tell whether the next item is an operator; `as.name := 1`, on a line of its own, is a rule."""
        named = self._next.kind is Kind.NAME and self._items[self._place + 1].text == "."
        return self._next.text in self._infix and not named

    def _operand(self) -> bool:
        if self._next.kind is Kind.NAME:
            return self._reference()
        fraction = self._next.text == "." and self._items[self._place + 1].kind is Kind.NUMBER
        if fraction:
            self._take()
        elif self._next.kind in {Kind.SIGN, Kind.CLOSE}:
            return False
        self._take()
        self._keys()
        return True

    def _reference(self) -> bool:
        """Pass a name and its keys, or a call; return whether there was one."""
        if self._next.kind is not Kind.NAME or (self._next.text in _RESERVED and not self._starts_reference()):
            return False
        self._take()
        self._keys()
        return True

    def _keys(self) -> None:
        while not self._next.spaced and self._next.text in {".", "[", "("}:
            if self._take().text == "." and self._next.kind is Kind.NAME:
                self._take()

    def _starts_reference(self) -> bool:
        """Tell whether a keyword is a name here: a reference may start with one."""
        following = self._items[self._place + 1]
        return self._next.kind is Kind.NAME and not following.spaced and following.text in {".", "["}

    @property
    def _next(self) -> Token:
        return self._items[self._place]

    def _take(self) -> Token:
        found = self._next
        self._place += bool(found.text)
        return found

    def _excerpt(self, start: int, end: int) -> str:
        """Return the text as one line, or nothing where it is too long or odd to show."""
        if end - start > 2 * MAX_EXCERPT:
            return ""
        found = " ".join(self._text[start:end].split())
        return found if len(found) <= MAX_EXCERPT and found.isprintable() and "#" not in found else ""


def _set(parts: list[Token], head: str) -> tuple[str, str]:
    """Return name and key of what is a partial set in v0, `p[key]` or `p.key`, or nothing."""
    name, *keys = (part.text for part in parts)
    if keys == ["["]:
        return name, head.partition("[")[2].removesuffix("]").strip()
    return (name, f'"{keys[1]}"') if len(keys) == _DOTTED and keys[0] == "." else ("", "")


def _v0_body(parts: list[Token], head: str, *, bare: bool) -> str:
    if not head:
        return f"a body without `if` is Rego v0: write `deny contains msg if {{ … }}` or `allow if {{ … }}`, {_BUNDLE}"
    name, key = _set(parts, head) if bare else ("", "")
    mended = f"{name} contains {key}" if name else head
    return f"`{head} {{ … }}` is Rego v0: write `{mended} if {{ … }}`, {_BUNDLE}"


def _v0_bare(parts: list[Token], head: str) -> str:
    if not head:
        return f'a head alone is Rego v0: write `deny contains "text"` or `allow := true`, {_BUNDLE}'
    name, key = _set(parts, head)
    if name:
        return f"`{head}` alone is Rego v0: write `{name} contains {key}`, {_BUNDLE}"
    return f"`{head}` has neither a value nor a body: write `{head} := true`"
