"""Where operands and expressions begin and end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.expressions import END, closing, expression, separators
from authz_service.rego_engine.lexer import Token, tokens


def read(text: str) -> list[Token]:
    """The tokens, and the end."""
    return [*tokens(text), END]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("[x | some x in y]", 1),
        ("{x: 1 | some x in y}", 1),
        ("{[z | z := x] | some x in y}", 2),
        ("x := {1} | {2}", 0),
        ("[1, a | b]", 0),
        ("f(a | b)", 0),
        ("d if { a | b == c }", 0),
        ("every x in y { a | b == x }", 0),
        ("d if { x := a | b; y := {z | z := x | b} }", 1),
    ],
)
def test_a_bar_that_parts_a_comprehension_is_told_from_one_that_unites(text: str, count: int) -> None:
    assert len(separators(read(text))) == count


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("d if { a; b == c with", "b==c"),
        ("d if {\n\ta\n\tb == c with", "b==c"),
        ("d if {\n\ta ==\n\tb with", "a==b"),
        ("d if {\n\tf(a)[0]\n\tnot b.c[d] with", "notb.c[d]"),
        ("d if {\n\tx := 1\n\t(a) == b with", "(a)==b"),
        ("[x | x := y with", "x:=y"),
        ("d if a with", "a"),
        ("d if { a with input.x as 1\n\twith", "awithinput.xas1"),
    ],
)
def test_an_expression_is_what_stands_before_its_with(text: str, found: str) -> None:
    items = read(text)
    places = expression(items, len(items) - 2, separators(items))
    assert "".join(items[place].text for place in places) == found


@given(st.text(alphabet='ab[]{}()|;:=\n "$`,.', max_size=60))
def test_any_text_is_passed(text: str) -> None:
    """What is no Rego ends where the text does."""
    items = read(text)
    parting = separators(items)
    for place in range(len(items)):
        assert expression(items, place, parting).stop == place
        assert place <= closing(items, place) < len(items) or place == len(items) - 1
