"""JSON as text."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import json_text
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR, BuiltinFault
from authz_service.rego_engine.values import Value, equal, make_object, make_set, to_json
from tests.authz_service.rego_engine.builtins.operands import VALUES, call, call_with_anything, declared, fault

CASES: list[tuple[str, list[Value], Value]] = [
    ("json.marshal", [{"b": [1, 0.5, None], "a": True}], '{"a":true,"b":[1,0.5,null]}'),
    ("json.marshal", ["<a href='x'>&\u2028\x01\b\x7f\"\\/ü"],
     '"\\u003ca href=\'x\'\\u003e\\u0026\\u2028\\u0001\\b\x7f\\"\\\\/ü"'),
    ("json.marshal", [[]], "[]"),
    ("json.marshal", [{}], "{}"),
    ("json.marshal_with_options", [{"a": [1, {}], "b": []}, {"indent": "  "}],
     '{\n  "a": [\n    1,\n    {}\n  ],\n  "b": []\n}'),
    ("json.marshal_with_options", [[1, 2], {"prefix": "> "}], "> [\n> \t1,\n> \t2\n> ]"),
    ("json.marshal_with_options", [[1], {"pretty": True}], "[\n\t1\n]"),
    ("json.marshal_with_options", [[1], {"pretty": False, "indent": "  "}], "[1]"),
    ("json.marshal_with_options", [[1], {}], "[1]"),
    ("json.marshal_with_options", [[], {"prefix": "#"}], "#[]"),
    ("json.unmarshal", [' {"a": [1, 2.5, "\\u00fc", null]} '], {"a": [1, 2.5, "ü", None]}),
    ("json.unmarshal", ['{"a": 1, "a": 2}'], {"a": 2}),
    ("json.unmarshal", ['"\\ud83d\\ude00 \\ud83d"'], "😀 \ufffd"),
    ("json.unmarshal", ["12345678901234567890123"], 12345678901234567890123),
    ("json.is_valid", ["[1]"], True),
    ("json.is_valid", ["1e999999"], True),
    ("json.is_valid", ["[1,]"], False),
    ("json.is_valid", ["NaN"], False),
    ("json.is_valid", ["1 2"], False),
    ("json.is_valid", [""], False),
]  # fmt: skip


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_json_is_written_and_read_as_opa_does(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


def test_sets_are_arrays_and_keys_of_any_kind_are_texts_in_their_order() -> None:
    value = make_object([(10, make_set([2, 1])), ("1a", 0), (True, None), (make_set(["x"]), 1)])
    assert call("json.marshal", value) == '{"10":[1,2],"1a":0,"[\\"x\\"]":1,"true":null}'


def test_numbers_stay_exact() -> None:
    text = '{"a":0.33333333333333333334,"b":12345678901234567890.5}'
    found = call("json.unmarshal", text)
    assert found == {"a": Decimal("0.33333333333333333334"), "b": Decimal("12345678901234567890.5")}
    assert call("json.marshal", found) == text


def test_octets_that_are_no_utf_8_are_written_as_replacement_characters() -> None:
    assert call("json.marshal", "a\udcff") == '"a\\ufffd"'


@pytest.mark.parametrize(
    "text", ["", "[1,]", "1 2", "nul", "'a'", "01", "[1", "NaN", '"\x01"', "1e9999", "{1: 2}", "1null", "\ufeff1"]
)
def test_what_is_no_json_is_a_fault(text: str) -> None:
    assert fault("json.unmarshal", text).code == BUILTIN_ERROR


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"width": 1}, 'operand 2 object contained unknown key "width"'),
        ({"pretty": 1}, 'operand 2 key "pretty" failed cast to bool'),
        ({"indent": 1}, 'operand 2 key "indent" failed cast to string: must be string but got number'),
        ({1: 1}, "operand 2 failed to stringify key: must be string but got number"),
        ([], "operand 2 must be object but got array"),
    ],
)
def test_an_option_that_is_none_is_a_fault(options: Value, text: str) -> None:
    found = fault("json.marshal_with_options", 1, options)
    assert (found.code, found.text) == (TYPE_ERROR, text)


@pytest.mark.parametrize("levels", [json_text.MAX_DEPTH + 1, 100_000])
def test_what_lies_too_deep_is_neither_read_nor_valid(levels: int) -> None:
    text = "[" * levels + "]" * levels
    assert "deeper than" in fault("json.unmarshal", text).text
    assert call("json.is_valid", text) is False


def test_what_lies_just_deep_enough_is_read() -> None:
    text = "[" * json_text.MAX_DEPTH + "]" * json_text.MAX_DEPTH
    assert call("json.marshal", call("json.unmarshal", text)) == text


def test_what_is_wide_may_have_more_brackets_than_levels() -> None:
    text = f"[{','.join(['[]'] * 1000)}]"
    assert len(call("json.unmarshal", text)) == 1000
    assert call("json.is_valid", text) is True


def test_indents_have_a_bound_and_so_has_what_they_make() -> None:
    assert "longer than" in fault("json.marshal_with_options", [1], {"indent": " " * 257}).text
    deep: Value = [0] * 1000
    for _ in range(60):
        deep = [deep]
    assert "longer than" in fault("json.marshal_with_options", deep, {"indent": " " * 256}).text


@given(VALUES)
def test_a_value_comes_back_as_the_json_that_it_is(value: Value) -> None:
    try:
        text = call("json.marshal", value)
        found = call("json.unmarshal", text)
    except BuiltinFault:
        assume(False)  # a number that is too large to be written, or to be read
    assume("\\ufffd" not in text)
    assert equal(found, to_json(value))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
)


@given(JSON, st.sampled_from(["", " ", "\t", "..."]))
def test_layout_is_that_of_pythons_writer_but_for_escapes(value: Any, indent: str) -> None:
    written = call("json.marshal_with_options", value, {"indent": indent})
    assert json.loads(written.replace("...", "")) == json.loads(json.dumps(value).replace("...", ""))
    if indent:
        assert written.count("\n") == json.dumps(value, indent=indent).count("\n")


@pytest.mark.parametrize("name", declared(json_text))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
