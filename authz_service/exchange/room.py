"""How many bytes of bodies are worked on at once, in all exchanges together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FullError(Exception):
    """There is no room for another part of a body now."""


class Room:
    """Counts bytes in and out. Not for several threads."""

    def __init__(self, most: int) -> None:
        """`most`: bytes, before they are decoded."""
        self.taken = 0
        self._most = most

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Hold room for so many bytes; raises `FullError` where there is none. What comes alone always has room."""
        if self.taken and self.taken + size > self._most:
            raise FullError
        self.taken += size
        try:
            yield
        finally:
            self.taken -= size
