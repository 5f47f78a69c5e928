"""Copies and constants where they are read: fewer statements, the same answers."""

from __future__ import annotations

from typing import Final

import pytest

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Local, Statement
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.planning import (
    DATA,
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

K: Final = plan.Dot(Local(INPUT), const("k"), 4)
XS: Final = plan.Dot(Local(INPUT), const("xs"), 5)
DOCUMENTS: Final[list[Value]] = [
    {"k": "a", "xs": ["a", "b"]}, {"k": 1, "xs": [1, True, 1.0]}, {"k": [], "xs": []}, {"xs": ["a"]}, {},
    {"k": None, "xs": {"q": None}},
]  # fmt: skip
WAYS: Final = ["only propagation", "all passes"]


def simplified(*statements: Statement) -> list[Statement]:
    """Return what is left of a rule's first block."""
    return list(passed(whole(returning(*statements)), "propagation").blocks[0].statements)


def test_copies_and_constants_are_read_at_their_origin() -> None:
    copies = [K, plan.Assign(Local(4), 6), plan.Assign(Local(6), 7), plan.Assign(const("a"), 8)]
    found = simplified(*copies, plan.Equal(Local(7), Local(8)), plan.AssignOnce(Local(7), RESULT))
    assert found == [K, plan.Equal(Local(4), const("a")), plan.AssignOnce(Local(4), RESULT)]


def test_a_check_that_cannot_fail_goes_and_one_that_must_leaves_the_block() -> None:
    assert simplified(plan.Equal(const(1), const(1.0)), plan.NotEqual(const(True), const(1)), plan.Reset(RESULT)) == [
        plan.Reset(RESULT)
    ]
    assert simplified(plan.Equal(const(True), const(1)), plan.AssignOnce(const(1), RESULT)) == [plan.Break(0)]
    assert simplified(plan.IsType(const([]), (dict,)), plan.AssignOnce(const(1), RESULT)) == [plan.Break(0)]


def test_a_value_that_is_built_of_constants_is_one() -> None:
    built = [
        plan.Make(set, 6),
        plan.Add(const(1), 6),
        plan.Add(const(True), 6),
        plan.Make(list, 7),
        plan.Append(Local(6), 7),
    ]
    found = simplified(*built, plan.AssignOnce(Local(7), RESULT))
    assert found == [plan.AssignOnce(const([make_set([1, True])]), RESULT)]


@pytest.mark.parametrize(
    "statements",
    [
        [plan.Assign(Local(4), 6), plan.Assign(const("z"), 4), plan.Equal(Local(6), const("a"))],
        [plan.Assign(Local(4), 6), plan.Blocks((block(plan.Assign(const("z"), 4)),)), plan.Equal(Local(6), const("a"))],
        [plan.Assign(Local(4), 6), plan.Not(block(plan.Assign(const("z"), 4), plan.Break(0))),
         plan.Equal(Local(6), const("a"))],
        [plan.Assign(const("z"), 6), XS,
         plan.Scan(5, 7, 8, block(plan.Equal(Local(6), const("z")), plan.Assign(Local(8), 6)))],
        [plan.Assign(const("z"), 6), plan.Blocks((block(plan.Equal(Local(4), const("a")), plan.Assign(Local(4), 6)),)),
         plan.Equal(Local(6), const("z"))],
        [plan.Assign(Local(INPUT), 6), plan.With(INPUT, (), const("z"), block(plan.Equal(Local(6), Local(INPUT))))],
        [plan.With(INPUT, (), const("z"), block(plan.Assign(Local(INPUT), 6))), plan.Equal(Local(6), Local(INPUT))],
        [plan.IsDefined(INPUT), plan.With(INPUT, (), const("z"), block(plan.IsDefined(INPUT))), plan.IsDefined(INPUT)],
        [XS, plan.Scan(5, 6, 7, block(plan.IsDefined(3))), plan.Reset(3), plan.IsUndefined(3)],
        [plan.Assign(const(1), 3), plan.Blocks((block(plan.Equal(Local(4), const("a")), plan.Reset(3)),)),
         plan.IsDefined(3)],
        [plan.Not(block(plan.Assign(const(1), 3), plan.Equal(Local(4), const("a")))), plan.IsDefined(3)],
        [plan.Assign(const(True), 6), plan.Equal(Local(6), Local(4))],
        [plan.Assign(const(1), 6), plan.NotEqual(Local(6), Local(4))],
    ],
)  # fmt: skip
def test_what_no_longer_holds_is_no_longer_read(statements: list[Statement]) -> None:
    """A local assigned anew: within a block that may have been left, in an earlier round, or by a replacement."""
    rule = function(
        block(K, *statements, plan.AssignOnce(const("held"), RESULT)),
        block(plan.IsUndefined(RESULT), plan.AssignOnce(const("not"), RESULT)),
        block(plan.Return(RESULT)),
    )
    agree(whole(rule), DOCUMENTS, ways=WAYS)


@pytest.mark.parametrize("kind", [list, dict, set])
def test_a_copy_that_is_built_on_is_no_copy_any_more(kind: type) -> None:
    """What was added shows in the one and not in the other."""

    def add(value: Value, target: int) -> Statement:
        if kind is dict:
            return plan.Insert(const(value), const(value), target, once=False)
        return plan.Append(const(value), target) if kind is list else plan.Add(const(value), target)

    made = [plan.Make(kind, 6), add("kept", 6), plan.Assign(Local(6), 7), add("more", 7)]
    both = [plan.Make(list, 8), plan.Append(Local(6), 8), plan.Append(Local(7), 8), plan.AssignOnce(Local(8), RESULT)]
    agree(whole(returning(*made, *both)), [{}], ways=[*WAYS, "no pass"])


@pytest.mark.parametrize(
    "added",
    [
        [plan.Blocks((block(K, plan.Append(const("x"), 6)),))],
        [plan.Append(const("x"), 6), K, plan.Append(Local(4), 6)],
        [plan.Blocks((block(XS, plan.Scan(5, 7, 8, block(plan.Append(const("x"), 6)))),))],
        [plan.Append(const(1), 6), plan.Append(const(True), 6)],
    ],
)
def test_what_is_built_only_now_and_then_is_no_constant(added: list[Statement]) -> None:
    rule = returning(plan.Make(list, 6), *added, plan.AssignOnce(Local(6), RESULT))
    agree(whole(rule), DOCUMENTS, ways=WAYS)


def test_what_nobody_reads_goes() -> None:
    found = simplified(
        plan.Assign(const(1), 6), plan.Reset(7), plan.Blocks((block(), block())), XS, plan.Scan(5, 8, 9, block(K))
    )
    assert [type(each) for each in found] == [plan.Dot, plan.Scan]
    scan = found[-1]
    assert isinstance(scan, plan.Scan)
    assert (scan.key, scan.value) == (None, None)


def test_the_data_document_is_there_and_the_input_may_not_be() -> None:
    assert simplified(plan.IsDefined(DATA), plan.AssignOnce(const(1), RESULT)) == [plan.AssignOnce(const(1), RESULT)]
    assert any(isinstance(each, plan.IsDefined) for each in flow.walk([block(*simplified(plan.IsDefined(INPUT)))]))
