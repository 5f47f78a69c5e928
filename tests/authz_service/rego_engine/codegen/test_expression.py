"""Operands, comparisons and look-ups as expressions: each means what the runtime means."""

from __future__ import annotations

import contextlib
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given

from authz_service.rego_engine import runtime
from authz_service.rego_engine.codegen.expression import Constants, comparison, local, look_up, operand
from authz_service.rego_engine.plan import Constant, Local, Operand
from authz_service.rego_engine.runtime import dot
from authz_service.rego_engine.values import UNDEFINED, Value, equal, key, make_object, make_set, write
from tests.authz_service.rego_engine.builtins.operands import VALUES

NAMES: Final[dict[str, Any]] = {
    "Decimal": Decimal, "key": key, "equal": equal, "dot": dot, "UNDEFINED": UNDEFINED, "contains": runtime.contains,
}  # fmt: skip
PAIRS: Final[list[Value]] = [
    True, False, 1, 0, 1.0, 2, 0.5, Decimal("0.5"), "1", "true", "", None, [], [1], [True], {}, {"a": 1}, {"a": True},
    set(), make_set([1]), make_set([True]), UNDEFINED,
]  # fmt: skip


def meaning(source: str, constants: Constants, **locals_: Value) -> Any:
    """Evaluate an expression with the constants of its module."""
    names: dict[str, Any] = {**NAMES, **locals_}
    exec("\n".join(constants.lines()), names)  # noqa: S102  (generated code is what is tested)
    return eval(source, names)  # noqa: S307  (as above)


def operands(left: Value, right: Value) -> list[tuple[Operand, Operand]]:
    """Return two values as operands in each way that they can be; what is undefined is never a constant."""
    found: list[tuple[Operand, Operand]] = [(Local(3), Local(4))]
    if right is not UNDEFINED:
        found.append((Local(3), Constant(right)))
    if left is not UNDEFINED:
        found.append((Constant(left), Local(4)))
    if UNDEFINED not in (left, right):
        found.append((Constant(left), Constant(right)))
    return found


def check_comparison(left: Value, right: Value) -> None:
    """Assert that both expressions answer as `equal` does."""
    for one, two in operands(left, right):
        constants = Constants()
        same, other = comparison(one, two, constants)
        wanted = left is right if UNDEFINED in (left, right) else equal(left, right)
        assert meaning(same, constants, l3=left, l4=right) is wanted, same
        assert meaning(other, constants, l3=left, l4=right) is not wanted, other


@pytest.mark.parametrize("left", PAIRS, ids=repr)
@pytest.mark.parametrize("right", PAIRS, ids=repr)
def test_a_comparison_answers_as_equality_does_however_it_is_written(left: Value, right: Value) -> None:
    """In particular where Python takes true for 1."""
    check_comparison(left, right)


@given(VALUES, VALUES)
def test_any_comparison_answers_as_equality_does(left: Value, right: Value) -> None:
    with contextlib.suppress(ValueError):  # a whole number of more digits than Python writes, which no plan can hold
        check_comparison(left, right)


SOURCES: Final[list[Value]] = [
    ["a", "b"], {"a": 1, "0": 2}, make_object([(0, "zero"), (True, "yes"), ([1], "array")]), make_set(["a", 0]), "text",
    5, None, True,
]  # fmt: skip
KEYS: Final[list[Value]] = ["a", "0", 0, 1, -1, 2, 1.0, 0.5, True, None, [1], {}, 10**30]


@pytest.mark.parametrize("name", KEYS, ids=repr)
@pytest.mark.parametrize("source", SOURCES, ids=write)
def test_a_look_up_leads_where_the_runtime_does(source: Value, name: Value) -> None:
    for one, two in operands(source, name):
        constants = Constants()
        written = look_up(one, two, constants)
        found = meaning(written, constants, l3=source, l4=name)
        wanted = dot(source, name)
        assert found is wanted or equal(found, wanted), written


def test_what_is_undefined_leads_nowhere() -> None:
    for name in (Constant("a"), Constant(0), Local(4)):
        assert meaning(look_up(Local(3), name, Constants()), Constants(), l3=UNDEFINED, l4="a") is UNDEFINED


def test_a_composite_constant_has_one_name_and_a_scalar_none() -> None:
    constants = Constants()
    same = [operand(Constant([1, "a"]), constants) for _ in range(3)]
    assert (set(same), constants.lines()) == ({"CONSTANT_0"}, ["CONSTANT_0 = [1, 'a']"])
    assert operand(Constant("a"), constants) == "'a'"


def test_constants_that_python_takes_for_equal_have_names_of_their_own() -> None:
    constants = Constants()
    assert len({operand(Constant(each), constants) for each in ([True], [1], {"a": 1}, {"a": True})}) == 4


def test_a_constant_of_the_base_document_is_taken_from_there() -> None:
    """It is not written out, however large it is."""
    constants = Constants()
    assert operand(Constant({"b": 1}, ("a", 0, "c'")), constants) == "CONSTANT_0"
    assert constants.lines() == ["CONSTANT_0 = DATA['a'][0][\"c'\"]"]


def test_input_and_data_have_names_of_their_own() -> None:
    assert [local(number) for number in (0, 1, 2, 17)] == ["input", "data", "l2", "l17"]
