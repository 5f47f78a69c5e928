"""The character encoding of a body: what is not written in ASCII's bytes is read as UTF-8 and written back.

UTF-16 and UTF-32 are told by their mark, by the zeros that ASCII has in them (RFC 4627 section 3; many parsers of JSON
go by those), or by `charset`; XML declares one itself, too. Whatever else is not ASCII where it looks like it (UTF-7,
EBCDIC, ISO-2022) is refused: it could be neither read nor rewritten. Where there is no sign, most applications read
UTF-8 whatever is declared, so that bytes of UTF-16 and UTF-32 are looked at as they stand too.
"""

from __future__ import annotations

import codecs
import re
from bisect import bisect
from collections.abc import Callable
from encodings.aliases import aliases
from typing import Final, Protocol

from authz_service.dlp.codings import CodingError

# UTF-8 (RFC 3629 section 3): the bytes that go on with a character, and from which on its first tells two, three, four.
_CONTINUATIONS: Final = range(0x80, 0xC0)
_LONGER: Final = (0xC0, 0xE0, 0xF0)

_ERRORS: Final = "surrogatepass"  # a half of a pair is no reason to read no further
_AHEAD: Final = 4  # bytes by which an encoding is known
_CHARSET: Final = re.compile(r"""\bcharset(\*[0-9*]{0,8})?\s{0,8}=[\s"']{0,8}([^\s;,"']*)""", re.IGNORECASE)
_SPACES: Final = (b" ", b"\t", b"\r", b"\n")
_XML: Final = b"<?xml"
_XML_ENCODING: Final = re.compile(rb"""encoding\s{0,64}=\s{0,64}["']([^"']{0,64})["']""")
_DECLARATION: Final = 256  # bytes of XML's, which ends before
_EBCDIC_XML: Final = b"\x4c\x6f\xa7\x94"  # XML 1.0 appendix F
# Those of four bytes first: one of two bytes begins alike.
_MARKS: Final = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ZEROS: Final = {
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
    (False, True): "utf-16-le",
    (True, False): "utf-16-be",
}
_LONG: Final = 8  # bytes of two characters in UTF-32: what begins like one may be a length, as in MP4
# A short name does not tell the order of bytes, and readers differ in which they take: it needs a mark.
_SHORT: Final = {
    **dict.fromkeys(("utf_16", "utf16", "u16", "ucs_2", "unicode", "iso_10646_ucs_2", "csunicode"), "utf-16"),
    **dict.fromkeys(("utf_32", "utf32", "u32", "ucs_4", "iso_10646_ucs_4", "csucs4"), "utf-32"),
}
_WIDE: Final = _SHORT | {
    f"utf{before}{bits}{between}{order}": f"utf-{bits}-{order}"
    for bits in ("16", "32") for order in ("le", "be") for before in ("", "_") for between in ("", "_")
}  # fmt: skip
_LIKE_ASCII: Final = re.compile(
    r"ascii|utf_8(_sig)?|latin_1|iso8859_[0-9]+|cp125[0-8]|cp(437|720|737|775|85[0-8]|86[0-9]|874|932|949|950)"
    r"|koi8_[rut]|kz1048|mac_\w+|gb2312|gbk|gb18030|big5(hkscs)?|euc_\w+|shift_jis|ptcp154|tis_620|hp_roman8"
)
_OTHERS: Final = ("binary", "utf8mb4", "none", "x_sjis", "x_gbk", "x_cp1252", "x_user_defined", "windows_949")
# From a table: to ask `codecs` for names that clients choose would keep every one of them.
_KNOWN: Final = frozenset(
    {"", *_OTHERS}
    | {name for alias, codec in aliases.items() if _LIKE_ASCII.fullmatch(codec) for name in (alias, codec)}
)


class Redactor(Protocol):
    """What takes a body part by part."""

    def feed(self, data: bytes) -> bytes:
        """Read on."""
        ...

    def finish(self) -> bytes:
        """Read the rest."""
        ...


def declared(content_type: str) -> str | None:
    """Return the encoding of more than a byte for each character that a type declares, None for one like ASCII.

    Raises:
        CodingError: it is neither, or there are several of which a reader may take any.
    """
    wide: set[str] = set()
    for match in _CHARSET.finditer(content_type):
        name = _plain(match[2])
        if match[1] or (name not in _WIDE and name not in _KNOWN):
            raise CodingError("unknown_charset")
        wide |= {_WIDE[name]} if name in _WIDE else set()
    if len(wide) > 1 or (
        wide and "x-www-form-urlencoded" in content_type.lower()
    ):  # of a form it means what is escaped
        raise CodingError("unknown_charset")
    return wide.pop() if wide else None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower())


