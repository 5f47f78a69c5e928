"""Bundles that lie unpacked in a folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from authz_service.policy.bundles import files, folder
from authz_service.policy.bundles.folder import read_folder
from service_kit.faults import ConfigurationError


def write(root: Path, *names: str) -> Path:
    """Files with their own names as contents."""
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    return root


def problem(folder: Path) -> str:
    """Why a folder is refused."""
    with pytest.raises(ConfigurationError) as caught:
        read_folder(folder)
    return str(caught.value).replace(str(folder), "b")


def test_every_file_is_read_by_its_path(tmp_path: Path) -> None:
    """Hidden files too, of which the manifest is one; not hidden folders."""
    root = write(tmp_path, "plan.json", ".manifest", "a/b/data.json", ".git/config", "a/.cache/x")
    assert read_folder(root) == {name: name.encode() for name in (".manifest", "plan.json", "a/b/data.json")}


def test_a_mounted_config_map_is_read_once(tmp_path: Path) -> None:
    """Kubernetes links each file through a hidden folder."""
    write(tmp_path, "..2024_01_01/plan.json")
    (tmp_path / "..data").symlink_to("..2024_01_01")
    (tmp_path / "plan.json").symlink_to("..data/plan.json")
    assert list(read_folder(tmp_path)) == ["plan.json"]


def test_a_link_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "secret", "b/plan.json", "b-too/x")
    root = tmp_path / "b"
    (root / "out").symlink_to("../secret")
    (root / "absolute").symlink_to(tmp_path / "b-too" / "x")
    (root / "folder").symlink_to("../b-too")
    (root / "gone").symlink_to("nowhere")
    (root / "round").symlink_to("round")
    text = problem(root)
    for name, reason in {
        "out": "leads out", "absolute": "leads out", "folder": "is a link to a folder", "gone": "No such file",
        "round": "cannot be read",
    }.items():  # fmt: skip
        assert any(f"{name!r}" in line and reason in line for line in text.splitlines()), text
    assert len(text.splitlines()) == 5


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "plan.json")
    assert problem(tmp_path) == "b: the file 'plan.json' is a device, a pipe or a socket"


def test_a_folder_that_cannot_be_read_is_a_fault(tmp_path: Path) -> None:
    assert problem(tmp_path / "absent") == "b: cannot be read: No such file or directory"
    assert problem(write(tmp_path, "file") / "file") == "b: cannot be read: Not a directory"


def test_names_are_those_that_an_archive_may_have(tmp_path: Path) -> None:
    write(tmp_path, "a\nb", "c\\d")
    (tmp_path / os.fsdecode(b"e\xff")).write_text("x")
    assert len(problem(tmp_path).splitlines()) == 3


def test_files_are_bounded_in_size_and_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong path, such as a home folder, must not be read in."""
    write(tmp_path, "a", "b", "long")
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 3)
    monkeypatch.setattr(folder, "MAX_FILE_BYTES", 3)
    assert problem(tmp_path) == "b: the file 'long' is larger than 3 bytes"
    monkeypatch.setattr(files, "MAX_FILES", 1)
    assert problem(tmp_path) == "b: has more than 1 files"
