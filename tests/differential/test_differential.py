"""The compiled answer beside regopy's own machine and `opa eval`, on policies and inputs that are generated.

The quick run belongs to `make check`; `make differential` makes 50,000 comparisons with each oracle that is at hand.
What the oracles disagree on is listed in docs/rego-support.md.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings

from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import PolicySources
from authz_service.rego_engine import values
from authz_service.rego_engine.codegen.module import Options
from authz_service.rego_engine.compiled import CompiledPolicy, CompileOptions, compile_plan
from authz_service.rego_engine.errors import EvaluationError
from authz_service.rego_engine.passes import ORDER
from authz_service.rego_engine.plan import Plan
from authz_service.rego_engine.plan_reader import OpaDialect, read_plan
from authz_service.rego_engine.values import UNDEFINED, Value
from service_kit.faults import ConfigurationError, Faults
from tests.differential.policies import DATA, EQUALITY, RULES, Example, examples
from tests.differential.regopy_oracle import Oracle, OracleCrashedError

INPUTS = 10
QUICK, LONG = 15, 900  # policies; each is asked for every rule on every input: 6 x 10 comparisons
ERROR: Final = "error"
PASSES = tuple(dict.fromkeys(name for name, _ in ORDER))
NONE = CompileOptions(frozenset(PASSES), Options(inline=False, any_order=False, keep_once=False))
OPA = shutil.which("opa") or shutil.which("opa", path=str(Path.home() / "go" / "bin"))
GENERATED = settings(
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)


def answers(policy: CompiledPolicy, inputs: Sequence[Any]) -> list[list[Any]]:
    """Ask for every rule on every input; what has no value is UNDEFINED, what ends in an error is ERROR."""

    def ask(rule: str, document: Any) -> Value:
        try:
            return policy.evaluate(f"p/{rule}", document, policy.evaluation(document, seconds=10))
        except EvaluationError as error:
            if error.code != "eval_conflict_error":
                raise
            return ERROR

    return [[ask(rule, document) for rule in RULES] for document in inputs]


def same(one: Any, two: Any) -> bool:
    """Whether two answers are the same value."""
    if UNDEFINED in (one, two) or ERROR in (one, two):
        return one is two
    return values.equal(values.to_json(one), values.to_json(two))


def differences(example: Example, mine: list[list[Any]], theirs: list[list[Any]]) -> list[str]:
    """What to look at, if anything."""
    return [
        f"{rule} on {json.dumps(document)}: {ours!r}, and the other says {other!r}"
        for document, row, beside in zip(example.inputs, mine, theirs, strict=True)
        for rule, ours, other in zip(RULES, row, beside, strict=True)
        if not same(ours, other)
    ]


def planned(example: Example) -> Plan:
    """Plan by regopy's front end."""
    return compile_sources(PolicySources({"p.rego": example.text}, DATA), [f"p/{rule}" for rule in RULES])


def agrees_with_itself(example: Example) -> None:
    """Each pass on and off."""
    try:
        plan = planned(example)
    except ConfigurationError:
        return  # regopy does not take it, or says so: there is nothing to compare
    plain = answers(compile_plan(plan, DATA, NONE), example.inputs)
    variants = [None, *(CompileOptions(frozenset({name})) for name in PASSES)]
    variants += [CompileOptions(frozenset(PASSES) - {name}) for name in PASSES]
    for options in variants:
        assert differences(example, answers(compile_plan(plan, DATA, options), example.inputs), plain) == [], options


def agrees_with_regopy(oracle: Oracle, example: Example) -> None:
    """On each rule and input."""
    try:
        mine = answers(compile_plan(planned(example), DATA), example.inputs)
    except ConfigurationError:
        return
    try:
        theirs = oracle.answers(example, DATA, RULES)
    except OracleCrashedError:
        return
    assert differences(example, mine, theirs) == []


def agrees_with_opa(example: Example) -> None:
    """Through both front ends, on each rule and input."""
    assert OPA is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "p.rego").write_text(example.text, "utf-8")
        (folder / "data.json").write_text(json.dumps(DATA), "utf-8")
        theirs = _opa_eval(folder, example)
        if theirs is None:
            return
        entries = [part for rule in RULES for part in ("-e", f"p/{rule}")]
        command = [OPA, "build", "-t", "plan", *entries, "-o", str(folder / "b.tgz"), str(folder / "p.rego")]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        subprocess.run(["tar", "xzf", str(folder / "b.tgz"), "-C", name, "/plan.json"], check=True, capture_output=True)
        text = (folder / "plan.json").read_bytes()
    faults = Faults()
    plan = read_plan(text, OpaDialect(), {}, "plan", faults)
    faults.raise_if_any()
    mine = answers(compile_plan(plan, DATA), example.inputs)
    assert differences(example, *_without_errors(mine, theirs)) == []
    try:
        by_regopy = answers(compile_plan(planned(example), DATA), example.inputs)
    except ConfigurationError:
        return
    assert differences(example, *_without_errors(by_regopy, theirs)) == []


