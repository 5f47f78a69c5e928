"""Rego's values: one order, one equality, and both as OPA has them."""

from __future__ import annotations

import itertools
import json
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.values import (
    Value,
    compare,
    entries,
    equal,
    key,
    keys,
    make_object,
    make_set,
    members,
    order,
    ordered,
    plain,
    read,
    to_answer,
    to_json,
    type_name,
    write,
)
from tests.authz_service.rego_engine.builtins.operands import NUMBERS, VALUES

# Close to one another, so that equal ones and nearly equal ones are drawn often.
NEAR: Final = st.recursive(
    st.sampled_from(
        [None, True, False, 0, 1, 1.0, 0.0, 0.5, Decimal("0.5"), "", "1", "true", "null", "é", "\U0001f600"]
    ),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(make_set)
        | st.lists(st.tuples(inner, inner), max_size=3).map(make_object)
    ),
    max_leaves=6,
)
ANY: Final = NEAR | VALUES

IN_ORDER: Final[list[Value]] = [
    None, False, True, -(10**30), -1, 0, Decimal("1e-400"), 0.5, 1, 10**30, "", "A", "a", "aa", "b", "é", [], [None],
    [None, None], [1], [1, 1], [2], {}, {"a": 1}, {"a": 1, "b": 1}, {"a": 2}, {"b": 0}, set(), make_set([1]),
    make_set([1, 2]), make_set([2]),
]  # fmt: skip


def test_the_order_of_types_and_within_each_is_that_of_the_table() -> None:
    """Null < boolean < number < string < array < object < set."""
    for (place, left), (other, right) in itertools.product(enumerate(IN_ORDER), repeat=2):
        assert compare(left, right) == (place > other) - (place < other), (left, right)


@given(ANY, ANY, ANY)
def test_the_order_is_total(left: Value, middle: Value, right: Value) -> None:
    """Any two values are in order, either way round, and so are any three."""
    assert compare(left, left) == 0
    assert compare(left, right) == -compare(right, left)
    if compare(left, middle) <= 0 and compare(middle, right) <= 0:
        assert compare(left, right) <= 0


@given(ANY, ANY)
def test_values_are_equal_exactly_where_neither_comes_first(left: Value, right: Value) -> None:
    assert equal(left, right) == equal(right, left) == (compare(left, right) == 0)


@given(ANY, ANY)
def test_keys_are_equal_exactly_where_the_values_are(left: Value, right: Value) -> None:
    """And equal keys have one hash, without which a set would not find its member."""
    assert (key(left) == key(right)) == equal(left, right)
    if equal(left, right):
        assert hash(key(left)) == hash(key(right))


@given(ANY)
def test_a_key_gives_the_value_back(value: Value) -> None:
    assert equal(plain(key(value)), value)
    assert type(plain(key(value))) is type(value)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, 1.0, True), (0, -0.0, True), (True, 1, False), (False, 0, False), (True, 1.0, False), (None, False, False),
        ("1", 1, False), ([], {}, False), ([], set(), False), ({}, set(), False), ([1], [1.0], True),
        ([True], [1], False), ({"a": True}, {"a": 1}, False), ({"a": 1}, {"a": 1.0}, True),
        (make_set([True]), make_set([1]), False), (make_set([1]), make_set([1.0]), True),
        (make_object([(True, 0)]), make_object([(1, 0)]), False), (make_set([[1]]), make_set([[True]]), False),
        (make_set([{"a": [1]}]), make_set([{"a": [1.0]}]), True), ({"a": None}, {"b": None}, False),
        ([[1, 2], 3], [1, [2, 3]], False), (make_set([make_set([])]), make_set([[]]), False),
    ],
)  # fmt: skip
def test_what_python_takes_for_equal_is_told_apart(left: Value, right: Value, same: bool) -> None:  # noqa: FBT001  (a table's column)
    assert equal(left, right) == equal(right, left) == (key(left) == key(right)) == same


def test_a_set_holds_true_and_one_and_finds_each() -> None:
    found = make_set([True, 1, 1.0, "1", [1], [True], [1.0]])
    assert len(found) == 5
    assert members(found) == [True, 1, "1", [True], [1]]
    assert [type(each) for each in members(found)[:2]] == [bool, int]


