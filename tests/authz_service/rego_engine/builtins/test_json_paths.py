"""json.filter and json.remove."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import json_paths
from authz_service.rego_engine.builtins.json_paths import MAX_SEGMENTS
from authz_service.rego_engine.errors import TYPE_ERROR
from authz_service.rego_engine.values import Value, make_object, make_set
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

USER = {"name": "ann", "roles": ["dev", "ops", "qa"], "home": {"city": "Oslo", "zip/code": 7}}
ODD = make_object([("tags", make_set(["a", ["x", "y"]])), (1, "one"), (True, {"b": 2})])

CASES: list[tuple[str, list[Value], Value]] = [
    ("json.filter", [USER, ["name"]], {"name": "ann"}),
    ("json.filter", [USER, ["/home/city", "roles/1"]], {"home": {"city": "Oslo"}, "roles": ["ops"]}),
    ("json.filter", [USER, ["home/zip~1code"]], {"home": {"zip/code": 7}}),
    ("json.filter", [USER, make_set([["home", "city"], "home"])], {"home": USER["home"]}),
    ("json.filter", [USER, ["home/city", "home"]], {"home": USER["home"]}),
    ("json.filter", [USER, ["name/first"]], {"name": "ann"}),
    ("json.filter", [USER, ["age", "roles/9"]], {"roles": []}),
    ("json.filter", [USER, []], {}),
    ("json.filter", [USER, ["", []]], {}),
    ("json.filter", [ODD, ["tags/a"]], {"tags": make_set(["a"])}),
    ("json.filter", [ODD, [["tags", ["x", "y"], "1"]]], {"tags": make_set([["y"]])}),
    ("json.filter", [ODD, [[True, "b"], [1]]], make_object([(True, {"b": 2}), (1, "one")])),
    ("json.remove", [USER, ["home", "roles/0", "roles/2"]], {"name": "ann", "roles": ["ops"]}),
    ("json.remove", [USER, ["home/city", "name/first", "age"]], {**USER, "home": {"zip/code": 7}}),
    ("json.remove", [USER, [["roles", 0]]], USER),
    ("json.remove", [USER, []], USER),
    ("json.remove", [{"": {"": 1, "a": 2}}, ["/"]], {}),
    ("json.remove", [ODD, ["tags/a", [1]]], make_object([("tags", make_set([["x", "y"]])), (True, {"b": 2})])),
    (
        "json.remove",
        [ODD, [["tags", ["x", "y"], "0"]]],
        make_object([("tags", make_set(["a", ["y"]])), (1, "one"), (True, {"b": 2})]),
    ),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_paths_select_what_opa_has_them_select(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


@pytest.mark.parametrize("name", ["json.filter", "json.remove"])
@pytest.mark.parametrize(
    ("operands", "reason"),
    [
        ([[1], ["a"]], "operand 1 must be object but got array"),
        ([{}, "a"], "operand 2 must be one of {set, array} but got string"),
        (
            [{}, [1]],
            "operand 2 must be one of {set, array} containing string paths or array of path segments but got number",
        ),
        ([{}, ["/".join("a" * (MAX_SEGMENTS + 1))]], "operand 2 must have paths of at most 1000 segments"),
    ],
)
def test_operands_of_other_types_are_faults(name: str, operands: list[Value], reason: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (TYPE_ERROR, reason)


NAMES = st.sampled_from(["a", "b", "~", "/", ""])
OBJECTS = st.recursive(st.integers(), lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=8).filter(
    lambda value: type(value) is dict
)


@given(OBJECTS, st.lists(st.lists(NAMES, min_size=1, max_size=3), max_size=3))
def test_filter_and_remove_share_the_leaves_out_and_leave_the_object_alone(document: Value, paths: list[Value]) -> None:
    before = repr(document)
    kept, rest = _leaves(call("json.filter", document, paths)), _leaves(call("json.remove", document, paths))
    assert kept | rest == _leaves(document)
    for path in rest:
        assert not any(list(path[: len(prefix)]) == prefix for prefix in paths)
    assert repr(document) == before


def _leaves(value: Value, path: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    if type(value) is not dict:
        return {path}
    return {leaf for name, item in value.items() for leaf in _leaves(item, (*path, name))}


@given(OBJECTS, st.lists(NAMES.filter(bool), min_size=1, max_size=3))
def test_a_path_as_text_is_the_path_as_an_array(document: Value, segments: list[str]) -> None:
    text = "/".join(segment.replace("~", "~0").replace("/", "~1") for segment in segments)
    for name in ("json.filter", "json.remove"):
        assert call(name, document, [text]) == call(name, document, [segments])


@pytest.mark.parametrize("name", declared(json_paths))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
