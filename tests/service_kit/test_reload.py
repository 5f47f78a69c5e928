"""Watching files: a change is loaded anew, and what cannot be loaded never replaces what is in use."""

from __future__ import annotations

import asyncio
import logging
import os
from pathlib import Path

import pytest

from service_kit.faults import ConfigurationError, Fault
from service_kit.reload import MAX_FILES, Reloader, link_signature, signature


class Watched:
    """A reloader over `path` that reads texts, and refuses those that say `bad`."""

    def __init__(self, path: Path, file: Path | None = None, *, seconds: float = 1.0) -> None:
        self.file = file or path
        self.used: list[str] = []
        self.refused: list[str] = []
        self.loaded = asyncio.Event()
        self.reloader = Reloader("limits", [path], self.load, self.used.append, self._refuse, seconds=seconds)

    async def load(self) -> str:
        try:
            text = self.file.read_text()
        except OSError as error:
            raise ConfigurationError([Fault(self.file.name, 0, "cannot be read")]) from error
        self.loaded.set()
        if "bad" in text:
            raise ConfigurationError([Fault(self.file.name, 1, "is bad"), Fault(self.file.name, 2, "really")])
        if "break" in text:
            raise ValueError("the secret")
        return text

    def look(self) -> bool:
        return asyncio.run(self.reloader.look())

    def _refuse(self, error: ConfigurationError) -> None:
        self.refused.append(str(error))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with its first content."""
    path = tmp_path / "limits.yaml"
    path.write_text("first")
    return path


def config_map(folder: Path, version: str, text: str) -> None:
    """Write a version as the kubelet does: a new folder, then `..data` renamed to it, then the old one removed."""
    old = (folder / "..data").resolve() if (folder / "..data").exists() else None
    (folder / version).mkdir()
    (folder / version / "limits.yaml").write_text(text)
    (folder / "..data_tmp").symlink_to(version)
    (folder / "..data_tmp").rename(folder / "..data")
    if old is None:
        (folder / "limits.yaml").symlink_to("..data/limits.yaml")
    else:
        (old / "limits.yaml").unlink()
        old.rmdir()


def test_nothing_is_loaded_while_nothing_changes(file: Path) -> None:
    """The state at the beginning is the one in use."""
    watched = Watched(file)
    assert not watched.look()
    assert watched.used == []


def test_a_file_written_in_place_is_loaded_once(file: Path) -> None:
    """One change, one load."""
    watched = Watched(file)
    file.write_text("second!")
    assert watched.look()
    assert not watched.look()
    assert watched.used == ["second!"]


def test_a_change_that_keeps_the_size_is_seen_by_its_time(file: Path) -> None:
    """A digit of a limit, for one."""
    watched = Watched(file)
    state = file.stat()
    file.write_text("third")
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert watched.look()
    assert watched.used == ["third"]


def test_a_file_that_is_replaced_with_the_same_size_and_time_is_seen_by_its_inode(file: Path) -> None:
    """As tools do that keep the times of what they copy."""
    watched = Watched(file)
    state, other = file.stat(), file.with_suffix(".new")
    other.write_text("third")
    os.utime(other, ns=(state.st_atime_ns, state.st_mtime_ns))
    other.rename(file)
    assert watched.look()
    assert watched.used == ["third"]


@pytest.mark.parametrize("watch_the_folder", [True, False])
def test_the_swapped_link_of_a_config_map_is_seen(tmp_path: Path, watch_the_folder: bool) -> None:  # noqa: FBT001
    """The file's own name stays the same link all the time."""
    config_map(tmp_path, "..2024_01", "first")
    file = tmp_path / "limits.yaml"
    watched = Watched(tmp_path if watch_the_folder else file, file)
    for version, text in (("..2024_02", "other"), ("..2024_03", "third")):
        config_map(tmp_path, version, text)
        assert watched.look()
        assert not watched.look()
    assert watched.used == ["other", "third"]


def test_a_new_a_changed_and_a_removed_file_below_a_folder_are_seen(tmp_path: Path, file: Path) -> None:
    """However deep."""
    watched = Watched(tmp_path, file)
    inner = tmp_path / "a" / "b" / "c.yaml"
    inner.parent.mkdir(parents=True)
    inner.write_text("x")
    assert watched.look()
    inner.write_text("xy")
    assert watched.look()
    inner.unlink()
    assert watched.look()
    assert not watched.look()


