"""Text that stands as it is: only look-alikes are folded."""

from __future__ import annotations

from collections.abc import Sequence

from authz_service.dlp.views.folding import Folding
from authz_service.dlp.views.piece import Piece, Syntax


class PlainView:
    """Reads any bytes as text."""

    def __init__(self, syntax: Syntax = Syntax.PLAIN) -> None:
        self._syntax = syntax
        self._folding = Folding()

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on."""
        return self._folding.feed([Piece(data, data, self._syntax)] if data else [])

    def finish(self) -> Sequence[Piece]:
        """Read what was held back."""
        return self._folding.finish()
