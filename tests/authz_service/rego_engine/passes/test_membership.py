"""A scan for one value as a membership test, where it is no more than that."""

from __future__ import annotations

from typing import Final

import pytest

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Local, Operand, Statement
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.planning import (
    INPUT,
    RESULT,
    agree,
    block,
    const,
    function,
    passed,
    returning,
    whole,
)

WAYS: Final = ["only membership", "all passes"]
XS: Final = plan.Dot(Local(INPUT), const("xs"), 4)
K: Final = plan.Dot(Local(INPUT), const("k"), 7)
DOCUMENTS: Final[list[Value]] = [
    {"xs": xs, "k": k}
    for xs in (["a", "b"], [], ["b"], ["a", "a"], {"x": "a"}, {"a": "x"}, "a", None, [1, True], [1.0], [[1]])
    for k in ("a", 1, True)
]
FOUND: Final = plan.AssignOnce(const("found"), RESULT)


def scan(item: Operand, *rest: Statement, key: int | None = None) -> plan.Scan:
    """Return a scan for an item, and what is done where it is found."""
    return plan.Scan(4, key, 6, block(plan.Equal(Local(6), item), *rest))


def members(found: plan.Function) -> int:
    """Return how many membership tests a function has."""
    return sum(isinstance(each, plan.Member) for each in flow.walk(found.blocks))


def test_a_scan_for_one_value_is_a_membership_test() -> None:
    found = passed(whole(returning(XS, scan(const("a"), FOUND))), "membership")
    assert members(found) == 1
    assert not any(isinstance(each, plan.Scan) for each in flow.walk(found.blocks))


@pytest.mark.parametrize(
    "statements",
    [
        [XS, scan(const("a"), FOUND)],
        [XS, scan(const(1), FOUND)],
        [XS, scan(const(value=True), FOUND)],
        [XS, K, scan(Local(7), FOUND)],
        [XS, scan(const("a"), FOUND), plan.AssignOnce(const("after"), 8)],
        [XS, scan(const("a")), FOUND],
        [XS, scan(const("a"), plan.AssignOnce(const(1), 8)), plan.IsDefined(8), FOUND],
        [XS, plan.Make(list, 8), scan(const("a"), plan.Append(const(1), 8)), plan.AssignOnce(Local(8), RESULT)],
        [XS, plan.Make(set, 8), scan(const("a"), plan.Add(const(1), 8)), plan.AssignOnce(Local(8), RESULT)],
        [XS, scan(const("a"), plan.AssignOnce(Local(6), RESULT))],
        [XS, scan(const("a"), plan.Break(1)), FOUND],
        [XS, scan(const("a"), plan.Break(0)), FOUND],
        [XS, scan(const("a"), plan.Assign(const("z"), 7)), FOUND],
        [XS, K, scan(Local(7), plan.Assign(const("b"), 7)), plan.AssignOnce(Local(7), RESULT)],
        [XS, scan(Local(6), FOUND)],
        [XS, scan(Local(4), FOUND)],
        [XS, scan(const("a"), plan.Equal(Local(5), const(0)), FOUND, key=5)],
        [XS, scan(const("a"), scan(const("b"), FOUND))],
        [XS, scan(const("a"), K, plan.Equal(Local(7), const("a")), FOUND)],
        [XS, plan.Not(block(scan(const("a")))), FOUND],
        [XS, plan.Not(block(scan(const("a"), plan.AssignOnce(const(1), 8)))), FOUND],
        [XS, plan.Not(block(scan(const("a"), plan.AssignOnce(const(1), 8)), plan.IsDefined(8))), FOUND],
        [XS, plan.With(INPUT, (), const(1), block(scan(const("a")))), FOUND],
        [XS, plan.Blocks((block(scan(const("a"))), block(FOUND)))],
        [plan.Assign(const(["a", 1, "b", "c", True]), 4), K, scan(Local(7), FOUND)],
        [plan.Assign(const(["c", 1.0, "b", "d"]), 4), K, scan(Local(7), FOUND)],
    ],
)
def test_what_is_found_and_what_follows_stays(statements: list[Statement]) -> None:
    """No match leaves what follows alone; and a scan that ends a negation or a replacement never fails it."""
    rule = function(
        block(*statements),
        block(plan.IsUndefined(RESULT), plan.AssignOnce(const("not"), RESULT)),
        block(plan.Return(RESULT)),
    )
    agree(whole(rule), DOCUMENTS, ways=WAYS)


@pytest.mark.parametrize("compared", [False, True, 0, 1, "x", None])
@pytest.mark.parametrize("source", [Local(4), const(["a", "b", 1, 2, True])])
def test_an_answer_that_is_only_asked_for_being_true_is_a_membership_test(compared: Value, source: Operand) -> None:
    """Being other than 0 is something else than being other than false."""
    asked = plan.Call("internal.member_2", (Local(7), source), 8)
    rule = returning(XS, K, asked, plan.NotEqual(Local(8), const(compared)), FOUND)
    assert members(passed(whole(rule), "membership")) == (compared is False)
    agree(whole(rule), DOCUMENTS, ways=WAYS)


def test_an_answer_that_is_read_again_stays_a_call() -> None:
    asked = plan.Call("internal.member_2", (Local(7), Local(4)), 8)
    rule = returning(XS, K, asked, plan.NotEqual(Local(8), const(value=False)), plan.AssignOnce(Local(8), RESULT))
    assert members(passed(whole(rule), "membership")) == 0
    agree(whole(rule), DOCUMENTS, ways=WAYS)
