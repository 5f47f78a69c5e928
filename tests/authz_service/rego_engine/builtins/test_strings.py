"""Looking into strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import strings
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("startswith", ["/api/users", "/api"], True),
    ("startswith", ["/api", "/api/users"], False),
    ("startswith", ["x", ""], True),
    ("endswith", ["report.pdf", ".pdf"], True),
    ("endswith", ["report.pdf", "report"], False),
    ("contains", ["a, b, c", ", b"], True),
    ("contains", ["abc", "ac"], False),
    ("contains", ["", ""], True),
    ("strings.count", ["banana", "an"], 2),
    ("strings.count", ["aaaa", "aa"], 2),
    ("strings.count", ["grün", ""], 5),
    ("indexof", ["grünes Gras", "Gras"], 7),
    ("indexof", ["abc", "x"], -1),
    ("indexof_n", ["aaaa", "aa"], [0, 1, 2]),
    ("indexof_n", ["üaüa", "a"], [1, 3]),
    ("indexof_n", ["abc", "x"], []),
    ("strings.any_prefix_match", ["/admin/x", ["/public", "/admin"]], True),
    ("strings.any_prefix_match", [["/a", "/b/c"], "/b"], True),
    ("strings.any_prefix_match", [["/a", "/b"], ["/c", "/bb"]], False),
    ("strings.any_prefix_match", [[], ["a"]], False),
    ("strings.any_prefix_match", [["a"], []], False),
    ("strings.any_prefix_match", [["a", "b"], ["", "c"]], True),
    ("strings.any_suffix_match", ["www.example.org", [".com", ".org"]], True),
    ("strings.any_suffix_match", [["x.net", "y.com"], [".com", ".org"]], True),
    ("strings.any_suffix_match", [["x.net", "y.de"], [".com", ".org"]], False),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_what_is_asked_about_a_text_is_answered_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


def test_texts_may_come_as_a_set() -> None:
    assert call("strings.any_prefix_match", make_set(["ab", "cd"]), make_set(["c", "x"])) is True


@pytest.mark.parametrize(
    ("name", "operands", "text"),
    [
        ("startswith", [1, "a"], "operand 1 must be string but got number"),
        ("startswith", ["a", None], "operand 2 must be string but got null"),
        ("endswith", ["a", []], "operand 2 must be string but got array"),
        ("contains", [True, "a"], "operand 1 must be string but got boolean"),
        ("indexof", ["a", {}], "operand 2 must be string but got object"),
        ("strings.any_prefix_match", [1, "a"], "operand 1 must be one of {string, set, array} but got number"),
        (
            "strings.any_suffix_match",
            ["a", ["a", 1]],
            "operand 2 must be array of strings but got array containing number",
        ),
    ],
)
def test_what_is_no_text_is_a_fault(name: str, operands: list[Value], text: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (TYPE_ERROR, text)


@pytest.mark.parametrize("name", ["indexof", "indexof_n"])
def test_nothing_cannot_be_searched_for(name: str) -> None:
    found = fault(name, "abc", "")
    assert (found.code, found.text) == (BUILTIN_ERROR, "empty search character")


def test_long_overlapping_occurrences_are_refused_rather_than_compared_for_ever() -> None:
    assert "characters to compare" in fault("indexof_n", "a" * 100_000, "a" * 50_000).text


@given(st.lists(st.text("ab", max_size=3), max_size=5), st.lists(st.text("ab", max_size=3), max_size=5))
def test_a_match_of_any_is_a_match_of_one(texts: list[str], parts: list[str]) -> None:
    starts = any(call("startswith", text, part) for text in texts for part in parts)
    ends = any(call("endswith", text, part) for text in texts for part in parts)
    assert call("strings.any_prefix_match", texts, parts) is starts
    assert call("strings.any_suffix_match", texts, parts) is ends


@pytest.mark.parametrize("name", declared(strings))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
