"""A body of a type that says nothing of how it is read, or says something else: by its first character but spaces."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from authz_service.dlp.views.escaped import TEXT, XML, EscapedView
from authz_service.dlp.views.json_text import JsonView
from authz_service.dlp.views.piece import Piece, Syntax, View

_SPACE: Final = b" \t\r\n\f\v"
_MARK: Final = b"\xef\xbb\xbf"
LIKE_JSON: Final = b'{["'
LIKE_XML: Final = b"<"


def beginning(data: bytes) -> tuple[int, int | None]:
    """Return how many bytes of space and marks a body begins with, and the byte behind; None where that is to come."""
    rest = data.lstrip(_SPACE)
    while rest.startswith(_MARK):
        rest = rest[len(_MARK) :].lstrip(_SPACE)
    return len(data) - len(rest), None if _MARK.startswith(rest) else rest[0]


class SniffedView:
    """Reads as XML what begins like that. `otherwise` opens the view of all else.

    Without it what begins like an object, a list or a string is read as JSON, all else as text.
    """

    def __init__(self, *, numbers: Syntax = Syntax.FIXED, otherwise: Callable[[], View] | None = None) -> None:
        self._numbers = numbers
        self._otherwise = otherwise
        self._view: View | None = None
        self._held = b""

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on."""
        if self._view is not None:
            return self._view.feed(data)
        data, self._held = self._held + data, b""
        place, first = beginning(data)
        space = [Piece(data[:place], data[:place])] if place else []
        if first is None:
            self._held = data[place:]
            return space
        self._view = self._opened(first)
        return [*space, *self._view.feed(data[place:])]

    def _opened(self, first: int) -> View:
        if first in LIKE_XML:
            return EscapedView(XML)
        if self._otherwise is not None:
            return self._otherwise()
        return JsonView(numbers=self._numbers) if first in LIKE_JSON else EscapedView(TEXT)

    def finish(self) -> Sequence[Piece]:
        """Read what was held back."""
        if self._view is None:
            return [Piece(self._held, self._held)] if self._held else []  # the beginning of a mark
        return self._view.finish()
