"""The policies' own tests: which there are, what became of them, and what they reach."""

from __future__ import annotations

from authz_service.policy import policy_tests
from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import PolicySources
from authz_service.rego_engine.compiled import PROBING, CompileOptions, compile_plan

POLICY = """package a

allow if {
	input.x == 1
	not denied
}

denied if {
	input.y == 2
	input.z == 3
}
"""
TESTS = """package a_test

import data.a

test_holds if a.allow with input.x as 1

test_fails if a.allow with input.x as 2

test_false := false

test_conflict := 1 if true

test_conflict := 2 if true

todo_test_later if false

not_a_test if false
"""
SOURCES = PolicySources({"a.rego": POLICY, "a_test.rego": TESTS}, {})


def outcomes(options: CompileOptions | None = None) -> dict[str, tuple[bool, str]]:
    """Run them all."""
    tests = policy_tests.find(SOURCES)
    policy = compile_plan(compile_sources(SOURCES, [test.rule for test in tests]), {}, options)
    return {each.rule: (each.passed, each.text) for each in policy_tests.run(policy, tests)[0]}


def test_every_test_rule_is_found_once_with_its_row() -> None:
    """In files of tests only, and no rule of another name."""
    assert [(test.rule, test.file, test.row) for test in policy_tests.find(SOURCES)] == [
        ("a_test/test_holds", "a_test.rego", 5),
        ("a_test/test_fails", "a_test.rego", 7),
        ("a_test/test_false", "a_test.rego", 9),
        ("a_test/test_conflict", "a_test.rego", 11),
    ]


def test_a_test_passes_exactly_when_its_rule_is_true() -> None:
    """Probes change no answer."""
    for options in (None, PROBING):
        found = outcomes(options)
        assert found["a_test/test_holds"] == (True, "")
        assert found["a_test/test_fails"] == (False, "is undefined")
        assert found["a_test/test_false"] == (False, "is not true")
        passed, text = found["a_test/test_conflict"]
        assert not passed
        assert text.startswith("ended in an error: ")
        assert "eval_conflict_error" in text


def test_coverage_tells_the_rows_that_no_test_reached() -> None:
    """Of the policies, not of the tests."""
    tests = [test for test in policy_tests.find(SOURCES) if test.rule.endswith("holds")]
    policy = compile_plan(compile_sources(SOURCES, [test.rule for test in tests]), {}, PROBING)
    _, reached = policy_tests.run(policy, tests)
    (found,) = policy_tests.coverage(policy, reached)
    assert found.file == "a.rego"
    assert {4, 5, 9} <= set(found.covered)
    assert found.not_covered == (10,)
    assert 50 < found.percent < 100
