"""What statements read, write and hold, by the one table that every pass goes by."""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import Final

import pytest
from hypothesis import given

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Constant, Local, Plan, Statement
from tests.authz_service.rego_engine.planning import (
    DATA,
    INPUT,
    RESULT,
    agree,
    block,
    call,
    const,
    function,
    returning,
    whole,
)
from tests.authz_service.rego_engine.random_plans import plans

INNER: Final = block(plan.Assign(Local(20), 21))

# What each statement reads and writes by itself, and the local that it changes in place.
CASES: Final[list[tuple[Statement, set[int], set[int], int | None]]] = [
    (plan.Add(Local(3), 4), {3, 4}, set(), 4),
    (plan.AddResult(3), {3}, set(), None),
    (plan.Append(Local(3), 4), {3, 4}, set(), 4),
    (plan.Assign(Local(3), 4), {3}, {4}, None),
    (plan.Assign(const(1), 4), set(), {4}, None),
    (plan.AssignOnce(Local(3), 4), {3, 4}, {4}, None),
    (plan.Blocks((INNER,)), set(), set(), None),
    (plan.Break(0), set(), set(), None),
    (call("f", 4, Local(3)), {0, 1, 3}, {4}, None),
    (plan.CallDynamic((const("g0"), Local(3)), (0, 1), 4, 3, falls_back=False), {0, 1, 3}, {4}, None),
    (plan.Dispatch(3, (("a", (0,)),), (INNER,), 2), {2, 3}, set(), None),
    (plan.Dot(Local(3), Local(4), 5), {3, 4}, {5}, None),
    (plan.Equal(Local(3), Local(4)), {3, 4}, set(), None),
    (plan.Fetch(Local(3), const("a"), 5), {3}, {5}, None),
    (plan.Insert(Local(3), Local(4), 5, once=False), {3, 4, 5}, set(), 5),
    (plan.IsDefined(3), {3}, set(), None),
    (plan.IsType(Local(3), (set,)), {3}, set(), None),
    (plan.IsUndefined(3), {3}, set(), None),
    (plan.Length(Local(3), 4), {3}, {4}, None),
    (plan.Make(set, 3), set(), {3}, None),
    (plan.Member(Local(3), Local(4)), {3, 4}, set(), None),
    (plan.Merge(3, 4, 5), {3, 4}, {5}, None),
    (plan.Not(INNER), set(), set(), None),
    (plan.NotEqual(Local(3), const(1)), {3}, set(), None),
    (plan.Reset(3), set(), {3}, None),
    (plan.Return(3), {3}, set(), None),
    (plan.ReturnValue(Local(3)), {3}, set(), None),
    (plan.Scan(3, 4, 5, INNER), {3}, {4, 5}, None),
    (plan.Scan(3, None, 5, INNER), {3}, {5}, None),
    (plan.With(3, ("a",), Local(4), INNER), {3, 4}, {3}, None),
]  # fmt: skip
IDS: Final = [f"{type(case[0]).__name__}{number}" for number, case in enumerate(CASES)]


@pytest.mark.parametrize(("statement", "read", "written", "changed"), CASES, ids=IDS)
def test_a_statement_reads_writes_and_changes_what_it_says(
    statement: Statement, read: set[int], written: set[int], changed: int | None
) -> None:
    assert (set(flow.reads(statement)), set(flow.writes(statement))) == (read, written)
    assert flow.changes(statement) == changed


def test_the_table_of_statements_is_whole() -> None:
    kinds = {each for each in vars(plan).values() if isinstance(each, type) and issubclass(each, Statement)}
    assert {type(case[0]) for case in CASES} == kinds - {Statement}


@pytest.mark.parametrize("statement", [case[0] for case in CASES], ids=IDS)
def test_renaming_reaches_every_local_of_a_statement_and_of_its_blocks(statement: Statement) -> None:
    """Renaming there and back gives the same statement; renamed, none of the old numbers is left."""
    numbers = {*range(2, 6), 20, 21}
    there = {number: number + 100 for number in numbers}
    back = {new: old for old, new in there.items()}
    found = flow.renamed(statement, there)
    left = {each for one in flow.walk([block(found)]) for each in (*flow.reads(one), *flow.writes(one))}
    assert not left & numbers
    assert flow.renamed(found, back) == statement


@pytest.mark.parametrize("statement", [case[0] for case in CASES], ids=IDS)
def test_a_statement_without_a_change_is_the_same(statement: Statement) -> None:
    assert flow.with_operands(statement, lambda each: each) == statement
    assert flow.with_blocks(statement, lambda each: each) == statement


def test_operands_are_changed_wherever_they_stand() -> None:
    for statement, _, _, _ in CASES:
        found = flow.with_operands(statement, lambda _: Constant("new"))
        assert all(each == Constant("new") for each in flow.operands(found))
        assert len(list(flow.operands(found))) == len(list(flow.operands(statement)))


def test_walking_gives_every_statement_in_order() -> None:
    numbered = [plan.Reset(number) for number in range(6)]
    scan = plan.Scan(3, 4, 5, Block((numbered[1], plan.Not(Block((numbered[2],))))))
    nested = Block((numbered[0], scan, plan.Blocks((Block((numbered[3],)), Block((numbered[4],))))))
    assert [each for each in flow.walk([nested, Block((numbered[5],))]) if isinstance(each, plan.Reset)] == numbered


