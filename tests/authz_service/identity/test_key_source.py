"""Keys from a file."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from authz_service.identity.key_source import KeyFile, KeySourceError
from authz_service.identity.keys import MAX_KEY_SET_BYTES


def fetch(path: Path) -> bytes:
    """Fetch once."""
    return asyncio.run(KeyFile(path).fetch()).text


def test_a_file_is_read_anew_at_each_fetch(tmp_path: Path) -> None:
    """So that an operator rotates keys by replacing it."""
    path = tmp_path / "jwks.json"
    path.write_bytes(b"first")
    assert fetch(path) == b"first"
    path.write_bytes(b"second")
    assert fetch(path) == b"second"


def test_no_more_is_read_than_tells_that_it_is_too_large(tmp_path: Path) -> None:
    """One byte above the bound."""
    path = tmp_path / "jwks.json"
    path.write_bytes(b" " * (MAX_KEY_SET_BYTES + 1000))
    assert len(fetch(path)) == MAX_KEY_SET_BYTES + 1


def test_a_file_that_cannot_be_read_is_told_with_its_reason(tmp_path: Path) -> None:
    """One that is not there, and one that is a folder."""
    with pytest.raises(KeySourceError, match=r"absent\.json cannot be read: No such file"):
        fetch(tmp_path / "absent.json")
    with pytest.raises(KeySourceError, match="cannot be read: Is a directory"):
        fetch(tmp_path)


def test_a_file_tells_that_it_has_changed_since_it_was_fetched(tmp_path: Path) -> None:
    """Written over, replaced, gone, and back again."""

    async def run() -> list[bool]:
        path = tmp_path / "jwks.json"
        path.write_bytes(b"first")
        file = KeyFile(path)
        seen = [await file.changed()]
        for change in (
            lambda: None,
            lambda: path.write_bytes(b"second one"),
            lambda: (tmp_path / "other").write_bytes(b"second two") and (tmp_path / "other").replace(path),
            path.unlink,
            lambda: path.write_bytes(b"third"),
        ):
            with contextlib.suppress(KeySourceError):
                await file.fetch()
            change()
            seen.append(await file.changed())
        return seen

    assert asyncio.run(run()) == [True, False, True, True, True, True]


def test_a_link_that_is_turned_is_a_change(tmp_path: Path) -> None:
    """As Kubernetes turns that of a Secret."""

    async def run() -> bool:
        for name in ("one", "two"):
            (tmp_path / name).mkdir()
            (tmp_path / name / "jwks.json").write_bytes(b"same")
        link = tmp_path / "data"
        link.symlink_to(tmp_path / "one")
        file = KeyFile(link / "jwks.json")
        await file.fetch()
        link.unlink()
        link.symlink_to(tmp_path / "two")
        return await file.changed()

    assert asyncio.run(run())
