"""One module for a plan: the same text each time, names that never meet, and an entry for each rule."""

from __future__ import annotations

import ast
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings

from authz_service.rego_engine import plan
from authz_service.rego_engine.builtins.registry import TABLE
from authz_service.rego_engine.codegen.module import MAX_NAME, ModuleWriter, Options, write
from authz_service.rego_engine.compiled import compile_plan
from authz_service.rego_engine.plan import Block, Entrypoint, Function, Local, Plan, Where
from authz_service.rego_engine.values import UNDEFINED
from tests.authz_service.rego_engine.planning import (
    DATA,
    INPUT,
    RESULT,
    RULE,
    WAYS,
    ask,
    block,
    call,
    const,
    entrypoint,
    returning,
    whole,
)
from tests.authz_service.rego_engine.random_plans import plans

ONE: Final = returning(plan.AssignOnce(const(1), RESULT), name="g0.data.p.one")
TWO: Final = returning(plan.Dot(Local(INPUT), const("two"), 3), plan.AssignOnce(Local(3), RESULT), name="g0.data.p.two")


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(plans())
def test_a_plan_always_has_the_same_source(found: Plan) -> None:
    for way in ("all passes", "no pass", "with probes"):
        first, second = (compile_plan(found, {}, WAYS[way]) for _ in range(2))
        assert first.source == second.source
        assert first.places == second.places


def test_built_ins_have_names_of_their_own() -> None:
    """Two that came to the same name would be taken for one another."""
    writer = ModuleWriter(Plan({}, {}), Options())
    names = [writer.builtin(found) for name, found in TABLE.items() if name == found.name]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() for name in names)


NAMES: Final = [
    "a.b",
    "a_b",
    "a b",
    "a\nb",
    "é",
    "ü",
    "",
    ".",
    "x" * 200,
    "y" + "x" * 199,
    "rule_0_a_b",
    "ev",
    "TABLE",
    "1",
]


def test_rules_whose_names_look_alike_stay_apart() -> None:
    rules = {name: returning(plan.AssignOnce(const(name), RESULT), name=name) for name in NAMES}
    policy = compile_plan(Plan({name: entrypoint(name, name) for name in NAMES}, rules), {}, WAYS["no pass"])
    assert [ask(policy, {}, name) for name in NAMES] == NAMES
    defined = [each.name for each in ast.walk(ast.parse(policy.source)) if isinstance(each, ast.FunctionDef)]
    assert len(defined) == len(set(defined)) == 2 * len(NAMES)
    assert max(map(len, defined)) <= MAX_NAME + len("rule_00_")


def test_each_part_of_the_source_is_python_of_its_own() -> None:
    for part in write(whole(ONE, TWO), Options()).parts:
        ast.parse(part)


def entry(*statements: plan.Statement) -> Plan:
    """Return a plan whose entrypoint is of statements of our own."""
    return Plan({RULE: Entrypoint(RULE, (Block(statements),))}, {ONE.name: ONE, TWO.name: TWO})


ASKED: Final = [call(TWO.name, 2), plan.Make(dict, 4)]
BOTH: Final = [call(ONE.name, 5), plan.Make(list, 6), plan.Append(Local(2), 6), plan.Append(Local(5), 6)]


@pytest.mark.parametrize(
    ("statements", "answer", "without"),
    [
        ([*ASKED, plan.Insert(const("result"), Local(2), 4, once=False), plan.AddResult(4)], 2, UNDEFINED),
        ([*ASKED, plan.Insert(const("result"), const(7), 4, once=False), plan.AddResult(4)], 7, UNDEFINED),
        ([plan.Make(dict, 4), plan.Insert(const("result"), const(7), 4, once=False), plan.AddResult(4)], 7, 7),
        ([*ASKED, *BOTH, plan.Insert(const("result"), Local(6), 4, once=False), plan.AddResult(4)], [2, 1], UNDEFINED),
        ([*ASKED], UNDEFINED, UNDEFINED),
        (
            [plan.With(INPUT, ("two",), const(9), block(*ASKED, plan.Insert(const("result"), Local(2), 4, once=False))),
             plan.AddResult(4)], 9, 9,
        ),
        ([plan.Not(block(*ASKED)), plan.Make(dict, 4), plan.Insert(const("result"), const("none"), 4, once=False),
          plan.AddResult(4)], UNDEFINED, "none"),
    ],
)  # fmt: skip
def test_an_entrypoint_answers_with_its_first_result(
    statements: list[plan.Statement], answer: object, without: object
) -> None:
    """Whatever it does to come to it; planners write the first of these only."""
    policy = compile_plan(entry(*statements), {})
    assert [ask(policy, {"two": 2}), ask(policy, {})] == [answer, without]


def test_rules_of_data_may_be_called_by_their_paths_and_functions_may_not() -> None:
    path = (const("g0"), const("p"), Local(4))
    asked = plan.CallDynamic(path, (INPUT, DATA), 3, leaves=1, falls_back=False)
    look_up = plan.Dot(Local(INPUT), const("name"), 4)
    dynamic = plan.Blocks((block(asked, plan.AssignOnce(Local(3), RESULT)),))
    one = Function(ONE.name, ONE.parameters, RESULT, ONE.blocks, ("g0", "p", "one"))
    used = Function("g0.data.p.used", (INPUT, DATA, 9), RESULT, ONE.blocks, ("g0", "p", "used"))
    policy = compile_plan(whole(one, used, returning(look_up, dynamic)), {})
    assert [ask(policy, {"name": name}) for name in ("one", "used", "no", 1)] == [1, UNDEFINED, UNDEFINED, UNDEFINED]


def test_places_stand_in_the_source_as_comments() -> None:
    found = returning(plan.AssignOnce(const(1), RESULT, where=Where("p.rego", 7)), name="g0.data.p.r")
    source = compile_plan(whole(found), {}).source
    assert "# g0.data.p.r  p.rego:7\n" in source
