"""Rules that a constant leads to: those that can hold are run, and each checks all else that it checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pytest

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.passes.dispatch import MIN_BLOCKS
from authz_service.rego_engine.plan import Block, Local, Operand, Statement
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.planning import (
    INPUT,
    RESULT,
    agree,
    block,
    call,
    const,
    function,
    passed,
    returning,
    whole,
)

WAYS: Final = ["only dispatch", "all passes"]
X, Y = Local(5), Local(6)
VALUES: Final[list[Value]] = ["a", "b", "c", "d", "e"]


def used(blocks: Sequence[Block], ending: Sequence[Block] = (block(plan.Return(RESULT)),)) -> plan.Function:
    """Return a function of two operands."""
    return function(*blocks, *ending, name="g0.data.test.used", operands=[5, 6])


def asking(name: str) -> plan.Function:
    """Return a rule that calls such a function with `input.x` and `input.y`."""
    looked_up = [plan.Dot(Local(INPUT), const("x"), 8), plan.Dot(Local(INPUT), const("y"), 9)]
    return returning(*looked_up, call(name, 7, Local(8), Local(9)), plan.AssignOnce(Local(7), RESULT))


def documents(values: Sequence[Value]) -> list[Value]:
    """Return inputs of each two values."""
    return [{"x": x, "y": y} for x in values for y in values]


def rows(*more: Statement, values: Sequence[Value] = VALUES, give: Operand | None = None) -> list[Block]:
    """Return blocks that compare the first operand with a value each, before or after other statements."""
    return [
        block(*more, plan.Equal(X, const(each)), plan.AssignOnce(give or const(number), RESULT))
        for number, each in enumerate(values)
    ]


def dispatched(found: plan.Function) -> int:
    """Return how many blocks of a function are behind a look-up."""
    changed = passed(whole(found), "dispatch")
    return sum(len(each.blocks) for each in flow.walk(changed.blocks) if isinstance(each, plan.Dispatch))


def test_blocks_that_begin_with_a_constant_of_their_own_are_behind_a_look_up() -> None:
    assert dispatched(used(rows())) == len(VALUES)


def test_few_blocks_stay() -> None:
    assert dispatched(used(rows(values=VALUES[: MIN_BLOCKS - 1]))) == 0


ALL: Final[dict[str, list[Block]]] = {
    "plain": rows(),
    "the operands compared first": rows(plan.Equal(X, Y)),
    "the operands compared first, the other way": rows(plan.Equal(Y, X)),
    "the operands compared afterwards": [
        block(plan.Equal(X, const(each)), plan.Equal(X, Y), plan.AssignOnce(const(each), RESULT)) for each in VALUES
    ],
    "compared with another local": rows(plan.Dot(Local(INPUT), const("y"), 20), plan.Equal(Local(20), X)),
    "told from one another first": rows(plan.NotEqual(X, Y)),
    "a second constant": rows(plan.Equal(Y, const("a"))),
    "the same constant twice": rows(plan.Equal(X, const("a"))),
    "the other operand": [
        block(plan.Equal(const(each), Y), plan.AssignOnce(const(each), RESULT)) for each in VALUES
    ],
    "several for one": rows(values=["a", "b", "a", "c", "d", "a"], give=const("same")),
    "a conflict for one": rows(values=["a", "b", "a", "c", "d"]),
    "values that look alike": rows(values=[1, True, "1", 1.5, None, "a"]),
    "composites": rows(values=[[1], [True], {"a": 1}, "a", make_set([1]), []]),
    "the operand given": rows(give=Y),
    "defined first": rows(plan.IsDefined(5)),
    "a check of its type": rows(plan.IsType(X, (list,))),
    "a local from block to block": [
        *rows(plan.AssignOnce(const(1), 12))[:2], *rows(plan.IsDefined(12))[2:], *rows(plan.IsUndefined(12)),
    ],
    "else": [
        block(*asked, plan.Equal(X, const(each)), plan.AssignOnce(const(each * len(asked)), RESULT))
        for asked in ([], [plan.IsUndefined(RESULT)])
        for each in VALUES
    ],
    "a scan in each": [
        block(plan.Equal(X, const(each)), plan.Scan(6, 10, 11, block(plan.AssignOnce(const(each), RESULT))))
        for each in VALUES
    ],
    "broken off": rows(plan.Blocks((block(plan.Equal(Y, const("b")), plan.Break(1)),))),
    "between others": [
        *rows(values=["a"]), block(plan.Equal(Y, const("z")), plan.AssignOnce(const(0), RESULT)), *rows(),
    ],
}  # fmt: skip


@pytest.mark.parametrize("blocks", ALL.values(), ids=list(ALL))
def test_each_block_holds_where_it_held(blocks: list[Block]) -> None:
    """None of its other checks is lost with the one that led to it."""
    found = used(blocks)
    inputs = documents(["a", "b", "c", "z", "1", 1, True, 1.5, None, [1], [True], {"a": 1}])
    agree(whole(found, asking(found.name)), inputs, ways=WAYS)


def test_the_members_of_a_set_come_from_every_block_that_holds() -> None:
    added = [block(plan.Equal(X, const(each)), plan.Add(Y, RESULT)) for each in (*VALUES, "a")]
    inserted = [block(plan.Equal(X, const(each)), plan.Insert(X, Y, RESULT, once=True)) for each in VALUES]
    for kind, blocks in ((set, added), (dict, inserted)):
        found = used([block(plan.Make(kind, RESULT)), *blocks])
        assert dispatched(found) == len(blocks)
        agree(whole(found, asking(found.name)), documents(["a", "b", "z"]), ways=WAYS)


def test_what_is_fetched_from_the_input_leads_to_blocks_too() -> None:
    blocks = [
        block(
            plan.Dot(Local(INPUT), const("x"), 20),
            plan.Equal(Local(20), const(each)),
            plan.AssignOnce(const(each), RESULT),
        )
        for each in VALUES
    ]
    agree(whole(function(*blocks, block(plan.Return(RESULT)))), [*documents(["a", "e", "z"]), {}, None], ways=WAYS)
