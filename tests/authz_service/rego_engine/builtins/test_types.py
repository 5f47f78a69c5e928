"""Which type a value has."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from authz_service.rego_engine.builtins import types
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import VALUES, call, declared

TYPES = ["null", "boolean", "number", "string", "array", "object", "set"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"),
        (False, "boolean"),
        (0, "number"),
        (0.5, "number"),
        (Decimal("0.33333333333333333334"), "number"),
        ("", "string"),
        ([], "array"),
        ({}, "object"),
        (set(), "set"),
        (make_set([True]), "set"),
    ],
)
def test_a_value_has_the_one_type_that_its_name_says(value: Value, name: str) -> None:
    assert types.type_name(value) == name
    assert [other for other in TYPES if call(f"is_{other}", value)] == [name]


@given(VALUES)
def test_every_value_has_exactly_one_type(value: Any) -> None:
    assert [name for name in TYPES if call(f"is_{name}", value)] == [call("type_name", value)]


def test_there_is_a_question_for_each_type() -> None:
    assert sorted(declared(types)) == sorted(f"is_{name}" for name in TYPES)
