"""Replacing characters of strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import replacing
from authz_service.rego_engine.errors import TYPE_ERROR
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("replace", ["a.b.c", ".", "::"], "a::b::c"),
    ("replace", ["aaa", "aa", "b"], "ba"),
    ("replace", ["ab", "", "-"], "-a-b-"),
    ("replace", ["ab", "x", "y"], "ab"),
    ("strings.replace_n", [{"<": "&lt;", ">": "&gt;"}, "<b>"], "&lt;b&gt;"),
    ("strings.replace_n", [{"a": "b", "b": "a"}, "abba"], "baab"),
    ("strings.replace_n", [{"a": "1", "ab": "2"}, "abab"], "1b1b"),
    ("strings.replace_n", [{"ü": "ue", "u": "U"}, "über u"], "ueber U"),
    ("strings.replace_n", [{".*": "x"}, "a.*b"], "axb"),
    ("strings.replace_n", [{"": "-", "b": "X"}, "abc"], "-a-X-c-"),
    ("strings.replace_n", [{}, "abc"], "abc"),
    ("lower", ["ÄÖ Bearer"], "äö bearer"),
    ("lower", ["ΟΔΟΣ"], "οδοσ"),
    ("lower", ["İ"], "i"),
    ("upper", ["straße"], "STRAßE"),
    ("upper", ["ᾳ ŉ é"], "ᾼ ŉ É"),
    ("strings.reverse", ["grün😀"], "😀nürg"),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_characters_are_replaced_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


@pytest.mark.parametrize(
    ("operands", "text"),
    [
        ([{1: "a"}, "x"], "operand 1 non-string key found in pattern object"),
        ([{"a": 1}, "x"], "operand 1 non-string value found in pattern object"),
        ([[], "x"], "operand 1 must be object but got array"),
        ([{"a": "b"}, 1], "operand 2 must be string but got number"),
    ],
)
def test_replacements_that_are_no_texts_are_a_fault(operands: list[Value], text: str) -> None:
    found = fault("strings.replace_n", *operands)
    assert (found.code, found.text) == (TYPE_ERROR, text)


@pytest.mark.parametrize(
    ("name", "operands"),
    [
        ("replace", ["a" * 100_000, "a", "b" * 1000]),
        ("strings.replace_n", [{"a": "b" * 1000}, "a" * 100_000]),
        ("strings.replace_n", [{"": "b" * 1000}, "a" * 100_000]),
    ],
)
def test_what_would_be_too_long_a_text_is_not_made(name: str, operands: list[Value]) -> None:
    assert "longer than" in fault(name, *operands).text


@given(st.text("abc", max_size=10), st.text("abc", min_size=1, max_size=2), st.text("abX", max_size=2))
def test_replacing_several_texts_of_which_there_is_one_is_replacing_it(text: str, old: str, new: str) -> None:
    assert call("strings.replace_n", {old: new}, text) == call("replace", text, old, new)


@given(st.text(max_size=20))
def test_case_never_changes_the_number_of_characters(text: str) -> None:
    assert len(call("lower", text)) == len(call("upper", text)) == len(text)


@given(st.text(max_size=20))
def test_a_text_reversed_twice_is_itself(text: str) -> None:
    assert call("strings.reverse", call("strings.reverse", text)) == text


@pytest.mark.parametrize("name", declared(replacing))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
