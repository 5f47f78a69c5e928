"""The operations that generated code calls."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine import runtime
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.errors import (
    BUILTIN_ERROR,
    CONFLICT_ERROR,
    BuiltinFault,
    DeadlineExceeded,
    EvaluationError,
)
from authz_service.rego_engine.runtime import MISSING, STEPS_BETWEEN_LOOKS, Evaluation, Rules
from authz_service.rego_engine.values import (
    UNDEFINED,
    Value,
    compare,
    entries,
    equal,
    key,
    make_object,
    make_set,
    members,
    ordered,
)
from tests.authz_service.rego_engine.builtins.operands import VALUES

DOCUMENT: Final = {"k": 1}


def evaluation(clock: Callable[[], float] = lambda: 0.0, *, strict: bool = False) -> Evaluation:
    """Return an evaluation with a second of time."""
    return Evaluation(DOCUMENT, {}, Context(), clock, 1.0, strict=strict)


def ticking(seconds: float) -> Callable[[], float]:
    """Return a clock that moves on by as much each time it is looked at."""
    return itertools.count(0, seconds).__next__


# The deadline


def test_small_steps_add_up_to_a_look_at_the_clock() -> None:
    found = evaluation(lambda: 2.0)
    for _ in range(STEPS_BETWEEN_LOOKS - 1):
        found.step(1)
    with pytest.raises(DeadlineExceeded):
        found.step(1)


def test_a_large_step_looks_at_once_before_the_first_item() -> None:
    with pytest.raises(DeadlineExceeded):
        evaluation(lambda: 2.0).step(STEPS_BETWEEN_LOOKS)


def test_the_deadline_itself_is_too_late() -> None:
    with pytest.raises(DeadlineExceeded):
        evaluation(lambda: 1.0).look()
    evaluation(lambda: 0.999).look()


WALKS: Final = [
    runtime.items, runtime.item_values, runtime.item_keys, runtime.any_items, runtime.any_values, runtime.any_keys,
]  # fmt: skip


@pytest.mark.parametrize("walk", WALKS)
@pytest.mark.parametrize("kind", [list, set, dict.fromkeys])
def test_a_walk_through_many_items_looks_at_the_clock_on_its_way(walk: Any, kind: Any) -> None:
    """A look for each so many items: after ten of them the time is over."""
    many = kind(map(str, range(50 * STEPS_BETWEEN_LOOKS)))
    seen: list[Value] = []
    with pytest.raises(DeadlineExceeded):
        seen.extend(walk(evaluation(ticking(0.1)), many))
    assert len(seen) <= 11 * STEPS_BETWEEN_LOOKS


@given(VALUES)
def test_walks_agree_with_one_another(value: Value) -> None:
    """Keys and values together, each alone, and in any order: the same items. What is no collection has none."""
    found = evaluation()
    pairs = list(runtime.items(found, value))
    assert [name for name, _ in pairs] == list(runtime.item_keys(found, value))
    assert [item for _, item in pairs] == list(runtime.item_values(found, value))
    assert len(list(runtime.any_items(found, value))) == len(pairs)
    unordered = [
        (runtime.any_keys(found, value), runtime.item_keys(found, value)),
        (runtime.any_values(found, value), runtime.item_values(found, value)),
    ]
    for any_order, in_order in unordered:
        one, two = ordered(any_order), ordered(in_order)
        assert len(one) == len(two)
        assert all(map(equal, one, two))
    if type(value) is not list:
        assert all(compare(one[0], two[0]) < 0 for one, two in itertools.pairwise(pairs))
    if type(value) not in {list, dict, set}:
        assert pairs == []


# Look-ups


@given(VALUES)
def test_every_item_is_found_by_its_key(value: Value) -> None:
    for name, item in runtime.items(evaluation(), value):
        assert runtime.dot(value, name) is item or equal(runtime.dot(value, name), item)


MIXED: Final = make_object([(1, "one"), (True, "true"), ("1", "text"), ([1], "array"), (None, "null"), (0.5, "half")])


@pytest.mark.parametrize(
    ("source", "name", "found"),
    [
        ({"a": None}, "a", None), ({"a": 1}, "b", UNDEFINED), ({"a": 1}, ["a"], UNDEFINED), ({}, {}, UNDEFINED),
        (MIXED, 1, "one"), (MIXED, 1.0, "one"), (MIXED, True, "true"), (MIXED, "1", "text"), (MIXED, [1], "array"),
        (MIXED, [True], UNDEFINED), (MIXED, None, "null"), (MIXED, Decimal("0.5"), "half"), (MIXED, False, UNDEFINED),
        (["a", "b"], 0, "a"), (["a", "b"], 1.0, "b"), (["a", "b"], -1, UNDEFINED), (["a", "b"], 2, UNDEFINED),
        (["a", "b"], True, UNDEFINED), (["a", "b"], "0", UNDEFINED), (["a", "b"], 0.5, UNDEFINED),
        (["a"], [0], UNDEFINED),
        (["a", "b"], Decimal("1e-30"), UNDEFINED), (["a"], 10**400, UNDEFINED), (["a"], None, UNDEFINED),
        (make_set(["a", 1]), "a", "a"), (make_set([1]), True, UNDEFINED), (make_set([[1]]), [1], [1]),
        ("text", 0, UNDEFINED), (5, 0, UNDEFINED), (None, "a", UNDEFINED), (True, "a", UNDEFINED),
        (UNDEFINED, "a", UNDEFINED),
    ],
)  # fmt: skip
def test_a_key_leads_where_it_leads_in_rego(source: Value, name: Value, found: Value) -> None:
    answer = runtime.dot(source, name)
    assert answer is found if found is UNDEFINED else equal(answer, found)


@given(VALUES, VALUES)
def test_a_collection_contains_what_one_of_its_items_equals(source: Value, item: Value) -> None:
    values = list(runtime.item_values(evaluation(), source))
    assert runtime.contains(source, item) == any(equal(each, item) for each in values)
    assert all(runtime.contains(source, each) for each in values)


@pytest.mark.parametrize(
    ("value", "found"),
    [([1, 2], 2), ({"a": 1}, 1), (make_set([1, 1]), 1), ("né\U0001f600", 3), (5, UNDEFINED), (None, UNDEFINED)],
)
def test_collections_and_strings_have_a_length(value: Value, found: Value) -> None:
    assert runtime.length(value) == found


# Building


@pytest.mark.parametrize(
    ("found", "name", "value", "held"),
    [
        ({}, "a", 1, True), ({"a": 1}, "a", 1.0, True), ({"a": 1}, "a", 2, False), ({"a": 1}, "a", True, False),
        (make_object([(1, "x")]), True, "y", True), (make_object([([1], "x")]), [1], "y", False),
        ({"a": [1]}, "a", [1], True), ({"a": None}, "a", False, False), ([], "a", 1, False), ("text", "a", 1, False),
    ],
)  # fmt: skip
def test_a_key_takes_one_value(found: Value, name: Value, value: Value, held: bool) -> None:  # noqa: FBT001  (a table's column)
    before = copy.deepcopy(found)
    assert runtime.insert_once(found, name, value) == held
    if held:
        assert equal(found[key(name)], value)
    else:
        assert found == before


@pytest.mark.parametrize(
    ("left", "right", "merged"),
    [
        ({"a": 1}, {"b": 2}, {"a": 1, "b": 2}),
        ({"a": {"b": 1}}, {"a": {"c": 2}}, {"a": {"b": 1, "c": 2}}),
        ({"a": 1}, {"a": {"c": 2}}, {"a": 1}),
        ({"a": {"b": 1}}, {"a": 2}, {"a": {"b": 1}}),
        ([1], {"a": 2}, [1]),
        ({"a": 1}, [2], {"a": 1}),
    ],
)
def test_merging_goes_key_by_key_and_the_left_one_wins(left: Value, right: Value, merged: Value) -> None:
    before = copy.deepcopy((left, right))
    assert runtime.merge(left, right) == merged
    assert (left, right) == before


@pytest.mark.parametrize(
    ("document", "path", "changed"),
    [
        ({"a": {"b": 1, "c": 2}}, ("a", "b"), {"a": {"b": "new", "c": 2}}),
        ({"a": 1}, ("a", "b"), {"a": {"b": "new"}}),
        ({"a": [1]}, ("a", "0"), {"a": {"0": "new"}}),
        ({}, ("a", "b", "c"), {"a": {"b": {"c": "new"}}}),
        (UNDEFINED, ("a",), {"a": "new"}),
        ("text", ("a",), {"a": "new"}),
        ({"a": 1}, (), "new"),
    ],
)
def test_a_document_with_another_value_is_another_document(
    document: Value, path: tuple[str, ...], changed: Value
) -> None:
    before = document if document is UNDEFINED else copy.deepcopy(document)
    assert runtime.upsert(document, path, "new") == changed
    assert document == before


@given(VALUES)
def test_what_is_built_on_is_a_copy(value: Value) -> None:
    found = runtime.copied(value)
    assert equal(found, value)
    assert (found is value) == (type(value) not in {list, dict, set})


# Kept results, errors


def test_results_are_kept_for_the_documents_they_belong_to() -> None:
    """Documents are told apart by identity: an equal one may have been changed in a place that was not compared."""
    found = evaluation()
    found.memo["rule"] = "outer"
    other = copy.deepcopy(DOCUMENT)
    found.enter(other, {})
    assert found.memo == {}
    found.memo["rule"] = "inner"
    found.enter(DOCUMENT, found._scopes[0][1])
    assert found.memo == {"rule": "outer"}
    found.leave()
    assert found.memo == {"rule": "inner"}
    found.leave()
    assert found.memo == {"rule": "outer"}
    found.enter(other, {})
    assert found.memo == {}


def test_operands_that_python_takes_for_equal_are_kept_apart() -> None:
    operands: list[Value] = ["1", 1, True, 1.5, None, [1], [True], {"a": 1}, ("1",)]
    assert len({runtime.memo_key(each) for each in operands}) == len(operands)


def test_a_fault_of_a_built_in_is_undefined_or_in_strict_mode_an_error() -> None:
    fault = BuiltinFault("no")
    assert evaluation().fault(fault, "f", "a.rego:1") is UNDEFINED
    with pytest.raises(EvaluationError, match=r"a\.rego:1: eval_builtin_error: f: no") as caught:
        evaluation(strict=True).fault(fault, "f", "a.rego:1")
    assert caught.value.code == BUILTIN_ERROR


def test_a_conflict_is_an_error_with_its_place() -> None:
    with pytest.raises(EvaluationError) as caught:
        evaluation().conflict("two", "a.rego:1")
    assert (caught.value.code, caught.value.where) == (CONFLICT_ERROR, "a.rego:1")


def test_probes_leave_a_trail() -> None:
    found = evaluation()
    assert runtime.probed(lambda ev, value: ev.failed(3) or value, "rule")(found, "x") == "x"
    assert found.trail == [("enter", "rule"), ("failed", 3), ("leave", "x")]


# Dynamic references


class Counted:
    """A rule that counts its calls."""

    def __init__(self, value: Value) -> None:
        self.value = value
        self.calls = 0

    def __call__(self, _evaluation: Evaluation, *_documents: Value) -> Value:
        self.calls += 1
        return self.value


def rules(**found: Value) -> tuple[Rules, dict[str, Counted]]:
    """Return rules of the package `p`, where `_` in a name parts a path."""
    counted = {name: Counted(value) for name, value in found.items()}
    return Rules({("g0", "p", *name.split("_")): rule for name, rule in counted.items()}), counted


def test_a_rule_is_called_once_for_the_same_documents() -> None:
    found, counted = rules(r=7)
    ev = evaluation()
    assert [found.call(ev, ("g0", "p", "r"), (DOCUMENT, {})) for _ in range(3)] == [7, 7, 7]
    ev.enter({}, {})
    found.call(ev, ("g0", "p", "r"), ({}, {}))
    assert counted["r"].calls == 2


ODD_PARTS: Final[list[Value]] = [
    1,
    True,
    None,
    0.5,
    [],
    ["r"],
    {},
    {"r": 1},
    set(),
    make_set(["r"]),
    "",
    "no",
    "\ud800",
]


@pytest.mark.parametrize("part", ODD_PARTS, ids=map(repr, ODD_PARTS))
@pytest.mark.parametrize("place", [1, 2])
def test_a_path_that_leads_to_no_rule_is_missing_or_undefined_whatever_is_in_it(part: Value, place: int) -> None:
    """A part may be any value that the input has."""
    found, _ = rules(r=7)
    path: list[Value] = ["g0", "p", "r"]
    path[place] = part
    assert found.call(evaluation(), tuple(path), (DOCUMENT, {})) is MISSING
    assert found.look_up(evaluation(), tuple(path), (DOCUMENT, {"p": {"x": 1}})) is UNDEFINED


@pytest.mark.parametrize(
    ("path", "found"),
    [
        (("r",), 7), (("obj",), {"a": [1]}), (("obj", "a", 0), 1), (("obj", "b"), UNDEFINED), (("none",), UNDEFINED),
        (("none", "a"), UNDEFINED), (("sub", "x"), 1), (("sub",), {"x": 1, "deep": {"y": 2}}), (("base",), {"z": 3}),
        (("base", "z"), 3), (("sub", "deep"), {"y": 2}), (("nothing",), UNDEFINED),
    ],
)  # fmt: skip
def test_a_path_leads_to_rules_base_documents_or_both(path: tuple[Value, ...], found: Value) -> None:
    all_rules, _ = rules(r=7, obj={"a": [1]}, none=UNDEFINED, sub_x=1, sub_deep_y=2)
    data = {"p": {"base": {"z": 3}, "r": "hidden"}}
    answer = all_rules.look_up(evaluation(), ("g0", "p", *path), (DOCUMENT, data))
    assert answer is found if found is UNDEFINED else equal(answer, found)


def test_rules_and_base_documents_of_one_package_come_together_and_stay_apart() -> None:
    """The rules' values and the document are not changed by being put together."""
    all_rules, counted = rules(r={"a": 1}, r_b=2)
    data = {"p": {"base": 3, "r": {"c": 4}}}
    before = copy.deepcopy(data)
    ev = evaluation()
    answer = all_rules.look_up(ev, ("g0", "p"), (DOCUMENT, data))
    assert answer["base"] == 3
    assert (counted["r"].value, data) == ({"a": 1}, before)
    assert equal(all_rules.look_up(ev, ("g0", "p"), (DOCUMENT, data)), answer)


@given(st.lists(st.tuples(st.text(max_size=2), st.text(max_size=2)), max_size=5))
def test_a_set_s_members_are_its_keys(pairs: list[tuple[str, str]]) -> None:
    found = make_set(map(list, pairs))
    assert [name for name, _ in runtime.items(evaluation(), found)] == members(found)
    made = make_object(((name, value) for name, value in pairs))
    assert list(runtime.items(evaluation(), made)) == entries(made)