def test_bad_content_never_replaces_good(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is told once with every fault, and the next good content is taken."""
    watched = Watched(file)
    file.write_text("bad content")
    assert not watched.look()
    assert not watched.look()
    assert watched.used == []
    assert watched.refused == ["limits.yaml:1: is bad\nlimits.yaml:2: really"]
    (record,) = caplog.records
    assert (record.levelno, record.getMessage()) == (logging.ERROR, "limits not reloaded, the last good one stays")
    assert vars(record)["fields"] == {"faults": ["limits.yaml:1: is bad", "limits.yaml:2: really"]}
    file.write_text("good content")
    assert watched.look()
    assert watched.used == ["good content"]


def test_a_load_that_breaks_unforeseen_keeps_the_last_good_value(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The watch goes on, and the error's text, which may hold anything, is not told."""
    watched = Watched(file)
    file.write_text("break it")
    assert not watched.look()
    assert watched.used == []
    assert watched.refused == ["limits: cannot be loaded: ValueError"]
    assert "the secret" not in caplog.text
    file.write_text("good again")
    assert watched.look()


def test_a_file_that_is_deleted_is_refused_and_taken_again_when_it_is_back(file: Path) -> None:
    """Even with the content that it had."""
    watched = Watched(file)
    file.unlink()
    assert not watched.look()
    assert not watched.look()
    assert (watched.used, watched.refused) == ([], ["limits.yaml: cannot be read"])
    file.write_text("first")
    assert watched.look()
    assert watched.used == ["first"]


def test_a_file_that_is_not_there_yet_is_seen_when_it_comes(tmp_path: Path) -> None:
    """Below a folder that is not there yet."""
    watched = Watched(tmp_path / "later", tmp_path / "later" / "limits.yaml")
    assert not watched.look()
    (tmp_path / "later").mkdir()
    (tmp_path / "later" / "limits.yaml").write_text("here")
    assert watched.look()
    assert watched.used == ["here"]


def test_a_folder_that_goes_while_it_is_read_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The kubelet removes a ConfigMap's old folder at any moment."""
    (tmp_path / "old").mkdir()
    (tmp_path / "limits.yaml").write_text("x")
    scan = os.scandir

    def scan_and_remove(path: str) -> object:
        if str(path).endswith("old") and (tmp_path / "old").exists():
            (tmp_path / "old").rmdir()
        return scan(path)

    monkeypatch.setattr(os, "scandir", scan_and_remove)
    assert str(tmp_path / "limits.yaml") in {state[0] for state in signature([tmp_path])}


def test_a_link_to_its_own_folder_does_not_go_round_for_ever(tmp_path: Path) -> None:
    """Each folder is walked once, by whichever name it is met."""
    (tmp_path / "self").symlink_to(tmp_path)
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")
    assert [state[0] for state in signature([tmp_path])] == [str(tmp_path / "self")]


def test_a_change_behind_a_link_to_a_folder_is_seen(tmp_path: Path) -> None:
    """The files that are read through such a link are watched through it."""
    there = tmp_path / "elsewhere" / "limits.yaml"
    there.parent.mkdir()
    there.write_text("first")
    (tmp_path / "watched").mkdir()
    (tmp_path / "watched" / "team").symlink_to(there.parent)
    watched = Watched(tmp_path / "watched", there)
    there.write_text("second!")
    assert watched.look()
    assert not watched.look()
    assert watched.used == ["second!"]


def linked(folder: Path) -> Path:
    """A directory `current/config` that is a release's, by the link `current`."""
    for version in ("v1", "v2"):
        (folder / version / "config").mkdir(parents=True)
        (folder / version / "config" / "limits.yaml").write_text(version)
    (folder / "current").symlink_to("v1")
    return folder / "current" / "config"


def turn(link: Path, target: str) -> None:
    """Let a link lead elsewhere, at one stroke."""
    link.with_suffix(".new").symlink_to(target)
    link.with_suffix(".new").rename(link)


def test_the_signature_of_links_changes_when_one_is_turned_and_only_then(tmp_path: Path) -> None:
    """What is written into a directory meanwhile is for the next turn."""
    directory = linked(tmp_path)
    paths = [tmp_path / "current", directory, directory / "..data"]
    before = link_signature(paths)
    (directory / "limits.yaml").write_text("half a cha")
    (directory / "new.yaml").write_text("x")
    assert link_signature(paths) == before
    turn(tmp_path / "current", "v2")
    turned = link_signature(paths)
    assert turned != before
    turn(tmp_path / "current", "v1")
    assert link_signature(paths) == before


def test_a_link_that_is_replaced_by_another_with_the_same_end_is_no_change(tmp_path: Path) -> None:
    """Where it leads is what counts."""
    directory = linked(tmp_path)
    before = link_signature([directory])
    turn(tmp_path / "current", str(tmp_path / "v1"))
    assert link_signature([directory]) == before


def test_a_directory_that_is_put_in_the_place_of_another_is_a_change_of_links(tmp_path: Path) -> None:
    """Its name is the same, and it is not."""
    directory = tmp_path / "config"
    directory.mkdir()
    before = link_signature([directory])
    directory.rename(tmp_path / "old")
    directory.mkdir()
    assert link_signature([directory]) != before


def test_the_link_of_a_config_map_is_a_link_like_others(tmp_path: Path) -> None:
    """`..data` is turned by the kubelet."""
    config_map(tmp_path, "..2024_01", "first")
    before = link_signature([tmp_path, tmp_path / "..data"])
    config_map(tmp_path, "..2024_02", "second")
    assert link_signature([tmp_path, tmp_path / "..data"]) != before


def test_what_is_not_there_has_no_part_in_the_signature_of_links(tmp_path: Path) -> None:
    """And is a change once it is there."""
    absent = tmp_path / "absent"
    assert link_signature([absent]) == ()
    absent.mkdir()
    assert [state[0] for state in link_signature([absent])] == [str(absent)]


def test_a_reloader_looks_with_the_signature_that_it_is_given(tmp_path: Path) -> None:
    """With that of links, a file that changes is not read before a link is turned."""
    directory = linked(tmp_path)
    used: list[str] = []

    async def load() -> str:
        return (directory / "limits.yaml").read_text()

    reloader = Reloader("limits", [directory], load, used.append, lambda _: None, sign=link_signature)
    (directory / "limits.yaml").write_text("v1, changed")
    assert not asyncio.run(reloader.look())
    turn(tmp_path / "current", "v2")
    assert asyncio.run(reloader.look())
    assert used == ["v2"]


def test_a_reloader_that_is_told_what_was_seen_loads_what_has_changed_since(file: Path) -> None:
    """The value in use may be older than the reloader."""
    seen = signature([file])
    file.write_text("second!")
    used: list[str] = []

    async def load() -> str:
        return "second"

    reloader = Reloader("limits", [file], load, used.append, lambda _: None, seen=seen)
    assert asyncio.run(reloader.look())
    assert used == ["second"]


def test_the_number_of_files_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder given by mistake, such as `/`, must not hold up the process."""
    assert MAX_FILES == 10_000
    monkeypatch.setattr("service_kit.reload.MAX_FILES", 3)
    for name in "abcde":
        (tmp_path / name).touch()
    assert len(signature([tmp_path])) == 3


def test_the_watch_looks_again_and_again_until_it_is_cancelled(file: Path) -> None:
    """At the pace it was given."""
    watched = Watched(file, seconds=0.005)

    def replace(text: str) -> None:  # At one stroke: no look sees it half written.
        other = file.with_suffix(".new")
        other.write_text(text)
        other.rename(file)

    async def scene() -> None:
        running = asyncio.ensure_future(watched.reloader.run())
        for text in ("second!", "bad one", "third one"):
            watched.loaded.clear()
            await asyncio.to_thread(replace, text)
            await watched.loaded.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(asyncio.wait_for(scene(), 10))
    assert watched.used == ["second!", "third one"]
    assert watched.refused == ["limits.yaml:1: is bad\nlimits.yaml:2: really"]
