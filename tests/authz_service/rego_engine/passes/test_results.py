"""A result goes to the caller as soon as it is certain, and no sooner."""

from __future__ import annotations

from typing import Final

import pytest

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import Block, Local, Operand, Statement
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.planning import INPUT, RESULT, agree, block, const, function, passed, whole

OWN: Final = 9
WAYS: Final = ["only results", "all passes"]
XS: Final = plan.Dot(Local(INPUT), const("xs"), 4)
DOCUMENTS: Final[list[Value]] = [
    dict.fromkeys(keys, 1) | {"xs": xs}
    for keys in ("", "a", "b", "ab", "c", "ac", "bc", "abc")
    for xs in ([], [1], [2, 1], [1, 2])
]
RETURN: Final = block(plan.Return(RESULT))
COPY: Final = block(plan.IsDefined(OWN), plan.AssignOnce(Local(OWN), RESULT))


def asked(name: str) -> Statement:
    """Return a check of whether the input has a key."""
    return plan.Dot(Local(INPUT), const(name), 20)


def definition(name: str, value: Operand, *more: Statement) -> list[Block]:
    """Return a definition that holds where the input has a key."""
    return [block(plan.Reset(OWN), asked(name), *more, plan.AssignOnce(value, OWN)), COPY]


def otherwise(name: str, value: Operand) -> Block:
    """Return a branch of an `else`."""
    return block(plan.IsUndefined(OWN), asked(name), plan.AssignOnce(value, OWN))


TRUE, ONE, TWO = const(value=True), const(1), const(2)
SCANNED: Final = plan.Scan(4, 5, 6, block(plan.AssignOnce(Local(6), OWN)))
SCANNED_CONSTANT: Final = plan.Scan(4, 5, 6, block(plan.Equal(Local(6), const(1)), plan.AssignOnce(TRUE, OWN)))
DEFAULT: Final = block(plan.IsUndefined(RESULT), plan.AssignOnce(const(value=False), RESULT))

PLANNED: Final[dict[str, list[Block]]] = {
    "one": definition("a", ONE),
    "the same": [*definition("a", TRUE), *definition("b", TRUE)],
    "different": [*definition("a", ONE), *definition("b", TWO)],
    "true and one": [*definition("a", TRUE), *definition("b", ONE)],
    "the last differs": [*definition("a", ONE), *definition("b", ONE), *definition("c", TWO)],
    "a variable": [*definition("a", Local(20)), *definition("b", ONE)],
    "with a default": [*definition("a", TRUE), *definition("b", TRUE), DEFAULT],
    "with a default and a difference": [*definition("a", ONE), *definition("b", TWO), DEFAULT],
    "else": [*definition("a", ONE)[:1], otherwise("b", TWO), COPY],
    "else and a definition": [*definition("a", ONE)[:1], otherwise("b", TWO), COPY, *definition("c", ONE)],
    "a definition and else": [*definition("c", ONE), *definition("a", ONE)[:1], otherwise("b", TWO), COPY],
    "two else": [
        *definition("a", ONE)[:1], otherwise("b", TWO), COPY, *definition("c", ONE)[:1], otherwise("a", TWO), COPY,
    ],
    "nested": [block(plan.Blocks((*definition("a", ONE)[:1], otherwise("b", TWO), COPY)))],
    "a scan": [block(plan.Reset(OWN), XS, SCANNED), COPY],
    "a scan for a constant": [block(plan.Reset(OWN), XS, SCANNED_CONSTANT), COPY],
    "scans": [block(plan.Reset(OWN), XS, SCANNED_CONSTANT), COPY, *definition("a", TRUE), *definition("b", ONE)],
    "two values": [block(plan.AssignOnce(ONE, RESULT), plan.AssignOnce(TWO, RESULT))],
    "two values in blocks": [
        block(plan.Blocks((block(asked("a"), plan.AssignOnce(ONE, RESULT)),)), asked("b"), plan.AssignOnce(TWO, RESULT))
    ],
    "two values after a scan": [
        block(XS, plan.Scan(4, 5, 6, block(plan.AssignOnce(ONE, RESULT))), plan.AssignOnce(TWO, RESULT))
    ],
    "reset": [*definition("a", ONE), block(asked("b"), plan.Reset(RESULT))],
    "reset at once": [block(plan.AssignOnce(ONE, RESULT), plan.Reset(RESULT)), *definition("a", TWO)],
    "broken off": [block(plan.Blocks((block(asked("a"), plan.Break(1)),)), plan.AssignOnce(ONE, RESULT))],
    "negated": [block(plan.Not(block(asked("a"), plan.AssignOnce(ONE, RESULT)))), *definition("b", TWO)],
    "replaced": [
        block(plan.With(INPUT, ("a",), ONE, block(asked("a"), plan.AssignOnce(ONE, RESULT)))), *definition("b", TWO),
    ],
    "own read": [*definition("a", ONE), block(plan.IsDefined(OWN), asked("b"), plan.Assign(Local(OWN), RESULT))],
}  # fmt: skip


@pytest.mark.parametrize("blocks", PLANNED.values(), ids=list(PLANNED))
def test_the_answer_stays_a_conflict_stays_and_undefined_stays(blocks: list[Block]) -> None:
    agree(whole(function(*blocks, RETURN)), DOCUMENTS, ways=WAYS)


@pytest.mark.parametrize(
    "last",
    [
        [block(asked("a"), plan.Return(RESULT))],
        [block(plan.Assign(const(7), 8), plan.Return(8))],
        [block(asked("a"), plan.Return(RESULT)), block(plan.Return(20))],
        [block(asked("a"), plan.Return(20)), RETURN],
        [block(plan.Blocks((block(plan.Return(RESULT)),)))],
        [],
    ],
)
def test_a_function_that_ends_in_another_way_is_left_alone(last: list[Block]) -> None:
    """Where the result is returned only sometimes, or is another, or is not returned at all."""
    agree(whole(function(block(asked("b"), plan.AssignOnce(ONE, RESULT)), *last)), DOCUMENTS, ways=WAYS)


@pytest.mark.parametrize("name", ["one", "the same", "with a default", "else", "nested", "a scan for a constant"])
def test_a_result_that_is_certain_is_returned(name: str) -> None:
    """No local is asked for it afterwards."""
    found = passed(whole(function(*PLANNED[name], RETURN)), "results")
    kinds = [type(each) for each in flow.walk(found.blocks)]
    assert plan.ReturnValue in kinds
    assert plan.AssignOnce not in kinds


@pytest.mark.parametrize("name", ["different", "true and one", "a variable", "a scan"])
def test_a_result_that_another_may_contradict_is_not_returned_at_once(name: str) -> None:
    found = passed(whole(function(*PLANNED[name], RETURN)), "results")
    assert plan.AssignOnce in [type(each) for each in flow.walk(found.blocks)]
