"""A text → how it is written at a place in a body, so that what is around it stays valid. Pure."""

from __future__ import annotations

import json
from html import escape
from urllib.parse import quote

from authz_service.dlp.views.piece import Syntax


def written(text: bytes, syntax: Syntax) -> bytes:
    """Write a text. Nothing is written at a FIXED place: see `Blocked`."""
    match syntax:
        case Syntax.PLAIN:
            return text
        case Syntax.JSON_STRING:
            return _in_json(text)
        case Syntax.JSON_NUMBER:
            return b'"' + _in_json(text) + b'"'
        case Syntax.FORM:
            return quote(text, safe="").encode()
        case Syntax.XML:
            return escape(text.decode("utf-8", "replace"), quote=True).encode()
        case _:
            return text


def _in_json(text: bytes) -> bytes:
    return json.dumps(text.decode("utf-8", "replace"), ensure_ascii=False)[1:-1].encode()
