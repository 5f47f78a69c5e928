"""A source of keys in memory, for tests."""

from __future__ import annotations

import asyncio

from authz_service.identity.key_source import Fetched, KeySourceError
from tests.authz_service.minting import SigningKey, key_set


class Source:
    """Keys that can be away, change, or be held back; counts its fetches."""

    def __init__(self, *keys: SigningKey, lifetime: float | None = None) -> None:
        self.text = key_set(*keys)
        self.lifetime = lifetime
        self.away = False
        self.new = False  # whether it can be told that there is something new
        self.fetches = 0
        self.answers = asyncio.Event()  # cleared, it holds every answer back
        self.answers.set()

    async def fetch(self) -> Fetched:
        """Answer with what is there when it is asked."""
        self.fetches += 1
        self.new = False
        text = self.text
        await asyncio.sleep(0)
        await self.answers.wait()
        if self.away:
            raise KeySourceError("the issuer is away")
        return Fetched(text, self.lifetime)

    async def changed(self) -> bool:
        """As a file knows it."""
        return self.new
