"""How far a command has come, as a bar on standard error where that is a terminal."""

from __future__ import annotations

import sys
import time
from typing import Self

_CELLS = 30
_FIRST_SECONDS = 1.0  # what is done sooner needs no bar
_SECONDS = 0.1  # between two drawings


class Progress:
    """Counts bytes out of `total` (0 where nobody knows), and draws now and then; wiped away at the end."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._done = 0
        self._drawn = False
        self._next = time.monotonic() + _FIRST_SECONDS
        self._shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def add(self, count: int) -> None:
        """Count on."""
        self._done += count
        if self._shown and (now := time.monotonic()) >= self._next:
            self._next = now + _SECONDS
            self._draw()

    def clear(self) -> None:
        """Take the bar away, so that what is printed next has the line for itself."""
        if self._drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
            self._drawn = False

    def _draw(self) -> None:
        told = f"{self._done / 1e6:,.1f} MB"
        if self._total:
            share = min(1.0, self._done / self._total)
            filled = round(share * _CELLS)
            told = f"{'█' * filled}{'░' * (_CELLS - filled)} {share:4.0%}  {told}"
        sys.stderr.write(f"\r\x1b[K{told}")
        sys.stderr.flush()
        self._drawn = True