class Recoding:
    """Hands a body to its redactor in UTF-8, and what that gives back in the encoding in which the body came.

    `beside` opens what looks at the bytes as they stand, where the body is not in UTF-8; it is to replace nothing.
    """

    def __init__(self, redactor: Redactor, content_type: str, beside: Callable[[], Redactor]) -> None:
        """Raises `CodingError`."""
        self._redactor = redactor
        self._declared = declared(content_type)
        self._open_beside = beside
        self._held = b""  # by which the encoding is not known yet
        self._known = False
        self._wide: Wide | None = None
        self._beside: Redactor | None = None

    def feed(self, data: bytes) -> bytes:
        """Read on; raises `CodingError`, and what the redactor raises."""
        if not self._known:
            data, self._held = self._held + data, b""
            if is_open(data):
                self._held = data
                return b""
            return self._begin(data)
        return self._through(data)

    def finish(self) -> bytes:
        """Read the rest; raises as `feed` does."""
        out = b"" if self._known else self._begin(self._held)
        if self._wide is None or self._beside is None:
            return out + self._redactor.finish()
        self._beside.finish()
        return out + self._wide.written(self._redactor.finish()) + self._wide.rest()

    def _begin(self, data: bytes) -> bytes:
        self._known = True
        encoding, mark = begun_in(data, self._declared)
        if encoding is not None:
            self._wide, self._beside = Wide(encoding), self._open_beside()
        return mark + self._through(data[len(mark) :])

    def _through(self, data: bytes) -> bytes:
        if self._wide is None or self._beside is None:
            return self._redactor.feed(data)
        self._beside.feed(data)
        return self._wide.written(self._redactor.feed(self._wide.read(data)))


def in_utf8(body: bytes, content_type: str) -> bytes:
    """Return a whole body in UTF-8, without the mark if it had one of another encoding; raises `CodingError`."""
    encoding, mark = begun_in(body, declared(content_type))
    return Wide(encoding).read(body[len(mark) :]) if encoding is not None else body


class Wide:
    """One encoding, there and back."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)(_ERRORS)
        self._held = b""  # of a character of UTF-8

    def read(self, data: bytes) -> bytes:
        """Return it in UTF-8; raises `CodingError`."""
        try:
            return self._decoder.decode(data).encode("utf-8", _ERRORS)
        except UnicodeDecodeError:
            raise CodingError("unknown_charset") from None

    def written(self, data: bytes) -> bytes:
        """Return UTF-8 in the encoding."""
        data = self._held + data
        # By hand: the incremental decoder takes the beginning of a half of a pair for an error.
        kept = next((count for count in range(1, min(4, len(data) + 1)) if data[-count] not in _CONTINUATIONS), 0)
        if kept and kept >= _length(data[-kept]):
            kept = 0
        self._held = data[len(data) - kept :]
        return data[: len(data) - kept].decode("utf-8", _ERRORS).encode(self._encoding, _ERRORS)

    def rest(self) -> bytes:
        """The bytes at the end that are no whole character."""
        return self._decoder.getstate()[0]


def _begins_text(data: bytes, encoding: str) -> bool:
    """Whether it begins with a character of a text: numbers in binary data have zeros too."""
    try:
        first = codecs.getincrementaldecoder(encoding)(_ERRORS).decode(data)[:1]
    except UnicodeDecodeError:
        return False
    return first.isprintable() or first.isspace()


def _length(first: int) -> int:
    """How many bytes a character of UTF-8 has that begins so."""
    return 1 + bisect(_LONGER, first)


def is_open(data: bytes) -> bool:
    """Whether more has to come before the encoding is known."""
    if _declaration_is_open(data):
        return True
    if len(data) <= 1 or any(mark.startswith(data) for mark in (codecs.BOM_UTF32_BE, _EBCDIC_XML)):
        return len(data) < _AHEAD
    signs = 0 in data[:2] or data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    return signs and len(data) < (_LONG if data[1] == 0 or data[:2] == b"\0\0" else _AHEAD)


def begun_in(data: bytes, wide: str | None) -> tuple[str | None, bytes]:
    """Return the encoding of a text that begins so, None for one like ASCII, and the mark before it.

    `wide` is the one that is declared; raises `CodingError` where both cannot be.
    """
    if data.startswith(_EBCDIC_XML):
        raise CodingError("unknown_charset")
    _check_declaration(data)
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            if not encoding.startswith(wide or ""):
                raise CodingError("unknown_charset")
            return encoding, mark
    told = _ZEROS.get(tuple(byte == 0 for byte in data[:_AHEAD]))
    if told is not None and not _begins_text(data[:_LONG], told):
        told = None
    if wide is not None and data and (wide in _SHORT.values() or told not in {None, wide}):
        raise CodingError("unknown_charset")
    return wide if wide is not None and data else told, b""


def _declaration_is_open(data: bytes) -> bool:
    """Whether more has to come of XML's own declaration."""
    if data and codecs.BOM_UTF8.startswith(data):
        return True
    data = data.removeprefix(codecs.BOM_UTF8)
    return _XML.startswith(data[: len(_XML)]) and b"?>" not in data and len(data) < _DECLARATION


def _check_declaration(data: bytes) -> None:
    """Refuse XML that declares an encoding not like ASCII: parsers believe it, UTF-7 too. UTF-16 they see for none."""
    data = data.removeprefix(codecs.BOM_UTF8)
    if not data.startswith(_XML) or data[len(_XML) : len(_XML) + 1] not in _SPACES:
        return
    declaration, end, _ = data[:_DECLARATION].partition(b"?>")
    match = _XML_ENCODING.search(declaration)
    name = _plain(match[1].decode("latin-1")) if match else ""
    if not end or (name not in _KNOWN and name not in _WIDE):
        raise CodingError("unknown_charset")
