"""A body as it comes → the same, without what is not to pass.

    bytes → view → parts of text → what is found in it (text_redaction) → what is found in base64 (base64_runs) → bytes

The text is read as it stands and with percent escapes undone (readings).

What comes out does not depend on how the body was cut: each stage decides by the text alone, and holds back what is
not decided. The end of an event or a record (`Piece.ends`) decides everything before it, so that nothing of an event
waits for the next one.

The work is done at once and takes time in proportion to the bytes: feed large bodies in slices.
"""

from __future__ import annotations

from collections.abc import Sequence

from authz_service.dlp.base64_runs import Base64Runs
from authz_service.dlp.found import Treatment
from authz_service.dlp.held import numbered
from authz_service.dlp.scan import Scanner
from authz_service.dlp.text_redaction import TextRedaction
from authz_service.dlp.undone import LONGEST
from authz_service.dlp.views.piece import Piece, View


class BodyRedactor:
    """Redacts one body. What is let pass (`treat` gives None) goes out as it came.

    It holds back at most `hold_back` bytes of text: of the text as it stands, and of a run of base64 in it.
    """

    def __init__(self, view: View, scanner: Scanner, treat: Treatment) -> None:
        self.hold_back = hold_back(scanner)
        self._view = view
        self._redaction = TextRedaction(scanner, treat)
        self._runs = Base64Runs(scanner, treat)
        self._came = 0

    def feed(self, data: bytes) -> bytes:
        """Read on and return what is decided.

        Raises:
            Blocked: with what was found, nothing passes.
        """
        return self._redacted(self._view.feed(data), ends=False)

    def finish(self) -> bytes:
        """Decide the rest: there is no more.

        Raises:
            Blocked: with what was found, nothing passes.
        """
        return self._redacted(self._view.finish(), ends=True)

    def _redacted(self, pieces: Sequence[Piece], *, ends: bool) -> bytes:
        parts = self._redaction.feed(numbered(pieces, self._came))
        self._came += sum(len(piece.raw) for piece in pieces)
        if ends:
            parts += self._redaction.finish()
        parts = self._runs.feed(parts)
        if ends:
            parts += self._runs.finish()
        return b"".join([part.raw for part in parts])


def hold_back(scanner: Scanner) -> int:
    """Bytes of text that a body's redactor holds back at most; lines of a run add one or two for each 64."""
    return LONGEST * scanner.hold_back + -(-scanner.hold_back // 3) * 4 * 66 // 64 + 160
