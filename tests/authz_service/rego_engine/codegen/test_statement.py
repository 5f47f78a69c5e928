"""Each statement as code: what it does, and what it does where it is undefined."""

from __future__ import annotations

from typing import Final

import pytest

from authz_service.rego_engine import plan
from authz_service.rego_engine.codegen.statement import _WRITERS
from authz_service.rego_engine.compiled import compile_plan
from authz_service.rego_engine.errors import BUILTIN_ERROR, EvaluationError
from authz_service.rego_engine.plan import Local, Operand, Statement, Where
from authz_service.rego_engine.values import UNDEFINED, Value, make_set
from tests.authz_service.rego_engine.planning import (
    CONFLICT,
    INPUT,
    RESULT,
    RULE,
    WAYS,
    agree,
    block,
    const,
    evaluate,
    function,
    returning,
    whole,
)

A, B, LEFT = Local(10), Local(11), Local(20)
DOCUMENTS: Final[list[Value]] = [
    {"a": a, "b": b}
    for a in (1, True, "x", None, [], ["x", 1], {}, {"x": 1, "1": [2]}, 0.5)
    for b in (1, "x", ["x"], {"x": {"y": 1}}, False)
]


def looking_at(*statements: Statement) -> plan.Function:
    """Return a rule that has `input.a` and `input.b`, and true for its value if it gets to its end."""
    a = plan.Dot(Local(INPUT), const("a"), 10)
    b = plan.Dot(Local(INPUT), const("b"), 11)
    return returning(a, b, *statements)


def shown(*statements: Statement, result: Operand = LEFT) -> plan.Function:
    """Return such a rule whose value is what the statements leave."""
    return looking_at(*statements, plan.AssignOnce(result, RESULT))


RULES: Final[list[plan.Function]] = [
    *(shown(guard, result=const(value=True)) for guard in (
        plan.Equal(A, B), plan.NotEqual(A, B), plan.IsType(A, (list,)), plan.IsType(A, (dict,)),
        plan.IsType(A, (set,)),
        plan.IsType(A, (list, dict, set)), plan.Equal(A, const(1)), plan.Equal(const("x"), A),
        plan.NotEqual(A, const(1)),
        plan.Equal(A, const(value=None)), plan.IsDefined(10), plan.IsUndefined(10), plan.IsUndefined(15),
        plan.Not(block(plan.Equal(A, B))), plan.Not(block()),
    )),
    shown(plan.Dot(A, B, 20)),
    shown(plan.Dot(A, const("x"), 20)),
    shown(plan.Dot(A, const(1), 20)),
    shown(plan.Dot(B, A, 20), plan.Assign(Local(20), 20)),
    shown(plan.Length(A, 20)),
    shown(plan.Length(const("text"), 20)),
    shown(plan.Assign(A, 20)),
    shown(plan.Make(list, 20), plan.Append(A, 20), plan.Append(A, 20), plan.Append(const(None), 20)),
    shown(plan.Make(set, 20), plan.Add(A, 20), plan.Add(B, 20), plan.Add(A, 20), plan.Add(const([1]), 20)),
    shown(plan.Make(dict, 20), plan.Insert(A, B, 20, once=False), plan.Insert(B, A, 20, once=False)),
    shown(plan.Make(dict, 20), plan.Insert(A, B, 20, once=True), plan.Insert(A, B, 20, once=True)),
    shown(plan.Make(dict, 20), plan.Insert(const("k"), A, 20, once=True), plan.Insert(const("k"), B, 20, once=True)),
    shown(plan.Merge(10, 11, 20)),
    shown(plan.AssignOnce(A, 20), plan.AssignOnce(A, 20)),
    shown(plan.AssignOnce(A, 20), plan.AssignOnce(B, 20)),
    shown(plan.AssignOnce(A, 20), plan.Reset(20), plan.AssignOnce(B, 20)),
    shown(plan.With(INPUT, ("a",), B, block(plan.Assign(Local(INPUT), 20)))),
    shown(plan.With(INPUT, ("a", "y"), B, block(plan.Assign(Local(INPUT), 20)))),
    shown(plan.With(INPUT, (), B, block(plan.Assign(Local(INPUT), 20), plan.Equal(A, B)))),
    shown(plan.With(10, ("x",), B, block(plan.Assign(A, 20))), plan.Equal(A, A)),
    shown(plan.Make(list, 20), plan.Scan(10, 12, 13, block(plan.Append(Local(12), 20), plan.Append(Local(13), 20)))),
    shown(plan.Make(set, 20), plan.Scan(10, 12, 13, block(plan.Add(Local(13), 20)))),
    shown(plan.Make(set, 20), plan.Scan(10, 12, 13, block(plan.Add(Local(12), 20)))),
    shown(plan.Call("startswith", (A, const("x")), 20)),
    shown(plan.Call("plus", (A, B), 20)),
    shown(plan.Call("count", (A,), 20)),
    shown(plan.Call("object.keys", (A,), 20)),
]  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=range(len(RULES)))
def test_a_statement_does_what_its_interpretation_does(rule: plan.Function) -> None:
    agree(whole(rule), DOCUMENTS)


