"""The policies' own tests, each as a case here: every `test_` rule runs on the engine that decides."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from authz_service.errors import PolicyFailed
from authz_service.policy.regopy_engine import RegopyEngine, build_engine
from authz_service.policy.sources import PolicySources, read_sources

REGO = Path(__file__).parents[2] / "rego"
_PACKAGE = re.compile(r"^package\s+([\w.]+)", re.MULTILINE)
_TEST = re.compile(r"^(test_\w+)\b", re.MULTILINE)


def test_rules(sources: PolicySources) -> list[str]:
    """Every test rule of the sources, as `package/path/test_name`."""
    rules = []
    for name, text in sources.modules.items():
        package = _PACKAGE.search(text)
        if name.endswith("_test.rego") and package is not None:
            rules += [f"{package[1].replace('.', '/')}/{rule}" for rule in _TEST.findall(text)]
    return rules


test_rules.__test__ = False  # type: ignore[attr-defined]  # its name says what it finds

SOURCES = read_sources([REGO], with_tests=True)
RULES = test_rules(SOURCES)
POLICIES = [Path(name) for name in read_sources([REGO]).modules]


@cache
def engine() -> RegopyEngine:
    """All policies with their tests, compiled once."""
    return asyncio.run(build_engine(SOURCES, RULES))


def outcome(built: RegopyEngine, rule: str) -> Any:
    """True where a test rule holds; undefined, false or a failure where it does not."""
    try:
        return built.evaluate_rule(rule, {})
    except PolicyFailed as error:
        return error


@pytest.mark.parametrize("rule", RULES)
def test_a_policys_test_holds(rule: str) -> None:
    """Without input of its own: each test brings it."""
    assert outcome(engine(), rule) is True


def test_there_are_tests_and_each_has_a_name_of_its_own() -> None:
    """Two rules of one name would be one rule, which holds where either does."""
    assert len(RULES) >= 15
    assert sorted(set(RULES)) == sorted(RULES)


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
    """So that those above say something."""
    modules = {
        **SOURCES.modules,
        "false_test.rego": f"package false_test\n\nimport data.httpapi.authz\n\ntest_it if {{\n\t{body}\n}}\n",
    }
    sources = PolicySources(modules, SOURCES.data)
    assert "false_test/test_it" in test_rules(sources)
    built = asyncio.run(build_engine(sources, ["false_test/test_it", *RULES]))
    assert outcome(built, "false_test/test_it") is not True
    assert outcome(built, RULES[0]) is True


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
    assert _TEST.search(tests)


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
