"""Data files of a bundle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from authz_service.policy.bundles import data_files
from authz_service.policy.bundles.data_files import is_data, read_data
from service_kit.faults import Faults


def read(files: Mapping[str, bytes]) -> tuple[dict[str, Any], list[str]]:
    """The document, and the faults."""
    faults = Faults()
    data = read_data(files, "b", faults)
    return data, [str(fault) for fault in sorted(faults.found)]


def test_data_lands_at_its_folders_path() -> None:
    """An object at the root, anything below; other files are no data."""
    files = {
        "data.json": b'{"top": 1}',
        "a/b/data.json": b'{"x": 2.0}',
        "a/c/data.json": b"[1.50]",
        "a/d/data.yml": b"k: yes\n",
        "plan.json": b"{",
        "a/other.json": b"{",
    }
    assert read(files) == ({"top": 1, "a": {"b": {"x": 2}, "c": [1.5], "d": {"k": True}}}, [])


def test_objects_that_meet_are_merged() -> None:
    files = {"data.json": b'{"a": {"x": {"y": 1}}}', "a/data.yaml": b"x: {z: 2}\n", "a/x/data.json": b'{"w": 3}'}
    assert read(files) == ({"a": {"x": {"y": 1, "z": 2, "w": 3}}}, [])


@pytest.mark.parametrize(
    ("files", "fault"),
    [
        ({"data.json": b'{"a": 1}', "a/data.json": b"{}"}, "b/data.json: 'a' is in the data document already"),
        ({"a/data.json": b"1", "a/b/data.json": b"{}"}, "b/a/data.json: 'a' is in the data document already"),
        ({"data.json": b'{"a": 1}', "data.yaml": b"a: 1\n"}, "b/data.yaml: 'a' is in the data document already"),
        ({"data.json": b"[]"}, "b/data.json: must be an object at its root"),
        ({"data.json": b"{\n1}"}, "b/data.json:2: is not JSON: Expecting property name enclosed in double quotes"),
        ({"data.yaml": b"a: 1\na: 2\n"}, "b/data.yaml:2: repeated key 'a'"),
        ({"data.yaml": b"a: !!python/object:os.system {}\n"}, None),
        ({"a/data.yaml": b"- 1\n"}, "b/a/data.yaml:1: must be a mapping at its root, but is a list"),
        ({".git/data.json": b"{}"}, "b/.git/data.json: is data in a hidden folder"),
        ({"a/.b/c/data.json": b"{}"}, "b/a/.b/c/data.json: is data in a hidden folder"),
    ],
)
def test_data_that_cannot_be_placed_is_a_fault(files: Mapping[str, bytes], fault: str | None) -> None:
    _, found = read(files)
    assert len(found) == 1
    assert fault is None or found == [fault]


def test_every_fault_is_told_at_once() -> None:
    assert len(read({"data.json": b"{", "a/data.json": b"\xff", "b/data.yaml": b"{"})[1]) == 3


def test_numbers_of_yaml_are_those_of_json() -> None:
    data, _ = read({"data.yaml": b"a: 1.0\nb: [0.5, {c: 2.0}, 1.0e+23]\n"})
    assert data == {"a": 1, "b": [0.5, {"c": 2}, 10**23]}
    assert type(data["a"]) is int
    assert type(data["b"][1]["c"]) is int


def test_data_is_bounded_over_all_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(data_files, "MAX_DATA_BYTES", 5)
    assert read({"data.json": b"{}", "a/data.json": b"{}"})[1] == []
    assert read({"data.json": b"{}", "a/data.json": b"{  }"}) == ({}, ["b: has more than 5 bytes of data"])


@pytest.mark.parametrize(("name", "expected"), [("data.json", True), ("a/data.yml", True), ("adata.json", False)])
def test_data_files_are_known_by_their_last_name(name: str, expected: bool) -> None:  # noqa: FBT001  (a table's column)
    assert is_data(name) is expected
