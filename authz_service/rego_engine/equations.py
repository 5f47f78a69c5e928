"""`name = constant` → what regopy compiles to a comparison. Pure.

`=` gives a variable its value or, where it has one, compares. regopy takes every `name = constant`, and `constant =
name`, for an assignment of that name: behind `role := input.role` the expression `role = "admin"` would hold for
whomever, and so it would where `role` is a rule or an import. What stands in parentheses it unifies as it should, and
to put an operand into parentheses changes nothing else. So each constant or name that directly follows a `=` of a body
gets them; no row moves. In the head of a rule `=` is `:=`, and is left alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from authz_service.rego_engine.lexer import MAX_TOKENS, Kind, Token, tokens

_END: Final = Token(Kind.CLOSE, "", 0, 0, 0, spaced=True)


def grouped(text: str) -> str:
    """Return a module's text with the operand behind each `=` of a body in parentheses."""
    read = [*islice(tokens(text), MAX_TOKENS), _END]
    parts: list[str] = []
    place = 0
    for start, end in _operands(read):
        parts += [text[place:start], "(", text[start:end], ")"]
        place = end
    return "".join([*parts, text[place:]])


def _operands(read: Sequence[Token]) -> Iterator[tuple[int, int]]:
    """Yield where each operand to be grouped starts and ends, in characters."""
    in_body = False  # outside of brackets: behind an `if`, up to the head that follows
    behind = _END
    for number, token in enumerate(read[:-1]):
        if not token.depth and token.kind is Kind.NAME and behind.text != ".":
            if token.text == "if":
                in_body = True
            elif token.text in {"else", "default", "package", "import"} or _starts_head(token, behind):
                in_body = False
        if token.text == "=" and token.kind is Kind.SIGN and (token.depth or in_body):
            last = _last(read, number + 1)
            if last is not None:
                yield read[number + 1].start, last.start + len(last.text)
        behind = token


def _starts_head(token: Token, behind: Token) -> bool:
    """Tell whether a name outside of brackets starts a rule: a body without braces is one expression."""
    return token.row != behind.row and (behind.kind is not Kind.SIGN or not behind.text) and token.text not in _JOINTS


_CONSTANTS: Final = frozenset({"true", "false", "null", "set"})
_JOINTS: Final = frozenset({"with", "as", "in", "contains"})


def _end_of_constant(read: Sequence[Token], first: int) -> int:
    """Return where a collection of constants ends; 0 where anything else is in it: regopy takes that as it is meant."""
    for number in range(first + 1, len(read)):
        found = read[number]
        if found.depth <= read[first].depth:
            return number if found.kind is Kind.CLOSE and found.text else 0
        if found.kind is Kind.NAME and found.text not in _CONSTANTS:
            return 0
        if found.kind is Kind.TEMPLATE or (found.kind is Kind.SIGN and found.text not in {",", ":", "-"}):
            return 0
    return 0


def _is_whole(token: Token) -> bool:
    """Tell whether a string has an end; whatever else is whole."""
    if token.kind is not Kind.STRING:
        return True
    quote, inside, end = token.text[:1], token.text[1:-1], token.text[-1:]
    escapes = len(inside) - len(inside.rstrip("\\")) if quote == '"' else 0
    return len(token.text) > 1 and end == quote and escapes % 2 == 0


def _last(read: Sequence[Token], first: int) -> Token | None:
    """Return the last token of a name or constant that starts at `first`; None where something else stands there."""
    token = read[first]
    last = first
    if token.kind is Kind.SIGN and token.text == "-" and read[first + 1].kind is Kind.NUMBER:
        last = first + 1
    elif (
        token.kind is Kind.NAME and token.text == "set" and read[first + 1].text == "(" and read[first + 2].text == ")"
    ):
        last = first + 2
    elif token.kind is Kind.OPEN and token.text != "(":
        last = _end_of_constant(read, first)
    elif token.kind not in {Kind.NAME, Kind.NUMBER, Kind.STRING} or not _is_whole(token):
        return None
    following = read[last + 1] if 0 < last < len(read) - 1 else _END
    if not last or (not following.spaced and following.text in {".", "[", "("}):
        return None  # a reference or a call
    return read[last]
