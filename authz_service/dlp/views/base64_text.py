"""Parts of a multipart body that are written in base64 as a whole (RFC 2045 section 6.8), in lines of any length.

What is found in them cannot be written anew where it stands, since values and lines do not end together: what may not
stay blocks.
"""

from __future__ import annotations

import string
from binascii import a2b_base64
from collections.abc import Sequence
from typing import Final

from authz_service.dlp.views.piece import Piece, Syntax, View

_ALPHABET: Final = (string.ascii_letters + string.digits + "+/-_").encode()
_OTHERS: Final = bytes(sorted(frozenset(range(256)) - frozenset(_ALPHABET)))  # which readers pass over
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_FOUR: Final = 4  # characters that stand for three bytes


class Base64View:
    """Reads what the base64 stands for by means of another view. Nothing that came is held back."""

    def __init__(self, inner: View) -> None:
        self._inner = inner
        self._rest = b""  # fewer than four characters

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on."""
        first, *others = data.split(b"=")
        decoded = [self._decoded(first)]
        for part in others:
            decoded += [self._end(), self._decoded(part)]
        text = _text(self._inner.feed(b"".join(decoded)))
        return [Piece(data, text, Syntax.FIXED, whole=True)] if data else []

    def finish(self) -> Sequence[Piece]:
        """Read what was held back of the text: a piece without bytes of its own."""
        text = _text(self._inner.feed(self._end())) + _text(self._inner.finish())
        return [Piece(b"", text, Syntax.FIXED, whole=True)] if text else []

    def _decoded(self, characters: bytes) -> bytes:
        characters = self._rest + characters.translate(_TO_STANDARD, _OTHERS)
        usable = len(characters) // _FOUR * _FOUR
        self._rest = characters[usable:]
        return a2b_base64(characters[:usable])

    def _end(self) -> bytes:
        """What the last characters before an end stand for; one alone stands for nothing."""
        rest, self._rest = self._rest, b""
        return a2b_base64(rest + b"=" * (_FOUR - len(rest))) if len(rest) > 1 else b""


def _text(pieces: Sequence[Piece]) -> bytes:
    return b"".join([piece.text for piece in pieces])
