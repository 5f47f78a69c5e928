"""How many bytes are held of bodies at once, in all exchanges together."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class FullError(Exception):
    """There is no room for more of a body now."""


class Room:
    """Counts bytes in and out. Not for several threads."""

    def __init__(self, most: int) -> None:
        self.taken = 0
        self._most = most

    def change(self, before: int, after: int) -> None:
        """Hold `after` bytes where `before` were held; raises `FullError` where others leave no room for more."""
        others = self.taken - before
        if after > before and others and others + after > self._most:
            raise FullError
        self.taken = others + after

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Hold room for so many bytes; raises `FullError` where there is none. What comes alone always has room."""
        self.change(0, size)
        try:
            yield
        finally:
            self.taken -= size


class Share:
    """What one holder has of a room, more or less of it as time goes on."""

    __slots__ = ("_room", "held")

    def __init__(self, room: Room) -> None:
        self.held = 0
        self._room = room

    def hold(self, size: int) -> None:
        """Hold so many bytes in the place of those before; raises `FullError` where others leave no room for more."""
        if size != self.held:
            self._room.change(self.held, size)
            self.held = size