def test_every_statement_can_be_written() -> None:
    kinds = {each for each in vars(plan).values() if isinstance(each, type) and issubclass(each, Statement)}
    assert set(_WRITERS) == kinds - {Statement}


FETCHED: Final = [plan.Fetch(Local(INPUT), const("a"), 20), plan.IsUndefined(20), plan.Assign(const("none"), 20)]


def test_what_passes_make_can_be_evaluated() -> None:
    """Statements that no planner writes."""
    fetched = shown(*FETCHED)
    assert [evaluate(whole(fetched), each) for each in ({"b": 1}, {"a": 1, "b": 1})] == [UNDEFINED, UNDEFINED]
    only = returning(*FETCHED, plan.AssignOnce(Local(20), RESULT))
    assert [evaluate(whole(only), each) for each in ({}, {"a": 1})] == ["none", UNDEFINED]
    returned = function(block(plan.ReturnValue(const("early"))), block(plan.ReturnValue(const("late"))))
    assert evaluate(whole(returned)) == "early"


MEMBERS: Final[list[tuple[Value, Value, bool]]] = [
    ("x", ["x"], True), ("x", ["y", "x"], True), ("x", {"k": "x"}, True), ("x", {"x": "y"}, False), ("x", "x", False),
    (1, [True], False), (True, [1], False), (1, [1.0], True), ([1], [[1]], True), ("x", None, False), ("x", [], False),
    ({"a": 1}, [{"a": 1}], True), ({"a": True}, [{"a": 1}], False), (None, [None], True), (None, [False], False),
]  # fmt: skip


@pytest.mark.parametrize(("item", "source", "held"), MEMBERS)
def test_a_membership_test_holds_for_equal_items_only(item: Value, source: Value, held: bool) -> None:  # noqa: FBT001  (a table's column)
    """However the item and the collection are given; as a set too."""
    document = {"a": item, "b": source}
    sources: list[tuple[Operand, Operand]] = [
        (A, B),
        (const(item), B),
        (A, const(source)),
        (const(item), const(source)),
    ]
    if isinstance(source, list):
        sources += [(A, const(make_set(source))), (const(item), const(make_set(source)))]
    for one, two in sources:
        for way in ("no pass", "with probes"):
            rule = shown(plan.Member(one, two, where=Where("a.rego", 1)), result=const(value=True))
            assert evaluate(whole(rule), document, options=WAYS[way]) is (True if held else UNDEFINED)


def test_a_fault_of_a_built_in_is_undefined_or_in_strict_mode_an_error_with_its_place() -> None:
    asked = plan.Call("to_number", (A,), 20, where=Where("a.rego", 5))
    policy = compile_plan(whole(shown(asked)), {})
    document = {"a": "no", "b": 1}
    assert policy.evaluate(RULE, document, policy.evaluation(document)) is UNDEFINED
    with pytest.raises(EvaluationError) as caught:
        policy.evaluate(RULE, document, policy.evaluation(document, strict=True))
    assert (caught.value.code, caught.value.where) == (BUILTIN_ERROR, "a.rego:5")
    assert caught.value.text.startswith("to_number: ")


def test_a_conflict_names_the_rule_or_the_function() -> None:
    two = [block(plan.AssignOnce(const(each), RESULT)) for each in (1, 2)]
    policy = compile_plan(whole(function(*two, name="g0.data.p.r")), {})
    with pytest.raises(EvaluationError, match=r"rule data\.p\.r produced conflicting values"):
        policy.evaluate(RULE, {}, policy.evaluation({}))


def test_probes_tell_what_was_covered_where_it_failed_and_which_rules_ran() -> None:
    held, failed = (plan.Equal(A, const(each), where=Where("a.rego", 3 + each)) for each in (1, 2))
    after = plan.Equal(A, const(3), where=Where("a.rego", 9))
    policy = compile_plan(whole(shown(held, failed, after)), {}, WAYS["with probes"])
    document = {"a": 1, "b": 1}
    evaluation = policy.evaluation(document)
    assert policy.evaluate(RULE, document, evaluation) is UNDEFINED
    rows = {policy.places[number].row for number in evaluation.covered}
    assert rows == {4, 5}
    assert [policy.places[value].row for kind, value in evaluation.trail if kind == "failed"] == [5]
    assert evaluation.trail[0] == ("enter", "g0.data.test.rule")
    assert evaluation.trail[-1] == ("leave", UNDEFINED)


def test_an_answer_of_two_values_is_a_conflict() -> None:
    rule = shown(plan.AssignOnce(A, 20), plan.AssignOnce(B, 20))
    assert [evaluate(whole(rule), {"a": 1, "b": each}) for each in (1, 1.0, True)] == [1, 1, CONFLICT]
