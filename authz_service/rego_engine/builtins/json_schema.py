"""The built-in functions json.verify_schema and json.match_schema: JSON schema, drafts 4, 6 and 7.

Schemas and documents come as JSON texts or as values. References never leave the schema.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from authz_service.rego_engine.builtins.registry import builtin
from authz_service.rego_engine.builtins.schema_document import SchemaFault
from authz_service.rego_engine.builtins.schema_model import Schema, report_on
from authz_service.rego_engine.builtins.schema_reading import read_schema
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, read, to_json, write

MAX_TEXT: Final = 1_000_000  # characters of a schema or a document that comes as text
MAX_ERRORS: Final = 1_000  # that are told of one document; the rest is dropped
_CACHED: Final = 64  # schemas


def _document(operand: Value) -> Value:
    if type(operand) is str:
        if len(operand) > MAX_TEXT:
            raise BuiltinFault(f"JSON text is longer than {MAX_TEXT} characters")
        try:
            return read(operand)
        except ValueError:
            raise BuiltinFault("invalid JSON string") from None
    if type(operand) is dict or type(operand) is list:
        try:
            return to_json(operand)
        except ValueError:
            raise BuiltinFault("a key is a number that is too large") from None
    raise BuiltinFault("wrong type, expected string or object")


@lru_cache(maxsize=_CACHED)
def _schema(text: str) -> Schema:
    return read_schema(read(text))


def _compiled(operand: Value) -> Schema:
    document = _document(operand)
    if type(document) is not dict and type(document) is not bool:
        raise BuiltinFault("schema is invalid")
    try:
        return _schema(write(document))
    except (SchemaFault, ValueError) as fault:  # a ValueError is that of a number that is too large
        raise BuiltinFault(str(fault)) from None


@builtin("json.verify_schema")
def json_verify_schema(schema: Value) -> Value:
    """Return [true, null] of a schema, and of anything else [false, why it is none]."""
    try:
        _compiled(schema)
    except BuiltinFault as fault:
        return [False, f"jsonschema: {fault.text}"]
    return [True, None]


@builtin("json.match_schema")
def json_match_schema(document: Value, schema: Value) -> Value:
    """Return whether a document fits a schema, and an array of the errors, each with its place, type and text."""
    value = _document(document)
    report = report_on(_compiled(schema), value, (), None)
    return [not report.errors, report.errors[:MAX_ERRORS]]
