"""A body's media type → the view that reads it as the application will.

Servers differ in where a type ends that is followed by something else than parameters, and in what the boundary of a
multipart body is that is not written as RFC 9110 has it. The first word is the type; a boundary that two could read
otherwise is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal

from authz_service.dlp.charsets import Redactor
from authz_service.dlp.codings import CodingError
from authz_service.dlp.views.escaped import FORM, XML, EscapedView
from authz_service.dlp.views.json_text import JsonView
from authz_service.dlp.views.multipart import MAX_BOUNDARY, MultipartView
from authz_service.dlp.views.piece import Syntax, View
from authz_service.dlp.views.sniffed import LIKE_JSON, LIKE_XML, SniffedView
from authz_service.dlp.views.sse import SseView
from authz_service.policy.bodies.media_type import ParameterizedError, parse

Numbers = Literal["block", "string"]

_LINES: Final = frozenset({
    "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl", "application/jsonlines",
    "application/x-jsonlines", "application/json-lines", "application/json-seq",
})  # fmt: skip
_XML: Final = frozenset({"text/xml", "application/xml", "text/html"})
_EVENTS: Final = "text/event-stream"
FORM_TYPE: Final = "application/x-www-form-urlencoded"


MAX_NESTED: Final = 4  # multipart bodies within each other
_END: Final = re.compile(r"[;, \t]")
# A lone one in a type that is not well written otherwise, as PHP finds it.
_BOUNDARY: Final = re.compile(r"""[;,\s]boundary=(?:"([^"\\]{1,70})"|([^\s;,"]{1,70}))(?=[\s;]|$)""", re.IGNORECASE)
_ARMOR: Final = b"-----BEGIN"  # of keys, which no delimiter is to cut


def open_view(content_type: str, *, numbers: Numbers = "block", beside: Callable[[], Redactor] | None = None) -> View:
    """Return a view for one body. A type that cannot be read, or is not known, leads to one that goes by the body.

    `numbers`: whether a number of JSON in which something is found becomes a string, or blocks its body.
    `beside` opens what looks at parts in UTF-16 and UTF-32 as they stand; it is to replace nothing.

    Raises:
        CodingError: it is in parts, and what stands between them is not certain.
    """
    syntax = Syntax.JSON_NUMBER if numbers == "string" else Syntax.FIXED
    return _opened(content_type, syntax, MAX_NESTED, beside)


def unlike(content_type: str) -> bytes:
    """Return what no body of this type begins with, and one may that is JSON or XML to whoever asks for no type."""
    word = _word(content_type)
    if word in _XML or word.endswith("+xml"):
        return LIKE_JSON
    return LIKE_JSON + LIKE_XML if word in {FORM_TYPE, _EVENTS} or word.startswith("multipart/") else b""


def _opened(content_type: str, syntax: Syntax, nested: int, beside: Callable[[], Redactor] | None) -> View:
    """Open a body, or a part of one, in which there may be so many more in each other."""
    word = _word(content_type)
    if not word.startswith("multipart/"):
        return _of_one(word, syntax)
    if not nested:
        raise CodingError("unknown_part")
    return MultipartView(_boundary(content_type), lambda of_part: _opened(of_part, syntax, nested - 1, beside), beside)


def has_events(content_type: str) -> bool:
    """Whether a body is of events or records, each of which its view ends."""
    word = _word(content_type)
    return word == _EVENTS or word in _LINES


def _of_one(word: str, syntax: Syntax) -> View:
    if word == "application/json" or word.endswith("+json"):
        return SniffedView(otherwise=lambda: JsonView(numbers=syntax))
    if word in _LINES:
        return SniffedView(otherwise=lambda: JsonView(numbers=syntax, lines=True))
    if word == _EVENTS:
        return SseView(numbers=syntax)
    if word == FORM_TYPE:
        return EscapedView(FORM)
    if word in _XML or word.endswith("+xml"):
        return EscapedView(XML)
    return SniffedView(numbers=syntax)


def _word(content_type: str) -> str:
    return _END.split(content_type.strip(), 1)[0].lower()


def _boundary(content_type: str) -> bytes:
    try:
        boundary = parse(content_type).parameters.get("boundary", "")
    except ParameterizedError:
        match = _BOUNDARY.search(content_type) if content_type.lower().count("boundary") == 1 else None
        boundary = (match[1] or match[2]) if match else ""
    delimiter = b"--" + boundary.encode("ascii", "replace")
    is_known = 0 < len(boundary) <= MAX_BOUNDARY and boundary.isascii()
    if not is_known or _ARMOR.startswith(delimiter) or delimiter.startswith(_ARMOR):
        raise CodingError("unknown_boundary")
    return delimiter[2:]
