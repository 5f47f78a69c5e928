"""The engine port over regopy's virtual machine."""

from __future__ import annotations

import asyncio
import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import PolicyFailed
from authz_service.policy.engine import UNDEFINED
from authz_service.policy.regopy_compiler import compile_bundle
from authz_service.policy.regopy_engine import RegopyEngine, build_engine, load_engine
from authz_service.policy.sources import PolicySources, read_sources
from service_kit.faults import ConfigurationError

ROOT = Path(__file__).parents[3]
RULES = """package t

echo := input

same if input.a == input.b

needs_x := "found" if input.x

conflict := 1 if input.x

conflict := 2 if input.x

fails := startswith(input.x, "a")

from_data := data.greeting

set_of := {"b", "a"}
"""


def engine_of(text: str, *rules: str, data: dict[str, Any] | None = None) -> RegopyEngine:
    """Compile one module."""
    return asyncio.run(build_engine(PolicySources({"t.rego": text}, data or {}), rules))


@cache
def engine() -> RegopyEngine:
    """The rules above, compiled once for all tests."""
    names = ["echo", "same", "needs_x", "conflict", "fails", "from_data", "set_of"]
    return engine_of(RULES, *(f"t/{name}" for name in names), data={"greeting": 'é "q" \\ 😀'})


def evaluate(rule: str, **document: Any) -> Any:
    """Evaluate one of them."""
    return engine().evaluate_rule(f"t/{rule}", document)


@cache
def founding() -> RegopyEngine:
    """The policies that ship."""
    return asyncio.run(load_engine([ROOT / "rego"], "agent_gateway/decision"))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"method": "GET", "path": "/reports"}, "httpapi.authz/allow"),
        ({"method": "GET", "path": "/hr/x", "user": {"roles": ["hr_access"]}}, "httpapi.authz/allow"),
        ({"method": "GET", "path": "/hr/x", "user": {"roles": ["engineer"]}}, "httpapi.authz/sensitive_path"),
        ({"method": "GET", "path": "/HR/x", "user": {"roles": []}}, "httpapi.authz/sensitive_path"),
        ({"method": "GET", "path": "/hr/x"}, "httpapi.authz/sensitive_path"),
        ({"method": "POST", "path": "/reports", "user": {"roles": ["hr_access"]}}, "agent_gateway/default"),
        ({"method": "GET", "path": "/a", "body_contains_file": True}, "httpapi.dlp/deny"),
        (
            {"method": "GET", "path": "/a", "body_contains_file": True, "user": {"roles": ["allow_local_file_use"]}},
            "httpapi.authz/allow",
        ),
        ({}, "agent_gateway/default"),
    ],
)
def test_the_policies_that_ship_decide_as_they_are_meant_to(document: dict[str, Any], expected: str) -> None:
    """Each with the rule that decided."""
    decision = founding().evaluate(document)
    assert decision["policy_id"] == expected
    assert decision["allowed"] is (expected == "httpapi.authz/allow")


def test_a_reason_carries_what_stands_in_the_token() -> None:
    """Quotes, backslashes and letters of any script."""
    email = 'a"\\ü😀@example.com'
    decision = founding().evaluate({"body_contains_file": True, "user": {"email": email, "roles": []}})
    assert decision["reason"] == f"local file content blocked for user {email}"


def test_the_revision_is_that_of_the_sources() -> None:
    """What an audit line shows and what a reload compares."""
    assert founding().revision == read_sources([ROOT / "rego"]).revision


@pytest.mark.parametrize(
    "text",
    ['"', "\\", '\\"', "\\u0022", "\\n", "\x00", "a\x00b", "\n", "\r\n", "\t", "\x1b", "\x7f", "é", "\u2028", "😀",
     "\ufeff", "", "null", '", "admin": "true', '"}', "${x}", "{{x}}", "%s", "`"],
)  # fmt: skip
def test_any_text_comes_to_the_policy_as_it_is(text: str) -> None:
    """As a value, as a key, and compared with itself."""
    assert evaluate("echo", x=text, y=[text], z={text: text}) == {"x": text, "y": [text], "z": {text: text}}
    assert evaluate("same", a=text, b=text) is True
    assert evaluate("same", a=text, b=text + "x") is UNDEFINED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=4), children, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=4))
