"""Plan + case → passed, refused or wrong."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from authz_service.rego_engine import values
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.compiled import CompileOptions, compile_plan
from authz_service.rego_engine.errors import INTERNAL_ERROR, EvaluationError
from authz_service.rego_engine.plan import Plan
from authz_service.rego_engine.values import UNDEFINED, Value
from conformance.cases import RULE, Case
from conformance.front_ends import RefusedError
from service_kit.faults import ConfigurationError

SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case: `kind` is passed, refused or wrong; `why` says what a reader wants to know of it."""

    case: Case
    front_end: str
    kind: str
    why: str = ""


def judge(case: Case, front_end: str, plan: Callable[[Case], Plan], options: CompileOptions | None) -> Outcome:
    """Compile and evaluate a case."""
    try:
        policy = compile_plan(plan(case), case.data, options)
        document = _term(case, plan) if case.input_term else case.input
    except RefusedError as error:
        return Outcome(case, front_end, "refused", str(error))
    except ConfigurationError as error:
        return Outcome(case, front_end, "refused", str(error.faults[0]))
    runtime = {"env": {**case.environment}} if case.environment else {}
    context = Context(time_ns=time.time_ns(), runtime=runtime)
    evaluation = policy.evaluation(document, context, seconds=SECONDS, strict=case.strict)
    try:
        found = policy.evaluate(RULE, document, evaluation)
    except EvaluationError as error:
        return Outcome(case, front_end, *_judge_error(case, error))
    return Outcome(case, front_end, *_judge_result(case, found))


def _term(case: Case, plan: Callable[[Case], Plan]) -> Value:
    """Return the value of an input that is written in Rego: sets and numbers that JSON does not have."""
    module = f"package conformance_input\n\nx := {case.input_term}\n"
    asked = replace(case, version="v1", query="x = data.conformance_input.x", modules=[module], wanted=[{"x": None}])
    policy = compile_plan(plan(asked), {})
    found = policy.evaluate(RULE, UNDEFINED, policy.evaluation(UNDEFINED, seconds=SECONDS))
    return values.members(found)[0]["x"]


def _judge_error(case: Case, error: EvaluationError) -> tuple[str, str]:
    if error.code == INTERNAL_ERROR:
        return "wrong", f"a fault of ours: {error} {error.__cause__!r}"
    if not case.wants_error:
        return "wrong", f"ended in an error: {error}"
    if case.wanted_code and case.wanted_code != error.code:
        return "wrong", f"{error.code} where {case.wanted_code} is wanted"
    return "passed", ""


def _judge_result(case: Case, found: Value) -> tuple[str, str]:
    got = [] if found is UNDEFINED else values.to_json(found)
    if case.wants_error:
        return "wrong", f"no error, where {case.wanted_error or case.wanted_code} is wanted"
    if case.wanted is None and case.wanted_defined is not None:
        return ("passed" if bool(got) == case.wanted_defined else "wrong"), f"got {got!r}"
    wanted: list[Any] = []
    for bindings in case.wanted or ():
        shown = _sorted(bindings) if case.sorts else bindings
        if not any(values.equal(shown, other) for other in wanted):
            wanted.append(shown)
    got = values.ordered(_sorted(bindings) if case.sorts else bindings for bindings in got)
    if values.equal(got, values.ordered(wanted)):
        return "passed", ""
    return "wrong", f"got {values.write(got)[:300]}, wanted {values.write(values.ordered(wanted))[:300]}"


def _sorted(bindings: Mapping[str, Value]) -> dict[str, Value]:
    return {name: values.ordered(value) if type(value) is list else value for name, value in bindings.items()}
