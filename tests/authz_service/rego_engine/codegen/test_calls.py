"""Which results are worth keeping, and how deep calls go."""

from __future__ import annotations

from typing import Final

import pytest

from authz_service.rego_engine import plan
from authz_service.rego_engine.codegen import calls
from authz_service.rego_engine.plan import Function, Local, Plan
from tests.authz_service.rego_engine.planning import DATA, INPUT, RESULT, block, call, const, entrypoint, returning

LEAF: Final = returning(plan.AssignOnce(const(1), RESULT), name="leaf")
COSTLY: Final = returning(
    plan.Dot(Local(INPUT), const("a"), 4), plan.Scan(4, 5, 6, block()), name="costly", operands=[9]
)
CHEAP: Final = returning(plan.AssignOnce(Local(9), RESULT), name="cheap", operands=[9])


def a_plan(*functions: Function, asked: tuple[str, ...] = ()) -> Plan:
    """Return a plan of functions, some of which may be asked for."""
    return Plan({name: entrypoint(name, name) for name in asked}, {each.name: each for each in functions})


@pytest.mark.parametrize(
    ("functions", "kept"),
    [
        ([LEAF, returning(call("leaf", 3), name="top")], set()),
        ([LEAF, returning(call("leaf", 3), call("leaf", 4), name="top")], {"leaf"}),
        ([LEAF, returning(call("leaf", 3), name="a"), returning(call("leaf", 3), name="b")], {"leaf"}),
        ([LEAF, returning(plan.Scan(0, 4, 5, block(call("leaf", 3))), name="top")], {"leaf"}),
        ([LEAF, returning(plan.Not(block(call("leaf", 3))), name="top")], set()),
        ([LEAF, returning(plan.Scan(0, 4, 5, block(plan.Not(block(call("leaf", 3))))), name="top")], {"leaf"}),
        ([LEAF, returning(call("leaf", 3), name="f", operands=[9])], {"leaf"}),
        (
            [COSTLY, CHEAP, returning(*(call(each, 3, const(1)) for each in ["costly", "cheap"] * 2), name="top")],
            {"costly"},
        ),
    ],
)
def test_what_may_run_more_than_once_is_kept(functions: list[Function], kept: set[str]) -> None:
    """And a function of operands only where it is worth it."""
    assert calls.called_again(a_plan(*functions)) == kept


def test_what_an_entrypoint_and_a_rule_ask_for_is_kept() -> None:
    found = a_plan(LEAF, returning(call("leaf", 3), name="top"), asked=("leaf", "top"))
    assert calls.called_again(found) == {"leaf"}


def test_where_a_rule_is_called_by_a_path_every_rule_is_kept() -> None:
    dynamic = plan.CallDynamic((const("g0"), Local(9)), (INPUT, DATA), 3, 0, falls_back=True)
    assert calls.called_again(a_plan(LEAF, returning(dynamic, name="top"))) == {"leaf", "top"}


def test_a_name_that_is_no_function_is_not_kept() -> None:
    twice = [plan.Call("count", (const([]),), 3)] * 2
    assert calls.called_again(a_plan(returning(*twice, name="top"))) == frozenset()


def chain(length: int) -> list[Function]:
    """Return functions that each call the next."""
    names = [f"r{number}" for number in range(length)]
    return [
        returning(*([call(names[number + 1], 3)] if number + 1 < length else []), name=name)
        for number, name in enumerate(names)
    ]


@pytest.mark.parametrize("length", [0, 1, 2, 50, 3_000])
def test_depth_is_the_longest_chain(length: int) -> None:
    """Found without calling as deep as that itself, in whichever order the functions stand."""
    functions = chain(length)
    assert calls.depth(a_plan(*functions)) == length
    assert calls.depth(a_plan(*reversed(functions))) == length


def test_depth_goes_by_the_deepest_of_many_ways() -> None:
    """Each of these calls every one after it: there are more ways than anybody could follow one by one."""
    names = [f"r{number}" for number in range(60)]
    functions = [
        returning(*(call(each, 3) for each in names[number + 1 :]), name=name) for number, name in enumerate(names)
    ]
    assert calls.depth(a_plan(*functions)) == 60


@pytest.mark.parametrize("size", [1, 2, 3, 1_000])
def test_a_circle_has_no_depth(size: int) -> None:
    """Even where other functions lead to it and away from it, and wherever in the plan it stands."""
    names = [f"c{number}" for number in range(size)]
    circle = [
        returning(call(names[(number + 1) % size], 3), call("leaf", 4), name=name) for number, name in enumerate(names)
    ]
    before = returning(call("leaf", 3), call("c0", 4), name="before")
    for functions in ([LEAF, before, *circle], [*circle, before, LEAF], [before, LEAF, *reversed(circle)]):
        assert calls.depth(a_plan(*functions)) == -1
