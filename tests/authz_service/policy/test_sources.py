"""The .rego and data files of some folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from authz_service.policy import sources
from authz_service.policy.sources import PolicySources, place, read_sources
from service_kit.faults import ConfigurationError, Faults


def write(root: Path, files: dict[str, str]) -> Path:
    """Write files below a folder."""
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def faults(*paths: Path) -> list[str]:
    """What is wrong with the policies there, each as `name:line: text` with the file's bare name."""
    with pytest.raises(ConfigurationError) as caught:
        read_sources(paths)
    return [f"{Path(fault.source).name}:{fault.line}: {fault.text}" for fault in caught.value.faults]


def names(read: PolicySources) -> list[str]:
    """The modules' bare file names."""
    return [Path(name).name for name in read.modules]


def test_policies_of_all_folders_are_read_and_tests_left_out(tmp_path: Path) -> None:
    """In a fixed order; other files do not matter."""
    root = write(
        tmp_path, {"b.rego": "package b", "a/x.rego": "package a", "a/x_test.rego": "package t", "a/readme.md": "x"}
    )
    read = read_sources([root])
    assert names(read) == ["x.rego", "b.rego"]
    assert list(read.modules.values()) == ["package a", "package b"]
    assert names(read_sources([root], with_tests=True)) == ["x.rego", "x_test.rego", "b.rego"]


def test_a_single_file_can_be_named(tmp_path: Path) -> None:
    """Beside folders."""
    root = write(
        tmp_path, {"a.rego": "package a", "b.rego": "package b", "c/c.rego": "package c", "data.json": '{"k": 1}'}
    )
    read = read_sources([root / "b.rego", root / "c", root / "data.json"])
    assert names(read) == ["b.rego", "c.rego"]
    assert read.data == {"k": 1}


def test_hidden_files_and_folders_are_left_out(tmp_path: Path) -> None:
    """Editors and version control keep theirs there."""
    root = write(tmp_path, {"a.rego": "package a", ".b.rego": "x", ".git/c.rego": "x", "d/.e/f.rego": "x"})
    assert names(read_sources([root])) == ["a.rego"]


def test_a_mounted_config_map_is_read_once(tmp_path: Path) -> None:
    """Kubernetes links each file through a hidden folder."""
    root = write(tmp_path, {"..2024_01_01/a.rego": "package a", "..2024_01_01/data.yaml": "k: 1"})
    (root / "..data").symlink_to("..2024_01_01")
    for name in ("a.rego", "data.yaml"):
        (root / name).symlink_to(f"..data/{name}")
    read = read_sources([root])
    assert names(read) == ["a.rego"]
    assert read.data == {"k": 1}


def test_data_lands_at_its_folders_path(tmp_path: Path) -> None:
    """As in an OPA bundle; in JSON or YAML."""
    root = write(
        tmp_path,
        {
            "a.rego": "package a",
            "data.json": '{"top": [1, {"x": null}]}',
            "teams/data.yaml": "red: [alice]\n",
            "teams/blue/data.yml": "since: 2024\n",
            "other.json": '{"not": "data"}',
        },
    )
    assert read_sources([root]).data == {"top": [1, {"x": None}], "teams": {"red": ["alice"], "blue": {"since": 2024}}}


def test_data_of_two_roots_is_one_document(tmp_path: Path) -> None:
    """As long as no key is in both."""
    one = write(tmp_path / "one", {"a.rego": "package a", "t/data.json": '{"x": 1}'})
    two = write(tmp_path / "two", {"t/data.yaml": "y: 2"})
    assert read_sources([one, two]).data == {"t": {"x": 1, "y": 2}}
    write(two, {"t/data.json": '{"x": 2}'})
    assert faults(one, two) == ["data.json:0: 'x' is in the data document already"]


def test_objects_of_two_files_are_merged(tmp_path: Path) -> None:
    """A folder's file may add to what the one above it says, as in an OPA bundle."""
    root = write(
        tmp_path, {"a.rego": "package a", "data.json": '{"t": {"x": {"y": 1}}}', "t/data.json": '{"x": {"z": 2}}'}
    )
    assert read_sources([root]).data == {"t": {"x": {"y": 1, "z": 2}}}
    write(root, {"t/data.json": '{"x": 2}'})
    assert faults(root) == ["data.json:0: 'x' is in the data document already"]


