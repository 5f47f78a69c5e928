"""Keys from a file."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from authz_service.identity.key_source import KeyFile, KeySourceError
from authz_service.identity.keys import MAX_KEY_SET_BYTES


def fetch(path: Path) -> bytes:
    """Fetch once."""
    return asyncio.run(KeyFile(path).fetch())


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
