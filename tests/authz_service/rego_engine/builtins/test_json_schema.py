"""json.verify_schema and json.match_schema."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import json_schema
from authz_service.rego_engine.builtins.json_schema import MAX_ERRORS
from authz_service.rego_engine.errors import BUILTIN_ERROR, BuiltinFault
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

DRAFT_4, DRAFT_6, DRAFT_7 = (f"http://json-schema.org/draft-0{draft}/schema#" for draft in (4, 6, 7))
TREE = {
    "$ref": "#/definitions/tree",
    "definitions": {
        "tree": {"type": "object", "properties": {"left": {"$ref": "#/definitions/tree"}, "n": {"type": "integer"}}}
    },
}
NAMED = {
    "$id": "http://example.com/order",
    "definitions": {"amount": {"$id": "amount", "minimum": 1}, "note": {"$id": "#note", "maxLength": 3}},
    "properties": {"n": {"$ref": "amount"}, "t": {"$ref": "#note"}, "m": {"$ref": "order#/definitions/amount"}},
}


def _errors(document: Value, schema: Value) -> list[tuple[str, str, str]]:
    """Return the places, types and texts of the errors."""
    fits, errors = call("json.match_schema", document, schema)
    assert fits == (not errors)
    for error in errors:
        assert error["error"] == f"{error['field']}: {error['desc']}"
    return [(error["field"], error["type"], error["desc"]) for error in errors]


ROOT = "(Root)"


@pytest.mark.parametrize(
    ("schema", "document", "errors"),
    [
        ({"type": "object"}, [], [(ROOT, "invalid_type", "Invalid type. Expected: object, given: array")]),
        (
            {"type": ["string", "null"]},
            "2.5",
            [(ROOT, "invalid_type", "Invalid type. Expected: [string,null], given: number")],
        ),
        ({"type": "number"}, "7", []),
        (
            {"type": "string", "enum": ["x"]},
            "1",
            [(ROOT, "invalid_type", "Invalid type. Expected: string, given: integer")],
        ),
        (
            {"enum": ["p", {"q": "<"}]},
            [],
            [(ROOT, "enum", '(Root) must be one of the following: "p", {"q":"\\u003c"}')],
        ),
        ({"enum": [True]}, "1", [(ROOT, "enum", "(Root) must be one of the following: true")]),
        ({"properties": {"k": {"const": 2}}}, {"k": 3}, [("k", "const", "k does not match: 2")]),
        ({"minimum": 3, "maximum": 4}, "5", [(ROOT, "number_lte", "Must be less than or equal to 4")]),
        ({"exclusiveMinimum": 2500000}, "2500000", [(ROOT, "number_gt", "Must be greater than 2.5e+06")]),
        ({"maximum": 4, "exclusiveMaximum": True}, "4", [(ROOT, "number_lt", "Must be less than 4")]),
        ({"multipleOf": 0.05}, "0.12", [(ROOT, "multiple_of", "Must be a multiple of 0.05")]),
        ({"multipleOf": 0.05}, "0.15", []),
        (
            {"minLength": 3},
            '"\u00e9\u00e9"',
            [(ROOT, "string_gte", "String length must be greater than or equal to 3")],
        ),
        ({"maxLength": 1}, '"ab"', [(ROOT, "string_lte", "String length must be less than or equal to 1")]),
        ({"pattern": "^[a-c]+$"}, '"abd"', [(ROOT, "pattern", "Does not match pattern '^[a-c]+$'")]),
        ({"pattern": "b"}, '"abc"', []),
        ({"format": "ipv4"}, '"10.0.0.256"', [(ROOT, "format", "Does not match format 'ipv4'")]),
        ({"required": ["k", "l"]}, {"l": 1}, [(ROOT, "required", "k is required")]),
        (
            {"properties": {"k": {}}, "patternProperties": {"^x-": {}}, "additionalProperties": False},
            {"k": 1, "x-l": 2, "m": 3},
            [(ROOT, "additional_property_not_allowed", "Additional property m is not allowed")],
        ),
        (
            {"additionalProperties": {"type": "string"}},
            {"m": 3},
            [("m", "invalid_type", "Invalid type. Expected: string, given: integer")],
        ),
        ({"minProperties": 2}, {"k": 1}, [(ROOT, "array_min_properties", "Must have at least 2 properties")]),
        ({"maxProperties": 0}, {"k": 1}, [(ROOT, "array_max_properties", "Must have at most 0 properties")]),
        (
            {"propertyNames": {"maxLength": 1}},
            {"kk": 1},
            [
                (ROOT, "invalid_property_name", 'Property name of "kk" does not match'),
                (ROOT, "string_lte", "String length must be less than or equal to 1"),
            ],
        ),
        ({"dependencies": {"k": ["l"]}}, {"k": 1}, [(ROOT, "missing_dependency", "Has a dependency on l")]),
        ({"dependencies": {"k": {"required": ["m"]}}}, {"k": 1}, [(ROOT, "required", "m is required")]),
        (
            {"items": {"type": "integer"}},
            [1, "x"],
            [("1", "invalid_type", "Invalid type. Expected: integer, given: string")],
        ),
        (
            {"items": [{"type": "integer"}], "additionalItems": False},
            [1, "x"],
            [(ROOT, "array_no_additional_items", "No additional items allowed on array")],
        ),
        (
            {"items": [{}], "additionalItems": {"type": "null"}},
            [1, "x"],
            [("1", "invalid_type", "Invalid type. Expected: null, given: string")],
        ),
        ({"minItems": 2}, [1], [(ROOT, "array_min_items", "Array must have at least 2 items")]),
        ({"maxItems": 1}, [1, 1], [(ROOT, "array_max_items", "Array must have at most 1 items")]),
        ({"uniqueItems": True}, [[1], 2, [1.0]], [(ROOT, "unique", "array items[0,2] must be unique")]),
        ({"uniqueItems": True}, [1, True, "1"], []),
        (
            {"contains": {"minimum": 5}},
            [3],
            [
                (ROOT, "contains", "At least one of the items must match"),
                ("0", "number_gte", "Must be greater than or equal to 5"),
            ],
        ),
        (
            {"anyOf": [{"type": "string"}, {"type": "integer", "minimum": 9}]},
            "4",
            [
                (ROOT, "number_any_of", "Must validate at least one schema (anyOf)"),
                (ROOT, "number_gte", "Must be greater than or equal to 9"),
            ],
        ),
        (
            {"oneOf": [{"type": "number"}, {"type": "integer"}]},
            "4",
            [(ROOT, "number_one_of", "Must validate one and only one schema (oneOf)")],
        ),
        (
            {"allOf": [{"minimum": 5}, {"maximum": 9}]},
            "4",
            [
                (ROOT, "number_gte", "Must be greater than or equal to 5"),
                (ROOT, "number_all_of", "Must validate all the schemas (allOf)"),
            ],
        ),
        ({"not": {"type": "null"}}, "null", [(ROOT, "number_not", "Must not validate the schema (not)")]),
        (
            {"if": {"type": "string"}, "then": {"minLength": 2}, "else": {"minimum": 2}},
            '"a"',
            [
                (ROOT, "condition_then", 'Must validate "then" as "if" was valid'),
                (ROOT, "string_gte", "String length must be greater than or equal to 2"),
            ],
        ),
        (
            {"if": {"type": "string"}, "else": False},
            "1",
            [
                (ROOT, "condition_else", 'Must validate "else" as "if" was not valid'),
                (ROOT, "false", "False always fails validation"),
            ],
        ),
        (
            TREE,
            {"left": {"left": {"n": "x"}}},
            [("left.left.n", "invalid_type", "Invalid type. Expected: integer, given: string")],
        ),
        (
            NAMED,
            {"n": 0, "t": "long", "m": 0},
            [
                ("m", "number_gte", "Must be greater than or equal to 1"),
                ("n", "number_gte", "Must be greater than or equal to 1"),
                ("t", "string_lte", "String length must be less than or equal to 3"),
            ],
        ),
    ],
)
def test_errors_are_told_as_opa_tells_them(schema: Value, document: Value, errors: list[tuple[str, str, str]]) -> None:
    assert _errors(document, schema) == errors
    assert _errors(document, json.dumps(schema)) == errors
    assert call("json.verify_schema", schema) == [True, None]


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (
            {"type": "text"},
            (
                "has a primitive type that is NOT VALID -- given: /text/"
                " Expected valid values are:[array boolean integer number null object string]"
            ),
        ),
        ({"type": ["null", "null"]}, "null type is duplicated"),
        ({"type": [1]}, "Invalid type. Expected: type, given: string/Array Of Strings"),
        ({"properties": []}, "Properties must be of type object"),
        ({"properties": {"k": 7}}, "Expected: Valid Schema, given: Invalid JSON"),
        ({"items": 7}, "Invalid type. Expected: Valid Schema/Array Of Schemas, given: items"),
        ({"patternProperties": {"(": {}}}, "Invalid regex pattern '('"),
        ({"pattern": "(?=a)"}, "pattern must be a valid regex"),
        ({"pattern": 7}, "Invalid type. Expected: string, given: pattern"),
        ({"minLength": -1}, "minLength must be greater than or equal to 0"),
        ({"maxItems": 1.5}, "maxItems must be of an integer"),
        ({"minLength": 2, "maxLength": 1}, "minLength cannot be greater than maxLength"),
        ({"minProperties": 2, "maxProperties": 1}, "minProperties cannot be greater than maxProperties"),
        ({"multipleOf": 0}, "multipleOf must be strictly greater than 0"),
        ({"maximum": "9"}, "maximum must be of a Number"),
        ({"exclusiveMaximum": True}, "exclusiveMaximum cannot be used without maximum"),
        ({"$schema": DRAFT_4, "exclusiveMinimum": 1}, "Invalid type. Expected: boolean, given: exclusiveMinimum"),
        ({"$schema": DRAFT_7, "exclusiveMinimum": True}, "Invalid type. Expected: number, given: exclusiveMinimum"),
        ({"required": "k"}, "required must be of an array"),
        ({"required": ["k", "k"]}, "required items must be unique"),
        ({"uniqueItems": 1}, "uniqueItems must be of a boolean"),
        ({"enum": [1, 1.0]}, "enum items must be unique"),
        ({"allOf": {}}, "allOf must be of an array"),
        ({"not": []}, "not must be of an object"),
        ({"dependencies": {"k": 1}}, "Dependency must be of type Schema Or Array Of Strings"),
        ({"definitions": {"k": 1}}, "Invalid type. Expected: Array Of Schemas, given: definitions"),
        ({"$ref": "#/definitions/k"}, "Object has no key 'definitions'"),
        ({"$schema": 4}, "$schema must be of type string"),
        ("{", "invalid JSON string"),
        ('"text"', "schema is invalid"),
        (7, "wrong type, expected string or object"),
    ],
)
def test_what_is_no_schema_is_told(schema: Value, reason: str) -> None:
    assert call("json.verify_schema", schema) == [False, f"jsonschema: {reason}"]
    found = fault("json.match_schema", {}, schema)
    assert (found.code, found.text) == (BUILTIN_ERROR, reason)


@pytest.mark.parametrize(
    "reference", ["http://example.com/schema", "https://[::1]/x#/a", "other.json", "file:///etc/passwd", "#unknown"]
)
def test_no_reference_leaves_the_schema(reference: str) -> None:
    fits, reason = call("json.verify_schema", {"$ref": reference})
    assert not fits
    assert "remote reference loading disabled" in reason or "leads nowhere" in reason


def test_a_draft_that_is_named_has_its_keywords_alone() -> None:
    assert _errors("1", {"$schema": DRAFT_4, "const": 2}) == []
    assert _errors("1", {"$schema": DRAFT_6, "if": {}, "then": False}) == []
    assert _errors("1", {"$schema": DRAFT_7, "if": {}, "then": False}) != []


def test_a_document_is_a_json_text_an_object_or_an_array() -> None:
    assert fault("json.match_schema", 1, {}).text == "wrong type, expected string or object"
    assert fault("json.match_schema", "{,}", {}).text == "invalid JSON string"
    assert _errors({"s": make_set([1, 2])}, {"properties": {"s": {"type": "array", "maxItems": 2}}}) == []


@pytest.mark.parametrize(
    ("name", "fitting", "other"),
    [
        ("date", "2024-02-29", "2023-02-29"),
        ("time", "10:20:30+02:00", "10:20"),
        ("date-time", "2024-02-29T10:20:30Z", "yesterday"),
        ("hostname", "a-b.example", "-a.example"),
        ("email", "Ann <ann@example.com>", "ann@"),
        ("ipv4", "10.0.0.1", "10.0.0"),
        ("ipv6", "fd00::1", "fd00::1%eth0"),
        ("uri", "https://example.com/a b?c=%20", "/a/b"),
        ("uri-reference", "/a/b", "a\\b"),
        ("uri-reference", "a/b:c", "1:b"),
        ("uri-template", "/a/{b}", "/a/{b"),
        ("uuid", "123E4567-e89b-12d3-a456-426614174000", "123e4567"),
        ("regex", "a+", "a("),
        ("json-pointer", "/a~1b", "a"),
        ("relative-json-pointer", "1/a", "01/a"),
    ],
)
def test_formats_are_checked_as_opa_does(name: str, fitting: str, other: str) -> None:
    assert _errors([fitting, 7], {"items": {"format": name}}) == []
    assert _errors([other], {"items": {"format": name}}) == [("0", "format", f"Does not match format '{name}'")]


def test_a_format_that_is_not_known_fits_everything() -> None:
    assert _errors('"x"', {"format": "poem"}) == []


def test_a_lone_surrogate_fits_no_format_and_no_pattern() -> None:
    assert len(_errors(["\ud800"], {"items": {"pattern": "."}})) == 1
    assert len(_errors(["\ud800"], {"items": {"format": "uuid"}})) == 1


def test_a_schema_that_refers_to_itself_forever_is_a_fault() -> None:
    assert "steps" in fault("json.match_schema", {}, {"$ref": "#"}).text


def test_a_schema_whose_work_doubles_with_each_level_is_a_fault() -> None:
    levels = {f"l{n}": {"allOf": [{"$ref": f"#/definitions/l{n + 1}"}] * 2} for n in range(40)}
    schema = {"$ref": "#/definitions/l0", "definitions": {**levels, "l40": {"type": "object"}}}
    assert "steps" in fault("json.match_schema", {}, schema).text


def test_a_schema_that_nests_too_deep_is_a_fault() -> None:
    schema: Value = {}
    for _ in range(120):
        schema = {"not": schema}
    assert "levels" in fault("json.match_schema", {}, schema).text


def test_errors_are_bounded_in_number() -> None:
    assert len(_errors(list(range(MAX_ERRORS + 5)), {"items": {"type": "null"}})) == MAX_ERRORS


SCHEMAS = st.recursive(
    st.fixed_dictionaries({}, optional={"type": st.sampled_from(["array", "integer", "null", "object", "string"])}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "allOf": st.lists(inner, min_size=1, max_size=2),
            "anyOf": st.lists(inner, min_size=1, max_size=2),
            "not": inner,
            "items": inner,
            "properties": st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
            "required": st.just(["a"]),
            "minimum": st.integers(-2, 2),
        },
    ),
    max_leaves=6,
)
DOCUMENTS = st.recursive(
    st.none() | st.integers(-3, 3) | st.text(max_size=2),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2),
    max_leaves=6,
)


@given(SCHEMAS, DOCUMENTS)
def test_a_document_fits_exactly_when_each_keyword_says_so(schema: Value, document: Value) -> None:
    assert call("json.match_schema", json.dumps(document), schema)[0] == _fits(schema, document)


def _fits(schema: dict[str, Value], value: Value) -> bool:
    kinds = {list: "array", int: "integer", type(None): "null", dict: "object", str: "string"}
    by_keyword: dict[str, Callable[[Any], bool]] = {
        "type": lambda wanted: kinds[type(value)] == wanted,
        "allOf": lambda schemas: all(_fits(one, value) for one in schemas),
        "anyOf": lambda schemas: any(_fits(one, value) for one in schemas),
        "not": lambda inner: not _fits(inner, value),
        "items": lambda inner: type(value) is not list or all(_fits(inner, item) for item in value),
        "properties": lambda found: (
            type(value) is not dict or all(_fits(inner, value[name]) for name, inner in found.items() if name in value)
        ),
        "required": lambda names: type(value) is not dict or set(names) <= set(value),
        "minimum": lambda least: type(value) is not int or value >= least,
    }
    return all(by_keyword[keyword](wanted) for keyword, wanted in schema.items())


KEYWORDS = st.sampled_from(
    ["type", "items", "enum", "$ref", "$id", "pattern", "multipleOf", "required", "dependencies", "if", "format"]
)
ANYTHING = st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=4)


@given(st.recursive(ANYTHING, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYWORDS, inner, max_size=3)))
def test_no_schema_whatever_raises_anything_but_a_fault(schema: Value) -> None:
    with contextlib.suppress(BuiltinFault):
        call("json.match_schema", {"a": [1, "x"]}, schema)
    assert call("json.verify_schema", schema)[0] in {True, False}


@pytest.mark.parametrize("name", declared(json_schema))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
