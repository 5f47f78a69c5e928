"""Where an issuer's keys come from: the port, and the file behind it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Protocol

from authz_service.identity.keys import MAX_KEY_SET_BYTES


class KeySourceError(Exception):
    """The keys could not be fetched. The text says why, for the operator."""


class KeySource(Protocol):
    """Fetches the text of a key set."""

    async def fetch(self) -> bytes:
        """Fetch once.

        MUST end within bounded time, MUST NOT return more than `MAX_KEY_SET_BYTES` + 1 bytes, and MUST raise only
        `KeySourceError`.
        """
        ...


class KeyFile:
    """A key set in a file, read anew at each refresh."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def fetch(self) -> bytes:
        """Read the file beside the event loop."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                return file.read(MAX_KEY_SET_BYTES + 1)
        except OSError as error:
            raise KeySourceError(f"{self._path} cannot be read: {error.strerror}") from error
