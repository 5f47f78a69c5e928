"""Where an issuer's keys come from: the port, and the file behind it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from authz_service.identity.keys import MAX_KEY_SET_BYTES
from service_kit.reload import Signature, signature


class KeySourceError(Exception):
    """The keys could not be fetched. The text says why, for the operator."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """The text of a key set. `lifetime`: seconds for which its source says that it is fresh; None if it does not."""

    text: bytes
    lifetime: float | None = None


class KeySource(Protocol):
    """Fetches the text of a key set."""

    async def fetch(self) -> Fetched:
        """Fetch once.

        MUST end within bounded time, MUST NOT return more than `MAX_KEY_SET_BYTES` + 1 bytes, and MUST raise only
        `KeySourceError`.
        """
        ...

    async def changed(self) -> bool:
        """Whether there is something new since the last fetch, as far as it can be told without asking anybody.

        It is asked every second. MUST NOT raise.
        """
        ...


class KeyFile:
    """A key set in a file, or behind a link that is turned, as a Kubernetes Secret's is."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: Signature = ()

    async def fetch(self) -> Fetched:
        """Read the file beside the event loop."""
        return Fetched(await asyncio.to_thread(self._read))

    async def changed(self) -> bool:
        """Look at the file, without reading it."""
        return await asyncio.to_thread(signature, [self._path]) != self._seen

    def _read(self) -> bytes:
        self._seen = signature([self._path])  # Before it is read: what is written meanwhile is a change.
        try:
            with self._path.open("rb") as file:
                return file.read(MAX_KEY_SET_BYTES + 1)
        except OSError as error:
            raise KeySourceError(f"{self._path} cannot be read: {error.strerror}") from error
