"""Look-ups in the base document are made at load, unless a `with` may put another in its place."""

from __future__ import annotations

from typing import Final

import pytest

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.compiled import compile_plan
from authz_service.rego_engine.passes import base_data
from authz_service.rego_engine.plan import Local, Statement
from authz_service.rego_engine.values import UNDEFINED, Value
from tests.authz_service.rego_engine.planning import (
    DATA,
    INPUT,
    RESULT,
    agree,
    ask,
    block,
    const,
    evaluate,
    passed,
    returning,
    whole,
)

WAYS: Final = ["only base_data", "all passes"]
BASE: Final[dict[str, Value]] = {
    "roles": {"eve": ["dev", "ops"], "it's": ["\n"]}, "ports": {"80": "http", "-1": "odd"}, "list": ["zero", "one"],
    "flag": True, "none": None,
}  # fmt: skip


def path(*names: Value) -> list[Statement]:
    """Return the look-up of a path below `data`, into the result."""
    places = [DATA, *range(10, 10 + len(names))]
    steps: list[Statement] = [
        plan.Dot(Local(source), const(name), target)
        for source, name, target in zip(places, names, places[1:], strict=False)
    ]
    return [*steps, plan.AssignOnce(Local(places[-1]), RESULT)]


@pytest.mark.parametrize(
    ("names", "value"),
    [
        (("flag",), True), (("none",), None), (("roles", "eve", 1), "ops"), (("roles", "eve", 2), UNDEFINED),
        (("roles", "it's", 0), "\n"), (("roles", "adam"), UNDEFINED), (("none", "x"), UNDEFINED), (("list", 0), "zero"),
        (("list", "0"), UNDEFINED), (("list", -1), UNDEFINED), (("ports", "80"), "http"), (("ports", 80), "http"),
        (("ports", -1), "odd"), (("ports", True), UNDEFINED), (("no",), UNDEFINED), ((), BASE),
    ],
)  # fmt: skip
def test_a_path_leads_where_it_did(names: tuple[Value, ...], value: Value) -> None:
    """A whole number as a key is the string that the document has, whatever passes run."""
    found = whole(returning(*path(*names)))
    agree(found, [{}], BASE, WAYS)
    assert evaluate(found, {}, BASE) == value


def test_a_look_up_is_made_at_load() -> None:
    found = passed(whole(returning(*path("roles", "eve"))), "base_data", BASE)
    assert not any(isinstance(each, plan.Dot) for each in flow.walk(found.blocks))


def test_a_key_that_is_known_only_then_is_looked_up_then() -> None:
    steps = [plan.Dot(Local(INPUT), const("k"), 9), plan.Dot(Local(DATA), const("roles"), 10)]
    steps += [plan.Dot(Local(10), Local(9), 11)]
    found = whole(returning(*steps, plan.AssignOnce(Local(11), RESULT)))
    agree(found, [{"k": "eve"}, {"k": 1}, {"k": []}, {}], BASE, WAYS)


def test_a_document_is_not_written_into_the_source() -> None:
    """It may be large, and it may hold secrets: what is generated names it."""
    policy = compile_plan(whole(returning(*path("roles"))), BASE)
    assert "dev" not in policy.source
    assert "DATA['roles']" in policy.source
    assert ask(policy, {}) is BASE["roles"]


def test_a_replaced_document_is_looked_at() -> None:
    inside = path("roles", "eve")
    found = whole(returning(plan.With(DATA, ("roles", "eve"), const("new"), block(*inside))))
    assert evaluate(found, {}, BASE) == "new"
    agree(found, [{}], BASE, WAYS)


def test_a_document_that_is_replaced_anywhere_in_the_plan_is_looked_at_everywhere() -> None:
    """A rule may be called from within the replacement."""
    asked = returning(*path("flag"), name="g0.data.test.asked")
    calling = plan.Call(asked.name, (Local(INPUT), Local(DATA)), 8)
    replaced = plan.With(DATA, ("flag",), const(value=False), block(calling))
    found = whole(asked, returning(replaced, plan.AssignOnce(Local(8), RESULT)))
    assert evaluate(found, {}, BASE) is False


@pytest.mark.parametrize("second", [plan.Assign(const({"eve": "other"}), 10), plan.Dot(Local(INPUT), const("k"), 10)])
def test_a_local_that_has_another_value_too_is_not_taken_for_the_document_s(second: Statement) -> None:
    first = plan.Dot(Local(DATA), const("roles"), 10)
    within = plan.Blocks((block(second),))
    last = [plan.Dot(Local(10), const("eve"), 11), plan.AssignOnce(Local(11), RESULT)]
    agree(whole(returning(first, within, *last)), [{}, {"k": {"eve": 1}}, {"k": 5}], BASE, WAYS)


def test_addressing_changes_keys_of_objects_only_and_only_where_the_number_is_none() -> None:
    found = whole(returning(*path("ports", 80)))
    changed = base_data.address(found, BASE)
    keys = [each.key for each in flow.walk(changed.functions["g0.data.test.rule"].blocks) if isinstance(each, plan.Dot)]
    assert keys == [const("ports"), const("80")]
    assert base_data.address(whole(returning(*path("list", 1))), BASE) == whole(returning(*path("list", 1)))
