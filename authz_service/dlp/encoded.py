"""Base64 in a short text: runs of it are read one level deep, and written back as they were. Pure."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote

from authz_service.dlp.base64_shape import TWELVE, compiled, texts
from authz_service.dlp.reading import scan_text, suspects_text, undone
from authz_service.dlp.scan import Scanner, Span

# Where a run may hold something: a long one, one of its shape, or one that is said to be base64 (RFC 2047, MCP's
# headers, RFC 7617). A UUID is not long, since what is between its hyphens is not.
_HINT: Final = compiled(rf"[A-Za-z0-9+/_]{{24}}|{TWELVE}|=\?[^?\n]{{1,40}}\?|[Bb][Aa][Ss][Ii][Cc] ")
_RUN: Final = compiled(r"[A-Za-z0-9+/_-]{12,}={0,2}")  # what is shorter holds nothing that a detector takes
_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")
_STANDARD: Final = bytes.maketrans(b"+/", b"-_")


class Taken(Protocol):
    """What is not looked into: something is found in it otherwise."""

    @property
    def start(self) -> int:
        """Where it begins."""
        ...

    @property
    def end(self) -> int:
        """Where it ends."""
        ...


@dataclass(frozen=True, slots=True)
class Run:
    """A run of base64 in a text, from `start` up to `end`: what it stands for, and what was found in that."""

    start: int
    end: int
    text: bytes
    spans: Sequence[Span]
    is_url_safe: bool
    is_padded: bool
    is_quoted: bool
    is_last: bool  # in its row: another text would be read otherwise if what is before it were of another length

    def write(self, text: bytes) -> bytes:
        """Write another text in its place, as it was written."""
        if not self.is_last:
            text += b" " * ((len(self.text) - len(text)) % 3)
        written = base64.b64encode(text)
        if self.is_url_safe:
            written = written.translate(_STANDARD)
        if not self.is_padded:
            written = written.rstrip(b"=")
        return quote(written, safe="").encode() if self.is_quoted else written


def suspects(text: bytes, scanner: Scanner) -> bool:
    """Whether anything could be found in a text, in its base64 too. False means that there is nothing."""
    return suspects_text(text, scanner) or suspects_runs(text, scanner)


def suspects_runs(text: bytes, scanner: Scanner) -> bool:
    """Whether anything could be found in a text's base64."""
    reading = undone(text)
    read = text if reading is None else reading.text
    return _HINT.search(read) is not None and any(
        suspects_text(_decoded(read[first:last]), scanner) for first, last, _ in _texts(read)
    )


def runs(text: bytes, taken: Iterable[Taken], scanner: Scanner) -> Iterator[Run]:
    """Find the runs in which something is found. What is `taken` in the text as it stands goes before.

    Cookies and addresses have the signs of base64 percent-encoded: what is undone of them is read.
    """
    reading = undone(text)
    read = text if reading is None else reading.text
    others = sorted([(each.start, each.end) for each in taken])
    index = 0
    for first, last, row_end in _texts(read):
        written = read[first:last]
        start, end = (
            (first, last) if reading is None else (reading.place(first, end=False), reading.place(last - 1, end=True))
        )
        while index < len(others) and others[index][1] <= start:
            index += 1
        if index < len(others) and others[index][0] < end:
            continue
        decoded = _decoded(written)
        found = scan_text(decoded, scanner) if suspects_text(decoded, scanner) else ()
        if found:
            is_url_safe = b"-" in written or b"_" in written
            is_quoted = b"%" in text[start:end]
            is_padded = len(written) % 4 == 0
            yield Run(start, end, decoded, found, is_url_safe, is_padded, is_quoted, last == row_end)


def _texts(read: bytes) -> Iterator[tuple[int, int, int]]:
    """Where each text in base64 begins and ends, and the row that it is in."""
    for match in _RUN.finditer(read):
        begin, end = match.span()
        for first, last in texts(read[begin:end]):
            yield begin + first, begin + last, end


def _decoded(written: bytes) -> bytes:
    """Return what a run stands for; nothing where it is none."""
    text = written.rstrip(b"=").translate(_URL_SAFE)
    try:
        return base64.b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return b""
