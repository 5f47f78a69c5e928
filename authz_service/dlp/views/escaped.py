r"""Text in which some characters are written otherwise, as forms, XML and mail do: each escape is a piece of its own.

Escapes by number as programs write them (`\u0031`, `\x31`, with backslashes doubled too) are read in all of these: what
is declared as text or as a form may be JSON to whoever does not ask for its type.

Escapes that make up one character in UTF-8 are one piece, so that look-alikes are known as such.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote_to_bytes

import re2

from authz_service.dlp.codings import CodingError
from authz_service.dlp.views.folding import Folding
from authz_service.dlp.views.piece import Piece, Syntax

_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_HEX: Final = "[0-9A-Fa-f]"
_NEXT: Final = f"[89ABab]{_HEX}"


@dataclass(frozen=True, slots=True)
class Escapes:
    """How characters are written in a format.

    `pattern` finds an escape, which one of `first` begins; `read` undoes one. None is longer than `longest` bytes.
    `unfinished` finds what may be the beginning of one at the end of a text. `blank` is a byte that reads as a space.
    What one of `fixed` begins has to stay, as another one belongs to it.
    """

    pattern: Any
    unfinished: Any
    first: tuple[bytes, ...]
    longest: int
    read: Callable[[bytes], bytes]
    syntax: Syntax
    blank: bytes = b""
    fixed: tuple[bytes, ...] = ()


class EscapedView:
    """Reads text with escapes."""

    def __init__(self, escapes: Escapes) -> None:
        self._escapes = escapes
        self._folding = Folding()
        self._held = b""

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on; raises `CodingError` where an escape has no end, or is one that the text defines itself."""
        data = self._held + data
        match = self._escapes.unfinished.search(data[-self._escapes.longest :])
        kept = match.end() - match.start() if match else 0
        self._held = data[len(data) - kept :]
        return self._folding.feed(self._pieces(data[: len(data) - kept]))

    def finish(self) -> Sequence[Piece]:
        """Read what was held back."""
        data, self._held = self._held, b""
        return [*self._folding.feed(self._pieces(data)), *self._folding.finish()]

    def _pieces(self, data: bytes) -> list[Piece]:
        escapes = self._escapes
        text = data.replace(escapes.blank, b" ") if escapes.blank else data
        pieces: list[Piece] = []
        position = 0
        # The second byte is the rarer one, and one byte is sought twenty times as fast as two.
        if any(first[1:2] in data and first in data for first in escapes.first):
            for match in escapes.pattern.finditer(data):
                start, end = match.span()
                if start > position:
                    pieces.append(Piece(data[position:start], text[position:start], escapes.syntax))
                written = data[start:end]
                syntax = Syntax.FIXED if escapes.fixed and written.startswith(escapes.fixed) else escapes.syntax
                pieces.append(Piece(written, escapes.read(written), syntax, whole=True))
                position = end
        if position < len(data):
            pieces.append(Piece(data[position:], text[position:], escapes.syntax))
        return pieces


def _characters(mark: str) -> str:
    """Find bytes by number, those of one character together."""
    two, three = rf"{mark}[CDcd]{_HEX}{mark}{_NEXT}", rf"{mark}[Ee]{_HEX}(?:{mark}{_NEXT}){{2}}"
    four = rf"{mark}[Ff][0-7](?:{mark}{_NEXT}){{3}}"
    return f"{two}|{three}|{four}|{mark}{_HEX}{{2}}"


def _beginnings(mark: str) -> str:
    """Find what may be the beginning of those at the end of a text."""
    number = rf"{mark}{_NEXT}"
    rest = rf"{mark}?|{mark}[89ABab]"
    return (
        rf"(?:{mark}[CDcd]{_HEX}(?:{rest})|{mark}[Ee]{_HEX}(?:{number})?(?:{rest})"
        rf"|{mark}[Ff][0-7](?:{number}){{0,2}}(?:{rest})|{mark}{_HEX}?)$"
    )


def _compiled(pattern: str) -> Any:
    return re2.compile(pattern.encode(), _OPTIONS)


def _entity(written: bytes) -> bytes:
    if len(written) > _ZEROS:
        raise CodingError("unknown_charset")  # there may be more zeros, and a number behind them
    if written == _DEFINES:
        raise CodingError("xml_entities")  # what they stand for is put together where nobody looks
    if written[:1] != b"&":
        return b""
    return html.unescape(written.decode("ascii")).encode("utf-8", "replace")


def _by_number(written: bytes) -> bytes:
    code = int(written.lstrip(b"\\%")[1:], 16)
    return chr(code).encode("utf-8", "replace")


def _or_by_number(read: Callable[[bytes], bytes]) -> Callable[[bytes], bytes]:
    return lambda written: _by_number(written) if written.startswith((b"\\", b"%u")) else read(written)


def _pair(written: bytes) -> bytes:
    """A character behind a backslash, or by its number."""
    if len(written) == _PAIR:
        return written[1:]
    return bytes([int(written[1:], 8)]) if written[1:].isdigit() else _by_number(written)


