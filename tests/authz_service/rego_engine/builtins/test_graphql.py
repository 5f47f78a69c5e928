"""GraphQL documents."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import graphql
from authz_service.rego_engine.builtins.graphql.documents import MAX_DEPTH, MAX_LENGTH, MAX_QUERY_TOKENS, read_query
from authz_service.rego_engine.builtins.graphql.objects import query_object
from authz_service.rego_engine.builtins.graphql.writing import write_query
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR, BuiltinFault
from authz_service.rego_engine.values import Value
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

SHOP = """
  "What the shop sells" type Product implements Item { id: ID! price(in: Currency = EUR): Float! tags: [String!] }
  type Book implements Item { id: ID! title: String @deprecated(reason: "see name") }
  interface Item { id: ID! }
  union Found = Product | Book
  enum Currency { EUR NOK @deprecated }
  input Filter { text: String! = "" most: [Int!] below: Filter }
  scalar Day @specifiedBy(url: "https://example.com/day")
  directive @cached(seconds: Int! = 60) repeatable on FIELD | QUERY
  type Query { product(id: ID!): Product find(by: Filter): [Found!]! today: Day }
  type Mutation { buy(id: ID!, n: Int = 1): Boolean }
"""


def _value(kind: int, raw: str) -> dict[str, Value]:
    return {"ExpectedTypeHasDefault": False, "Kind": kind, "Raw": raw}


def _field(name: str, **rest: Value) -> dict[str, Value]:
    return {"Alias": name, "Name": name, **rest}


def test_a_query_becomes_an_object() -> None:
    text = """
      # the product's price
      query Price($id: ID! = "7", $ids: [Int!]) @cached {
        it: product(id: $id) { price(in: NOK) ...more @skip(if: true) ... on Product { id } }
      }
      fragment more on Product { tags }
    """
    assert call("graphql.parse_query", text) == {
        "Operations": [
            {
                "Description": "",
                "Operation": "query",
                "Name": "Price",
                "VariableDefinitions": [
                    {
                        "Description": "",
                        "Variable": "id",
                        "Type": {"NamedType": "ID", "NonNull": True},
                        "DefaultValue": _value(3, "7"),
                        "Used": False,
                    },
                    {
                        "Description": "",
                        "Variable": "ids",
                        "Type": {"NamedType": "", "Elem": {"NamedType": "Int", "NonNull": True}, "NonNull": False},
                        "Used": False,
                    },
                ],
                "Directives": [{"Name": "cached", "Location": ""}],
                "SelectionSet": [
                    {
                        "Alias": "it",
                        "Name": "product",
                        "Arguments": [{"Name": "id", "Value": _value(0, "id")}],
                        "SelectionSet": [
                            _field("price", Arguments=[{"Name": "in", "Value": _value(7, "NOK")}]),
                            {
                                "Name": "more",
                                "Directives": [
                                    {
                                        "Name": "skip",
                                        "Arguments": [{"Name": "if", "Value": _value(5, "true")}],
                                        "Location": "",
                                    }
                                ],
                            },
                            {"TypeCondition": "Product", "SelectionSet": [_field("id")]},
                        ],
                    }
                ],
            }
        ],
        "Fragments": [
            {"Description": "", "Name": "more", "TypeCondition": "Product", "SelectionSet": [_field("tags")]}
        ],
    }


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("-12", _value(1, "-12")),
        ("1.5e3", _value(2, "1.5e3")),
        ('"a\\u0062\\n"', _value(3, "ab\n")),
        ('"""\n  two\n    lines\n"""', _value(4, "two\n  lines")),
        ("null", _value(6, "null")),
        ("[]", _value(8, "")),
        ("[1]", {**_value(8, ""), "Children": [{"Name": "", "Value": _value(1, "1")}]}),
        ("{k: false}", {**_value(9, ""), "Children": [{"Name": "k", "Value": _value(5, "false")}]}),
    ],
)
def test_values_have_a_kind_and_a_text(text: str, value: Value) -> None:
    found = call("graphql.parse_query", f"{{f(v: {text})}}")
    assert found["Operations"][0]["SelectionSet"][0]["Arguments"] == [{"Name": "v", "Value": value}]


def test_a_schema_becomes_an_object() -> None:
    text = """
      "d" type A implements I & J { "e" f(x: Int = 1): [B!] }
      extend union U = A | B
      enum E { P Q } input N { k: Int = 2 } directive @x(y: Int) repeatable on FIELD
      schema { query: A } extend schema @x
    """
    plain = {"NamedType": "Int", "NonNull": False}
    assert call("graphql.parse_schema", text) == {
        "Schema": [{"Description": "", "OperationTypes": [{"Operation": "query", "Type": "A"}]}],
        "SchemaExtension": [{"Description": "", "Directives": [{"Name": "x", "Location": ""}]}],
        "Directives": [
            {
                "Description": "",
                "Name": "x",
                "Arguments": [{"Description": "", "Name": "y", "Type": plain}],
                "Locations": ["FIELD"],
                "IsRepeatable": True,
            }
        ],
        "Definitions": [
            {
                "Kind": "OBJECT",
                "Description": "d",
                "Name": "A",
                "Interfaces": ["I", "J"],
                "Fields": [
                    {
                        "Description": "e",
                        "Name": "f",
                        "Arguments": [{"Description": "", "Name": "x", "Type": plain, "DefaultValue": _value(1, "1")}],
                        "Type": {"NamedType": "", "Elem": {"NamedType": "B", "NonNull": True}, "NonNull": False},
                    }
                ],
                "BuiltIn": False,
            },
            {
                "Kind": "ENUM",
                "Description": "",
                "Name": "E",
                "EnumValues": [{"Description": "", "Name": "P"}, {"Description": "", "Name": "Q"}],
                "BuiltIn": False,
            },
            {
                "Kind": "INPUT_OBJECT",
                "Description": "",
                "Name": "N",
                "Fields": [{"Description": "", "Name": "k", "Type": plain, "DefaultValue": _value(1, "2")}],
                "BuiltIn": False,
            },
        ],
        "Extensions": [{"Kind": "UNION", "Description": "", "Name": "U", "Types": ["A", "B"], "BuiltIn": False}],
    }


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("graphql.parse_query", "{a", "Expected Name, found <EOF> in GraphQL string at location 1:3"),
        ("graphql.parse_query", "{ a: 7 }", "Expected Name, found Int in GraphQL string at location 1:6"),
        (
            "graphql.parse_query",
            "{a(\n)}",
            "expected at least one definition, found ) in GraphQL string at location 2:1",
        ),
        ("graphql.parse_query", "{}", "expected at least one definition, found } in GraphQL string at location 1:2"),
        ("graphql.parse_query", "fragment f A {b}", 'Expected "on", found Name "A" in GraphQL string at location 1:12'),
        ("graphql.parse_query", "fetch {a}", 'Unexpected Name "fetch" in GraphQL string at location 1:1'),
        ("graphql.parse_query", "query($a: A = $b) {c}", "Unexpected $ in GraphQL string at location 1:15"),
        ("graphql.parse_query", "{a} type B {c: D}", 'Unexpected Name "type" in GraphQL string at location 1:5'),
        ("graphql.parse_query", "{...f(a: 1)}", "Expected Name, found ( in GraphQL string at location 1:6"),
        ("graphql.parse_query", '{a(b: "c)}', "Unexpected <Invalid> in GraphQL string at location 1:11"),
        ("graphql.parse_schema", "union U = | A |", "Expected Name, found <EOF> in GraphQL string at location 1:16"),
        ("graphql.parse_schema", "input I {a(b: C): D}", "Expected :, found ( in GraphQL string at location 1:11"),
        ("graphql.parse_schema", '"x" extend type A {b: C}', 'Unexpected String "x" in GraphQL string at location 1:2'),
        (
            "graphql.parse_schema",
            "directive @d on NOWHERE",
            'Unexpected Name "NOWHERE" in GraphQL string at location 1:17',
        ),
        ("graphql.parse_schema", "{a}", "Unexpected { in GraphQL string at location 1:1"),
    ],
)
def test_faults_of_syntax_are_told_as_opa_tells_them(name: str, text: str, reason: str) -> None:
    found = fault(name, text)
    assert (found.code, found.text) == (BUILTIN_ERROR, reason)


def test_a_character_that_is_in_no_token_is_told_of_first() -> None:
    assert fault("graphql.parse_query", "{ ( a ? b}").text == "Unexpected <Invalid> in GraphQL string at location 1:7"


@pytest.mark.parametrize(
    "query",
    [
        "",
        "# nothing",
        "{today}",
        '{product(id: "p") {id price dear: price(in: NOK) tags}}',
        "query Q($id: ID!) {product(id: $id) {id}}",
        '{find(by: {text: "x", most: [1], below: {}}) {__typename ... on Item {id} ...b}} fragment b on Book {title}',
        "{find {... @defer {__typename}}}",
        "mutation {buy(id: 7)}",
        "{today @cached @cached(seconds: 5)}",
        "{__schema {types {name}}}",
    ],
)
def test_a_query_that_fits_the_schema_is_valid(query: str) -> None:
    assert call("graphql.is_valid", query, SHOP) is True
    objects = [call("graphql.parse_query", query), call("graphql.parse_schema", SHOP)]
    assert call("graphql.parse", query, SHOP) == objects
    assert call("graphql.parse_and_verify", query, SHOP) == [True, *objects]


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("{tomorrow}", 'Cannot query field "tomorrow" on type "Query"'),
        (
            "{product {id}}",
            (
                'Field "product" argument "id" of type "ID!" is required, but it was not provided'
                " in GraphQL string at location 1:2"
            ),
        ),
        ("{today @skip}", 'Directive "@skip" argument "if" of type "Boolean!" is required'),
        ("{product(id: 1)}", 'Field "product" of type "Product" must have a selection of subfields'),
        ("{today {x}}", 'Field "today" must not have a selection'),
        ("{product(id: $x) {id}}", 'Variable "$x" is not defined'),
        ("query($x: ID!) {today}", 'Variable "$x" is never used'),
        ("query($x: ID) {product(id: $x) {id}}", 'Variable "$x" of type "ID"'),
        ('{find(by: {most: "x"}) {__typename}}', "Int cannot represent"),
        ("{find {...f}} fragment f on Found {...f}", 'Cannot spread fragment "f" within itself'),
        ("{today} {today}", "This anonymous operation must be the only defined operation"),
        ("subscription {x}", "subscription"),
        ("{today @uncached}", 'Unknown directive "@uncached"'),
    ],
)
def test_a_query_that_does_not_fit_the_schema_is_invalid(query: str, reason: str) -> None:
    assert call("graphql.is_valid", query, SHOP) is False
    assert call("graphql.parse_and_verify", query, SHOP) == [False, {}, {}]
    assert reason in fault("graphql.parse", query, SHOP).text


@pytest.mark.parametrize(
    ("schema", "valid"),
    [
        (SHOP, True),
        ("", True),
        ("type A {b: Int}", True),
        ("extend type A {b: Int} extend type A {c: A}", True),
        (
            "extend enum E {A} extend input I {e: E} extend interface N {b: Int} extend union U = A type A {b: Int}",
            True,
        ),
        ("schema {query: A} type A {b: Int}", True),
        ("directive @skip(if: Boolean!) on FIELD", True),
        ('input I {a: Int = "x"}', True),
        ("type A {b: C}", False),
        ("type A {b: Int} type A {c: Int}", False),
        ("type A {b: Int} extend type A {b: Int}", False),
        ("type A {b: Int} extend input A {c: Int}", False),
        ("scalar Int", False),
        ("type __A {b: Int}", False),
        ("type A @nowhere {b: Int}", False),
        ("type A {b: Int @skip(if: true)}", False),
        ("type A {b(c: A): Int}", False),
        ("input I {i: I!}", False),
        ("interface I {a: Int} type A implements I {b: Int}", False),
        ("union U = Int", False),
        ("enum E {A A}", False),
        ("schema {query: Missing}", False),
        ("input Query {a: Int}", False),
        ("type A", False),
        ("{a}", False),
    ],
)
def test_a_schema_is_valid_when_opa_says_so(schema: str, valid: bool) -> None:  # noqa: FBT001  (an expectation)
    assert call("graphql.schema_is_valid", schema) is valid
    assert call("graphql.is_valid", "", schema) is valid
    with contextlib.suppress(BuiltinFault):
        assert call("graphql.schema_is_valid", call("graphql.parse_schema", schema)) is valid


def test_objects_stand_for_the_texts_that_they_come_from() -> None:
    query = 'query Q($id: ID! = "7", $n: [[Int!]]) {a: product(id: $id) {id ...f}} fragment f on Product {...{tags}}'
    parsed, schema = call("graphql.parse_query", query), call("graphql.parse_schema", SHOP)
    assert call("graphql.parse_and_verify", {**parsed}, {**schema})[0] is False  # $n is not used
    parsed["Operations"][0]["VariableDefinitions"].pop()
    assert call("graphql.parse", parsed, schema) == [parsed, schema]


@pytest.mark.parametrize(
    "document",
    [
        {"Operations": 1},
        {"Operations": [1]},
        {"Operations": [{"Operation": "fetch", "SelectionSet": [_field("today")]}]},
        {"Operations": [{"Operation": "query", "Name": "q {today} query r", "SelectionSet": [_field("today")]}]},
        {"Operations": [{"Operation": "query", "SelectionSet": [_field("today} {today")]}]},
        {"Operations": [{"Operation": "query", "SelectionSet": [_field("today\n")]}]},
        {"Operations": [{"Operation": "query", "SelectionSet": [{"Name": 7}]}]},
        {
            "Operations": [
                {
                    "Operation": "query",
                    "SelectionSet": [_field("find", Arguments=[{"Name": "by", "Value": _value(1, "1) {x}")}])],
                }
            ]
        },
    ],
)
def test_an_object_that_stands_for_no_query_is_invalid(document: Value) -> None:
    assert call("graphql.is_valid", document, SHOP) is False
    assert fault("graphql.parse", document, SHOP).code == BUILTIN_ERROR


def test_operands_of_other_types_are_faults_only_where_no_verdict_is_asked_for() -> None:
    assert fault("graphql.parse", 1, SHOP).code == TYPE_ERROR
    assert fault("graphql.parse_query", {}).text == "operand 1 must be string but got object"
    assert call("graphql.is_valid", 1, SHOP) is False
    assert call("graphql.schema_is_valid", None) is False
    assert call("graphql.parse_and_verify", "{today}", 1) == [False, {}, {}]


@pytest.mark.parametrize(
    "query",
    [
        "{" + "a " * MAX_QUERY_TOKENS + "}",
        "{a" * (MAX_DEPTH + 1) + "}" * (MAX_DEPTH + 1),
        "{a(b: " + "[" * 100_000,
        "#" * (MAX_LENGTH + 1),
    ],
)
def test_a_query_has_bounds(query: str) -> None:
    found = fault("graphql.parse_query", query)
    assert found.code == BUILTIN_ERROR
    assert "more than" in found.text or "longer than" in found.text


def test_an_object_has_bounds() -> None:
    selection: dict[str, Value] = _field("a")
    value: dict[str, Value] = _value(1, "1")
    for _ in range(500):
        selection = _field("a", SelectionSet=[selection])
        value = {**_value(8, ""), "Children": [{"Name": "", "Value": value}]}
    for found in (selection, _field("a", Arguments=[{"Name": "b", "Value": value}])):
        document = {"Operations": [{"Operation": "query", "SelectionSet": [found]}]}
        assert f"{MAX_DEPTH} levels" in fault("graphql.parse", document, SHOP).text


NAMES = st.sampled_from(["today", "product", "id", "on", "query", "true"])
VALUES = st.recursive(
    st.sampled_from(["1", "-0.5e3", '"\\u00e9 \\" $"', '"""b "\n  c"""', "true", "null", "EUR", "$v"]),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda items: f"[{' '.join(items)}]")
        | st.lists(inner, max_size=3).map(lambda items: f"{{{' '.join(f'k: {item}' for item in items)}}}")
    ),
    max_leaves=5,
)
SELECTIONS = st.recursive(
    st.builds(lambda name, value: f"{name}(a: {value}) @d(b: {value})", NAMES, VALUES),
    lambda inner: st.builds(
        lambda start, items: f"{start} {{{' '.join(items)}}}",
        st.sampled_from(["a", "a: b", "... on C", "... @d"]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=5,
)


@given(st.lists(SELECTIONS, min_size=1, max_size=3))
def test_a_query_written_from_its_object_has_the_same_object(selections: list[str]) -> None:
    found = call("graphql.parse_query", f"query Q($v: [Int!]! = [1]) {{{' '.join(selections)}}}")
    again = query_object(read_query(write_query(found)))
    assert _without_blocks(again) == _without_blocks(found)


def _without_blocks(value: Value) -> Value:
    """Return an object where block strings count as strings: they are written as such."""
    if type(value) is list:
        return [_without_blocks(item) for item in value]
    if type(value) is dict:
        return {name: 3 if name == "Kind" and item == 4 else _without_blocks(item) for name, item in value.items()}
    return value


@given(st.text(alphabet='{}()[]:$@!.|&="#\n abon1-\\\x00\ud800\ufeff', max_size=30))
def test_no_text_whatever_raises_anything_but_a_fault(text: str) -> None:
    for name in ("graphql.parse_query", "graphql.parse_schema"):
        with contextlib.suppress(BuiltinFault):
            call(name, text)
    assert call("graphql.is_valid", text, SHOP) in {True, False}


@pytest.mark.parametrize("name", declared(graphql))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
