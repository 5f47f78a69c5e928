"""A remembered verdict is the one that would be read, and there are never too many."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import PolicyFailed
from authz_service.policy.known_verdicts import CAPACITY, MAX_BYTES, KnownVerdicts
from authz_service.policy.verdict import Verdict, read_verdict
from authz_service.rego_engine.values import UNDEFINED

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.floats(0, 2) | st.sampled_from(["", "a", "\u00fc", "\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=4,
)
DECISIONS = st.fixed_dictionaries(
    {"allowed": st.booleans() | VALUES},
    optional={"dynamic_metadata": VALUES, "headers": VALUES, "reason": VALUES, "http_status": st.integers(400, 404)},
)


def outcome(read: Callable[[Any], Verdict], value: Any) -> Verdict | str:
    try:
        return read(value)
    except PolicyFailed as error:
        return str(error)


def test_what_is_decided_again_is_not_read_again() -> None:
    known = KnownVerdicts()
    first = known.read({"allowed": True, "headers": {"x": "1"}})
    assert known.read({"allowed": True, "headers": {"x": "1"}}) is first
    assert known.read({"allowed": True, "headers": {"x": "2"}}) is not first


@given(st.lists(DECISIONS, max_size=8))
def test_whatever_came_before_a_decision_is_read_as_ever(values: list[Any]) -> None:
    known = KnownVerdicts(capacity=3)
    for value in [*values, *values]:
        got, expected = outcome(known.read, value), outcome(read_verdict, value)
        assert (got, repr(got)) == (expected, repr(expected))  # 1, 1.0 and True are equal, and written apart
        assert len(known) <= 3


@pytest.mark.parametrize("numbers", [(1, True, 1.0), (0, False, 0.0, -0.0)])
def test_values_that_python_takes_for_equal_are_told_apart(numbers: tuple[Any, ...]) -> None:
    known = KnownVerdicts()
    decisions = [{"allowed": True, "dynamic_metadata": {"n": number}} for number in numbers]
    assert [repr(known.read(decision)) for decision in decisions] == [repr(read_verdict(each)) for each in decisions]
    assert len({repr(known.read(decision)) for decision in decisions}) == len(numbers)


def test_a_decimal_is_read_and_not_remembered() -> None:
    known = KnownVerdicts()
    decision = {"allowed": True, "dynamic_metadata": {"n": Decimal("1.5")}}
    assert known.read(decision) == read_verdict(decision)
    assert len(known) == 0


@pytest.mark.parametrize("value", [UNDEFINED, None, {"allowed": 1}, {"allowed": True, "headers": {"x": "a\n"}}])
def test_what_cannot_be_read_is_refused_each_time(value: Any) -> None:
    known = KnownVerdicts()
    for _ in range(2):
        with pytest.raises(PolicyFailed):
            known.read(value)
    assert len(known) == 0


def test_what_is_large_is_read_anew_and_what_is_many_makes_room() -> None:
    known = KnownVerdicts()
    large = {"allowed": False, "reason": "x" * MAX_BYTES}
    assert known.read(large) == known.read(large)
    assert len(known) == 0
    for number in range(CAPACITY + 10):
        known.read({"allowed": False, "code": str(number)})
    assert len(known) == CAPACITY
