"""What can be reached in a graph, and by which paths."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.rego_engine.builtins import graphs
from authz_service.rego_engine.errors import BUILTIN_ERROR, TYPE_ERROR
from authz_service.rego_engine.values import Value, make_object, make_set, plain
from tests.authz_service.rego_engine.builtins.operands import call, call_with_anything, declared, fault

TEAMS: dict[Any, Value] = {
    "lead": ["dev", "ops"],
    "dev": make_set(["intern"]),
    "ops": ["intern", "lead"],
    "intern": [],
    "guest": None,
}

CASES: list[tuple[str, list[Value], Value]] = [
    ("graph.reachable", [TEAMS, ["lead"]], make_set(["lead", "dev", "ops", "intern"])),
    ("graph.reachable", [TEAMS, make_set(["intern", "guest"])], make_set(["intern", "guest"])),
    ("graph.reachable", [TEAMS, ["nobody"]], set()),
    ("graph.reachable", [{"a": ["b"]}, ["a"]], make_set(["a"])),
    ("graph.reachable", [make_object([(True, [1]), (1, [])]), [True]], make_set([True, 1])),
    ("graph.reachable", [TEAMS, []], set()),
    (
        "graph.reachable_paths",
        [TEAMS, ["lead"]],
        make_set([["lead", "dev", "intern"], ["lead", "ops", "intern"], ["lead", "ops"]]),
    ),
    ("graph.reachable_paths", [TEAMS, make_set(["intern", "guest", "nobody"])], make_set([["intern"], ["guest"]])),
    ("graph.reachable_paths", [{"a": ["b", "c"], "c": []}, ["a"]], make_set([["a"], ["a", "c"]])),
    ("graph.reachable_paths", [{"a": ["b"], "b": ["c"], "c": ["b"]}, ["a"]], make_set([["a", "b", "c"]])),
    (
        "graph.reachable_paths",
        [{"a": ["a", "b"], "b": ["a"]}, ["a"]],
        make_set([["a", "a"], ["a", "a", "b"], ["a", "b"]]),
    ),
    ("graph.reachable_paths", [make_object([([0], [[1]]), ([1], [])]), [[0]]], make_set([[[0], [1]]])),
]


@pytest.mark.parametrize(("name", "operands", "result"), CASES)
def test_a_graph_is_followed_as_opa_follows_it(name: str, operands: list[Value], result: Value) -> None:
    assert call(name, *operands) == result


@pytest.mark.parametrize("name", ["graph.reachable", "graph.reachable_paths"])
@pytest.mark.parametrize(
    ("operands", "text"),
    [
        ([[], []], "operand 1 must be object but got array"),
        ([{}, "a"], "operand 2 must be {array, set} but got string"),
    ],
)
def test_what_is_no_graph_is_a_fault(name: str, operands: list[Value], text: str) -> None:
    found = fault(name, *operands)
    assert (found.code, found.text) == (TYPE_ERROR, text)


def test_paths_are_found_up_to_a_bound() -> None:
    """In a graph where each node leads to each other, there are more paths than anyone could wait for."""
    names = [f"n{place}" for place in range(30)]
    assert fault("graph.reachable_paths", dict.fromkeys(names, names), names).code == BUILTIN_ERROR


def test_a_long_chain_is_one_path() -> None:
    size = 20_000
    chain = {str(place): [str(place + 1)] for place in range(size)} | {str(size): []}
    assert len(call("graph.reachable", chain, ["0"])) == size + 1
    (path,) = call("graph.reachable_paths", chain, ["0"])
    assert len(plain(path)) == size + 1


GRAPHS = st.dictionaries(st.sampled_from("abcd"), st.lists(st.sampled_from("abcde"), max_size=3))


@given(GRAPHS, st.lists(st.sampled_from("abcde"), max_size=3))
def test_paths_lead_over_edges_to_all_that_can_be_reached(graph: dict[Any, Value], initial: list[Value]) -> None:
    paths = [plain(path) for path in call("graph.reachable_paths", graph, initial)]
    assert {node for path in paths for node in path} == call("graph.reachable", graph, initial)
    for path in paths:
        assert path[0] in initial
        assert all(right in graph[left] for left, right in pairwise(path))


@pytest.mark.parametrize("name", declared(graphs))
@given(data=st.data())
def test_no_operands_whatever_raise_anything_but_a_fault(name: str, data: st.DataObject) -> None:
    call_with_anything(name, data)
