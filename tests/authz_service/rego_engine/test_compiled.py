"""Generated code against an interpreter of the IR, on random plans; and what a compiled policy promises its callers."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from authz_service.rego_engine import plan
from authz_service.rego_engine.compiled import MAX_CALL_DEPTH, compile_plan
from authz_service.rego_engine.errors import CONFLICT_ERROR, INTERNAL_ERROR, DeadlineExceeded, EvaluationError
from authz_service.rego_engine.plan import Function, Local, Plan, Statement, Where
from authz_service.rego_engine.values import UNDEFINED, Value
from service_kit.faults import ConfigurationError, Fault
from tests.authz_service.rego_engine.planning import (
    CONFLICT,
    DATA,
    INPUT,
    RESULT,
    RULE,
    WAYS,
    agree,
    ask,
    block,
    call,
    const,
    entrypoint,
    evaluate,
    function,
    interpret,
    returning,
    whole,
)
from tests.authz_service.rego_engine.random_plans import DOCUMENTS, plans

CHEAP: Final = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


@CHEAP
@given(plans(), st.lists(DOCUMENTS, min_size=1, max_size=4), DOCUMENTS)
def test_a_random_plan_answers_as_its_interpretation_whatever_the_passes(
    found: Plan, documents: list[Value], data: Value
) -> None:
    agree(found, documents, data)


XS = plan.Dot(Local(INPUT), const("xs"), 4)
DOCUMENT: Final = {"xs": ["b", "a", "c"], "k": 1}


def counting_clock(seconds: float) -> Any:
    """Return a clock that moves on by as much each time it is looked at."""
    return itertools.count(0, seconds).__next__


def scanned(levels: int, *inside: Statement) -> Plan:
    """Return a plan that goes through `input.xs`, within itself as often as `levels` says."""
    found = block(*inside)
    for level in range(levels):
        found = block(plan.Scan(4, 20 + level, 40 + level, found))
    return whole(returning(XS, *found.statements))


@pytest.mark.parametrize("way", ["all passes", "no pass"])
@pytest.mark.parametrize(("levels", "items"), [(1, 1_000_000), (2, 1_999), (3, 150), (6, 16), (12, 4)])
def test_a_scan_is_cut_soon_after_its_deadline(way: str, levels: int, items: int) -> None:
    """Nested ones too, however short each of them is: at most a few looks at the clock later."""
    adding = (plan.Make(list, 3), plan.Append(Local(40), 3))
    policy = compile_plan(scanned(levels, *adding), {}, WAYS[way])
    document = {"xs": list(range(items))}
    looks = []
    clock = counting_clock(0.01)

    def watched() -> float:
        looks.append(1)
        return float(clock())

    evaluation = policy.evaluation(document, seconds=0.1, clock=watched)
    with pytest.raises(DeadlineExceeded):
        policy.evaluate(RULE, document, evaluation)
    assert len(looks) <= 12


def test_a_scan_within_its_deadline_ends() -> None:
    """The clock stands still, so a hundred thousand items are in time."""
    policy = compile_plan(scanned(1, plan.AssignOnce(const(1), RESULT)), {})
    document = {"xs": list(range(100_000))}
    evaluation = policy.evaluation(document, seconds=0.1, clock=counting_clock(0))
    assert policy.evaluate(RULE, document, evaluation) == 1


def test_an_evaluation_leaves_input_data_and_constants_as_they_were() -> None:
    """What is built on top of a value that others hold is built on a copy."""
    inner = returning(plan.Dot(Local(DATA), const("base"), 3), plan.AssignOnce(Local(3), RESULT), name="g0.data.test.i")
    rule = returning(
        plan.Make(list, 6), plan.Append(const("kept"), 6), plan.Assign(Local(6), 7), plan.Append(const("more"), 7),
        call(inner.name, 4), plan.Insert(const("new"), const(1), 4, once=False),
        plan.Dot(Local(INPUT), const("xs"), 5), plan.Append(const("added"), 5),
        plan.Make(list, 8), *(plan.Append(Local(each), 8) for each in (6, 7, 4, 5)), plan.AssignOnce(Local(8), RESULT),
    )  # fmt: skip
    document, data = copy.deepcopy(DOCUMENT), {"base": {"old": 0}}
    for options in WAYS.values():
        policy = compile_plan(whole(inner, rule), data, options)
        answers = [ask(policy, document) for _ in range(3)]
        wanted = [["kept"], ["kept", "more"], {"old": 0, "new": 1}, ["b", "a", "c", "added"]]
        assert answers == [wanted] * 3
        assert (document, data) == (DOCUMENT, {"base": {"old": 0}})


def kept_and_changed() -> Plan:
    """Return a plan that asks for a rule and a function before, within and after a `with`."""
    asked = returning(plan.Dot(Local(INPUT), const("k"), 3), plan.AssignOnce(Local(3), RESULT), name="g0.data.test.k")
    used = returning(call(asked.name, 4), plan.AssignOnce(Local(4), RESULT), name="g0.data.test.u", operands=[9])
    asking = [call(asked.name, 5), call(used.name, 6, const("x")), plan.Append(Local(5), 7), plan.Append(Local(6), 7)]
    changed = plan.With(INPUT, ("k",), const("changed"), block(*asking))
    restored = plan.With(INPUT, (), Local(8), block(*asking))
    within = plan.With(INPUT, ("k",), const("again"), block(*asking, restored))
    rule = returning(
        plan.Assign(Local(INPUT), 8), plan.Make(list, 7), *asking, changed, *asking, within, *asking,
        plan.AssignOnce(Local(7), RESULT),
    )  # fmt: skip
    return whole(asked, used, rule)


def test_what_was_worked_out_for_one_input_does_not_stand_for_another() -> None:
    """Results are kept for the documents that they were worked out for, and found again where these are back."""
    values = [1, "changed", 1, "again", 1, 1]
    assert evaluate(kept_and_changed(), DOCUMENT) == [each for value in values for each in (value, value)]
    agree(kept_and_changed(), [DOCUMENT, {"k": "other"}, {}])


def test_one_policy_serves_eight_threads() -> None:
    """Each evaluation has its own state; the policy has none."""
    policy = compile_plan(kept_and_changed(), {})

    def work(number: int) -> list[Value]:
        return [ask(policy, {"k": [number, each]}) for each in range(200)]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    wanted = [interpret(kept_and_changed(), {"k": [number, 7]}, {})[0] for number in range(8)]
    assert [each[7] for each in found] == wanted


def test_an_input_that_is_not_there_is_undefined() -> None:
    assert evaluate(kept_and_changed(), UNDEFINED) is UNDEFINED


def test_a_conflict_ends_the_evaluation_and_says_where() -> None:
    once = [plan.AssignOnce(const(value), RESULT, where=Where("a.rego", 3 + value)) for value in (0, 1)]
    policy = compile_plan(whole(function(block(once[0]), block(once[1]), block(plan.Return(RESULT)))), {})
    with pytest.raises(EvaluationError) as caught:
        policy.evaluate(RULE, {}, policy.evaluation({}))
    assert (caught.value.code, caught.value.where) == (CONFLICT_ERROR, "a.rego:4")


def test_a_rule_that_calls_itself_by_a_dynamic_reference_ends_in_an_error() -> None:
    """Nobody can tell at load, so it is found when it happens, and is no crash."""
    dynamic = plan.CallDynamic((const("g0"), const("r")), (INPUT, DATA), 3, leaves=0, falls_back=False)
    found = Function("g0.data.r", (INPUT, DATA), RESULT, (block(dynamic), block(plan.Return(RESULT))), ("g0", "r"))
    policy = compile_plan(whole(found), {})
    with pytest.raises(EvaluationError) as caught:
        policy.evaluate(RULE, {}, policy.evaluation({}))
    assert caught.value.code == INTERNAL_ERROR


def test_a_value_nested_beyond_what_python_compares_ends_in_an_error() -> None:
    deep: Value = 0
    other: Value = 0
    for _ in range(5_000):
        deep, other = [deep], [other]
    found = returning(
        plan.Dot(Local(INPUT), const("a"), 3), plan.Dot(Local(INPUT), const("b"), 4),
        plan.Equal(Local(3), Local(4)), plan.AssignOnce(const(1), RESULT),
    )  # fmt: skip
    policy = compile_plan(whole(found), {})
    document = {"a": deep, "b": other}
    with pytest.raises(EvaluationError) as caught:
        policy.evaluate(RULE, document, policy.evaluation(document))
    assert caught.value.code == INTERNAL_ERROR


def test_a_rule_that_was_not_compiled_is_a_key_error() -> None:
    policy = compile_plan(whole(returning(plan.AssignOnce(const(1), RESULT))), {})
    assert policy.rules == [RULE]
    with pytest.raises(KeyError):
        policy.evaluate("other", {}, policy.evaluation({}))


def chain(length: int) -> Plan:
    """Return a plan of rules that each call the next."""
    rules = [returning(plan.AssignOnce(const(1), RESULT), name="g0.data.test.r0")]
    for number in range(1, length):
        statements = (call(rules[-1].name, 3), plan.AssignOnce(Local(3), RESULT))
        rules.append(returning(*statements, name=f"g0.data.test.r{number}"))
    return whole(*rules)


def nested(levels: int, kind: str) -> Plan:
    """Return a plan with blocks within blocks."""
    found = block(plan.AssignOnce(const(1), RESULT))
    for _ in range(levels):
        match kind:
            case "blocks":
                found = block(plan.Blocks((found,)))
            case "not":
                found = block(plan.Not(found))
            case "with":
                found = block(plan.With(INPUT, (), const(1), found))
            case _:
                found = block(plan.Dot(Local(INPUT), const("xs"), 4), plan.Scan(4, 5, 6, found))
    return whole(function(found, block(plan.Return(RESULT))))


def faults(found: Plan) -> Sequence[Fault]:
    """Return the faults of a plan that must not be compiled."""
    with pytest.raises(ConfigurationError) as caught:
        compile_plan(found, {}, source="a.rego")
    return caught.value.faults


def test_rules_that_call_one_another_as_deep_as_they_may_are_evaluated() -> None:
    assert evaluate(chain(MAX_CALL_DEPTH)) == 1


def test_rules_that_call_one_another_too_deep_are_a_fault() -> None:
    assert "deep" in faults(chain(MAX_CALL_DEPTH + 1))[0].text
    assert "deep" in faults(chain(20_000))[0].text


@pytest.mark.parametrize("kind", ["blocks", "not", "with", "scan"])
@pytest.mark.parametrize("levels", [30, 199, 400, 5_000])
def test_blocks_nested_too_deeply_are_a_fault_of_the_file(kind: str, levels: int) -> None:
    """However deep, and whichever of the limits of Python it would meet."""
    found = nested(levels, kind)
    told: Sequence[Fault] = ()
    try:
        compile_plan(found, {}, source="a.rego")
    except ConfigurationError as error:
        told = error.faults
    assert told or levels < 300
    assert all(fault.source == "a.rego" and "deep" in fault.text for fault in told)


def test_rules_that_call_one_another_in_a_circle_are_a_fault() -> None:
    names = ["g0.data.test.a", "g0.data.test.b", "g0.data.test.c"]
    rules = [returning(call(other, 3), name=name) for name, other in zip(names, [*names[1:], names[0]], strict=True)]
    assert "circle" in faults(whole(*rules))[0].text


HERE: Final = Where("p.rego", 7)


@pytest.mark.parametrize(
    ("statement", "text"),
    [
        (plan.Call("no.such", (), 3, where=HERE), "calls no.such, which is no function that is known here"),
        (plan.Call("count", (), 3, where=HERE), "calls count with 0 operands, which takes 1"),
        (plan.Break(1, where=HERE), "leaves 1 blocks beyond its own, of 0 that there are"),
        (plan.Break(-1, where=HERE), "leaves"),
        (plan.Scan(1, 2, 3, block(plan.Break(2, where=HERE)), where=HERE), "leaves"),
        (plan.CallDynamic((const("g0"),), (0, 1), 3, leaves=3, falls_back=False, where=HERE), "leaves"),
    ],
)
def test_what_cannot_be_run_is_a_fault_with_its_file_and_row(statement: Statement, text: str) -> None:
    found = faults(whole(returning(statement)))
    assert [(fault.source, fault.line) for fault in found] == [("p.rego", 7)]
    assert text in found[0].text


def test_every_bad_call_is_told_at_once() -> None:
    rows = [plan.Call(f"no.such{row}", (), 3, where=Where("p.rego", row)) for row in (2, 4, 6)]
    assert [fault.line for fault in faults(whole(returning(*rows)))] == [2, 4, 6]


@pytest.mark.parametrize("parameters", [(), (0,), (1, 0), (0, 1, 2, 2), (0, 1, 3, 3)])
def test_a_function_whose_parameters_cannot_be_is_a_fault_of_its_own(parameters: tuple[int, ...]) -> None:
    found = Plan({RULE: entrypoint(RULE, "f")}, {"f": Function("f", parameters, RESULT, ())})
    assert not any("deep" in fault.text for fault in faults(found))


def test_conflicts_are_found_by_the_interpreter_too() -> None:
    found = whole(function(block(plan.AssignOnce(const(1), RESULT)), block(plan.AssignOnce(const(2), RESULT))))
    assert interpret(found, {}, {}) == (CONFLICT, True)
