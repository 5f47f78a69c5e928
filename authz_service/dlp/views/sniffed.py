"""A body of a type that says nothing of how it is read: by its first character that is no space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from authz_service.dlp.views.escaped import TEXT, XML, EscapedView
from authz_service.dlp.views.json_text import JsonView
from authz_service.dlp.views.piece import Piece, Syntax, View

_SPACE: Final = b" \t\r\n\f\v"
_MARK: Final = b"\xef\xbb\xbf"
_LIKE_JSON: Final = b'{["'
_LIKE_XML: Final = b"<"


class SniffedView:
    """Reads as JSON what begins like an object, a list or a string, as XML what begins like that, all else as text."""

    def __init__(self, *, numbers: Syntax = Syntax.FIXED) -> None:
        self._numbers = numbers
        self._view: View | None = None
        self._held = b""

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on."""
        if self._view is not None:
            return self._view.feed(data)
        data, self._held = self._held + data, b""
        rest = data.lstrip(_SPACE)
        while rest.startswith(_MARK):
            rest = rest[len(_MARK) :].lstrip(_SPACE)
        if _MARK.startswith(rest):
            self._held = rest
            begun = data[: len(data) - len(rest)]
            return [Piece(begun, begun)] if begun else []
        space = data[: len(data) - len(rest)]
        self._view = self._opened(rest[0])
        return [*([Piece(space, space)] if space else []), *self._view.feed(rest)]

    def _opened(self, first: int) -> View:
        if first in _LIKE_JSON:
            return JsonView(numbers=self._numbers)
        return EscapedView(XML if first in _LIKE_XML else TEXT)

    def finish(self) -> Sequence[Piece]:
        """Read what was held back."""
        if self._view is None:
            return [Piece(self._held, self._held)] if self._held else []  # the beginning of a mark
        return self._view.finish()
