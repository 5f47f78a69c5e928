"""YAML from bytes to a bounded tree. What the bounds refuse, and with which words, is shown in test_strict_yaml."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from yaml.nodes import MappingNode

from service_kit.faults import Faults
from service_kit.yaml_tree import MAX_DEPTH, MAX_NODES, compose, kind_of, line_of

PIECES = st.sampled_from(
    [b"a: ", b"- ", b"\n", b"  ", b"[", b"]", b"{", b"}", b"&x ", b"*x", b"!!str ", b"'", b"\xff", b"#"]
)


def composed(data: bytes) -> tuple[MappingNode | None, list[str]]:
    faults = Faults()
    return compose(data, "f.yaml", faults), [str(fault) for fault in faults.found]


def test_a_tree_knows_what_its_values_are_and_where_they_stand() -> None:
    tree, faults = composed(b"a: 1\nb:\n  - x\n  - {c: true}\n")
    assert faults == []
    assert tree is not None
    (_, number), (_, items) = tree.value
    assert [(kind_of(node), line_of(node)) for node in (number, items, *items.value)] == [
        ("a whole number", 1),
        ("a list", 3),
        ("text", 3),
        ("a mapping", 4),
    ]


@pytest.mark.parametrize("data", [b"", b"- x\n", b"a: [", b"a: !!str x\n", b"\xff", b"a: 1\n---\nb: 2\n", b"a: *b\n"])
def test_what_is_no_single_mapping_is_no_tree_and_one_fault(data: bytes) -> None:
    tree, faults = composed(data)
    assert tree is None
    assert len(faults) == 1


def test_what_is_within_the_bounds_is_built() -> None:
    assert composed(b"a: " + b"[" * (MAX_DEPTH - 2) + b"]" * (MAX_DEPTH - 2))[0] is not None
    assert composed(b"a:\n" + b"- x\n" * (MAX_NODES // 2))[0] is not None


def test_of_several_documents_the_first_is_taken_where_that_is_asked_for() -> None:
    faults = Faults()
    tree = compose(b"a: 1\n---\nb: 2\n---\nc: 3\n", "f.yaml", faults, first_document=True)
    assert tree is not None
    assert [key.value for key, _ in tree.value] == ["a"]
    assert faults.found == []
    assert [str(warning) for warning in faults.warnings] == [
        "f.yaml:3: is a second document, which is not read: of a file the first one counts"
    ]


def test_a_single_document_is_taken_without_a_word_whichever_way_it_is_asked_for() -> None:
    for data in (b"a: 1\n", b"---\na: 1\n", b"a: 1\n...\n"):
        faults = Faults()
        assert compose(data, "f.yaml", faults, first_document=True) is not None
        assert (faults.found, faults.warnings) == ([], [])


@pytest.mark.parametrize(
    "further", [b"b: " + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, b"b: !!str x", b"b: [", b"b:\n" + b"- x\n" * MAX_NODES]
)
def test_the_bounds_hold_for_a_file_as_a_whole_also_where_only_its_first_document_counts(further: bytes) -> None:
    faults = Faults()
    assert compose(b"a: 1\n---\n" + further, "f.yaml", faults, first_document=True) is None
    assert len(faults.found) == 1


@given(st.lists(PIECES, max_size=40).map(b"".join) | st.binary())
def test_whatever_the_bytes_there_is_a_tree_or_a_fault_and_never_both(data: bytes) -> None:
    tree, faults = composed(data)
    assert (tree is None) == (len(faults) == 1)
    noted = Faults()
    first = compose(data, "f.yaml", noted, first_document=True)
    assert (first is None) == (len(noted.found) == 1)
    assert first is not None or tree is None
