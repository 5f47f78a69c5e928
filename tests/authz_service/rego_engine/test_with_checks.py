"""Each `with` that regopy would drop is told at load, and the others do what they say."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import PolicySources
from authz_service.rego_engine.front_end_checks import Sources
from service_kit.faults import ConfigurationError
from tests.authz_service.policy.engines import engine_of

HEAD = """package t

import data.u
import input as whole
import input.o as part

p := 7
q := {"z": 8}
f(y) := y
g(y) := [y]
e := [input.m, data.x]
ea := [input.m]
"""
FIRST = HEAD.count("\n") + 1

DROPPED = [
    *("input.n", 'input["n"]', "input", "data", "data.x", 'data["x"]', "data.t.p", "p", "q", "q.z", 'q["z"]', "q[i]"),
    *("u", "u.r", "whole.n", "part", "part.a", "input.o[i]", "data[i]", "(p)", "(input.n)", "((1))", "1 in input.xs"),
    *('"a", 1 in input.o', '$"{p}"', '$"a"', "input.n + 1", "[1][0]", "f(1).a", "i + 1", "{1} | {2}", "-p", "1 == 1"),
]
KEPT = [
    *("1", "-1", '"a"', "`a`", "null", "true", "[input.n]", "{p}", '{"a": data.x}', "{1: [p]}", "set()", "f(1)"),
    *("f(input.n)", "data.t.f(p)", "lower(p)", "i", "o.a", "o[i]", 'o["a"]', "[y | y := p]", "{y: 1 | some y in p}"),
]
PLACES = [
    "d := x if {{ {local}; x := e {with_} }}",
    "d if {{ {local}; not e == 1 {with_} }}",
    "d if {{\n\t{local}\n\te\n\t\t{with_}\n}}",
    'd if {{ {local}; e with input.k as "a" {with_} }}',
    'd if {{ {local}; e {with_} with input.k as "a" }}',
    "d := [x | {local}; x := e {with_}]",
    "d := count({{x | {local}; x := e {with_}}})",
    "d := {{x: 1 | {local}; x := e {with_}}}",
    "d if {{ {local}; every y in [1] {{ e {with_}; y == 1 }} }}",
    "d := 1 if {{ input.z }} else := 2 if {{ {local}; e {with_} }}",
    "d contains x if {{ {local}; x := e {with_} }}",
    "h(a) := x if {{ {local}; x := f([a]) {with_} }}",
]
TARGETS = ["input.m", 'input["m"]', "data.x", "whole.m", "data.t.e"]
LOCAL = 'i := "a"; o := {"a": 1}'


def written(place: str, value: str, target: str) -> str:
    """A module with one `with`."""
    return HEAD + place.format(local=LOCAL, with_=f"with {target} as {value}") + "\n"


def rows(text: str) -> list[int]:
    """The rows of the faults of a module."""
    return [fault.line for fault in Sources({"a.rego": text}).faults() if "with" in fault.text]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("value", DROPPED)
def test_a_value_that_is_a_reference_is_a_fault_wherever_it_stands(place: str, value: str) -> None:
    for target in TARGETS:
        text = written(place, value, target)
        row = next(number for number, line in enumerate(text.split("\n"), 1) if f"with {target}" in line)
        assert rows(text) == [row], text


@pytest.mark.parametrize("place", PLACES)
@given(value=st.sampled_from(KEPT), target=st.sampled_from(TARGETS))
def test_a_value_that_regopy_keeps_is_none(place: str, value: str, target: str) -> None:
    assert rows(written(place, value, target)) == []


@pytest.mark.parametrize(
    "expression",
    ["f(1) with f as g", "f(1) with data.t.f as data.t.g", "count([1]) with count as g", "f(1) with f as lower"],
)
def test_a_function_in_a_functions_place_is_none(expression: str) -> None:
    assert rows(f"{HEAD}d := x if {{ x := {expression} }}\n") == []


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("ea[_] == data.x with data.x as 5", 1),
        ("ea[_] > 1 with input.m as 5", 1),
        ("data.x == ea[i] with data.x as 5", 1),
        ('data.x[_] == "a" with data.x as ["a"]', 1),
        ("x := ea[_] with input.m as 5", 0),
        ("ea[0] == 5 with input.m as 5", 0),
        ('q["z"] == 8 with input.m as 5', 0),
        ("not q[_] with input.m as 5", 0),
        ("count({y | y := ea[_]}) == 1 with input.m as 5", 0),
    ],
)
def test_a_with_that_reaches_a_part_of_its_expression_is_a_fault(expression: str, count: int) -> None:
    assert rows(f"{HEAD}d if {{ {expression} }}\n") == [FIRST] * count


def test_what_no_check_of_the_text_sees_is_missed_in_the_plan() -> None:
    """A name that nobody declares is a local variable to the checks; regopy drops its `with`."""
    text = "package a\n\ne := input.m\n\nd if { e with input.m as nobody }\n"
    with pytest.raises(ConfigurationError, match="has a `with` that regopy drops") as caught:
        compile_sources(PolicySources({"a.rego": text}, {}), ["a/d"])
    assert [(fault.source, fault.line) for fault in caught.value.faults] == [("a.rego", 5)]


def test_rules_of_other_modules_of_the_package_are_known() -> None:
    modules = {
        "a.rego": "package a\n\nd if { e with input.m as there }\ne := 1\n",
        "b.rego": "package a\n\nthere := 1\n",
    }
    assert [(fault.source, fault.line) for fault in Sources(modules).faults()] == [("a.rego", 3)]


@pytest.mark.parametrize(
    ("value", "seen"),
    [("v", "/a"), ('["P", input.path]', ["P", "/a"]), ("f(input.path)", "/a"), ('lower("P")', "p"), ("o.a", 1)],
)
def test_a_with_that_is_taken_does_what_it_says(value: str, seen: Any) -> None:
    body = f'v := input.path; o := {{"a": 1}}; x := e[0] with input.m as {value}'
    assert engine_of(f"{HEAD}d := x if {{ {body} }}\n", "t/d", data={"x": 1}).value({"path": "/a", "m": 0}) == seen
