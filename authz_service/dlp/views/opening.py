"""A body's media type → the view that reads it as the application will."""

from __future__ import annotations

from typing import Final, Literal

from authz_service.dlp.views.escaped import FORM, XML, EscapedView
from authz_service.dlp.views.json_text import JsonView
from authz_service.dlp.views.multipart import MAX_BOUNDARY, MultipartView
from authz_service.dlp.views.piece import Syntax, View
from authz_service.dlp.views.sniffed import SniffedView
from authz_service.dlp.views.sse import SseView
from authz_service.policy.bodies.media_type import ParameterizedError, parse

Numbers = Literal["block", "string"]

_LINES: Final = frozenset({
    "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl", "application/jsonlines",
    "application/x-jsonlines", "application/json-lines", "application/json-seq",
})  # fmt: skip
_XML: Final = frozenset({"text/xml", "application/xml", "text/html"})
FORM_TYPE: Final = "application/x-www-form-urlencoded"


def open_view(content_type: str, *, numbers: Numbers = "block") -> View:
    """Return a view for one body. A type that cannot be read, or is not known, leads to one that goes by the body.

    `numbers`: whether a number of JSON in which something is found becomes a string, or blocks its body.
    """
    syntax = Syntax.JSON_NUMBER if numbers == "string" else Syntax.FIXED
    word = _word(content_type)
    if word.startswith("multipart/"):
        boundary = _boundary(content_type)
        if boundary is not None:
            return MultipartView(boundary, lambda of_part: _of_one(_word(of_part), syntax))
    return _of_one(word, syntax)


def _of_one(word: str, syntax: Syntax) -> View:
    if word == "application/json" or word.endswith("+json"):
        return JsonView(numbers=syntax)
    if word in _LINES:
        return JsonView(numbers=syntax, lines=True)
    if word == "text/event-stream":
        return SseView(numbers=syntax)
    if word == FORM_TYPE:
        return EscapedView(FORM)
    if word in _XML or word.endswith("+xml"):
        return EscapedView(XML)
    return SniffedView(numbers=syntax)


def _word(content_type: str) -> str:
    return content_type.partition(";")[0].strip().lower()


def _boundary(content_type: str) -> bytes | None:
    try:
        boundary = parse(content_type).parameters.get("boundary", "")
    except ParameterizedError:
        return None
    return boundary.encode("ascii", "replace") if 0 < len(boundary) <= MAX_BOUNDARY and boundary.isascii() else None
