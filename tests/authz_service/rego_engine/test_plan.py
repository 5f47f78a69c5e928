"""The representation's own promises: nothing in it changes, and constants keep their types apart."""

from __future__ import annotations

import dataclasses

import pytest

from authz_service.rego_engine import flow, plan
from authz_service.rego_engine.plan import NOWHERE, Block, Constant, Function, Local, Statement, Where
from authz_service.rego_engine.values import make_set
from tests.authz_service.rego_engine.planning import DATA, INPUT, RESULT

STATEMENTS = sorted(
    (each for each in vars(plan).values() if isinstance(each, type) and issubclass(each, Statement)),
    key=lambda each: each.__name__,
)


@pytest.mark.parametrize(
    ("where", "text"), [(Where("a.rego", 7), "a.rego:7"), (Where("a.rego"), "a.rego"), (NOWHERE, "")]
)
def test_a_place_reads_as_file_and_row(where: Where, text: str) -> None:
    assert str(where) == text


def test_a_function_is_where_its_first_statement_with_a_place_is() -> None:
    blocks = (
        Block((plan.Reset(3),)),
        Block((plan.Reset(4), plan.Reset(5, where=Where("a.rego", 9)), plan.Reset(6, where=Where("a.rego", 2)))),
    )
    assert Function("f", (INPUT, DATA), RESULT, blocks).where == Where("a.rego", 9)
    assert Function("f", (INPUT, DATA), RESULT, ()).where is NOWHERE


@pytest.mark.parametrize("kind", STATEMENTS)
def test_no_statement_can_be_changed(kind: type[Statement]) -> None:
    """Passes share what they do not change."""
    found = kind.__new__(kind)
    for name in [field.name for field in dataclasses.fields(kind)]:
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(found, name, 1)


@pytest.mark.parametrize("kind", [each for each in STATEMENTS if each is not Statement])
def test_every_statement_is_described_to_the_passes(kind: type[Statement]) -> None:
    """A field that no table of `flow` names would be overlooked: a local renamed in one place and not in another."""
    described = {"where", "types", "kind", "once", "index", "function", "leaves", "falls_back", "path", "cases"}
    described |= {*flow._OPERANDS.get(kind, ()), *flow._READS.get(kind, ()), *flow._WRITES.get(kind, ())}
    described |= {flow._CHANGES[kind]} if kind in flow._CHANGES else set()
    described |= {"block", "blocks"} if kind in {plan.Scan, plan.Not, plan.With, plan.Blocks, plan.Dispatch} else set()
    described |= {"arguments"} if kind in {plan.Call, plan.CallDynamic} else set()
    assert {field.name for field in dataclasses.fields(kind)} <= described


def test_operands_are_equal_by_value() -> None:
    assert (Local(3), Constant("a")) == (Local(3), Constant("a"))
    assert Constant(make_set([1])) == Constant(make_set([1]))


@pytest.mark.parametrize(("left", "right"), [(True, 1), (False, 0), ([True], [1]), ({"a": 0}, {"a": False})])
def test_a_boolean_constant_is_not_the_number_that_python_takes_it_for(left: object, right: object) -> None:
    """A pass that looks for the constant false must not find zero."""
    assert Constant(left) != Constant(right)
    assert plan.NotEqual(Local(3), Constant(left)) != plan.NotEqual(Local(3), Constant(right))
