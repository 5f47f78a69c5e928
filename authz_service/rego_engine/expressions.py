"""Tokens → where operands, operators and the expressions of a body begin and end. Pure.

There is no parser of Rego here, the compilers have theirs: these are the few questions that the checks of sources ask.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from authz_service.rego_engine.lexer import Kind, Token

END: Final = Token(Kind.CLOSE, "", 0, 0, 0, spaced=True)
COMPARING: Final = frozenset({"==", "!=", "<", ">", "<=", ">="})
OPERATORS: Final = COMPARING | {"+", "-", "*", "/", "%", "&", "|"}
_ASSIGNING: Final = frozenset({":=", "="})
_KEYWORDS: Final = frozenset(
    {"if", "not", "in", "contains", "some", "every", "as", "with", "else", "default", "import"}
)
_ENDS: Final = frozenset({Kind.NAME, Kind.NUMBER, Kind.STRING, Kind.TEMPLATE, Kind.CLOSE})
_STARTS: Final = frozenset({Kind.NAME, Kind.NUMBER, Kind.STRING, Kind.TEMPLATE, Kind.OPEN})


def is_keyword(read: Sequence[Token], number: int, *words: str) -> bool:
    """Tell whether a token is one of some keywords, and no key behind a dot."""
    return (
        read[number].kind is Kind.NAME and read[number].text in words and not (number and read[number - 1].text == ".")
    )


def ends_operand(token: Token) -> bool:
    """Tell whether an operand may end with a token."""
    return token.kind in _ENDS and bool(token.text) and token.text not in _KEYWORDS


def adjoins(token: Token) -> bool:
    """Tell whether a token goes on with the operand before it: a key, or a call's operands."""
    return not token.spaced and token.text in {".", "[", "("}


def follows_anew(before: Token, token: Token) -> bool:
    """Tell whether an expression ends before a token without any sign: an operand behind an operand."""
    if not ends_operand(before) or adjoins(token):
        return False
    return token.kind in _STARTS and token.text not in {"in", "with", "as", "contains"}


def closing(read: Sequence[Token], opening: int) -> int:
    """Return the place of the bracket that closes the one at a place, or of the last token."""
    depth = read[opening].depth
    for number in range(opening + 1, len(read)):
        if read[number].depth <= depth:
            return number
    return len(read) - 1


def separators(read: Sequence[Token]) -> frozenset[int]:
    """Return the places of each `|` that parts a comprehension's head from its body: the others unite."""
    return frozenset(
        place
        for number, token in enumerate(read)
        if token.kind is Kind.OPEN and token.text in {"[", "{"} and not opens_body(read, number)
        if (place := _separator(read, number))
    )


def opens_body(read: Sequence[Token], number: int) -> bool:
    """Tell whether a brace opens a body: no term follows `if`, `else` or, in its row, an operand."""
    if read[number].text != "{" or not number:
        return False
    before = read[number - 1]
    return before.text in {"if", "else"} or (ends_operand(before) and before.row == read[number].row)


def _separator(read: Sequence[Token], opening: int) -> int:
    depth = read[opening].depth + 1
    for number in range(opening + 1, len(read)):
        token = read[number]
        if token.depth < depth or (token.depth == depth and token.text in {",", ";", ":=", "="}):
            return 0
        if token.depth == depth and token.text == "|":
            return number
    return 0


def expression(read: Sequence[Token], place: int, parting: frozenset[int]) -> range:
    """Return the places of the expression of a body that ends before a place, at that place's depth."""
    depth = read[place].depth
    start = place
    for number in range(place - 1, -1, -1):
        token = read[number]
        if token.depth < depth or (token.depth == depth and number in parting):
            break
        if token.depth == depth and (token.text == ";" or is_keyword(read, number, "if", "else")):
            break
        if read[start].depth == depth and _parts(read, number, start):
            break
        start = number
    return range(start, place)


def _parts(read: Sequence[Token], number: int, start: int) -> bool:
    return read[number].row != read[start].row and follows_anew(read[number], read[start])


def uncollected(read: Sequence[Token], places: range) -> Iterator[int]:
    """Yield the places that are in no array, object, set or comprehension of an expression, but in keys and calls."""
    number = places.start
    while number < places.stop:
        token = read[number]
        if token.kind is Kind.OPEN and token.text != "(" and not (token.text == "[" and adjoins(token)):
            number = closing(read, number)
        else:
            yield number
        number += 1


def assigns(token: Token) -> bool:
    """Tell whether a token is `:=` or `=`."""
    return token.kind is Kind.SIGN and token.text in _ASSIGNING
