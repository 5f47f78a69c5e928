"""Words of a header's value that stand for others: RFC 2047's `=?utf-8?Q?…?=` and `=?utf-8?B?…?=`, MCP's. Pure.

Readers differ in what they take for such a word, so all that any of them does is taken: within quotes and other words,
of any length, with broken base64, with a character that goes on in the next word. Words with nothing but spaces between
them are one text. It is searched with what stands around it; where something is found in it, all of its words are
written anew, as what is left of them, in UTF-8 and base64, which no reader takes for anything else.
"""

from __future__ import annotations

from binascii import a2b_base64, a2b_qp, b2a_base64
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from encodings.aliases import aliases
from itertools import accumulate, groupby
from operator import itemgetter
from typing import Final, NamedTuple

import re2

from authz_service.dlp.reading import scan_text
from authz_service.dlp.scan import Scanner, Span
from authz_service.policy.mcp_values import write_value

_OPTIONS = re2.Options()
_OPTIONS.encoding = re2.Options.Encoding.LATIN1
_MARK: Final = b"=?"
_WORD: Final = re2.compile(rb"=\?(?:([^?]{0,64})\?([BbQq])|base64)\?(.*?)\?=", _OPTIONS)
_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_OTHERS: Final = bytes(sorted(frozenset(range(256)) - frozenset(_ALPHABET)))  # which readers pass over
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_LONGEST: Final = 45  # bytes of text in one word: with what is around them, 72 of the 75 characters of RFC 2047
# From a table: to ask `codecs` for names that clients choose would keep every one of them.
_CHARSETS: Final = frozenset({*aliases, *aliases.values()})
_UTF_8: Final = frozenset({"utf_8", "utf8", "ascii", "us_ascii"})  # read as they are: what is read is so


class _Words(NamedTuple):
    """Words in a row, and what they stand for."""

    start: int
    end: int
    text: bytes
    is_mcp: bool = False


@dataclass(frozen=True, slots=True)
class Reworded:
    """Words in which something was found, and what stood beside them of it: from `start` up to `end`.

    `spans` are places in `text`, what all of this reads as. `is_whole`: it is MCP's form of a value, which has but one.
    """

    start: int
    end: int
    text: bytes
    spans: Sequence[Span]
    is_whole: bool

    def write(self, text: bytes) -> bytes:
        """Write another text in their place."""
        if self.is_whole:
            return write_value(text.decode("utf-8", "replace")).encode()
        return b" ".join([b"=?utf-8?B?" + b2a_base64(part, newline=False) + b"?=" for part in _parts(text)])


def read(value: bytes) -> bytes:
    """Return a text with what its words stand for in their place."""
    if _MARK not in value:
        return value
    return b"".join([piece.text for piece in _pieces(value, list(_words(value)))])


def reworded(before: bytes, value: bytes, scanner: Scanner) -> tuple[list[Span], list[Reworded]]:
    """Return what is found in a value as its words read, behind what stands `before` it: beside the words, in them."""
    rows = list(_words(value)) if _MARK in value else []
    if not rows:
        return [], []
    pieces = _pieces(value, rows)
    text = b"".join([piece.text for piece in pieces])
    reads = [0, *accumulate(len(piece.text) for piece in pieces)]  # where each piece begins in that

    def place(position: int, *, ends: bool) -> int:
        """Where what is read begins or ends in the value; of words all."""
        index = bisect_right(reads, position - ends) - 1
        piece = pieces[index]
        if index % 2:
            return piece.end if ends else piece.start
        return piece.start + position - reads[index]

    beside: list[Span] = []
    extents: list[tuple[int, int, list[Span]]] = []
    for found in scan_text(before + text, scanner):
        if found.end <= len(before):
            continue
        span = found._replace(start=max(found.start - len(before), 0), end=found.end - len(before))
        first, last = bisect_right(reads, span.start) - 1, bisect_right(reads, span.end - 1) - 1
        if first == last and not first % 2:
            start, end = place(span.start, ends=False), place(span.end, ends=True)
            beside.append(span._replace(start=start, end=end))
            continue
        start = reads[first] if first % 2 else span.start
        end = reads[last + 1] if last % 2 else span.end
        spans = [span]
        if extents and start < extents[-1][1]:  # both touch the same words
            start, _, others = extents.pop()
            spans = [*others, span]
        extents.append((start, end, spans))
    is_whole = rows[0].is_mcp and value.strip(b" \t") == value[rows[0].start : rows[0].end]
    return beside, [
        Reworded(
            place(start, ends=False),
            place(end, ends=True),
            text[start:end],
            [span._replace(start=span.start - start, end=span.end - start) for span in spans],
            is_whole,
        )
        for start, end, spans in extents
    ]


def _pieces(value: bytes, rows: Sequence[_Words]) -> list[_Words]:
    """What stands beside words and the words, by turns."""
    pieces: list[_Words] = []
    position = 0
    for words in rows:
        pieces += (_Words(position, words.start, value[position : words.start]), words)
        position = words.end
    return [*pieces, _Words(position, len(value), value[position:])]


def _words(value: bytes) -> Iterator[_Words]:
    start = end = -1
    texts: list[tuple[bytes, bytes]] = []  # charset and bytes of each
    is_mcp = False
    for match in _WORD.finditer(value):
        if texts and value[end : match.start()].strip(b" \t"):
            yield _Words(start, end, _text(texts), is_mcp)
            texts = []
        if not texts:
            start = match.start()
        is_mcp = match[1] is None and not texts
        end = match.end()
        if match[1] is None:
            texts.append((b"utf-8", _from_base64(match[3])))
        else:
            content = a2b_qp(match[3], header=True) if match[2] in b"Qq" else _from_base64(match[3])
            texts.append((match[1], content))
    if texts:
        yield _Words(start, end, _text(texts), is_mcp)


def _text(words: Sequence[tuple[bytes, bytes]]) -> bytes:
    """What words in a row stand for. Of one charset they are one text: a character may go on in the next of them."""
    same = groupby(words, key=itemgetter(0))
    return b"".join([_in_utf8(charset, b"".join([content for _, content in row])) for charset, row in same])


def _in_utf8(charset: bytes, content: bytes) -> bytes:
    name = charset.partition(b"*")[0].decode("latin-1").lower().replace("-", "_").replace(" ", "_")  # RFC 2231: `*en`
    if name not in _CHARSETS or name in _UTF_8:
        return content
    try:
        return content.decode(name, "replace").encode("utf-8", "replace")
    except (LookupError, ValueError):  # it is a coding of something else
        return content


def _from_base64(written: bytes) -> bytes:
    parts = [part.translate(_TO_STANDARD, _OTHERS) for part in written.split(b"=")]
    return b"".join([a2b_base64(part[: len(part) - (len(part) % 4 == 1)] + b"==") for part in parts])


def _parts(text: bytes) -> Iterator[bytes]:
    """A text in parts of whole characters."""
    part = b""
    for character in text.decode("utf-8", "replace"):
        written = character.encode()
        if len(part) + len(written) > _LONGEST:
            yield part
            part = b""
        part += written
    if part:
        yield part
