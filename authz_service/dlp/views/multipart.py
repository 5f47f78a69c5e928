"""multipart bodies (RFC 2046 section 5.1, RFC 7578): each part is read as its own headers say.

Read leniently: what some reader takes for a delimiter is one here, since all that a delimiter does is to end a text.
The headers of parts are text like another. The name of a field is read once more where its value begins, as what stands
between them can be longer than a context reaches.

What is not certain is refused: what is told twice, an encoding that is not known, a parameter in several pieces (RFC
2231 section 3), and headers too long to be kept. A part can be in UTF-16 or UTF-32 of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from authz_service.dlp.charsets import Redactor, declared
from authz_service.dlp.codings import CodingError
from authz_service.dlp.views.base64_text import Base64View
from authz_service.dlp.views.escaped import QUOTED_PRINTABLE, TEXT, EscapedView
from authz_service.dlp.views.piece import Piece, Syntax, View
from authz_service.dlp.views.wide_text import NarrowView, WideView

MAX_BOUNDARY: Final = 70  # characters (RFC 2046)
MAX_HEADER_BYTES: Final = 8 * 1024  # of one part
MAX_DELIMITER_LINE: Final = 128  # bytes; more is content
_ENCODING: Final = re.compile(r"[a-z0-9-]+")  # a comment may follow
_AS_IT_IS: Final = frozenset({"7bit", "8bit", "binary"})
_NAME: Final = re.compile(r"""(?:^|[;\s])name\s{0,8}=\s{0,8}"?([^";]{1,200})""", re.IGNORECASE)
_NO_LETTERS: Final = re.compile(r"[^A-Za-z]+")
_TOLD_ONCE: Final = frozenset({"content-type", "content-transfer-encoding", "content-disposition"})
_IN_PIECES: Final = re.compile(r"[A-Za-z]\*[0-9]{1,8}\*?\s{0,8}=")
_MAX_NAME: Final = 40  # letters and spaces


class MultipartView:
    """Reads one body. `open_part` gives the view for a part's media type, `beside` is for `WideView`."""

    def __init__(
        self, boundary: bytes, open_part: Callable[[str], View], beside: Callable[[], Redactor] | None = None
    ) -> None:
        self._delimiter = b"--" + boundary
        self._open_part = open_part
        self._beside = beside
        self._held = b""
        self._at_line_start = True
        self._header: bytes | None = None  # of the part that has begun, as long as it goes on
        self._view: View = EscapedView(TEXT)

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on; raises `CodingError` where a part cannot be read."""
        return self._read(data, last=False)

    def finish(self) -> Sequence[Piece]:
        """Read what was held back."""
        return [*self._read(b"", last=True), *self._view.finish()]

    def _read(self, data: bytes, *, last: bool) -> list[Piece]:
        data, self._held = self._held + data, b""
        pieces: list[Piece] = []
        position = search = 0
        while (found := data.find(self._delimiter, search)) >= 0:
            if not (data[found - 1 : found] in {b"\n", b"\r"} if found else self._at_line_start):
                search = found + 1
                continue
            pieces += self._content(data[position:found])
            position = found
            feed = data.find(b"\n", found, found + MAX_DELIMITER_LINE)
            if feed < 0 and len(data) - found < MAX_DELIMITER_LINE and not last:
                break
            end = feed + 1 if feed >= 0 else found + len(self._delimiter)
            pieces += [*self._view.finish(), Piece(data[found:end], data[found:end], ends=True)]
            self._view, self._header = EscapedView(TEXT), b""
            position = search = end
            self._at_line_start = True
        else:
            kept = 0 if last else self._beginning(data, position)
            pieces += self._content(data[position : len(data) - kept])
            position = len(data) - kept
        self._held = data[position:]
        return pieces

    def _beginning(self, data: bytes, position: int) -> int:
        """How many bytes at the end may be the beginning of a delimiter."""
        tail = data[max(position, len(data) - len(self._delimiter)) :]
        for start in range(len(tail)):
            place = len(data) - len(tail) + start
            at_line_start = data[place - 1 : place] in {b"\n", b"\r"} if place else self._at_line_start
            if at_line_start and self._delimiter.startswith(tail[start:]):
                return len(tail) - start
        return 0

    def _content(self, data: bytes) -> list[Piece]:
        if not data:
            return []
        self._at_line_start = data[-1:] in {b"\n", b"\r"}
        if self._header is None:
            return list(self._view.feed(data))
        before = len(self._header)
        self._header += data
        end = _header_end(self._header)
        if end > MAX_HEADER_BYTES or (end < 0 and len(self._header) >= MAX_HEADER_BYTES):
            raise CodingError("unknown_part")
        if end < 0:
            return list(self._view.feed(data))
        taken = end - before
        fields = _fields(self._header[:end])
        pieces = [*self._view.feed(data[: taken - 1]), *self._view.finish()]
        self._view, self._header = self._of_part(fields), None
        # Letters alone, which are no finding. Were they part of one, they could not be written anew here.
        name = _letters(fields.get("content-disposition", ""))
        pieces.append(Piece(b"\n", b"\n%s\n" % name, Syntax.FIXED, whole=True) if name else Piece(b"\n", b"\n"))
        return [*pieces, *self._view.feed(data[taken:])]

    def _of_part(self, fields: Mapping[str, str]) -> View:
        content_type = fields.get("content-type", "text/plain")
        wide = declared(content_type)
        encoding = fields.get("content-transfer-encoding", "").lower()
        match = _ENCODING.match(encoding)
        word = match[0] if match else encoding
        if word == "quoted-printable":
            return NarrowView(EscapedView(QUOTED_PRINTABLE), wide)
        view = WideView(self._open_part(content_type), wide, self._beside)
        if word == "base64":
            return Base64View(view)
        if word and word not in _AS_IT_IS:
            raise CodingError("unknown_part")
        return view


def _header_end(header: bytes) -> int:
    """Where the content begins, -1 where the header goes on."""
    for empty in (b"\r\n", b"\n"):
        if header.startswith(empty):
            return len(empty)
    ends = [place + len(end) for end in (b"\n\r\n", b"\n\n") if (place := header.find(end)) >= 0]
    return min(ends, default=-1)


def _fields(header: bytes) -> Mapping[str, str]:
    """Return the fields by lower-case name; lines that are folded are one."""
    text = header.decode("latin-1").replace("\r\n", "\n").replace("\n ", " ").replace("\n\t", " ")
    fields: dict[str, str] = {}
    for line in text.split("\n"):
        name, _, value = line.partition(":")
        name = name.strip().lower()
        if name in _TOLD_ONCE and (name in fields or _IN_PIECES.search(value)):
            raise CodingError("unknown_part")
        fields[name] = value.strip()
    return fields


def _letters(disposition: str) -> bytes:
    """The letters of a field's name, and a space for whatever stands between them."""
    match = _NAME.search(disposition)
    return _NO_LETTERS.sub(" ", match[1])[:_MAX_NAME].strip().encode() if match else b""
