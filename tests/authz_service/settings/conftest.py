"""A folder with every file that the examples name."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with every file that the examples name."""
    (tmp_path / "tls").mkdir()
    (tmp_path / "rego").mkdir()
    for name in ("tls/server.crt", "tls/server.key", "tls/clients.crt", "jwks.json"):
        (tmp_path / name).touch()
    return tmp_path
