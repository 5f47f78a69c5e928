"""Built-in functions on GraphQL documents (the spec of October 2021): graphql.*.

    text or object ──documents, writing──▶ syntax tree ──objects──▶ object
                                               └──schemas──▶ valid or not

A query or a schema comes as text, or as the object that graphql.parse_query or graphql.parse_schema makes of one. Texts
are bounded in tokens and in depth before they are parsed, and objects are parsed as the text that they stand for.
Comments are dropped. Nothing is ever executed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from authz_service.rego_engine.builtins.graphql.documents import Query, SchemaText, read_query, read_schema
from authz_service.rego_engine.builtins.graphql.objects import query_object, schema_object
from authz_service.rego_engine.builtins.graphql.schemas import Schema, build_schema, check_query
from authz_service.rego_engine.builtins.graphql.writing import write_query, write_schema
from authz_service.rego_engine.builtins.registry import builtin, string, wrong
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value

_CACHED: Final = 16  # schemas


class _Known(NamedTuple):
    """What became of a schema's text: its object, and the schema or why it is none."""

    document: Value
    schema: Schema | None
    fault: str


@lru_cache(maxsize=_CACHED)
def _known(text: str) -> _Known:
    parsed: SchemaText = read_schema(text)
    document = schema_object(parsed)
    try:
        return _Known(document, build_schema(parsed), "")
    except BuiltinFault as fault:
        return _Known(document, None, fault.text)


def _query(operand: Value) -> Query:
    if type(operand) is str:
        return read_query(operand)
    if type(operand) is dict:
        return read_query(write_query(operand))
    raise wrong(operand, 1, "string", "object")


def _schema(operand: Value, position: int) -> tuple[Value, Schema]:
    if type(operand) is str:
        known = _known(operand)
    elif type(operand) is dict:
        known = _known(write_schema(operand))
    else:
        raise wrong(operand, position, "string", "object")
    if known.schema is None:
        raise BuiltinFault(known.fault)
    return known.document, known.schema


@builtin("graphql.parse_query")
def parse_query(query: Value) -> Value:
    """Return a query's text as an object."""
    return query_object(read_query(string(query, 1)))


@builtin("graphql.parse_schema")
def parse_schema(schema: Value) -> Value:
    """Return a schema's text as an object, whether the schema is valid or not."""
    return _known(string(schema, 1)).document


@builtin("graphql.parse")
def parse(query: Value, schema: Value) -> Value:
    """Return a query and a schema as objects; a fault unless the schema is valid, and the query valid by it."""
    parsed = _query(query)
    document, rules = _schema(schema, 2)
    check_query(rules, parsed)
    return [query_object(parsed), document]


@builtin("graphql.parse_and_verify")
def parse_and_verify(query: Value, schema: Value) -> Value:
    """Return [true, query, schema] as `parse` has them, and [false, {}, {}] where it has none."""
    try:
        return [True, *parse(query, schema)]
    except BuiltinFault:
        return [False, {}, {}]


@builtin("graphql.is_valid")
def is_valid(query: Value, schema: Value) -> Value:
    """Whether a schema is valid, and a query valid by it."""
    try:
        check_query(_schema(schema, 2)[1], _query(query))
    except BuiltinFault:
        return False
    return True


@builtin("graphql.schema_is_valid")
def schema_is_valid(schema: Value) -> Value:
    """Whether a schema is valid."""
    try:
        _schema(schema, 1)
    except BuiltinFault:
        return False
    return True
