"""json.patch."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import json_patch
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR
from authz_service.rego_engine.values import Value, make_object, make_set
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

CART = {"items": [{"sku": "p", "n": 1}, {"sku": "q", "n": 2}], "note": None, "a/b": {"~": 3}}


def _operation(op: str, path: Value, **rest: Value) -> dict[str, Value]:
    return {"op": op, "path": path, **rest}


CASES: list[tuple[Value, list[Value], Value]] = [
    (CART, [], CART),
    ({"x": 1}, [_operation("add", "/y", value=[2])], {"x": 1, "y": [2]}),
    ({"x": 1}, [_operation("add", "x", value=2)], {"x": 2}),
    ([5, 7], [_operation("add", "/1", value=6)], [5, 6, 7]),
    ([5, 7], [_operation("add", "-", value=8)], [5, 7, 8]),
    ([5, 7], [_operation("add", [2], value=8)], [5, 7, 8]),
    ([5, 7], [_operation("remove", "/0")], [7]),
    ([5, 7], [_operation("replace", "+1", value=9)], [5, 9]),
    ({"a/b": {"~": 3}}, [_operation("remove", "/a~1b/~0")], {"a/b": {}}),
    ({"x": {"y": 1}}, [_operation("move", "z", **{"from": "x/y"})], {"x": {}, "z": 1}),
    ([1, 2, 3], [_operation("move", "/2", **{"from": "/0"})], [2, 3, 1]),
    (
        {"x": [1]},
        [_operation("copy", "y", **{"from": "x"}), _operation("add", "y/-", value=2)],
        {"x": [1], "y": [1, 2]},
    ),
    (CART, [_operation("test", "items/1/sku", value="q"), _operation("test", "note", value=None)], CART),
    (7, [_operation("replace", "", value={"v": 7})], {"v": 7}),
    ({"x": 1}, [_operation("remove", ""), _operation("add", "", value=3)], 3),
    ({"x": 1}, [_operation("move", "", **{"from": "x"})], 1),
    ({"s": make_set(["a", "b"])}, [_operation("remove", "s/a")], {"s": make_set(["b"])}),
    ({"s": make_set(["a"])}, [_operation("add", ["s", 4], value=4)], {"s": make_set(["a", 4])}),
    (make_set([["a"]]), [_operation("add", [["a"], "-"], value="b")], make_set([["a", "b"]])),
    (
        make_set([["a"]]),
        [_operation("add", [["a"], 0], value="b"), _operation("remove", [["b", "a"], 1])],
        make_set([["b"]]),
    ),
    (make_object([(True, [1])]), [_operation("add", [True, 0], value=0)], make_object([(True, [0, 1])])),
]


@pytest.mark.parametrize(("target", "patch", "result"), CASES)
def test_a_patch_is_applied_as_opa_does(target: Value, patch: list[Value], result: Value) -> None:
    before = copy.deepcopy((target, patch))
    assert call("json.patch", target, patch) == result
    assert (target, patch) == before


@pytest.mark.parametrize(
    ("patch", "reason"),
    [
        ([1], "must be an array of JSON-Patch objects, but at least one element is not an object"),
        ([{"op": "remove"}], "missing required attribute 'path'"),
        ([{"path": "a"}], "missing required attribute 'op'"),
        ([{"op": 1, "path": "a"}], "attribute 'op' must be a string but found: number"),
        ([_operation("sort", "a")], "unrecognized op: 'sort'"),
        ([_operation("add", "b")], "missing required attribute 'value'"),
        ([_operation("move", "b")], "missing required attribute 'from'"),
        ([_operation("add", "a/9", value=1)], "index for array insertion out of bounds"),
        ([_operation("remove", "a/-")], "index for array delete out of bounds"),
        ([_operation("remove", "a/-1")], "index for array delete out of bounds"),
        ([_operation("remove", "a/00")], "leading zeros are not allowed in JSON paths"),
        ([_operation("remove", "a/x")], "invalid string for indexing"),
        ([_operation("remove", ["a", None])], "invalid type for indexing"),
        ([_operation("remove", "c")], "cannot delete child key that does not exist"),
        ([_operation("add", "c/d", value=1)], "path does not exist in object term"),
        ([_operation("add", "a/0/d", value=1)], "expected composite type, found number"),
        ([_operation("test", "a", value=[1, True])], "the value is not the one that the patch tests for"),
        ([_operation("add", "s/q", value="r")], "set key does not equal value to be inserted"),
        ([_operation("remove", "")], "the patch removes the whole document"),
        ([_operation("move", "a/b", **{"from": "a"})], "path does not exist in object term"),
    ],
)
def test_the_first_operation_that_fails_is_a_fault(patch: list[Value], reason: str) -> None:
    found = fault("json.patch", {"a": [1, 1], "s": make_set(["q"])}, patch)
    assert (found.code, found.text) == (BUILTIN_ERROR, reason)


def test_a_path_of_another_type_is_a_fault() -> None:
    found = fault("json.patch", {}, [_operation("add", 1, value=1)])
    assert found.code == TYPE_ERROR
    assert found.text.startswith("operand 2 must be one of {set, array} containing string paths")


def test_copies_that_grow_beyond_all_bounds_are_a_fault() -> None:
    doubling = [_operation("copy", "-", **{"from": ""}) for _ in range(64)]
    assert "copies more than" in fault("json.patch", [1], doubling).text


@given(st.lists(st.integers(0, 3), max_size=6), st.lists(st.tuples(st.integers(0, 6), st.booleans()), max_size=8))
def test_edits_of_an_array_are_those_of_a_list(start: list[int], edits: list[tuple[int, bool]]) -> None:
    expected, patch = list(start), []
    for index, adds in edits:
        if adds and index <= len(expected):
            expected.insert(index, 9)
            patch.append(_operation("add", f"/{index}", value=9))
        elif index < len(expected):
            del expected[index]
            patch.append(_operation("remove", [index]))
    assert call("json.patch", start, patch) == expected


@pytest.mark.parametrize("name", declared(json_patch))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
