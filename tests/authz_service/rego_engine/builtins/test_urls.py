"""Query strings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import urls
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR
from authz_service.rego_engine.values import Value, make_set
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("urlquery.encode", ["a b&c=ü/~-_.!"], "a+b%26c%3D%C3%BC%2F~-_.%21"),
    ("urlquery.decode", ["a+b%26c%3d%C3%BC"], "a b&c=ü"),
    ("urlquery.encode_object", [{"q": "a b", "id": ["2", "1"]}], "id=2&id=1&q=a+b"),
    ("urlquery.encode_object", [{}], ""),
    ("urlquery.encode_object", [{"a": []}], ""),
    ("urlquery.decode_object", ["q=a+b&id=2&id=1&flag&&x="], {"q": ["a b"], "id": ["2", "1"], "flag": [""], "x": [""]}),
    ("urlquery.decode_object", ["a=b=c"], {"a": ["b=c"]}),
    ("urlquery.decode_object", ["=x"], {"": ["x"]}),
    ("urlquery.decode_object", [""], {}),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_queries_are_written_and_read_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


def test_a_set_of_values_is_written_in_its_order() -> None:
    assert call("urlquery.encode_object", {"a": make_set(["z", "y"])}) == "a=y&a=z"


@pytest.mark.parametrize(
    ("name", "operand", "code", "text"),
    [
        ("urlquery.decode", "a%2", BUILTIN_ERROR, 'invalid URL escape "%2"'),
        ("urlquery.decode", "%zzz", BUILTIN_ERROR, 'invalid URL escape "%zz"'),
        ("urlquery.decode_object", "a=%", BUILTIN_ERROR, 'invalid URL escape "%"'),
        ("urlquery.decode_object", "a=1;b=2", BUILTIN_ERROR, "invalid semicolon separator in query"),
        ("urlquery.decode_object", "&" * 10_000, BUILTIN_ERROR, "number of URL query parameters exceeded limit"),
        ("urlquery.decode", 1, TYPE_ERROR, "operand 1 must be string but got number"),
        ("urlquery.encode_object", [], TYPE_ERROR, "operand 1 must be object but got array"),
        (
            "urlquery.encode_object",
            {"a": 1},
            TYPE_ERROR,
            "operand 1 values must be string, array[string], or set[string]",
        ),
        (
            "urlquery.encode_object",
            {"a": [None]},
            TYPE_ERROR,
            "operand 1 values must be string, array[string], or set[string]",
        ),
    ],
)
def test_what_is_no_query_is_a_fault(name: str, operand: Value, code: str, text: str) -> None:
    found = fault(name, operand)
    assert (found.code, found.text) == (code, text)


@given(st.text(max_size=20))
def test_a_part_of_a_query_comes_back(text: str) -> None:
    assert call("urlquery.decode", call("urlquery.encode", text)) == text


@given(st.dictionaries(st.text(max_size=5), st.lists(st.text(max_size=5), min_size=1, max_size=3), max_size=4))
def test_an_object_comes_back(parameters: dict[str, list[str]]) -> None:
    assert call("urlquery.decode_object", call("urlquery.encode_object", parameters)) == parameters


@pytest.mark.parametrize("name", declared(urls))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