def test_of_equal_keys_of_an_object_the_last_counts() -> None:
    assert entries(make_object([(1, "a"), (1.0, "b"), (True, "c")])) == [(True, "c"), (1, "b")]


@given(st.lists(ANY, max_size=6))
def test_sorting_gives_the_same_whatever_the_order_before(values: list[Value]) -> None:
    found = ordered(values)
    assert all(compare(one, two) <= 0 for one, two in itertools.pairwise(found))
    assert all(map(equal, ordered(reversed(values)), sorted(values, key=order)))


@given(st.lists(st.text(max_size=4), max_size=6))
def test_strings_are_ordered_by_code_point(texts: list[str]) -> None:
    """Which is the order of their UTF-8, not that of UTF-16, where U+FFFF comes after U+10000."""
    assert keys(dict.fromkeys(texts, 0)) == sorted(set(texts), key=lambda text: text.encode("utf-8", "surrogatepass"))


@given(st.lists(NUMBERS | st.none() | st.booleans() | st.text(), max_size=5))
def test_members_come_back_in_order_and_once(values: list[Value]) -> None:
    found = members(make_set(values))
    assert all(compare(one, two) < 0 for one, two in itertools.pairwise(found))
    assert all(any(equal(each, value) for value in values) for each in found)


JSON: Final = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=10,
)


@given(JSON)
def test_what_is_written_reads_as_the_same_value(value: Value) -> None:
    assert equal(read(write(value)), value)
    assert write(read(write(value))) == write(value)


@given(JSON)
def test_what_is_written_is_json(value: Value) -> None:
    """For other readers too, who may know no number but the float."""
    other = json.loads(write(value))
    assert (type_name(other), type_name(read(write(value)))) == (type_name(value),) * 2


@given(NEAR)
def test_a_value_in_json_is_what_its_text_says(value: Value) -> None:
    assert equal(read(write(value)), to_json(value))


def test_a_lone_surrogate_does_not_get_into_an_answer() -> None:
    """No UTF-8 text can hold it."""
    assert to_answer({"\ud800": ["a\udfff", "\U0001f600"]}) == {"\ufffd": ["a\ufffd", "\U0001f600"]}


def test_what_is_no_value_does_not_get_into_json() -> None:
    with pytest.raises(TypeError):
        to_json([object()])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (make_set(["b", 1, True, None]), '[null,true,1,"b"]'),
        (make_object([(1, "a"), ([True], "b"), ("c", set())]), '{"1":"a","c":[],"[true]":"b"}'),
        ({"b": 1, "a": [1, 2.5]}, '{"a":[1,2.5],"b":1}'),
        ('"\\\n\x00é\u2028', '"\\"\\\\\\n\\u0000é\u2028"'),
        (make_object([(None, 0), (make_set([1]), 0)]), '{"null":0,"[1]":0}'),
    ],
)
def test_sets_are_written_as_arrays_and_keys_as_strings(value: Value, text: str) -> None:
    assert write(value) == text


@pytest.mark.parametrize(
    "text",
    [
        "NaN", "Infinity", "-Infinity", "[NaN]", "1e4001", "-1e5000", "1e-4001", "1e99999999999999999999",
        "[0e-99999999999999999999]", "9" * 4301, "[" * 100_000, "01", "1.", "{", "", "[1,]", "'a'", "\x00",
    ],
)  # fmt: skip
def test_text_that_is_no_json_or_has_a_number_out_of_bounds_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.0", 1),
        ("1e2", 100),
        ("-0", 0),
        ("-0.0", 0),
        ("0.10", 0.1),
        ("12345678901234567890.5", Decimal("12345678901234567890.5")),
    ],
)
def test_a_number_has_one_representation_however_it_is_spelt(text: str, value: Any) -> None:
    found = read(text)
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "null"), (True, "boolean"), (1, "number"), (0.5, "number"), (Decimal("0.1"), "number"), ("", "string"),
        ([], "array"), ({}, "object"), (set(), "set"),
    ],
)  # fmt: skip
def test_types_have_their_names(value: Value, name: str) -> None:
    assert type_name(value) == name
