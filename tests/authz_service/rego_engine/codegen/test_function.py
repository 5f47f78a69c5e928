"""How blocks are left: every nesting of blocks, scans, negations and replacements, by every break there can be."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final

import pytest

from authz_service.rego_engine import plan
from authz_service.rego_engine.codegen.function import MAX_INDENTATION, MAX_LOOPS, TooDeepError
from authz_service.rego_engine.compiled import compile_plan
from authz_service.rego_engine.plan import Block, Local, Plan, Statement
from service_kit.faults import ConfigurationError
from tests.authz_service.rego_engine.planning import (
    DATA,
    INPUT,
    RESULT,
    agree,
    block,
    call,
    const,
    evaluate,
    function,
    returning,
    whole,
)

TRACE, XS = 3, 4
DOCUMENTS: Final = [{"xs": ["b", "a", "c"]}, {"xs": []}, {"xs": {"k": "a", "j": "b"}}]
ASKED: Final = returning(
    plan.Dot(Local(INPUT), const("q"), 4), plan.AssignOnce(Local(4), RESULT), name="g0.data.test.q"
)


def within(kind: str, inner: Block) -> Statement:
    """Return a statement that holds a block."""
    match kind:
        case "blocks":
            return plan.Blocks((inner, block(mark("second"))))
        case "scan":
            return plan.Scan(XS, 5, 6, inner)
        case "not":
            return plan.Not(inner)
        case _:
            return plan.With(INPUT, ("q",), const("changed"), inner)


def mark(text: str) -> Statement:
    """Return what leaves a trace, so that the way through the blocks shows."""
    return plan.Append(const(text), TRACE)


def ways_out(kinds: tuple[str, ...], index: int) -> Iterator[list[Statement]]:
    """Breaks of one index: always taken, taken for some item, and taken or not after many checks."""
    yield [plan.Break(index)]
    item = Local(6) if "scan" in kinds else const("a")
    yield [plan.Equal(item, const("a")), plan.Break(index)]
    yield [
        *(plan.NotEqual(item, const(f"no{number}")) for number in range(5)),
        plan.Equal(item, const("b")),
        plan.Break(index),
    ]


def nested(kinds: tuple[str, ...], inside: list[Statement]) -> Plan:
    """Return a plan that goes into blocks within blocks, and shows where it went and what `input` is afterwards."""
    found = block(mark("in"), *inside)
    for level, kind in enumerate(reversed(kinds)):
        found = block(mark(f"before {level}"), within(kind, found), mark(f"after {level}"))
    asking = [call(ASKED.name, 8), plan.Append(Local(8), TRACE)]
    rule = function(
        block(plan.Make(list, TRACE)),
        block(plan.Dot(Local(INPUT), const("xs"), XS), *found.statements),
        block(mark("end"), plan.Append(Local(INPUT), TRACE)),
        block(*asking),
        block(plan.AssignOnce(Local(TRACE), RESULT)),
        block(plan.Return(RESULT)),
    )
    return whole(ASKED, rule)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_every_break_leaves_the_blocks_that_it_says_and_no_more(depth: int) -> None:
    """A `with` on the way gives the document back, and what was kept for the other one is not taken."""
    for kinds in itertools.product(["blocks", "scan", "not", "with"], repeat=depth):
        for index in range(depth + 1):
            for inside in ways_out(kinds, index):
                agree(nested(kinds, inside), DOCUMENTS, ways=["all passes", "no pass"])


@pytest.mark.parametrize("kinds", [("with",), ("with", "blocks"), ("scan", "with"), ("not", "with"), ("with", "scan")])
def test_a_return_from_within_a_replacement_gives_the_document_back(kinds: tuple[str, ...]) -> None:
    """What the caller asks for afterwards is asked of the caller's input."""
    found = block(call(ASKED.name, 7), plan.Assign(Local(7), RESULT), plan.Return(RESULT))
    for kind in reversed(kinds):
        found = block(within(kind, found))
    xs = plan.Dot(Local(INPUT), const("xs"), XS)
    inner = function(block(plan.Make(list, TRACE), xs, *found.statements), name="g0.data.test.inner")
    both = [plan.Append(Local(8), 10), plan.Append(Local(9), 10), plan.Assign(Local(10), RESULT)]
    asking = block(call(inner.name, 8), call(ASKED.name, 9), plan.Make(list, 10), *both)
    rule = function(asking, block(plan.Return(RESULT)))
    agree(whole(ASKED, inner, rule), [{"q": 1, "xs": ["b", "a"]}, {"xs": ["a"]}, {"q": 1, "xs": []}])


