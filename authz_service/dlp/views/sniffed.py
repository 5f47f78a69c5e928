"""A body of a type that says nothing of how it is read: by its first character that is no space."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from authz_service.dlp.views.json_text import JsonView
from authz_service.dlp.views.piece import Piece, Syntax, View
from authz_service.dlp.views.plain import PlainView

_SPACE: Final = b" \t\r\n"
_LIKE_JSON: Final = b"{["


class SniffedView:
    """Reads as JSON what begins like an object or a list, and as text what does not."""

    def __init__(self, *, numbers: Syntax = Syntax.FIXED) -> None:
        self._numbers = numbers
        self._view: View | None = None

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on."""
        if self._view is not None:
            return self._view.feed(data)
        rest = data.lstrip(_SPACE)
        if not rest:
            return [Piece(data, data)] if data else []
        view = self._view = JsonView(numbers=self._numbers) if rest[0] in _LIKE_JSON else PlainView()
        space = data[: len(data) - len(rest)]
        return [*([Piece(space, space)] if space else []), *view.feed(rest)]

    def finish(self) -> Sequence[Piece]:
        """Read what was held back."""
        return self._view.finish() if self._view is not None else []