@pytest.mark.parametrize("value", [1, None, [1], "x"])
def test_any_value_can_be_placed_below_the_root(value: object) -> None:
    """Where nothing is yet."""
    data: dict[str, object] = {"a": {"c": 1}}
    noted = Faults()
    place(data, ["a", "b"], value, "data.json", noted)
    assert data == {"a": {"c": 1, "b": value}}
    place(data, ["a", "b"], value, "data.json", noted)
    place(data, ["a", "b", "d"], value, "data.json", noted)
    assert [fault.text for fault in noted.found] == [
        "'b' is in the data document already",
        "'b' in the data document is a value already",
    ]


def test_data_below_a_value_is_a_fault(tmp_path: Path) -> None:
    """A folder's name and a key of the folder above it are one place."""
    root = write(tmp_path, {"a.rego": "package a", "data.json": '{"t": 1}', "t/data.json": '{"x": 1}'})
    assert faults(root) == ["data.json:0: 't' in the data document is a value already"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{\n  nonsense}", "data.json:2: is not JSON: "),
        ("[]", "data.json:0: must be an object at its root"),
        ("7", "data.json:0: must be an object at its root"),
        ("", "data.json:1: is not JSON: "),
        ("[" * 100_000, "data.json:0: is not JSON that can be read"),
        ('{"n": ' + "9" * 5000 + "}", "data.json:0: is not JSON that can be read"),
    ],
)
def test_data_that_is_no_json_object_is_a_fault(tmp_path: Path, text: str, expected: str) -> None:
    """With its line where there is one."""
    (found,) = faults(write(tmp_path, {"a.rego": "package a", "data.json": text}))
    assert found.startswith(expected)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    """Of all files."""
    root = write(tmp_path, {"data.json": "{", "a/data.yaml": "k: 1\nk: 2\n"})
    (root / "b.rego").write_bytes(b"package b # \xff")
    (root / "gone.rego").symlink_to("nowhere.rego")
    assert faults(root) == [
        "data.yaml:2: repeated key 'k'",
        "b.rego:0: is not UTF-8",
        "data.json:1: is not JSON: Expecting property name enclosed in double quotes",
    ]


@pytest.mark.parametrize("files", [{}, {"data.json": "{}"}, {"x_test.rego": "package x"}])
def test_paths_without_a_policy_are_a_fault(tmp_path: Path, files: dict[str, str]) -> None:
    """Data and tests alone decide nothing."""
    write(tmp_path, files)
    assert faults(tmp_path) == [f"{tmp_path.name}:0: has no .rego file"]
    assert faults(tmp_path / "absent") == ["absent:0: has no .rego file"]


def test_files_are_bounded_in_size_and_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong path, such as a home folder, must not be read in."""
    root = write(tmp_path, {"a.rego": "package a", "b.rego": "package b  # long", "data.json": '{"k": "long, too"}'})
    monkeypatch.setattr(sources, "MAX_FILE_BYTES", 12)
    assert faults(root) == ["b.rego:0: is larger than 12 bytes", "data.json:0: is larger than 12 bytes"]
    monkeypatch.setattr(sources, "MAX_FILES", 2)
    assert faults(root) == [f"{root.name}:0: more than 2 policy files"]


def test_the_revision_changes_exactly_with_the_contents(tmp_path: Path) -> None:
    """Not with time, order or formatting of data."""
    root = write(tmp_path, {"a.rego": "package a", "data.json": '{"x": 1, "y": 2}'})
    first = read_sources([root]).revision
    assert len(first) == 12
    write(root, {"data.json": '{ "y": 2,\n "x": 1 }', "a_test.rego": "package t"})
    os.utime(root / "a.rego", (1, 1))
    assert read_sources([root]).revision == first
    seen = {first}
    for files in ({"a.rego": "package a #"}, {"data.json": '{"x": 1}'}, {"b.rego": "package b"}):
        seen.add(read_sources([write(root, files)]).revision)
    assert len(seen) == 4
