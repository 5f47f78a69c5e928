"""How far a command has come, on one line of standard error that is overwritten: for terminals, when it takes long."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TextIO

QUIET_SECONDS = 1.0  # what is done by then needs no telling
EVERY_SECONDS = 0.2

_CLEAR = "\r\x1b[K"


class Progress:
    """Writes to `stream` if that is a terminal. `clock` tells seconds."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream if stream.isatty() else None
        self._clock = clock
        self._began = clock()
        self._next = self._began + QUIET_SECONDS
        self._written = False

    def show(self, text: Callable[[float], str]) -> None:
        """Show a text, made of the seconds that have passed; not more often than an eye can follow."""
        if self._stream is None:
            return
        now = self._clock()
        if now < self._next:
            return
        self._next = now + EVERY_SECONDS
        self._written = True
        self._stream.write(_CLEAR + text(now - self._began))
        self._stream.flush()

    def end(self) -> None:
        """Leave an empty line behind."""
        if self._stream is not None and self._written:
            self._stream.write(_CLEAR)
            self._stream.flush()
            self._written = False


def remaining(elapsed: float, done: int, whole: int) -> str:
    """How much is done of a whole, and how long the rest takes at this pace."""
    if not 0 < done <= whole:
        return ""
    return f"{100 * done // whole} %, {elapsed * (whole - done) / done:,.0f} s left"
