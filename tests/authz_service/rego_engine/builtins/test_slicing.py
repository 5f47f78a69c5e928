"""Taking strings apart and putting them together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import slicing
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("substring", ["Straße 5", 4, 2], "ße"),
    ("substring", ["abcdef", 4, -1], "ef"),
    ("substring", ["abcdef", 4, 99], "ef"),
    ("substring", ["abcdef", 9, 1], ""),
    ("substring", ["abcdef", 1, 0], ""),
    ("split", ["/api/v1", "/"], ["", "api", "v1"]),
    ("split", ["grün", ""], ["g", "r", "ü", "n"]),
    ("split", ["", ""], []),
    ("split", ["", ","], [""]),
    ("split", ["a", ","], ["a"]),
    ("strings.split_n", ["a/b/c", "/", 2], ["a", "b"]),
    ("strings.split_n", ["a/b/c", "/", -2], ["b", "c"]),
    ("strings.split_n", ["a/b/c", "/", 0], []),
    ("strings.split_n", ["a/b/c", "/", 9], ["a", "b", "c"]),
    ("strings.split_n", ["a/b/c", "/", -9], ["a", "b", "c"]),
    ("strings.split_n", ["grün", "", -2], ["ü", "n"]),
    ("concat", ["/", ["", "api", "v1"]], "/api/v1"),
    ("concat", ["/", []], ""),
    ("concat", ["/", ["x"]], "x"),
    ("trim", ["--x--y--", "-"], "x--y"),
    ("trim", ["grüner", "rge"], "ün"),
    ("trim", [" x ", ""], " x "),
    ("trim_left", ["xxaxx", "x"], "axx"),
    ("trim_right", ["xxaxx", "x"], "xxa"),
    ("trim_prefix", ["aab", "a"], "ab"),
    ("trim_prefix", ["aab", "x"], "aab"),
    ("trim_suffix", ["abb", "b"], "ab"),
    ("trim_space", ["\u3000\t x y \u0085\n"], "x y"),
    ("trim_space", ["\u001cx\u200b"], "\u001cx\u200b"),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_a_text_is_taken_apart_and_put_together_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


def test_the_members_of_a_set_are_joined_in_their_order() -> None:
    assert call("concat", ",", make_set(["c", "a", "b"])) == "a,b,c"


@pytest.mark.parametrize(
    ("name", "operands", "code", "text"),
    [
        ("substring", ["abc", -1, 1], BUILTIN_ERROR, "negative offset"),
        ("substring", ["abc", 0.5, 1], TYPE_ERROR, "operand 2 must be integer number but got floating-point number"),
        ("substring", ["abc", 2**63, 1], TYPE_ERROR, "operand 2 must be integer number but got one beyond 64 bits"),
        ("strings.split_n", ["a", ",", "1"], TYPE_ERROR, "operand 3 must be number but got string"),
        ("concat", [",", "ab"], TYPE_ERROR, "operand 2 must be one of {set, array} but got string"),
        ("concat", [",", ["a", 1]], TYPE_ERROR, "operand 2 must be array of strings but got array containing number"),
        ("trim", [None, "a"], TYPE_ERROR, "operand 1 must be string but got null"),
        ("split", ["a", 1], TYPE_ERROR, "operand 2 must be string but got number"),
    ],
)
def test_operands_that_do_not_suit_are_a_fault(name: str, operands: list[Value], code: str, text: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (code, text)


def test_what_would_be_too_long_a_text_is_not_made() -> None:
    assert "longer than" in fault("concat", "x" * 10_000, ["a"] * 10_000).text


@given(st.text(max_size=20), st.text(min_size=1, max_size=3))
def test_what_is_split_can_be_put_together_again(text: str, delimiter: str) -> None:
    assert call("concat", delimiter, call("split", text, delimiter)) == text


@given(st.text("ab,", max_size=12), st.integers(-6, 6))
def test_the_first_and_the_last_parts_are_those_of_a_whole_split(text: str, number: int) -> None:
    parts = call("split", text, ",")
    wanted = parts[:number] if number >= 0 else parts[max(len(parts) + number, 0) :]
    assert call("strings.split_n", text, ",", number) == wanted


@pytest.mark.parametrize("name", declared(slicing))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
