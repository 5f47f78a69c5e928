"""The compiled answer beside regopy's own machine and `opa eval`, on policies and inputs that are generated.

The quick run belongs to `make check`; `make differential` makes 50,000 comparisons with each oracle that is at hand.
What the oracles disagree on is listed in docs/rego-support.md.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

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
from tests.differential.policies import DATA, EQUALITY, RULES, Example, Forms, examples
from tests.differential.regopy_oracle import Oracle, OracleCrashedError

INPUTS = 10
QUICK, ROUND = 15, 500  # policies; each is asked for every rule on every input: 6 x 10 comparisons
GOAL = 50_000  # comparisons of the long runs; policies that the other side does not take are not among them
ROUNDS = 5  # of a long run, at most
ERROR: Final = "error"
PASSES = tuple(dict.fromkeys(name for name, _ in ORDER))
NONE = CompileOptions(frozenset(PASSES), Options(inline=False, any_order=False, keep_once=False))
OPA = shutil.which("opa") or shutil.which("opa", path=str(Path.home() / "go" / "bin"))
needs_opa = pytest.mark.skipif(
    OPA is None, reason="no opa on PATH; get it with `go install github.com/open-policy-agent/opa@latest`"
)
# Of its comparisons == and != only, and of objects no order: it has not Rego's order of types, nor of keys.
FOR_REGOPY = examples(INPUTS, Forms(EQUALITY, mended=False), order_shows=False)
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


def agrees_with_itself(example: Example) -> int:
    """Each pass on and off; how many questions were compared."""
    try:
        plan = planned(example)
        plain = answers(compile_plan(plan, DATA, NONE), example.inputs)
    except ConfigurationError:
        return 0  # regopy or the generator does not take it, and says so: there is nothing to compare
    variants = [None, *(CompileOptions(frozenset({name})) for name in PASSES)]
    variants += [CompileOptions(frozenset(PASSES) - {name}) for name in PASSES]
    for options in variants:
        try:
            policy = compile_plan(plan, DATA, options)
        except ConfigurationError as error:  # what a pass moves into a loop may nest more loops than there may be
            if "nested too deeply" in str(error):
                continue
            raise
        assert differences(example, answers(policy, example.inputs), plain) == [], options
    return _count(plain)


def agrees_with_regopy(oracle: Oracle, example: Example) -> int:
    """On each rule and input; how many questions were compared."""
    try:
        mine = answers(compile_plan(planned(example), DATA), example.inputs)
    except ConfigurationError:
        return 0
    try:
        theirs = oracle.answers(example, DATA, RULES)
    except OracleCrashedError:
        return 0
    assert differences(example, mine, theirs) == []
    return _count(theirs)


def agrees_with_opa(example: Example) -> int:
    """Through both front ends, on each rule and input; how many questions were compared through both."""
    assert OPA is not None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "p.rego").write_text(example.text, "utf-8")
        (folder / "data.json").write_text(json.dumps(DATA), "utf-8")
        theirs = _opa_eval(folder, example)
        if theirs is None:
            return 0
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
        return 0
    assert differences(example, *map(_without_order, _without_errors(by_regopy, theirs))) == []
    return _count(theirs) - sum(
        ERROR in trio for rows in zip(mine, by_regopy, theirs, strict=True) for trio in zip(*rows, strict=True)
    )


def _without_order(rows: list[list[Any]]) -> list[list[Any]]:
    """Order what a comprehension made: regopy's front end may nest its loops otherwise (see docs/rego-support.md)."""
    return [
        [
            {**each, "t": values.ordered(each["t"])} if isinstance(each, Mapping) and "t" in each else each
            for each in row
        ]
        for row in rows
    ]


def _count(rows: list[list[Any]]) -> int:
    return sum(len(row) for row in rows)


def _compare(
    generated: st.SearchStrategy[Example], policies: int, compare: Callable[[Example], int], goal: int = 1
) -> int:
    """Let this many policies be compared, and as many again until the goal is reached; how many questions were."""
    compared = rounds = 0

    @given(generated)
    @settings(GENERATED, max_examples=policies)
    def run(example: Example) -> None:
        nonlocal compared
        compared += compare(example)

    while compared < goal and rounds < ROUNDS:
        run()
        rounds += 1
    print(f"{compared:,} answers compared, on {rounds * policies:,} policies")  # noqa: T201  (the figure asked for)
    return compared


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


def test_no_pass_changes_an_answer() -> None:
    """With all of them, with none, with each one off and each one alone."""
    assert _compare(examples(INPUTS), QUICK, agrees_with_itself)


def test_the_compiled_answer_is_that_of_regopys_own_machine() -> None:
    """Where it has one."""
    with Oracle() as oracle:
        assert _compare(FOR_REGOPY, QUICK, partial(agrees_with_regopy, oracle))


@needs_opa
def test_the_compiled_answer_is_that_of_opa() -> None:
    """Through both front ends."""
    assert _compare(examples(2), 5, agrees_with_opa)


@pytest.mark.long
def test_no_pass_changes_an_answer_at_length() -> None:
    """Many policies."""
    assert _compare(examples(INPUTS), ROUND // 2, agrees_with_itself, GOAL // 4) >= GOAL // 4


@pytest.mark.long
def test_the_compiled_answer_is_that_of_regopys_own_machine_at_length() -> None:
    """On 50,000 questions."""
    with Oracle() as oracle:
        assert _compare(FOR_REGOPY, ROUND, partial(agrees_with_regopy, oracle), GOAL) >= GOAL


@pytest.mark.long
@needs_opa
def test_the_compiled_answer_is_that_of_opa_at_length() -> None:
    """On 50,000 questions through each front end."""
    assert _compare(examples(INPUTS), ROUND, agrees_with_opa, GOAL) >= GOAL
