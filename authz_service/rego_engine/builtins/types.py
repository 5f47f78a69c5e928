"""Which type a value has."""

from __future__ import annotations

from decimal import Decimal

from authz_service.rego_engine.builtins.registry import builtin
from authz_service.rego_engine.values import Value
from authz_service.rego_engine.values import type_name as name_of_type

type_name = builtin("type_name")(name_of_type)


@builtin("is_null")
def is_null(value: Value) -> Value:
    """Whether a value is null."""
    return value is None


@builtin("is_boolean")
def is_boolean(value: Value) -> Value:
    """Whether a value is true or false."""
    return type(value) is bool


@builtin("is_number")
def is_number(value: Value) -> Value:
    """Whether a value is a number."""
    kind = type(value)
    return kind is int or kind is float or kind is Decimal


@builtin("is_string")
def is_string(value: Value) -> Value:
    """Whether a value is a string."""
    return type(value) is str


@builtin("is_array")
def is_array(value: Value) -> Value:
    """Whether a value is an array."""
    return type(value) is list


@builtin("is_object")
def is_object(value: Value) -> Value:
    """Whether a value is an object."""
    return type(value) is dict


@builtin("is_set")
def is_set(value: Value) -> Value:
    """Whether a value is a set."""
    return type(value) is set
