r"""JSON (RFC 8259) as whoever parses it reads it: escapes undone, the structure as it stands.

Quotes, colons and commas stay in the text: no detector's pattern goes beyond a quote, and a member's name before its
value is what a detector finds beside it. So a body without escapes is one piece, whatever its size, and no parser
builds a tree of it.

Escapes that are frequent and stand for no part of a value that is looked for (line ends, quotes, backslashes) become
two bytes of text, so that places in text and bytes stay the same; the others become a piece of their own. A body that
is no JSON, or breaks off, is read all the same.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

import re2

from authz_service.dlp.codings import CodingError
from authz_service.dlp.views.folding import Folding
from authz_service.dlp.views.piece import Piece, Syntax

_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_OPTIONS.dot_nl = True
_HEX: Final = rb"[0-9A-Fa-f]{4}"
_ESCAPE = re2.compile(rb"\\u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|\\u" + _HEX + rb"|\\[^u]", _OPTIONS)
MAX_NUMBER: Final = 64  # characters; no number that is looked for has more
_FIRST_HALF, _SECOND_HALF, _AFTER_HALVES = 0xD800, 0xDC00, 0xE000
_FIRST_HALVES: Final = frozenset({b"d8", b"d9", b"da", b"db"})
_NUMBER = re2.compile(rb"[^0-9A-Za-z+.\"-](-?[0-9][0-9.eE+-]{6,})", _OPTIONS)
_NUMBER_BYTES: Final = b"0123456789.eE+-"
_MAX_ESCAPE: Final = 12  # bytes of a surrogate pair, the longest
_BY_NUMBER: Final = 6  # bytes of an escape by number
_BACKSLASH: Final = 0x5C
_LONE = "\ufffd".encode()  # a half of a pair without the other one
# Of two bytes both as they are written and as they are read: what a place in text is, it is in the bytes.
_DOUBLED: Final = ((b"\\n", b"\n\n"), (b"\\r", b"\r\r"), (b"\\b", b"\b\b"), (b"\\f", b"\f\f"))
# JSON within a string of JSON, as tools answer: its own escapes, with backslashes doubled once, twice or three times.
_NESTED: Final = (
    *((b"\0\0" + letter, byte * 3) for letter, byte in ((b"n", b"\n"), (b"r", b"\r"))),
    *((b"\0\0" + byte, byte * 3) for byte in (b"\n", b"\r") for _ in range(3)),
)
_DEEPEST: Final = 64  # backslashes that are read as one: JSON in strings six deep
# What becomes a piece of its own there: characters by number, slashes (`/` is written so too), and line ends that would
# else be longer than any detector takes one for.
_PAIRS: Final = r"(?:\x00\x00)"
_NESTED_ESCAPE = re2.compile(
    rf"{_PAIRS}{{1,{_DEEPEST // 2}}}(?:u([0-9A-Fa-f]{{4}})|\\?/|\\u002[fF])|{_PAIRS}{{5,{_DEEPEST // 2}}}[nr]".encode(),
    _OPTIONS,
)
_READ: Final = {b"n": b"\n", b"r": b"\r"}
_SINGLE: Final = {b"\\t": b"\t", b"\\/": b"/"}


class JsonView:
    """Reads one text of JSON; with `lines`, one after the other, each ended by a line end (NDJSON, JSON Lines)."""

    def __init__(self, *, numbers: Syntax = Syntax.FIXED, lines: bool = False) -> None:
        """`numbers` is how a replacement is written in the place of a number: JSON_NUMBER or FIXED."""
        self._numbers = numbers
        self._lines = lines
        self._folding = Folding()
        self._held = b""
        self._in_string = False
        self._before = b" "  # the byte before what comes next

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on; raises `CodingError` for a number with an exponent that does not end."""
        data = self._held + data
        kept = max(_unfinished(data), _unfinished_nested(data))
        if not kept and data and data[-1] in _NUMBER_BYTES:
            kept = self._unfinished_number(data)
        self._held = data[len(data) - kept :]
        return self._folding.feed(self._pieces(data[: len(data) - kept]))

    def finish(self) -> Sequence[Piece]:
        """Read what was held back."""
        data, self._held = self._held, b""
        return [*self._folding.feed(self._pieces(data)), *self._folding.finish()]

    def _pieces(self, data: bytes) -> list[Piece]:
        if not data:
            return []
        if not self._lines:
            return self._of_text(data)
        pieces: list[Piece] = []
        first, *others = data.split(b"\n")
        for index, line in enumerate([first, *others]):
            ended = index < len(others)
            found = self._of_text(line + b"\n" if ended else line)
            if ended:
                found[-1] = found[-1]._replace(ends=True)
                self._in_string = False  # whatever was wrong with the record ends with it
            pieces += found
        return pieces

    def _of_text(self, data: bytes) -> list[Piece]:
        if not data:
            return []
        text, quotes = data, data
        edits: list[tuple[int, int, bytes, Syntax]] = []
        if b"\\" in data:
            text = quotes = data.replace(b"\\\\", b"\0\0")
            if text is not data and b"\0\0" in text:
                edits += _nested(text)
                for written, read in _NESTED:
                    text = text.replace(written, read)
            quotes = quotes.replace(b'\\"', b"\0\0")
            text = text.replace(b'\\"', b'""')
            for written, read in _DOUBLED:
                text = text.replace(written, read)
            if b"\\" in text:
                edits += _escapes(text, {edit[1] for edit in edits})
        edits += self._found_numbers(text, quotes)
        if quotes.count(b'"') % 2:
            self._in_string = not self._in_string
        self._before = data[-1:]
        return _cut(data, text, edits)

    def _found_numbers(self, text: bytes, quotes: bytes) -> Iterator[tuple[int, int, bytes, Syntax]]:
        """Find the numbers outside of strings that are long enough to be looked at."""
        in_string, position = self._in_string, 0
        for match in _NUMBER.finditer(self._before + text):
            start, end = match.start(1) - 1, match.end(1) - 1
            if quotes.count(b'"', position, start) % 2:
                in_string = not in_string
            position = start
            if in_string:
                continue
            if end - start <= MAX_NUMBER:
                yield start, end, _plain(text[start:end]), self._numbers
                continue
            number = text[start : start + MAX_NUMBER]  # as much as is there however it comes
            if b"e" in number.lower():
                raise CodingError("number_too_long")  # what it stands for hangs on what is still to come
            if b"." in number:
                yield start, start + MAX_NUMBER, _plain(number) + b" ", Syntax.FIXED  # apart from the zeros behind it

    def _unfinished_number(self, data: bytes) -> int:
        """How many bytes at the end may be the beginning of a number that is to be a piece of its own."""
        tail = data[-MAX_NUMBER - 1 :]
        count = len(tail) - len(tail.rstrip(_NUMBER_BYTES))
        before = data[-count - 1 : -count] or self._before
        return 0 if count > MAX_NUMBER or before.isalpha() or before == b'"' else count


