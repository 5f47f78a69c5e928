"""A comparison as an operand is found where regopy would take it for a condition."""

from __future__ import annotations

import pytest

from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import PolicySources
from authz_service.rego_engine.expressions import END, separators
from authz_service.rego_engine.lexer import tokens
from authz_service.rego_engine.nested_comparisons import nested_comparisons
from service_kit.faults import ConfigurationError


def rows(text: str) -> list[int]:
    """The rows of what is found."""
    read = [*tokens(text), END]
    return [row for row, _ in nested_comparisons(read, separators(read))]


@pytest.mark.parametrize(
    "expression",
    [
        "(x == 2) == false",
        "false == (x == 2)",
        "(x == 2) != true",
        "f(x == 2)",
        "[x == 2] == [false]",
        '{"a": x == 2} == {"a": false}',
        "(x == 2) in [false]",
        "count([x == 2]) == 1",
        "not (x == 2) == true",
        "some y in [x == 2]",
        '$"{x == 2}" == "false"',
        "y := e with input.n as [x == 2]",
        "y := [z | z := 1; (z == 2) == false]",
        "every y in [x == 2] { y }",
    ],
)
def test_a_comparison_that_is_an_operand_is_found(expression: str) -> None:
    assert rows(f"package t\n\nd if {{\n\tx := 1\n\t{expression}\n}}\n") == [5]


@pytest.mark.parametrize(
    "text",
    [
        "d if { x == 1 }",
        "d if { (x == 1) }",
        "d if { not (x == 1) }",
        "d if { x := (1 == 2) }",
        "d if { x = (1 == 2) }",
        "d if { x := f(1 == 2) }",
        "d if { x := [1 == 2] }",
        "d := 1 == 2",
        "d := [1 == 2]",
        'd := {"a": 1 == 2}',
        "d if { every x in [1] { x == 1 } }",
        "d if { count([x | x == 1]) == 1 }",
        "d if { count({x | some x in y; x == 1; x == 2}) == 1 }",
        "d if x == 1",
        "d := 1 if { x == 1 } else := 2 if { y == 1 }",
        "d := [x == 2 | some x in [1, 2]]",
    ],
)
def test_a_condition_and_what_is_assigned_are_not(text: str) -> None:
    assert rows(f"package t\n\n{text}\n") == []


def test_it_is_told_at_load() -> None:
    with pytest.raises(ConfigurationError) as caught:
        compile_sources(PolicySources({"a.rego": "package a\n\nd if { (input.x == 1) == false }\n"}, {}), ["a/d"])
    assert [(fault.source, fault.line) for fault in caught.value.faults] == [("a.rego", 3)]
