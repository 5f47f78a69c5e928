"""Sources → the plan that regopy makes of them, or faults with file and row."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import PolicySources
from authz_service.rego_engine.compiled import compile_plan
from authz_service.rego_engine.plan import Plan
from service_kit.faults import ConfigurationError


def compiled(modules: Mapping[str, str], *rules: str) -> Plan:
    """Compile."""
    return compile_sources(PolicySources(modules, {}), rules or ["a/d"])


def faults(modules: Mapping[str, str], *rules: str) -> list[tuple[str, int]]:
    """The places of the faults; each says what is wrong there."""
    with pytest.raises(ConfigurationError) as caught:
        compiled(modules, *rules)
    assert all(fault.text for fault in caught.value.faults)
    return [(fault.source, fault.line) for fault in caught.value.faults]


def test_sound_policies_become_a_plan_with_their_rules_and_files() -> None:
    """Rows and names are those of the sources."""
    plan = compiled({"x/a.rego": "package a\n\nd if input.x", "y/a.rego": "package b\n\ne := 1"}, "a/d", "b/e")
    assert set(plan.entrypoints) >= {"a/d", "b/e"}
    assert str(plan.functions["g0.data.a.d"].where) == "x/a.rego:3"
    assert str(plan.functions["g0.data.b.e"].where) == "y/a.rego:3"


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("package a\nd := 1\n\n\ne := )", 5),
        ("package a\n# ünïcödé ünïcödé ünïcödé\n\nd :=\n", 4),
        ("pakage a\nd := 1", 1),
        ("package a\nd if { input.x = }\n", 2),
        ('package a\nd := "open\n', 2),
    ],
)
def test_malformed_rego_is_a_fault_at_its_row(text: str, row: int) -> None:
    """Counted from 1, in characters of any length."""
    assert set(faults({"a.rego": text})) == {("a.rego", row)}


def test_an_open_brace_is_a_fault_at_its_row() -> None:
    """The library complains of the whole module, too."""
    assert ("a.rego", 3) in faults({"a.rego": "package a\n\nd := {"})


def test_several_malformed_files_are_told_at_once() -> None:
    """The library itself stops at its first."""
    modules = {"a.rego": "package a\nd := )", "b.rego": "package b\nd := 1", "c.rego": "package c\n\nx := ]"}
    assert faults(modules) == [("a.rego", 2), ("c.rego", 3)]


@pytest.mark.parametrize("name", ["a|b.rego", "a (1).rego", "ü.rego", "/very/long/" + "x" * 200 + ".rego", "a:7.rego"])
def test_a_fault_names_its_file_whatever_its_name(name: str) -> None:
    """It stands inside the library's message, among separators."""
    assert [source for source, _ in faults({name: "package a\nd := )"})] == [name]


def test_functions_that_nobody_defines_are_faults_at_their_rows() -> None:
    """The library compiles such calls, and fails only when it comes to them."""
    modules = {
        "a.rego": "package a\n\nd := x if {\n\tx := nosuch.thing(1)\n}\n",
        "b.rego": 'package b\n\nf(x) := x + 1\n\ne := f(1)\n\ng := http.send({"method": "get", "url": "http://x"})\n',
    }
    with pytest.raises(ConfigurationError) as caught:
        compile_plan(compiled(modules, "a/d", "b/e", "b/g"), {})
    assert [str(fault) for fault in caught.value.faults] == [
        "a.rego:4: calls nosuch.thing, which is no function that is known here"
    ]


def test_v0_text_is_refused_with_a_hint() -> None:
    """The library would take a v0 partial set for an object."""
    with pytest.raises(ConfigurationError, match=r"a\.rego:3: .*contains"):
        compiled({"a.rego": 'package a\n\nd[msg] { msg := "x" }\n'})


def test_what_the_library_would_evaluate_in_an_impossible_order_is_refused() -> None:
    """Its own machine would read a variable before it has a value."""
    modules = {
        "a.rego": 'package a\n\nd contains {"x": x} if { data.x.q = x }\n',
        "x.rego": 'package x\n\np["a"] := 1\n\np["b"] := 2\n\nq if p == {"a": 1, "b": 2}\n',
    }
    with pytest.raises(ConfigurationError, match=r"a\.rego:\d+: uses a variable in data\.a\.d before"):
        compiled(modules)


@pytest.mark.parametrize("rule", ["a/x", "b/d", "a/d/e", "a"])
def test_a_decision_that_no_policy_has_is_a_fault(rule: str) -> None:
    """It would be undefined for every request."""
    with pytest.raises(ConfigurationError, match=f"no policy here has the rule {rule} that is to decide"):
        compiled({"a.rego": "package a\nd := 1"}, rule)
