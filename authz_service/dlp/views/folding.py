"""Text with look-alikes → text with what they stand for: digits of any script read as ASCII digits.

What nobody sees is left out: characters without width read as nothing. Hyphens and dashes read as `-`, spaces as a
space, dots as `.`, full-width forms and the decimal digits of all scripts as ASCII. Letters of other scripts stay what
they are. Detectors know ASCII alone.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

import re2

from authz_service.dlp.views.piece import Piece

_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_INVISIBLE = (
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c"
    "\u202d\u202e\u2060\u2061\u2062\u2063\u2064\u2066\u2067\u2068\u2069\u3164\ufeff\uffa0"
    "\u180f\u2065\u206a\u206b\u206c\u206d\u206e\u206f\ufff9\ufffa\ufffb"
    "\u20e3"  # a key, drawn around a digit
    + "".join(map(chr, [*range(0xFE00, 0xFE10), *range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4)]))
    + "".join(map(chr, [*range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)]))
)
_DASHES = (
    "\u058a\u05be\u1806\u2043\u207b\u208b\u2e17\u2e1a\u2e3a\u2e3b\u2e40\u301c\u30a0\ufe31\ufe32"
    "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe58\ufe63\uff0d"
)
_SPACES = "\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000"
_PLANES = 0x20000  # of Unicode, all that has digits: to go through the others takes a third of a second
_DOTS = "\u00b7\u2024\ufe52\uff0e"
MAX_CHARACTER = 4  # bytes of one in UTF-8
_CONTINUES, _TWO, _THREE, _FOUR = 0x80, 0xC0, 0xE0, 0xF0  # the first bytes of characters of so many bytes


def _folded() -> Mapping[bytes, bytes]:
    found = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}  # full-width forms of printable ASCII
    for code in range(0x80, _PLANES):
        character = chr(code)
        if (digit := unicodedata.digit(character, None)) is not None:  # those in circles and above the line too
            found[character] = str(digit)
    for code in range(0x1D400, 0x1D800):  # letters of formulas, which are letters in another face
        if (letter := unicodedata.normalize("NFKC", chr(code))).isascii():
            found[chr(code)] = letter
    for characters, stands_for in ((_INVISIBLE, ""), (_DASHES, "-"), (_SPACES, " "), (_DOTS, ".")):
        found.update(dict.fromkeys(characters, stands_for))
    return {character.encode(): stands_for.encode() for character, stands_for in found.items()}


def _pattern(sequences: Iterable[bytes]) -> bytes:
    """Write an alternation of byte sequences, those that begin alike together."""
    last_bytes: defaultdict[bytes, bytearray] = defaultdict(bytearray)
    for sequence in sequences:
        last_bytes[sequence[:-1]].append(sequence[-1])

    def escaped(data: Iterable[int]) -> str:
        return "".join(f"\\x{byte:02x}" for byte in data)

    parts = [f"{escaped(first)}[{escaped(sorted(last))}]" for first, last in sorted(last_bytes.items())]
    return "|".join(parts).encode()


FOLDED = _folded()
_ANY = re2.compile(_pattern(FOLDED), _OPTIONS)


def fold(text: bytes) -> bytes:
    """Return a short text folded, as a whole."""
    if text.isascii():
        return text
    parts, position = [], 0
    for start, end in _found(text):
        parts += [text[position:start], FOLDED[text[start:end]]]
        position = end
    return b"".join([*parts, text[position:]])


def folded(text: bytes) -> Sequence[Piece]:
    """Return a whole text in pieces, folded."""
    folding = Folding()
    return [*folding.feed([Piece(text, text)] if text else []), *folding.finish()]


class Folding:
    """Folds the text of pieces as they come. It holds back what may be the beginning of a character."""

    def __init__(self) -> None:
        self._held: Piece | None = None  # not whole, and not ASCII

    def feed(self, pieces: Sequence[Piece]) -> Sequence[Piece]:
        """Read on."""
        if self._held is None and all(piece.text.isascii() for piece in pieces):
            return pieces
        out: list[Piece] = []
        for piece in pieces:
            out += self._piece(piece)
        return out

    def finish(self) -> Sequence[Piece]:
        """Return what was held back, as it is."""
        held, self._held = self._held, None
        return [held] if held is not None else []

    def _piece(self, piece: Piece) -> Iterator[Piece]:
        held = self._held
        if held is not None:
            self._held = None
            if piece.whole or piece.syntax is not held.syntax:
                yield held
            else:
                piece = Piece(held.raw + piece.raw, held.text + piece.text, piece.syntax, ends=piece.ends)
        if piece.whole:
            yield piece if piece.text.isascii() else piece._replace(text=fold(piece.text))
            return
        if not piece.ends and (count := _unfinished(piece.text)):
            self._held = Piece(piece.raw[-count:], piece.text[-count:], piece.syntax)
            piece = Piece(piece.raw[:-count], piece.text[:-count], piece.syntax)
        if piece.raw:
            yield from [piece] if piece.text.isascii() else _split(piece)


def _split(piece: Piece) -> list[Piece]:
    raw, text, syntax, _, ends = piece
    out, position = [], 0
    for start, end in _found(text):
        if start > position:
            out.append(Piece(raw[position:start], text[position:start], syntax))
        out.append(Piece(raw[start:end], FOLDED[text[start:end]], syntax, whole=True))
        position = end
    if position < len(text):
        out.append(Piece(raw[position:], text[position:], syntax))
    if ends:
        out[-1] = out[-1]._replace(ends=True)
    return out


def _found(text: bytes) -> Iterator[tuple[int, int]]:
    return (match.span() for match in _ANY.finditer(text))


def _unfinished(text: bytes) -> int:
    """How many bytes at the end of a text may be the beginning of a character (UTF-8, RFC 3629)."""
    for count in range(1, min(MAX_CHARACTER, len(text) + 1)):
        byte = text[-count]
        if byte >= _TWO:
            needed = 2 if byte < _THREE else 3 if byte < _FOUR else 4
            return count if count < needed else 0
        if byte < _CONTINUES:
            return 0
    return 0