@pytest.mark.parametrize(
    ("statements", "missing"),
    [
        ([plan.Assign(const(1), 3), plan.Equal(Local(3), const(1))], set()),
        ([plan.Equal(Local(3), const(1)), plan.Assign(const(1), 3)], {3}),
        ([plan.AssignOnce(const(1), 3)], {3}),
        ([plan.Blocks((block(plan.Assign(const(1), 3)),)), plan.Equal(Local(3), const(1))], {3}),
        ([plan.Not(block(plan.Assign(const(1), 3), plan.IsDefined(3)))], set()),
        ([plan.Dot(Local(INPUT), const("a"), 4), plan.Scan(4, 5, 6, block(plan.Equal(Local(5), Local(6))))], set()),
        ([plan.Dot(Local(INPUT), const("a"), 4), plan.Scan(4, 5, 6, block()), plan.IsDefined(5)], {5}),
        ([plan.With(INPUT, (), Local(3), block())], {3}),
    ],
)
def test_a_local_that_may_be_read_before_it_is_assigned_is_known(
    statements: list[Statement], missing: set[int]
) -> None:
    assert flow.unassigned((INPUT, DATA), [block(*statements)]) == missing


def test_only_what_a_block_assigns_for_certain_is_assigned_for_the_next() -> None:
    after = block(plan.IsDefined(4))
    certain = block(plan.Make(list, 4), plan.Equal(const(1), const(2)))
    guarded = block(plan.Equal(const(1), const(2)), plan.Make(list, 4))
    assert flow.unassigned((INPUT, DATA), [certain, after]) == set()
    assert flow.unassigned((INPUT, DATA), [guarded, after]) == {4}


@pytest.mark.parametrize(
    ("statement", "unseen"),
    [
        (plan.Add(Local(5), 4), True),
        (plan.Insert(Local(5), const(1), 4, once=True), True),
        (plan.AssignOnce(const(1), RESULT), True),
        (plan.Call("count", (Local(5),), 6), True),
        (plan.Insert(Local(5), const(1), 4, once=False), False),
        (plan.Append(Local(5), 4), False),
        (plan.AddResult(5), False),
        (plan.Return(5), False),
        (plan.Not(block(plan.Append(Local(5), 4))), False),
        (plan.CallDynamic((const("g0"),), (0, 1), 6, 0, falls_back=False), False),
        (plan.Call("rand.intn", (const("x"), const(7)), 6), False),
    ],
)
def test_the_order_of_a_scan_is_seen_by_what_depends_on_it(statement: Statement, unseen: bool) -> None:  # noqa: FBT001  (a table's column)
    scan = plan.Scan(4, 5, 6, block(statement))
    reads = Counter(number for each in flow.walk([block(scan)]) for number in flow.reads(each))
    assert flow.order_is_unseen(scan, reads) == unseen


@pytest.mark.parametrize(
    "inside",
    [
        [plan.Assign(Local(6), 7)],
        [plan.Equal(Local(6), Local(6)), plan.Assign(Local(5), 7), plan.IsDefined(8)],
        [plan.Reset(7), plan.Equal(Local(6), const("b")), plan.Assign(const(1), 7)],
        [plan.IsUndefined(7), plan.Assign(Local(6), 7)],
        [plan.AssignOnce(const(1), 7), plan.Equal(Local(6), const("b")), plan.Break(1)],
    ],
)
def test_a_scan_whose_order_shows_is_gone_through_in_order(inside: list[Statement]) -> None:
    """Whatever is left behind in a local is what the last item of Rego's order left, or the first that broke off."""
    rule = function(
        block(plan.Reset(7)),
        block(plan.Dot(Local(INPUT), const("xs"), 4), plan.Scan(4, 5, 6, block(*inside))),
        block(plan.IsDefined(7), plan.Assign(Local(7), RESULT)),
        block(plan.Return(RESULT)),
    )
    objects = [{"xs": dict.fromkeys(order, order[0])} for order in ("abc", "cba", "bac", "cab")]
    agree(whole(rule), [*objects, {"xs": {"z": "b", "y": "a"}}, {"xs": {"y": "a", "z": "b"}}, {"xs": ["b", "a"]}])


def test_every_local_of_a_function_is_known() -> None:
    inside = plan.Not(block(plan.Assign(Local(9), 11)))
    assert flow.locals_of(returning(inside, operands=[7])) == {INPUT, DATA, RESULT, 7, 9, 11}


@given(plans())
def test_renaming_all_locals_of_a_random_plan_loses_none(found: Plan) -> None:
    for each in found.functions.values():
        numbers = flow.locals_of(each)
        names = {number: number + 1_000 for number in numbers}
        renamed = [flow.renamed(statement, names) for one in each.blocks for statement in one.statements]
        assert {
            number for one in flow.walk([block(*renamed)]) for number in (*flow.reads(one), *flow.writes(one))
        } <= set(names.values())
        assert len(list(flow.walk([block(*renamed)]))) == len(list(flow.walk(each.blocks)))


def test_fields_of_the_table_are_fields_of_the_statements() -> None:
    for table in (flow._OPERANDS, flow._READS, flow._WRITES):
        for kind, names in table.items():
            assert set(names) <= {field.name for field in dataclasses.fields(kind)}