def test_any_document_comes_to_the_policy_as_it_is_and_is_not_changed(document: dict[str, Any]) -> None:
    """What a client sends cannot become something else on the way."""
    before = json.dumps(document)
    assert engine().evaluate_rule("t/echo", document) == document
    assert json.dumps(document) == before


def test_an_undefined_rule_is_undefined() -> None:
    """Not null and not false."""
    assert evaluate("needs_x") is UNDEFINED
    assert evaluate("needs_x", x=False) is UNDEFINED
    assert evaluate("needs_x", x=True) == "found"


def test_a_builtin_that_fails_leaves_its_rule_undefined() -> None:
    """As in OPA, unless strict."""
    assert evaluate("fails", x=7) is UNDEFINED


def test_rules_that_contradict_each_other_fail() -> None:
    """Neither is taken for the decision."""
    with pytest.raises(PolicyFailed):
        evaluate("conflict", x=True)


@pytest.mark.parametrize("value", ["\ud800", float("nan"), object(), {1j: 2}, {1, 2}, b"x"])
def test_what_is_no_json_fails_as_the_policy(value: object) -> None:
    """Nothing else leaves the port."""
    with pytest.raises(PolicyFailed):
        evaluate("echo", x=value)


def test_a_document_that_is_nested_too_deeply_fails_or_passes_but_does_not_end_the_process() -> None:
    """The library's stack is not Python's."""
    nested: Any = 1
    for depth in range(1, 3000):
        nested = [nested]
        if depth in {100, 900, 2999}:
            try:
                assert evaluate("echo", x=nested) is not UNDEFINED
            except PolicyFailed:
                assert depth > 100


def test_the_data_document_is_at_hand_with_its_letters() -> None:
    """It goes in as JSON text, too."""
    assert evaluate("from_data") == 'é "q" \\ 😀'


def test_a_set_comes_out_as_a_list() -> None:
    """JSON has no sets."""
    assert evaluate("set_of") == ["a", "b"]


def test_a_fault_in_one_evaluation_does_not_stay_for_the_next() -> None:
    """The interpreter is used again and again."""
    for _ in range(3):
        with pytest.raises(PolicyFailed):
            evaluate("conflict", x=True)
        with pytest.raises(PolicyFailed):
            evaluate("echo", x="\ud800")
        assert evaluate("needs_x") is UNDEFINED
        assert evaluate("needs_x", x=1) == "found"


def test_a_rule_that_was_not_compiled_fails() -> None:
    """It is a fault of ours, not an allow."""
    with pytest.raises(PolicyFailed):
        evaluate("absent")


def test_the_first_rule_decides() -> None:
    """The others are for tests of policies."""
    built = engine_of("package t\na := 1\nb := 2", "t/b", "t/a")
    assert (built.evaluate({}), built.evaluate_rule("t/a", {})) == (2, 1)


def test_the_bundles_folder_may_be_removed_once_it_is_loaded() -> None:
    """Nothing is read from it afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        sources = PolicySources({"t.rego": "package t\nd := data.k"}, {"k": 7})
        bundle = asyncio.run(compile_bundle(sources, ["t/d"], Path(folder)))
        loaded = RegopyEngine(bundle, "t/d", "r")
        assert loaded.evaluate({}) == 7
    assert not Path(folder).exists()
    assert loaded.evaluate({}) == 7


def test_nothing_is_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by a success nor by a failure."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    engine_of("package t\nd := 1", "t/d")
    with pytest.raises(ConfigurationError):
        engine_of("package t\nd := {", "t/d")
    assert list(tmp_path.iterdir()) == []


def test_two_engines_do_not_disturb_each_other() -> None:
    """During a reload both are alive."""
    one, two = engine_of("package t\nd := 1", "t/d"), engine_of("package t\nd := 2", "t/d")
    assert [one.evaluate({}), two.evaluate({}), one.evaluate({})] == [1, 2, 1]
    assert one.revision != two.revision


def test_faults_of_reading_and_of_compiling_come_the_same_way(tmp_path: Path) -> None:
    """As one error with every place."""
    with pytest.raises(ConfigurationError, match=r"has no \.rego file"):
        asyncio.run(load_engine([tmp_path], "a/d"))
    (tmp_path / "a.rego").write_text("package a\nd := {")
    with pytest.raises(ConfigurationError, match=r"a\.rego:2: is not Rego"):
        asyncio.run(load_engine([tmp_path], "a/d"))
