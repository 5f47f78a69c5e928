"""Looking up, choosing, merging and comparing parts of objects."""

from __future__ import annotations

import copy
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import objects
from authz_service.rego_engine.errors import TYPE_ERROR
from authz_service.rego_engine.values import Value, equal, make_object, make_set, plain
from tests.authz_service.rego_engine.builtins.operands import VALUES, call, call_with_anything, declared, fault

USER: dict[Any, Value] = {"name": "eve", "roles": ["dev", {"id": 7}], "tags": make_set(["x", [1]]), "boss": None}

CASES: list[tuple[str, list[Value], Value]] = [
    ("object.get", [USER, "name", 0], "eve"),
    ("object.get", [USER, "age", 0], 0),
    ("object.get", [USER, "boss", 0], None),
    ("object.get", [USER, [], 0], USER),
    ("object.get", [USER, ["roles", 1, "id"], 0], 7),
    ("object.get", [USER, ["roles", 2], 0], 0),
    ("object.get", [USER, ["roles", -1], 0], 0),
    ("object.get", [USER, ["roles", False], 0], 0),
    ("object.get", [USER, ["roles", "0"], 0], 0),
    ("object.get", [USER, ["name", 0], 0], 0),
    ("object.get", [USER, ["tags", [1], 0], 0], 1),
    ("object.get", [USER, ["tags", "y"], 0], 0),
    ("object.get", [make_object([(True, "t"), (1, "one")]), True, 0], "t"),
    ("object.get", [make_object([([1], "list")]), [[1]], 0], "list"),
    ("object.get", [make_object([([1], "list")]), [1], 0], 0),
    ("object.keys", [make_object([("a", 1), (True, 2), ([1], 3)])], make_set(["a", True, [1]])),
    ("object.keys", [{}], set()),
    ("object.remove", [{"a": 1, "b": 2, "c": 3}, ["a", "d"]], {"b": 2, "c": 3}),
    ("object.remove", [{"a": 1, "b": 2, "c": 3}, make_set(["b"])], {"a": 1, "c": 3}),
    ("object.remove", [{"a": 1, "b": 2, "c": 3}, {"c": {"d": 1}}], {"a": 1, "b": 2}),
    ("object.remove", [make_object([(1, "one"), (True, "t")]), [True]], make_object([(1, "one")])),
    ("object.filter", [{"a": 1, "b": {"c": 2}}, ["b", "x"]], {"b": {"c": 2}}),
    ("object.filter", [{"a": 1, "b": 2}, make_set(["a"])], {"a": 1}),
    ("object.filter", [{"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": None}}], {"b": {"c": 2, "d": 3}}),
    ("object.union", [{"a": 1, "b": 2}, {"b": 3}], {"a": 1, "b": 3}),
    ("object.union", [{"a": {"b": 1, "c": 2}}, {"a": {"b": 3}}], {"a": {"b": 3, "c": 2}}),
    ("object.union", [{"a": {"b": 1}}, {"a": [1]}], {"a": [1]}),
    ("object.union", [{"a": {"b": 1}}, {"a": {}}], {"a": {"b": 1}}),
    ("object.union", [{}, {"a": 1}], {"a": 1}),
    ("object.union_n", [[]], {}),
    ("object.union_n", [[{"a": {"b": 1}}]], {"a": {"b": 1}}),
    ("object.union_n", [[{"a": {"b": 1}}, {"a": 5}, {"a": {"c": 2}}]], {"a": {"c": 2}}),
    (
        "object.union_n",
        [[{"a": {"b": 1}}, {"a": {"c": {"d": 2}}}, {"a": {"c": {"e": 3}}}]],
        {"a": {"b": 1, "c": {"d": 2, "e": 3}}},
    ),
    ("object.subset", [{"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"c": 2}}], True),
    ("object.subset", [{"a": 1}, {"a": 2}], False),
    ("object.subset", [{"a": 1}, {"a": 1, "b": None}], False),
    ("object.subset", [{"a": 1}, {"a": True}], False),
    ("object.subset", [{"a": make_set([1, 2])}, {"a": make_set([2])}], True),
    ("object.subset", [{"a": [1, 2, 3]}, {"a": [2, 3]}], True),
    ("object.subset", [{"a": [1, 2, 3]}, {"a": [1, 3]}], False),
    ("object.subset", [{"a": [1, 2]}, {"a": make_set([1])}], False),
    ("object.subset", [{"a": [{"b": 1, "c": 2}]}, {"a": [{"b": 1}]}], False),
    ("object.subset", [make_set([1, [2]]), make_set([[2]])], True),
    ("object.subset", [make_set([1]), make_set([True])], False),
    ("object.subset", [[1, 1, 1, 2], [1, 1, 2]], True),
    ("object.subset", [[1, 2], []], True),
    ("object.subset", [[1, True], [True, 1]], False),
    ("object.subset", [["a", "b", "c"], make_set(["c", "a"])], True),
    ("object.subset", [["a", "b"], make_set(["c", "a"])], False),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_an_object_is_treated_as_opa_treats_it(name: str, operands: list[Value], result: Value) -> None:
    before = copy.deepcopy(operands)
    assert equal(call(name, *operands), result)
    assert equal(operands, before)


@pytest.mark.parametrize(
    ("name", "operands", "text"),
    [
        ("object.get", [[], "a", 0], "operand 1 must be object but got array"),
        ("object.keys", ["a"], "operand 1 must be object but got string"),
        ("object.remove", [1, []], "operand 1 must be object but got number"),
        ("object.remove", [{}, "a"], "operand 2 must be one of {object, set, array} but got string"),
        ("object.filter", [{}, None], "operand 2 must be one of {object, set, array} but got null"),
        ("object.union", [{}, []], "operand 2 must be object but got array"),
        ("object.union_n", [{}], "operand 1 must be array but got object"),
        ("object.union_n", [[{}, 1]], "operand 1 must be array of objects but got array containing number"),
        ("object.subset", [{}, []], "both arguments object.subset must be of the same type or array and set"),
        ("object.subset", [set(), []], "both arguments object.subset must be of the same type or array and set"),
        ("object.subset", ["a", "a"], "both arguments object.subset must be of the same type or array and set"),
    ],
)
def test_what_is_no_object_is_a_fault(name: str, operands: list[Value], text: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (TYPE_ERROR, text)


def test_an_item_that_an_array_has_twice_does_not_stand_for_two_members() -> None:
    """OPA 1.22 counts it twice, and so takes {"user", "admin"} for part of ["user", "user"]."""
    assert call("object.subset", ["user", "user"], make_set(["user", "admin"])) is False


def test_the_empty_set_is_part_of_the_empty_array() -> None:
    """Of any other array it is so in OPA 1.22 too."""
    assert call("object.subset", [], set()) is True


def test_merging_many_objects_leaves_them_as_they_are() -> None:
    values: list[Value] = [{"a": {"b": {"c": 1}}}, {"a": {"b": {"d": 2}}}, {"a": {"b": {"c": 3}}}]
    before = copy.deepcopy(values)
    assert call("object.union_n", values) == {"a": {"b": {"c": 3, "d": 2}}}
    assert values == before


def test_an_array_is_searched_in_linear_time() -> None:
    """By trying each place, this would be ten thousand million comparisons."""
    assert call("object.subset", [0] * 200_000, [0] * 50_000 + [1]) is False


OBJECTS = st.recursive(
    st.dictionaries(st.sampled_from("abc"), st.integers(0, 2) | st.booleans(), max_size=3),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner | st.integers(0, 2), max_size=3),
    max_leaves=6,
)


@given(st.lists(OBJECTS, max_size=5))
def test_merging_many_objects_is_merging_them_one_by_one(values: list[Any]) -> None:
    before = copy.deepcopy(values)
    one_by_one: Value = reduce(lambda left, right: call("object.union", left, right), values, {})
    assert equal(call("object.union_n", values), one_by_one)
    assert equal(values, before)


@given(OBJECTS, OBJECTS)
def test_the_second_object_is_part_of_both_merged(left: Any, right: Any) -> None:
    assert call("object.subset", call("object.union", left, right), right) is True


@given(st.lists(st.integers(0, 1), max_size=12), st.lists(st.integers(0, 1), max_size=5))
def test_an_array_is_part_of_another_where_it_stands_in_it(whole: list[Any], part: list[Any]) -> None:
    expected = any(whole[place : place + len(part)] == part for place in range(len(whole) + 1))
    assert call("object.subset", whole, part) is expected


@given(OBJECTS, st.lists(st.sampled_from("abcd")))
def test_removing_and_filtering_part_an_object(value: Any, names: list[str]) -> None:
    kept, rest = call("object.filter", value, names), call("object.remove", value, make_set(names))
    assert equal({**kept, **rest}, value)
    assert not set(kept) & set(rest)


@given(st.lists(st.tuples(VALUES, VALUES), max_size=4).map(make_object), VALUES)
def test_every_key_leads_to_its_value(value: Any, default: Any) -> None:
    for name in map(plain, value):
        assert objects.child(value, name) is call("object.get", value, [name], default)


@pytest.mark.parametrize("name", declared(objects))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
