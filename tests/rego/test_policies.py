"""The policies' own tests: every `test_` rule runs on the engine that decides."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from authz_service.policy import policy_tests
from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import PolicySources, read_sources
from authz_service.rego_engine.compiled import PROBING, CompileOptions, compile_plan

REGO = Path(__file__).parents[2] / "rego"
_PACKAGE = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)

SOURCES = read_sources([REGO], with_tests=True)
TESTS = policy_tests.find(SOURCES)
POLICIES = [Path(name) for name in read_sources([REGO]).modules]


def failures(sources: PolicySources, options: CompileOptions | None = None) -> dict[str, str]:
    """Run every test of the sources; return why each one that does not pass fails."""
    tests = policy_tests.find(sources)
    policy = compile_plan(compile_sources(sources, [test.rule for test in tests]), sources.data, options)
    return {each.rule: each.text for each in policy_tests.run(policy, tests)[0] if not each.passed}


@pytest.mark.parametrize("options", [None, PROBING], ids=["all passes", "no pass, with probes"])
def test_the_policies_tests_hold(options: CompileOptions | None) -> None:
    """Without input of their own: each test brings it."""
    assert failures(SOURCES, options) == {}


def test_there_are_tests() -> None:
    """So that the test above says something."""
    assert len(TESTS) >= 15


def test_the_tests_reach_every_row_of_the_policies() -> None:
    """What no test reaches, nobody has thought of."""
    policy = compile_plan(compile_sources(SOURCES, [test.rule for test in TESTS]), SOURCES.data, PROBING)
    _, reached = policy_tests.run(policy, TESTS)
    missed = {found.file: found.not_covered for found in policy_tests.coverage(policy, reached) if found.not_covered}
    assert missed == {}


@pytest.mark.parametrize(
    "body",
    [
        'authz.allow with input.method as "POST" with input.path as "/reports"',
        'not authz.allow with input.method as "GET" with input.path as "/reports"',
        "authz.no_such_rule",
        "false",
        "1 / 0 == 1",
    ],
)
def test_a_policys_test_that_does_not_hold_fails(body: str) -> None:
    """And no other does."""
    modules = {
        **SOURCES.modules,
        "false_test.rego": f"package false_test\n\nimport data.httpapi.authz\n\ntest_it if {{\n\t{body}\n}}\n",
    }
    assert set(failures(PolicySources(modules, SOURCES.data))) == {"false_test/test_it"}


@pytest.mark.parametrize("policy", POLICIES, ids=[str(policy.relative_to(REGO)) for policy in POLICIES])
def test_each_policy_has_its_tests_beside_it_and_starts_with_what_it_is(policy: Path) -> None:
    """The METADATA comment is its documentation; the tests are about its package."""
    beside = policy.with_name(f"{policy.stem}_test.rego")
    assert beside.is_file()
    text, tests = policy.read_text(), beside.read_text()
    assert re.match(r"# METADATA\n# title: \S.*\n# description: \S", text)
    assert text.index("# METADATA") < text.index("\npackage ")
    package = _PACKAGE.search(text)
    assert package is not None
    assert re.search(rf"^package {re.escape(package[1])}_test$", tests, re.MULTILINE)
    assert f"import data.{package[1]}\n" in tests
    assert any(test.file == str(beside) for test in TESTS)


def test_each_test_file_belongs_to_a_policy() -> None:
    """None outlives what it tests."""
    expected = {policy.with_name(f"{policy.stem}_test.rego") for policy in POLICIES}
    assert set(REGO.rglob("*_test.rego")) == expected


@pytest.mark.skipif(
    shutil.which("opa") is None,
    reason="no opa on PATH; get it with `go install github.com/open-policy-agent/opa@latest`",
)
def test_opa_agrees_that_they_hold() -> None:
    """The reference implementation, where it is at hand."""
    done = subprocess.run(["opa", "test", str(REGO)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
