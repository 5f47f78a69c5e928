"""A look-up inside a scan that is the same for each item is made before the scan."""

from __future__ import annotations

from typing import Any

import pytest

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.compiled import CompileOptions, compile_plan
from authz_service.rego_engine.passes.loops import look_up_before
from authz_service.rego_engine.plan import Block, Constant, Local, Plan
from authz_service.rego_engine.values import UNDEFINED
from tests.authz_service.rego_engine.planning import RULE, block, entrypoint, function

ITEMS, ALLOWED, ITEM, WANTED, FOUND = 3, 4, 5, 6, 7


def found(*body: plan.Statement) -> Plan:
    """A rule that scans `input.items` and runs `body` for each item."""
    scan = plan.Scan(ITEMS, None, ITEM, Block(body))
    rule = function(
        block(plan.Make(set, 2)),
        block(plan.Dot(Local(plan.INPUT), Constant("items"), ITEMS), scan),
        block(plan.Return(2)),
    )
    return Plan({RULE: entrypoint(RULE, rule.name)}, {rule.name: rule})


INVARIANT = (
    plan.Dot(Local(plan.INPUT), Constant("wanted"), WANTED),
    plan.Equal(Local(ITEM), Local(WANTED)),
    plan.Add(Local(ITEM), 2),
)


def scans(changed: Plan) -> list[plan.Scan]:
    """Every scan of the plan."""
    statements = flow.walk(changed.functions["g0.data.test.rule"].blocks)
    return [each for each in statements if isinstance(each, plan.Scan)]


def test_a_look_up_that_no_item_changes_is_made_before_the_scan() -> None:
    """And what was undefined there is still asked for where it was."""
    changed = look_up_before(found(*INVARIANT), {})
    (scan,) = scans(changed)
    assert not any(isinstance(each, plan.Dot) for each in flow.walk([scan.block]))
    assert any(isinstance(each, plan.IsDefined) for each in scan.block.statements)


def test_a_look_up_in_the_item_stays_where_it_is() -> None:
    """Each item has its own."""
    body = (plan.Dot(Local(ITEM), Constant("id"), FOUND), plan.Add(Local(FOUND), 2))
    assert scans(look_up_before(found(*body), {})) == scans(found(*body))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"items": ["a", "b"], "wanted": "b"}, {"b"}),
        ({"items": ["a", "b"]}, set()),
        ({"items": [], "wanted": "b"}, set()),
        ({"wanted": "b"}, set()),
        (UNDEFINED, set()),
    ],
)
def test_the_answer_stays_what_it_was(document: Any, expected: set[str]) -> None:
    """Whether the look-up leads anywhere or not."""
    for options in (None, CompileOptions(without=frozenset({"loops"}))):
        policy = compile_plan(found(*INVARIANT), {}, options)
        assert policy.evaluate(RULE, document, policy.evaluation(document)) == expected
