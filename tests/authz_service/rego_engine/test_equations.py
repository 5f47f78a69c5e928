"""Operands behind `=` are grouped, so that regopy unifies them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.equations import grouped
from authz_service.rego_engine.lexer import tokens
from tests.authz_service.policy.engines import engine_of


@pytest.mark.parametrize(
    ("body", "mended"),
    [
        ("x = 7", "x = (7)"),
        ("7 = x", "7 = (x)"),
        ('x = "a"; y = x', 'x = ("a"); y = (x)'),
        ("x = -1", "x = (-1)"),
        ("x = set()", "x = (set())"),
        ('x = [1, {"a": true}]', 'x = ([1, {"a": true}])'),
        ("not x = null", "not x = (null)"),
        ("x = 7 with input.a as 1", "x = (7) with input.a as 1"),
        ("count([y | y = 1]) > 0", "count([y | y = (1)]) > 0"),
        ("x = [y | y := 1]", "x = [y | y := 1]"),
        ("x = [y, 1]", "x = [y, 1]"),
        ("x = y.z; x = f(1); x = y[0]; x = [1][0]", "x = y.z; x = f(1); x = y[0]; x = [1][0]"),
        ("x == 7; x := 7; x >= 7", "x == 7; x := 7; x >= 7"),
        ("x = (7)", "x = (7)"),
        ('x == "y = 1" # y = 1', 'x == "y = 1" # y = 1'),
    ],
)
def test_an_operand_that_regopy_would_assign_is_grouped(body: str, mended: str) -> None:
    assert grouped(f"package a\n\nd if {{ {body}\n}}\n") == f"package a\n\nd if {{ {mended}\n}}\n"


def test_heads_are_left_alone() -> None:
    heads = ["import data.x", "default p = 1", "p = 2 if { true } else = 3", "f(x) = x", "q = 4"]
    text = "\n".join(["package a", *heads, "r contains 1 if true", "s = 5", ""])
    assert grouped(text) == text


def test_a_body_without_braces_has_its_operand_grouped() -> None:
    assert grouped("package a\nd if x = 1\nq = 2\ne if not x = 1\nr = 3\n") == (
        "package a\nd if x = (1)\nq = 2\ne if not x = (1)\nr = 3\n"
    )


@given(st.lists(st.sampled_from(["a", "=", "1", "{", "}", "[", "]", "if", "\n", "not", "-", ".", "(", ")", '"', "|"])))
def test_nothing_but_brackets_is_added_and_no_row_moves(pieces: list[str]) -> None:
    text = " ".join(pieces)
    mended = grouped(text)
    assert mended.count("\n") == text.count("\n")
    plain = [token.text for token in tokens(text) if token.text not in {"(", ")"}]
    assert [token.text for token in tokens(mended) if token.text not in {"(", ")"}] == plain


@pytest.mark.parametrize(
    ("rules", "holds"),
    [
        ('d if { role := input.role; role = "admin" }', False),
        ('d if { role := input.role; role = "user" }', True),
        ('role := "user"\nd if { role = "admin" }', False),
        ('import input.role\nd if { role = "admin" }', False),
        ('import input.role\nd if { "user" = role }', True),
        ("d if { input = 1 }", False),
        ("d if { some x in [1, 3]; x = 2 }", False),
        ("d if { some x in [1, 2]; x = 2 }", True),
        ("d if { x = 7; x = 7 }", True),
        ("d if { x = 7; x = 8 }", False),
        ("d if { not input.role = 8 }", True),
        ('d if { [1, x] = [1, "a"]; x = "b" }', False),
        ('d if input.role = "admin"', False),
    ],
)
def test_an_equation_holds_where_it_does_in_opa(rules: str, holds: bool) -> None:  # noqa: FBT001  (a table's column)
    """A name that has a value is compared, and not assigned."""
    text = f"package t\n\n{rules}\n"
    assert (engine_of(text, "t/d").value({"role": "user"}) is True) is holds