def _quoted(written: bytes) -> bytes:
    return b"" if written[1:2] in {b"\r", b"\n", b" ", b"\t"} else unquote_to_bytes(written.replace(b"=", b"%"))


_NUMBER: Final = rf"\\{{1,8}}(?:u{_HEX}{{4}}|x{_HEX}{{2}})"
_NUMBER_BEGUN: Final = rf"\\{{1,8}}(?:u{_HEX}{{0,3}}|x{_HEX}?)?$"
_LONGEST_NUMBER: Final = 14  # bytes
_PAIR: Final = 2  # bytes of a backslash and what it stands before

# Text as it stands.
TEXT: Final = Escapes(_compiled(_NUMBER), _compiled(_NUMBER_BEGUN), (b"\\",), _LONGEST_NUMBER, _by_number, Syntax.PLAIN)
# application/x-www-form-urlencoded (https://url.spec.whatwg.org/#application/x-www-form-urlencoded), and queries.
# In .NET a character can have a number of four digits there too.
FORM: Final = Escapes(
    _compiled(f"{_characters('%')}|%u{_HEX}{{4}}|{_NUMBER}"),
    _compiled(f"(?:{_beginnings('%')}|%u{_HEX}{{0,3}}$|{_NUMBER_BEGUN})"),
    (b"%", b"\\"),
    _LONGEST_NUMBER,
    _or_by_number(unquote_to_bytes),
    Syntax.FORM,
    blank=b"+",
)
# What in a text is written as in a form.
PERCENT: Final = Escapes(
    _compiled(_characters("%")), _compiled(_beginnings("%")), (b"%",), 12, unquote_to_bytes, Syntax.FORM, blank=b"+"
)
# Values of headers, cookies and queries, with what is percent-encoded in them.
SHORT: Final = replace(FORM, syntax=Syntax.PLAIN, blank=b"")
# Strings in quotes in such values: a backslash before any character, or before three octal digits as Python quotes
# cookies, and a parameter in several pieces (`filename*0="a"; filename*1="b"`, RFC 2231 section 3) as one.
_NEXT_PIECE: Final = r'"?[ \t]{0,8};[ \t]{0,8}[A-Za-z-]{1,32}\*[1-9][0-9]{0,2}\*?="?'
QUOTED: Final = Escapes(
    _compiled(rf"{_characters('%')}|{_NUMBER}|\\[0-3][0-7]{{2}}|\\[^\r\n]|{_NEXT_PIECE}"),
    SHORT.unfinished,  # not for texts that come in parts
    (b"%", b"\\", b"*"),
    _LONGEST_NUMBER,
    lambda written: _pair(written) if written[:1] == b"\\" else SHORT.read(written) if written[:1] == b"%" else b"",
    Syntax.PLAIN,
)
# Character references by number, with zeros before it and, as HTML is read, without the end; and HTML's by name,
# of which old ones need no end either. What
# stands within text and is none of it reads as nothing: the marks of CDATA, and comments and instructions so short that
# nothing is in them, such as React writes between two texts.
_DEFINES: Final = b"<!ENTITY"
_ZEROS: Final = 40  # that may stand before a number
XML: Final = Escapes(
    _compiled(
        rf"&(?:#0{{0,{_ZEROS}}}[0-9]{{1,7}};?|#[xX]0{{0,{_ZEROS}}}{_HEX}{{1,6}};?|[A-Za-z][A-Za-z0-9]{{1,30}};"
        rf"|nbsp|shy|middot|sup[123])|{_NUMBER}|<!--[^<>-]{{0,8}}-->|<\?[^<>?]{{0,8}}\?>|<!\[CDATA\[|\]\]>|<!ENTITY"
    ),
    _compiled(
        rf"(?:&(?:#[0-9]{{0,{_ZEROS + 7}}}|#[xX]{_HEX}{{0,{_ZEROS + 6}}}|[A-Za-z][A-Za-z0-9]{{0,30}})?|\]\]?"
        r"|<(?:!(?:-(?:-[^<>-]{0,8}-{0,2})?|\[(?:C(?:D(?:A(?:TA?)?)?)?)?|E(?:N(?:T(?:IT?)?)?)?)?|\?[^<>?]{0,8}\??)?)$"
        rf"|{_NUMBER_BEGUN}"
    ),
    (b"&", b"\\", b"<!", b"<?", b"]]>"),
    _ZEROS + 11,
    _or_by_number(_entity),
    Syntax.XML,
    fixed=(b"<![", b"]]>"),
)
# Quoted-printable (RFC 2045 section 6.7): bytes by number, and line ends that are none.
QUOTED_PRINTABLE: Final = Escapes(
    _compiled(rf"{_characters('=')}|=[ \t]{{0,8}}\r?\n|{_NUMBER}"),
    _compiled(rf"(?:{_beginnings('=')}|=[ \t]{{0,8}}\r?$|{_NUMBER_BEGUN})"),
    (b"=", b"\\"),
    _LONGEST_NUMBER,
    _or_by_number(_quoted),
    Syntax.PLAIN,
)
