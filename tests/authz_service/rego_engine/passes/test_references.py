"""A reference to the input is followed once, and what was undefined is so where it was."""

from __future__ import annotations

from typing import Final

import pytest

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Local, Statement
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.planning import INPUT, RESULT, agree, block, const, function, passed, whole

WAYS: Final = ["only references", "all passes"]
DOCUMENTS: Final[list[Value]] = [
    {}, {"a": {}}, {"a": {"b": 1}}, {"a": {"b": 2}}, {"a": {"b": {"c": 1}}}, {"a": [1]}, {"a": "b"}, "text", None, [],
]  # fmt: skip


def following(first: int, *more: Statement) -> list[Statement]:
    """Return the look-up of `input.a.b`, from a local on."""
    return [plan.Dot(Local(INPUT), const("a"), first), plan.Dot(Local(first), const("b"), first + 1), *more]


def rule(*blocks: list[Statement]) -> plan.Function:
    """Return a rule that collects what its blocks say."""
    start = block(plan.Make(set, RESULT))
    added = [block(*found, plan.Add(const(number), RESULT)) for number, found in enumerate(blocks)]
    return function(start, *added, block(plan.Return(RESULT)))


def test_a_reference_of_several_blocks_is_followed_once_at_the_start() -> None:
    found = passed(whole(rule(following(10), following(20), following(30))), "references")
    fetched = [(each.source, each.key) for each in found.blocks[0].statements if isinstance(each, plan.Fetch)]
    assert [name for _, name in fetched] == [const("a"), const("b")]
    assert not any(isinstance(each, plan.Dot) for each in flow.walk(found.blocks))


def test_what_leads_to_a_repeated_reference_is_fetched_although_it_is_followed_once() -> None:
    """As where `x := input.a` stands once, and `x.b` twice."""
    again = plan.Dot(Local(10), const("b"), 12)
    found = passed(whole(rule(following(10, again))), "references")
    assert [each.key for each in found.blocks[0].statements if isinstance(each, plan.Fetch)] == [const("a"), const("b")]


def test_a_reference_that_is_followed_once_stays() -> None:
    found = rule(following(10))
    assert passed(whole(found), "references") == found


@pytest.mark.parametrize(
    "blocks",
    [
        [following(10), following(20)],
        [following(10, plan.Equal(Local(11), const(1))), following(20, plan.Equal(Local(21), const(2)))],
        [following(10, plan.Dot(Local(11), const("c"), 12)), following(20, plan.Dot(Local(21), const("c"), 22))],
        [following(10), [plan.Not(block(*following(20)))]],
        [following(10), [plan.With(INPUT, ("a",), const({"b": 9}), block(*following(20)))]],
        [following(10), [plan.With(INPUT, ("a",), const({"b": 9}), block(*following(20))), *following(30)]],
        [following(10), [*following(20), plan.Scan(20, 22, 23, block(plan.Dot(Local(INPUT), const("a"), 24)))]],
        [[plan.Assign(const({"b": 7}), 10), *following(20)], following(10)],
        [following(10), following(10)],
        [following(10), [plan.Blocks((block(*following(10)), block(*following(10))))]],
        [following(10), [plan.Dot(Local(10), const("b"), 11)], following(20)],
        [following(10, plan.Not(block(plan.Dot(Local(10), const("b"), 12), plan.Equal(Local(12), const(2)))))],
    ],
)
def test_what_a_block_finds_and_where_it_is_undefined_stays(blocks: list[list[Statement]]) -> None:
    """Under a replaced input, in a negation, and where a local has more than one value."""
    agree(whole(rule(*blocks)), DOCUMENTS, ways=WAYS)
