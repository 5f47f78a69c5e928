"""JSON Web Tokens and what is built like them (RFC 7515, 7516, 7519). Pure.

A token is known by its first part, which says in base64url how it is protected. The rest is swallowed unread, signature
and all: a token without its signature still tells its claims.
"""

from __future__ import annotations

import base64
import binascii
import json

from authz_service.dlp.detectors.detector import BASE64URL, Detector
from authz_service.dlp.detectors.examples import BASE64URL as BASE64URL_DIGITS
from authz_service.dlp.detectors.examples import made_up

_BEGINNING = 12  # characters that a search looks for; the shortest header has 20
_HEADER = 256  # characters of the first part that are read; a header with certificates in it is longer
# A longer one is known by what stands near its beginning: a parameter that tokens alone have (RFC 7515 4.1).
_NEAR = 96  # characters
_PARAMETERS = (b'"alg"', b'"enc"', b'"kid"', b'"x5c"', b'"x5t"', b'"x5t#S256"', b'"jwk"', b'"jku"', b'"x5u"')
_LONG = 0.9  # how sure, where the header is not read to its end
# `{"`, or white space between them, in base64url.
_PATTERN = r"(?:eyJ[A-Za-z0-9_-]|eyA[gi]|ew(?:o[giJ]|0K|ki))[A-Za-z0-9_-]{8}"
_PART_BYTES = bytes(BASE64URL)
_SHORTEST_REST = 4  # characters behind the dot: `eyJ….tsx` is a file's name


def _is_header(text: bytes, start: int, end: int) -> float:
    """Judge by the first part, as far as it is read, and by what stands behind its dot."""
    del end  # it differs with the tail taken in or not; the decision must not
    if not _decoded(text[start : start + _BEGINNING]).isascii():  # most of what is none ends here
        return 0.0
    part = text[start : start + _HEADER]
    part = part[: len(part) - len(part[_BEGINNING:].lstrip(_PART_BYTES))]
    dot = start + len(part)
    if len(part) == _HEADER:
        header = _decoded(part[:_NEAR])
        return _LONG if any(name in header for name in _PARAMETERS) else 0.0
    if text[dot : dot + 1] != b".":
        return 0.0
    rest = text[dot + 1 : dot + 1 + _SHORTEST_REST]
    if len(rest) < _SHORTEST_REST or rest.strip(_PART_BYTES + b"."):
        return 0.0
    try:
        parameters = json.loads(_decoded(part))
    except (ValueError, RecursionError):
        return 0.0
    return 1.0 if isinstance(parameters, dict) and isinstance(parameters.get("alg"), str) else 0.0


def _decoded(part: bytes) -> bytes:
    """What base64url stands for, nothing where it is cut in the middle of a byte."""
    try:
        return base64.urlsafe_b64decode(part + b"=" * (-len(part) % 4))
    except binascii.Error:
        return b""


def _example() -> bytes:
    header = base64.urlsafe_b64encode(b'{"alg":"ES256","typ":"JWT"}').rstrip(b"=")
    payload = base64.urlsafe_b64encode(b'{"sub":"nobody","iat":1700000000}').rstrip(b"=")
    return header + b"." + payload + b"." + made_up("jwt", 86, BASE64URL_DIGITS)


DETECTORS = (
    # The second part is empty where a content's key is agreed on directly (RFC 7516) or the content is elsewhere.
    Detector(
        "jwt", "jwt", _PATTERN, _PATTERN, _is_header, tail=BASE64URL | frozenset(b"."), longest=16 * 1024,
        after=_HEADER + 1 + _SHORTEST_REST - _BEGINNING,
        source="RFC 7515 section 7.1, RFC 7516 section 7.1, RFC 7519", example=_example,
    ),
)  # fmt: skip