def _plain(number: bytes) -> bytes:
    """A whole number in digits alone, however it is written: `1.23456789e8` is 123456789."""
    if number.isdigit():
        return number
    try:
        value = Decimal(number.decode())
    except InvalidOperation:
        return number
    is_whole = value.is_finite() and abs(value.adjusted()) < MAX_NUMBER and value == value.to_integral_value()
    return f"{value:.0f}".encode() if is_whole else number


def _escapes(text: bytes, known: Container[int]) -> Iterator[tuple[int, int, bytes, Syntax]]:
    """Find escapes but for those that are read: of each, where it ends."""
    for match in _ESCAPE.finditer(text):
        start, end = match.span()
        if end in known:
            continue
        written = text[start:end]
        if written[1:2] != b"u":
            read = _SINGLE.get(written)
            if read is None:
                continue  # no escape of JSON: it reads as it stands
        elif end - start == _MAX_ESCAPE:
            high, low = int(written[2:6], 16), int(written[8:12], 16)
            read = chr(0x10000 + ((high - _FIRST_HALF) << 10) + low - _SECOND_HALF).encode()
        else:
            code = int(written[2:6], 16)
            read = _LONE if _FIRST_HALF <= code < _AFTER_HALVES else chr(code).encode()
        yield start, end, read, Syntax.JSON_STRING


def _nested(text: bytes) -> Iterator[tuple[int, int, bytes, Syntax]]:
    """Find escapes of JSON in a string, of which the backslashes are two zeros each."""
    for match in _NESTED_ESCAPE.finditer(text):
        start, end = match.span()
        number = match.group(1)
        read = chr(int(number, 16)).encode("utf-8", "replace") if number else _READ.get(text[end - 1 : end], b"/")
        yield start, end, read, Syntax.JSON_STRING


def _cut(data: bytes, text: bytes, edits: list[tuple[int, int, bytes, Syntax]]) -> list[Piece]:
    """Cut a text into pieces: what is edited becomes whole ones."""
    if not edits:
        return [Piece(data, text, Syntax.JSON_STRING)]
    pieces, position = [], 0
    for start, end, read, syntax in sorted(edits, key=_place):
        if start > position:
            pieces.append(Piece(data[position:start], text[position:start], Syntax.JSON_STRING))
        pieces.append(Piece(data[start:end], read, syntax, whole=True))
        position = end
    if position < len(data):
        pieces.append(Piece(data[position:], text[position:], Syntax.JSON_STRING))
    return pieces


def _place(edit: tuple[int, int, bytes, Syntax]) -> int:
    return edit[0]


def _unfinished(data: bytes) -> int:
    """How many bytes at the end may be the beginning of an escape, or of a pair of them."""
    place = data.rfind(b"\\", max(0, len(data) - _MAX_ESCAPE + 1))
    if place < 0 or not _introduces(data, place):
        return 0
    written = data[place:]
    if len(written) == _BY_NUMBER:
        return _BY_NUMBER if _is_first_half(written) else 0
    if len(written) > 1 and not (len(written) < _BY_NUMBER and written[1:2] == b"u" and _is_hex(written[2:])):
        return 0
    before = place - _BY_NUMBER
    pair = before >= 0 and _is_first_half(data[before:place]) and _introduces(data, before)
    return len(data) - (before if pair else place)


def _unfinished_nested(data: bytes) -> int:
    """How many bytes at the end may be the beginning of an escape within JSON in a string."""
    end = data.rfind(b"u", max(0, len(data) - _BY_NUMBER + 2))
    number = data[end:] if end >= 0 and _is_hex(data[end + 1 :]) else b""
    stem = data[: len(data) - len(number)]
    run = len(stem) - len(stem.rstrip(b"\\"))
    return min(run, _DEEPEST + run % 2) + len(number) if run else 0


def _introduces(data: bytes, place: int) -> bool:
    """Whether a backslash is not itself escaped."""
    run = place
    while run > 0 and data[run - 1] == _BACKSLASH:
        run -= 1
    return (place - run) % 2 == 0


def _is_hex(data: bytes) -> bool:
    return all(byte in b"0123456789abcdefABCDEF" for byte in data)


def _is_first_half(escape: bytes) -> bool:
    return escape[:2] == b"\\u" and _is_hex(escape[2:]) and escape[2:4].lower() in _FIRST_HALVES
