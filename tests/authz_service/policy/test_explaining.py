"""The trail of an evaluation, as a tree of rules that held and failed."""

from __future__ import annotations

from typing import Any

from authz_service.policy.explaining import Step, explain, show
from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import PolicySources
from authz_service.rego_engine.compiled import PROBING, compile_plan

TEXT = """package a

allow if {
	input.method == "GET"
	not secret
}

secret if startswith(input.path, "/hr/")
"""


def explained(document: Any) -> list[Step]:
    """Evaluate with probes."""
    plan = compile_sources(PolicySources({"a.rego": TEXT}, {}), ["a/allow"])
    policy = compile_plan(plan, {}, PROBING)
    evaluation = policy.evaluation(document)
    policy.evaluate("a/allow", document, evaluation)
    return list(explain(evaluation.trail, policy.places))


def test_a_rule_that_holds_says_so_and_names_whom_it_asked() -> None:
    """The rule under `not` failed, at its row, and so the one above held."""
    (allow,) = explained({"method": "GET", "path": "/reports"})
    assert (allow.rule, allow.held) == ("a.allow", True)
    (secret,) = allow.asked
    assert (secret.rule, secret.held, [where.row for where in secret.failed_at]) == ("a.secret", False, [8])


def test_a_rule_that_fails_says_where() -> None:
    """At the row of the first expression that did not hold."""
    (allow,) = explained({"method": "POST", "path": "/hr/x"})
    assert not allow.held
    assert 4 in [where.row for where in allow.failed_at]


def test_an_explanation_is_shown_as_an_indented_tree() -> None:
    """A mark for each rule, and the places where it failed."""
    lines = show(explained({"method": "GET", "path": "/hr/x"}))
    assert lines[0].startswith("✗ a.allow   not at a.rego:5")
    assert lines[1] == "  ✓ a.secret"


def test_an_explanation_as_json_holds_no_value() -> None:
    """It may be kept; the input must not be in it."""
    (allow,) = explained({"method": "GET", "path": "/secret-path"})
    assert "secret-path" not in str(allow.to_json())
    assert allow.to_json()["asked"][0]["rule"] == "a.secret"
