"""Globs."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import globs
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR, BuiltinFault
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("glob.match", ["*.example.org", ["."], "www.example.org"], True),
    ("glob.match", ["*.example.org", ["."], "a.b.example.org"], False),
    ("glob.match", ["**.example.org", ["."], "a.b.example.org"], True),
    ("glob.match", ["*.example.org", None, "a.b.example.org"], True),
    ("glob.match", ["*", [], "a.b"], False),
    ("glob.match", ["/*/x", ["/", ":"], "/a:b/x"], False),
    ("glob.match", ["gr?n", None, "grün"], True),
    ("glob.match", ["a?c", ["."], "a.c"], False),
    ("glob.match", ["a?c", None, "a\nc"], True),
    ("glob.match", ["[a-c]x", None, "bx"], True),
    ("glob.match", ["[!a-c]x", None, "bx"], False),
    ("glob.match", ["[abc]x", None, "cx"], True),
    ("glob.match", ["[a^]]", None, "^]"], True),
    ("glob.match", [r"[\]]", None, "]"], True),
    ("glob.match", ["[!.]", ["."], "x"], True),
    ("glob.match", ["{jpg,p[np]g,g{if,ift}}", None, "gift"], True),
    ("glob.match", ["{a,}b", None, "b"], True),
    ("glob.match", ["a,b}", None, "a,b}"], True),
    ("glob.match", [r"\*\{", None, "*{"], True),
    ("glob.match", ["a.c", None, "abc"], False),
    ("glob.match", ["", None, ""], True),
    ("glob.quote_meta", ["a*b?[c]{d}\\-"], r"a\*b\?\[c\]\{d\}\\-"),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_globs_match_as_opas_do(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("{a", "glob: syntax error at 2: unclosed `{`"),
        ("[a-cd]", "glob: syntax error at 5: expected close range character"),
        ("[]", "glob: syntax error at 2: could not parse range"),
        ("[z-a]", "glob: syntax error at 5: range hi character is less than lo"),
        ("ü[a", "glob: syntax error at 4: unexpected end of input"),
        ("a\\", "glob: syntax error at 2: trailing backslash"),
    ],
)
def test_a_glob_that_is_none_is_a_fault_that_tells_where(pattern: str, text: str) -> None:
    found = fault("glob.match", pattern, None, "x")
    assert (found.code, found.text) == (BUILTIN_ERROR, text)


@pytest.mark.parametrize(
    ("operands", "text"),
    [
        ([1, [], "a"], "operand 1 must be string but got number"),
        (["a", ".", "a"], "operand 2 must be one of {array, null} but got string"),
        (["a", [1], "a"], "operand 2 must be array of strings but got array containing number"),
        (["a", ["ab"], "a"], "operand 2 must be array of runes but got array containing string"),
        (["a", [], 1], "operand 3 must be string but got number"),
    ],
)
def test_operands_of_the_wrong_type_are_a_fault(operands: list[Value], text: str) -> None:
    found = fault("glob.match", *operands)
    assert (found.code, found.text) == (TYPE_ERROR, text)


def test_a_glob_has_bounds() -> None:
    assert "levels" in fault("glob.match", "{" * 101, None, "a").text
    assert "longer than" in fault("glob.match", "a" * 70_000, None, "a").text


def test_a_glob_of_many_stars_takes_no_time() -> None:
    assert call("glob.match", "*a" * 500, None, "a" * 20_000 + "b") is False


@given(st.text(max_size=10), st.text(max_size=10))
def test_a_quoted_text_matches_itself_alone(text: str, other: str) -> None:
    quoted = call("glob.quote_meta", text)
    assert call("glob.match", quoted, None, text) is True
    assert call("glob.match", quoted, None, other) is (other == text)


@pytest.mark.parametrize("name", declared(globs))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)


@given(st.text("a*?[]{},!-\\ü", max_size=10), st.text("aü,-", max_size=4))
def test_no_glob_raises_anything_but_a_fault(pattern: str, text: str) -> None:
    with contextlib.suppress(BuiltinFault):
        assert type(call("glob.match", pattern, ["-"], text)) is bool
