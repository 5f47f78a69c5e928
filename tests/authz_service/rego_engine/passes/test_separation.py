"""Locals of one block each get numbers of their own; what blocks share stays shared."""

from __future__ import annotations

from typing import Final

import pytest

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Local
from tests.authz_service.rego_engine.planning import INPUT, RESULT, agree, block, const, function, passed, whole

WAYS: Final = ["only separation", "all passes"]
K: Final = plan.Dot(Local(INPUT), const("k"), 4)
RETURN: Final = block(plan.Return(RESULT))


def numbers(found: Block) -> set[int]:
    """Return the locals of a block, apart from the documents and the result."""
    used = {each for one in flow.walk([found]) for each in (*flow.reads(one), *flow.writes(one))}
    return used - {INPUT, RESULT}


def test_a_number_that_two_blocks_use_for_themselves_is_two() -> None:
    inner = plan.Not(block(plan.Equal(Local(4), const(1)), plan.With(4, ("a",), Local(4), block(plan.Reset(5)))))
    found = passed(whole(function(block(K, inner), block(K, inner), RETURN)), "separation")
    first, second = map(numbers, found.blocks[:2])
    assert len(first) == len(second) == 2
    assert not first & second


@pytest.mark.parametrize(
    "blocks",
    [
        [block(K), block(plan.IsDefined(4), plan.AssignOnce(Local(4), RESULT))],
        [block(plan.AssignOnce(const(1), 4)), block(plan.AssignOnce(const(1), 4), plan.AssignOnce(Local(4), RESULT))],
        [block(plan.AssignOnce(const(1), 4)), block(plan.AssignOnce(const(2), 4))],
        [block(K, plan.Make(list, 5)), block(K, plan.IsUndefined(5), plan.AssignOnce(const(1), RESULT))],
        [block(plan.Blocks((block(K),)), plan.AssignOnce(const(1), 5)), block(plan.IsUndefined(4), plan.Reset(5)),
         block(plan.IsDefined(5), plan.AssignOnce(Local(5), RESULT))],
        [block(plan.Make(set, 6)), block(K, plan.Add(Local(4), 6)), block(K, plan.Add(const(1), 6)),
         block(plan.AssignOnce(Local(6), RESULT))],
        [block(plan.Scan(0, 7, 8, block(plan.AssignOnce(const(1), 9)))),
         block(plan.Scan(0, 7, 8, block(plan.IsDefined(9), plan.AssignOnce(Local(9), RESULT))))],
    ],
)  # fmt: skip
def test_what_one_block_leaves_for_another_arrives(blocks: list[Block]) -> None:
    agree(whole(function(*blocks, RETURN)), [{}, {"k": 1}, {"k": 2}], ways=WAYS)


def test_operands_keep_their_numbers() -> None:
    found = function(block(plan.Assign(Local(5), 6)), block(plan.Assign(Local(5), 6)), RETURN, operands=[5])
    assert passed(whole(found), "separation").parameters == found.parameters
    assert all(5 in numbers(each) for each in passed(whole(found), "separation").blocks[:2])
