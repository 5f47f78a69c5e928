"""A comparison with an array that is built for it alone becomes comparisons of its items."""

from __future__ import annotations

from typing import Any

import pytest

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.compiled import CompileOptions, compile_plan
from authz_service.rego_engine.passes.unification import unify_items
from authz_service.rego_engine.plan import Constant, Local, Plan
from authz_service.rego_engine.values import UNDEFINED
from tests.authz_service.rego_engine.planning import RULE, block, entrypoint, function

PATH, TENANT, BUILT = 3, 4, 5


def found(*after: plan.Statement) -> Plan:
    """`input.path == ["v1", input.tenant]`, and what follows it."""
    rule = function(
        block(
            plan.Dot(Local(plan.INPUT), Constant("path"), PATH),
            plan.Make(list, BUILT),
            plan.Append(Constant("v1"), BUILT),
            plan.Dot(Local(plan.INPUT), Constant("tenant"), TENANT),
            plan.Append(Local(TENANT), BUILT),
            plan.Equal(Local(PATH), Local(BUILT)),
            *after,
            plan.Assign(Constant(value=True), 2),
        ),
        block(plan.IsDefined(2), plan.Return(2)),
    )
    return Plan({RULE: entrypoint(RULE, rule.name)}, {rule.name: rule})


def kinds(changed: Plan) -> set[type]:
    """What kinds of statements the plan has."""
    return {type(each) for each in flow.walk(changed.functions["g0.data.test.rule"].blocks)}


def test_no_array_is_built_for_the_comparison() -> None:
    """Its items are looked up in what it is compared with."""
    assert {plan.Make, plan.Append} & kinds(found())
    assert not {plan.Make, plan.Append} & kinds(unify_items(found(), {}))


def test_an_array_that_is_read_afterwards_stays() -> None:
    """As a whole it is needed."""
    assert plan.Make in kinds(unify_items(found(plan.Assign(Local(BUILT), 6)), {}))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"path": ["v1", "acme"], "tenant": "acme"}, True),
        ({"path": ["v1", 1.0], "tenant": 1}, True),
        ({"path": ["v1", True], "tenant": 1}, UNDEFINED),
        ({"path": ["v1", "acme", ""], "tenant": "acme"}, UNDEFINED),
        ({"path": ["v1"], "tenant": "acme"}, UNDEFINED),
        ({"path": ["v2", "acme"], "tenant": "acme"}, UNDEFINED),
        ({"path": {"0": "v1", "1": "acme"}, "tenant": "acme"}, UNDEFINED),
        ({"path": "v1", "tenant": "acme"}, UNDEFINED),
        ({"path": ["v1", "acme"]}, UNDEFINED),
        ({"tenant": "acme"}, UNDEFINED),
    ],
)
def test_the_answer_stays_what_it_was(document: Any, expected: Any) -> None:
    """Only an array of these items and of no others is equal."""
    for options in (None, CompileOptions(without=frozenset({"unification"}))):
        policy = compile_plan(found(), {}, options)
        assert policy.evaluate(RULE, document, policy.evaluation(document)) is expected
