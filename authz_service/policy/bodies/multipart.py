"""multipart/form-data (RFC 7578, RFC 2046 section 5.1) → each name with its values. Pure.

Read strictly, since readers differ where the form is loose: nothing stands before the first delimiter or after the
last, a part holds nothing that looks like one to those who take a bare CR or LF for the end of a line, no header of a
part is there twice, no part is encoded for transport or in another character set than UTF-8, and only form data has a
name. A part without a name is passed over.
"""

from __future__ import annotations

import re
from typing import Any

from authz_service.policy.bodies.json_body import Budget, JsonBodyError, read_json
from authz_service.policy.bodies.media_type import Parameterized, ParameterizedError, is_utf_8, parse

MAX_PARTS = 200
MAX_PART_HEADER_BYTES = 8 * 1024
MAX_BOUNDARY = 70  # characters (RFC 2046)
CHARSET_FIELD = "_charset_"  # RFC 7578 section 4.6: the value is the character set of the others
_PLAIN_ENCODINGS = frozenset({"7bit", "8bit", "binary"})


class MultipartError(ValueError):
    """A body that is no multipart, or none that every server reads alike."""


def read_multipart(content: bytes, boundary: str) -> dict[str, list[Any]]:
    """Return each name with its values, in their order: of a part typed as JSON its value, of any other its text.

    Octets that are not UTF-8 become U+FFFD.

    Raises:
        MultipartError: see above; or a part that says it is JSON is none.
    """
    if not 0 < len(boundary) <= MAX_BOUNDARY or not boundary.isascii():
        raise MultipartError("no boundary that is allowed")
    delimiter = b"\r\n--" + boundary.encode()
    before, *pieces = (b"\r\n" + content).split(delimiter, MAX_PARTS + 2)
    if before:
        raise MultipartError("something before the first delimiter")
    if len(pieces) > MAX_PARTS + 1:
        raise MultipartError(f"more than {MAX_PARTS} parts")
    if not pieces or pieces[-1] not in {b"--", b"--\r\n"}:
        raise MultipartError("no last delimiter, or something after it")
    other_delimiter = re.compile(rb"[\r\n]--" + re.escape(boundary.encode()))
    if any(map(other_delimiter.search, pieces)):
        raise MultipartError("what some take for a delimiter, inside a part")
    fields: dict[str, list[Any]] = {}
    budget = Budget()  # one for all parts
    for piece in pieces[:-1]:
        name, value = _part(piece, budget)
        if name:
            fields.setdefault(name, []).append(value)
    return fields


def _part(piece: bytes, budget: Budget) -> tuple[str, Any]:
    """Read what stands between two delimiters; without a name its value is left out."""
    if not piece.startswith(b"\r\n"):  # of `--boundaryX` some read a part, and some do not
        raise MultipartError("something beside a delimiter")
    head, found, content = piece[2:].partition(b"\r\n\r\n")
    if piece.startswith(b"\r\n\r\n"):  # a part without any header
        head, found, content = b"", b"\r\n\r\n", piece[4:]
    if not found or len(head) > MAX_PART_HEADER_BYTES:
        raise MultipartError("a part without an end of its headers, or with more than it may have")
    headers = _headers(head)
    encoding = headers.get("content-transfer-encoding", "binary").lower()
    if encoding not in _PLAIN_ENCODINGS:
        raise MultipartError("a part that is encoded for transport")
    disposition = _parsed(headers.get("content-disposition", "none"))
    name = disposition.parameters.get("name", "")
    if name and disposition.word != "form-data":
        raise MultipartError("a name of something else than form data")
    if not name:
        return "", None
    media = _parsed(headers.get("content-type", "text/plain"))
    if not media.is_utf_8 or (name == CHARSET_FIELD and not is_utf_8(content.decode("utf-8", "replace"))):
        raise MultipartError("a part that is not in UTF-8")
    if media.is_json:
        try:
            return name, read_json(content, budget)
        except JsonBodyError as error:
            raise MultipartError("a part that is no JSON, and says it is") from error
    return name, content.decode("utf-8", "replace")


def _headers(head: bytes) -> dict[str, str]:
    """Read a part's headers by lower-case name; each may stand there once, on one line."""
    headers: dict[str, str] = {}
    for line in head.decode("utf-8", "replace").split("\r\n") if head else ():
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or "\n" in line or "\r" in line:
            raise MultipartError("a part's header that is none")
        if name.lower() in headers:
            raise MultipartError("a part's header twice")
        headers[name.lower()] = value.strip(" \t")
    return headers


def _parsed(value: str) -> Parameterized:
    try:
        return parse(value)
    except ParameterizedError as error:
        raise MultipartError("a part's header of another form") from error
