"""What regopy would compile to something else is told at load."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.front_end_checks import Sources
from authz_service.rego_engine.source_checks import MAX_FAULTS
from tests.authz_service.policy.engines import engine_of

PIECES = [
    *("package a\n", "import data.x\n", "d if {", "}", "with", "as", "input.x", "data.y", "some", "x", "y", ":=", "="),
    *("==", "|", "&", "-", "[", "]", "{", "(", ")", ",", ";", "\n", "walk(", "not", '$"{', '"', "every", "in", "1"),
]


def faults(text: str) -> list[tuple[int, str]]:
    """Rows and texts."""
    return [(fault.line, fault.text) for fault in Sources({"a.rego": f"package a\n{text}\n"}).faults()]


@pytest.mark.parametrize(
    "text",
    [
        "d := x | y - z",
        "d := x - y & z",
        "d := x - y | z",
        "d if { x & y - z == {1} }",
        "d if {\n x == y | z -\n {1} }",
        "d := [x - y | z]\ne := {1} - {2} & {3}",
        "d := f(x - y | z)",
        "d := [1, x - y | z]",
    ],
)
def test_set_operators_that_regopy_takes_in_another_order_are_a_fault(text: str) -> None:
    found = faults(text)
    assert len(found) == 1
    assert "write parentheses" in found[0][1]


@pytest.mark.parametrize(
    "text",
    [
        "d := (x - y) | z",
        "d := x - (y & z)",
        "d := x | y & z",
        "d := x - y - z",
        "d := [x - 1 | some x in y]",
        "d := {x - 1: y - 1 | some x, y in z}",
        "d := [x | some x in z; x - 1 > 0]",
        "d if { x := a - b; y := c | d }",
        "d if {\n\ta > b - 1\n\tc & d == {}\n}",
        "d := count(x | y) - 1",
        "d := [x - 1, y | z]",
        "d := {1} | {-1}",
        "d := x - 1\ne := x | y",
    ],
)
def test_operators_of_expressions_of_their_own_are_none(text: str) -> None:
    assert faults(text) == []


def test_parentheses_give_the_order() -> None:
    """What the text asks for is right."""
    assert engine_of("package t\n\nd := ({1, 2} - {2}) | {2}\n", "t/d").value({}) == [1, 2]
    assert engine_of("package t\n\nd := {1, 2} - ({2} & {1})\n", "t/d").value({}) == [1, 2]


@pytest.mark.parametrize(
    "expression",
    [
        "x := walk(input)",
        "count(walk(input)) > 1",
        "some [p, v] in walk(input)",
        "x := [y | y := walk(input)]",
        "x = walk(input)[_]",
        "walk(input) == [[], 1]",
        "every x in walk(input) { x }",
        "walk([1, 2])",
    ],
)
def test_walk_as_a_value_is_a_fault(expression: str) -> None:
    assert [("walk(x, [path, value])" in text) for _, text in faults(f"d if {{ {expression} }}")] == [True]


@pytest.mark.parametrize(
    "expression",
    ["walk(input, [p, v])", "walk(input, x)", "[p, v] = walk(input)", "[p, v] := walk(input)", "x = walk(input)",
     "not walk(input, [[], 1])", "walk(f(1, 2), [_, v])", "input.walk(1) == 1"],
)  # fmt: skip
def test_walk_that_is_unified_is_none(expression: str) -> None:
    assert faults(f"d if {{ {expression} }}") == []


@pytest.mark.parametrize(
    "expression",
    ["some p; p == 1", "some q, p; q == p", "[p, x] := [1, 2]", '{"a": p} := {"a": 1}', "some num; num > 1"],
)
def test_a_variable_that_is_named_like_a_rule_is_a_fault_where_regopy_takes_the_rule(expression: str) -> None:
    found = faults(f"import input.num\n\np := 4\nd if {{ {expression} }}")
    assert [(row, "give the variable another name" in text) for row, text in found] == [(5, True)]


@pytest.mark.parametrize(
    "expression", ["some p in [9]", "some p, q in [9]", "p := 3", "some x; x == p", "[x, y] := [p.a, 1]"]
)
def test_other_variables_are_none(expression: str) -> None:
    assert faults(f"p := 4\nd if {{ {expression} }}") == []


def test_faults_of_a_module_are_bounded_and_one_for_each_row() -> None:
    assert len(faults("d := x | y - z\n" * (MAX_FAULTS + 10))) == MAX_FAULTS
    assert len(faults("d := [(x | y - z), (x | y - z)]")) == 1


@given(st.lists(st.sampled_from(PIECES), max_size=60))
def test_any_text_is_judged_without_an_error(pieces: list[str]) -> None:
    """What is no Rego is the compiler's to tell."""
    sources = Sources({"a.rego": " ".join(pieces), "b.rego": "".join(pieces)})
    assert all(fault.text for fault in sources.faults())
    assert all(count >= 0 for counts in sources.withs().values() for count in counts.values())