def _without_errors(mine: list[list[Any]], theirs: list[list[Any]]) -> tuple[list[list[Any]], list[list[Any]]]:
    """Leave out what ends in a conflict: `opa eval` may pass over the rule that meets it (see docs/rego-support.md)."""
    pairs = [
        [(UNDEFINED, UNDEFINED) if ERROR in (one, two) else (one, two) for one, two in zip(row, beside, strict=True)]
        for row, beside in zip(mine, theirs, strict=True)
    ]
    return [[one for one, _ in row] for row in pairs], [[two for _, two in row] for row in pairs]


def _opa_eval(folder: Path, example: Example) -> list[list[Any]] | None:
    """Ask OPA on one input after the other; None where it does not take the policy."""
    rows: list[list[Any]] = []
    for document in example.inputs:
        (folder / "input").write_text(json.dumps(document), "utf-8")
        answer = _ask_opa(folder, "; ".join(f"{rule} := [v | v := data.p.{rule}]" for rule in RULES))
        if "errors" not in answer:
            bindings = answer["result"][0]["bindings"]
            rows.append([bindings[rule][0] if bindings[rule] else UNDEFINED for rule in RULES])
            continue
        if any(error.get("code") != "eval_conflict_error" for error in answer["errors"]):
            return None
        row = []
        for rule in RULES:  # one by one: the conflict is in one of them
            answer = _ask_opa(folder, f"found := [v | v := data.p.{rule}]")
            found = None if "errors" in answer else answer["result"][0]["bindings"]["found"]
            row.append(ERROR if found is None else found[0] if found else UNDEFINED)
        rows.append(row)
    return rows


def _ask_opa(folder: Path, query: str) -> Any:
    assert OPA is not None
    files = ["-d", str(folder / "p.rego"), "-d", str(folder / "data.json"), "-i", str(folder / "input")]
    command = [OPA, "eval", "--format", "json", *files, query]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return values.read(done.stdout)


@given(examples(INPUTS))
@settings(GENERATED, max_examples=QUICK)
def test_no_pass_changes_an_answer(example: Example) -> None:
    """With all of them, with none, with each one off and each one alone."""
    agrees_with_itself(example)


def test_the_compiled_answer_is_that_of_regopys_own_machine() -> None:
    """Where it has one."""
    with Oracle() as oracle:
        run = given(examples(INPUTS, EQUALITY))(
            settings(GENERATED, max_examples=QUICK)(lambda example: agrees_with_regopy(oracle, example))
        )
        run()


@pytest.mark.skipif(
    OPA is None, reason="no opa on PATH; get it with `go install github.com/open-policy-agent/opa@latest`"
)
@given(examples(2))
@settings(GENERATED, max_examples=5)
def test_the_compiled_answer_is_that_of_opa(example: Example) -> None:
    """Through both front ends."""
    agrees_with_opa(example)


@pytest.mark.long
@given(examples(INPUTS))
@settings(GENERATED, max_examples=LONG // 3)
def test_no_pass_changes_an_answer_at_length(example: Example) -> None:
    """Many policies."""
    agrees_with_itself(example)


@pytest.mark.long
def test_the_compiled_answer_is_that_of_regopys_own_machine_at_length() -> None:
    """54,000 comparisons."""
    with Oracle() as oracle:
        run = given(examples(INPUTS, EQUALITY))(
            settings(GENERATED, max_examples=LONG)(lambda example: agrees_with_regopy(oracle, example))
        )
        run()


@pytest.mark.long
@pytest.mark.skipif(
    OPA is None, reason="no opa on PATH; get it with `go install github.com/open-policy-agent/opa@latest`"
)
@given(examples(INPUTS))
@settings(GENERATED, max_examples=LONG)
def test_the_compiled_answer_is_that_of_opa_at_length(example: Example) -> None:
    """54,000 comparisons by each front end."""
    agrees_with_opa(example)