def test_a_dynamic_call_that_is_undefined_leaves_as_many_blocks_as_it_says() -> None:
    for kinds in itertools.product(["blocks", "scan", "not", "with"], repeat=2):
        for leaves in range(3):
            path = (const("g0"), const("q"))
            asked = function(*ASKED.blocks, name=ASKED.name, path=("g0", "q"))
            dynamic = plan.CallDynamic(path, (INPUT, DATA), 7, leaves, falls_back=False)
            found = nested(kinds, [dynamic, mark("came")])
            found = Plan(found.entrypoints, {**found.functions, asked.name: asked})
            agree(found, [*DOCUMENTS, {"q": 1, "xs": ["a", "b"]}], ways=["all passes", "no pass"])


def guards(count: int, *, end: bool) -> Plan:
    """Return a plan with checks in a row, of which the last may fail."""
    checks = [plan.Equal(Local(4), const("x"))] * (count - 1) + [plan.Equal(Local(4), const("x" if end else "y"))]
    statements = [plan.Dot(Local(INPUT), const("k"), 4), *checks, plan.AssignOnce(const("through"), RESULT)]
    return whole(returning(*statements))


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 50, 300])
def test_checks_in_a_row_are_no_nesting(count: int) -> None:
    agree(guards(count, end=True), [{"k": "x"}, {"k": "y"}, {}], ways=["no pass", "with probes"])
    agree(guards(count, end=False), [{"k": "x"}, {"k": "y"}, {}], ways=["no pass", "with probes"])


@pytest.mark.parametrize(
    "statements",
    [
        [], [plan.Equal(const(1), Local(4))], [plan.Blocks(())], [plan.Blocks((block(), block()))], [plan.Not(block())],
        [plan.Scan(XS, 5, 6, block())], [plan.Scan(XS, 5, 6, block(plan.IsDefined(5)))], [plan.Break(0)],
        [plan.With(INPUT, (), const(1), block())], [plan.Not(block(plan.Equal(Local(4), const(1))))],
        [plan.Not(block(plan.Break(0)))], [plan.Not(block(plan.Break(1)))], [plan.Break(0), mark("never")],
        [plan.Blocks((block(plan.Equal(Local(4), const(1))),)), plan.Equal(Local(4), const(2))],
        [plan.Equal(const(1), const(2)), mark("never")], [plan.Return(RESULT), mark("never")],
        [plan.Scan(XS, 5, 6, block(plan.Return(5)))], [plan.Scan(XS, 5, 6, block(plan.Break(0), mark("never")))],
    ],
)  # fmt: skip
def test_a_block_with_nothing_left_in_it_is_still_python(statements: list[Statement]) -> None:
    """Where a check ends a block, where all of it went away, and where nothing follows."""
    rule = function(
        block(plan.Make(list, TRACE), plan.Dot(Local(INPUT), const("xs"), XS), *statements),
        block(plan.Assign(Local(TRACE), RESULT), plan.Return(RESULT)),
    )
    agree(whole(rule), DOCUMENTS)


def scans(levels: int) -> Plan:
    """Return a plan with scans within scans."""
    found = block(plan.AssignOnce(const("deep"), RESULT))
    for _ in range(levels):
        found = block(plan.Scan(XS, 5, 6, found))
    return whole(returning(plan.Dot(Local(INPUT), const("xs"), XS), *found.statements))


def test_scans_are_nested_as_deep_as_they_may_be() -> None:
    assert evaluate(scans(MAX_LOOPS - 1), {"xs": [1]}) == "deep"


def test_scans_that_are_nested_deeper_are_a_fault_of_the_file() -> None:
    with pytest.raises(ConfigurationError, match=r"a\.rego: .*deep"):
        compile_plan(scans(MAX_LOOPS + 1), {}, source="a.rego")


def test_a_built_in_in_the_deepest_loop_still_fits() -> None:
    """Its fault is caught, and that is one more block for Python."""
    found = block(plan.Call("startswith", (Local(6), const("x")), 7), plan.AssignOnce(const("deep"), RESULT))
    for _ in range(MAX_LOOPS - 1):
        found = block(plan.Scan(XS, 5, 6, found))
    rule = returning(plan.Dot(Local(INPUT), const("xs"), XS), *found.statements)
    agree(whole(rule), [{"xs": ["x"]}, {"xs": [1]}])


def test_the_bounds_are_below_those_of_python() -> None:
    """Python takes twenty loops and a hundred levels; what it does beyond them is no fault that names a file."""
    assert (MAX_LOOPS < 20, MAX_INDENTATION < 100, issubclass(TooDeepError, Exception)) == (True, True, True)
