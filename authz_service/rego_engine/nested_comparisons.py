"""`==` as an operand where regopy's front end takes it for a condition → faults. Pure.

A comparison that does not hold is the value false: `(a == b) == false` asks for that, `f(a == b)` passes it on. regopy
makes the value only where a variable is assigned, and elsewhere the whole expression is undefined.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from authz_service.rego_engine.expressions import OPERATORS, adjoins, closing, expression, is_keyword, opens_body
from authz_service.rego_engine.lexer import Kind, Token

_TEXT: Final = (
    "has a comparison as an operand, which regopy would take for a condition: give it a name in an expression before,"
    " `equal := a == b`, and use that"
)
_FIRST: Final = 1


def nested_comparisons(read: Sequence[Token], parting: frozenset[int]) -> Iterator[tuple[int, str]]:
    """Yield the row of each `==` within brackets, where no variable is assigned the whole."""
    around: list[int] = []  # the places of the brackets that are open
    for number, token in enumerate(read):
        while around and read[around[-1]].depth >= token.depth:
            around.pop()
        if token.text == "==" and token.kind is Kind.SIGN and _is_lost(read, number, around, parting):
            yield token.row, _TEXT
        if token.kind is Kind.OPEN or (token.kind is Kind.TEMPLATE and token.text.endswith("{")):
            around.append(number)


def _is_lost(read: Sequence[Token], place: int, around: Sequence[int], parting: frozenset[int]) -> bool:
    """Tell whether a comparison is an operand, and nothing around it is assigned to a variable."""
    nested = False
    for opening in reversed(around):
        body = opens_body(read, opening) or any(
            opening < bar < place and read[bar].depth == read[opening].depth + 1 for bar in parting
        )
        if body:
            return nested and not _is_assigned(read, place, parting)
        nested |= not _is_whole(read, opening, parting)
        if _is_assigned(read, place, parting):
            return False
        place = opening
    start = expression(read, place, parting).start
    in_body = start > 0 and is_keyword(read, start - 1, "if")
    return nested and in_body and not _is_assigned(read, place, parting)


def _is_whole(read: Sequence[Token], opening: int, parting: frozenset[int]) -> bool:
    """Tell whether a bracket groups a whole expression of a body."""
    beyond = read[min(closing(read, opening) + 1, len(read) - 1)]
    goes_on = adjoins(beyond) or beyond.text in OPERATORS | {"in", "="}
    before = {read[place].text for place in expression(read, opening, parting)}
    return read[opening].text == "(" and before <= {"not"} and not goes_on


def _is_assigned(read: Sequence[Token], place: int, parting: frozenset[int]) -> bool:
    """Tell whether what stands at a place is within what a variable is assigned."""
    places = expression(read, place, parting)
    if any(is_keyword(read, each, "as") and read[each].depth == read[place].depth for each in places):
        return False
    top = [read[each].text for each in places if read[each].depth == read[place].depth]
    return ":=" in top or top[_FIRST:][:1] == ["="]
