"""How a built-in is declared and found, and the checks of operands that all share."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from authz_service.rego_engine.builtins import registry
from authz_service.rego_engine.builtins.registry import LATER, TABLE, builtin, find
from authz_service.rego_engine.errors import OperandFault
from authz_service.rego_engine.values import Value, make_set


def test_a_built_in_is_declared_with_its_arity_and_found_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The context is no operand, and what takes it is not pure."""
    monkeypatch.setattr(registry, "TABLE", {})

    @builtin("x.two")
    def two(one: Value, other: Value) -> Value:
        return [one, other]

    @builtin("x.now", context=True)
    def now(context: Any, one: Value) -> Value:
        return [context, one]

    assert two(1, 2) == [1, 2]
    assert now(1, 2) == [1, 2]
    found, timed = registry.TABLE["x.two"], registry.TABLE["x.now"]
    assert (found.arity, found.pure, found.wants_context) == (2, True, False)
    assert (timed.arity, timed.pure, timed.wants_context) == (1, False, True)
    with pytest.raises(ValueError, match="declared twice"):
        builtin("x.two")(two)


def test_a_family_that_takes_long_to_load_is_found_when_it_is_named() -> None:
    """And a name that nobody declares is not."""
    for start in LATER:
        assert any(name.startswith(start) for name in TABLE) or find(f"{start}nothing") is None
    found = find("graphql.is_valid")
    assert found is not None
    assert found.arity == 2
    assert find("graphql.no_such") is None
    assert find("no_such") is None


@pytest.mark.parametrize(
    ("check", "good", "bad", "text"),
    [
        (registry.string, "a", 1, "operand 1 must be string but got number"),
        (registry.number, Decimal("0.3"), True, "operand 1 must be number but got boolean"),
        (registry.integer, 2.0, 2.5, "operand 1 must be integer number but got floating-point number"),
        (registry.boolean, True, 1, "operand 1 must be boolean but got number"),
        (registry.array, [1], "a", "operand 1 must be array but got string"),
        (registry.obj, {"a": 1}, [], "operand 1 must be object but got array"),
        (registry.set_, {1}, [], "operand 1 must be set but got array"),
        (registry.collection, [1], {}, "operand 1 must be one of {array, set} but got object"),
        (registry.strings, ["a"], ["a", 1], "operand 1 must be array of strings but got array containing number"),
    ],
)
def test_an_operand_of_the_wrong_type_is_a_fault_in_opas_words(check: Any, good: Value, bad: Value, text: str) -> None:
    """And one of the right type comes back."""
    assert check(good, 1) == good
    with pytest.raises(OperandFault) as caught:
        check(bad, 1)
    assert caught.value.text == text
    assert caught.value.code == "eval_type_error"


def test_the_members_of_a_set_come_in_order() -> None:
    """As wherever order can be seen."""
    assert registry.collection(make_set([3, "a", None, 1]), 1) == [None, 1, 3, "a"]
