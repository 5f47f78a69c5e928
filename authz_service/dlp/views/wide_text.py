"""Parts of a multipart body in UTF-16 or UTF-32, which are told as those of whole bodies are (`charsets`).

The body around them is not in that encoding, so that nothing is written anew in it: what is found in such a part and
may not stay blocks. A reader may take the bytes as they stand, so that they are looked at too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from authz_service.dlp.charsets import Redactor, Wide, begun_in, is_open
from authz_service.dlp.codings import CodingError
from authz_service.dlp.views.piece import Piece, Syntax, View


class WideView:
    """Reads one part by means of another view, in whichever encoding it is. Seven bytes are held back at most.

    `wide` is the encoding that is declared, if it is not like ASCII. `beside` opens what looks at the bytes as they
    stand, where they are in another; it is to replace nothing.
    """

    def __init__(self, inner: View, wide: str | None, beside: Callable[[], Redactor] | None = None) -> None:
        self._inner = inner
        self._declared = wide
        self._open_beside = beside
        self._held = b""  # by which the encoding is not known yet
        self._known = False
        self._wide: Wide | None = None
        self._beside: Redactor | None = None

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on; raises `CodingError` where it cannot be read, and what `beside` raises."""
        if not self._known:
            data, self._held = self._held + data, b""
            if is_open(data):
                self._held = data
                return []
            return self._begin(data)
        return self._inner.feed(data) if self._wide is None else self._pieces(data, self._wide)

    def finish(self) -> Sequence[Piece]:
        """Read what was held back: of the text, it may be a piece without bytes of its own; raises as `feed` does."""
        begun = [] if self._known else list(self._begin(self._held))
        if self._wide is None:
            return [*begun, *self._inner.finish()]
        if self._beside is not None:
            self._beside.finish()
        text = _text(self._inner.finish())
        return [*begun, Piece(b"", text, Syntax.FIXED, whole=True)] if text else begun

    def _begin(self, data: bytes) -> Sequence[Piece]:
        self._known = True
        encoding, mark = begun_in(data, self._declared)
        if encoding is None:
            return self._inner.feed(data)
        self._wide = Wide(encoding)
        self._beside = self._open_beside() if self._open_beside is not None else None
        begun = [Piece(mark, b"", Syntax.FIXED, whole=True)] if mark else []
        return [*begun, *self._pieces(data[len(mark) :], self._wide)]

    def _pieces(self, data: bytes, wide: Wide) -> Sequence[Piece]:
        if not data:
            return []
        if self._beside is not None:
            self._beside.feed(data)
        return [Piece(data, _text(self._inner.feed(wide.read(data))), Syntax.FIXED, whole=True)]


class NarrowView:
    """Reads one part by means of another view, and refuses it where its text is in an encoding that is not like ASCII.

    For what is written in ASCII whatever its encoding, as quoted-printable is.
    """

    def __init__(self, inner: View, wide: str | None) -> None:
        """Raises `CodingError`."""
        if wide is not None:
            raise CodingError("unknown_charset")
        self._inner = inner
        self._begun: bytes | None = b""  # None when it is known

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on; raises `CodingError`."""
        return self._looked_at(self._inner.feed(data))

    def finish(self) -> Sequence[Piece]:
        """Read what was held back; raises `CodingError`."""
        pieces = self._looked_at(self._inner.finish())
        self._decide()
        return pieces

    def _looked_at(self, pieces: Sequence[Piece]) -> Sequence[Piece]:
        if self._begun is not None:
            self._begun += _text(pieces)
            if not is_open(self._begun):
                self._decide()
        return pieces

    def _decide(self) -> None:
        if self._begun is not None and begun_in(self._begun, None)[0] is not None:
            raise CodingError("unknown_charset")
        self._begun = None


def _text(pieces: Sequence[Piece]) -> bytes:
    return b"".join([piece.text for piece in pieces])
