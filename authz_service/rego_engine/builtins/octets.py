"""Octets of operands, JSON and base64, as hashes, keys, certificates, tokens and requests need them.

Refusals are worded as OPA words them, and never quote the text: it may be a secret.
"""

from __future__ import annotations

import base64
import binascii
import string as characters
from typing import Final

from authz_service.rego_engine.builtins.json_text import marshal
from authz_service.rego_engine.builtins.registry import string
from authz_service.rego_engine.builtins.texts import octets
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value

_GROUP: Final = 4  # characters that stand for three octets
_MOST_PADDING: Final = 2
_DIGITS: Final = frozenset(characters.ascii_letters + characters.digits)
_STANDARD: Final = _DIGITS | frozenset("+/")
_URL: Final = _DIGITS | frozenset("-_")
_NO_NEWLINES: Final = str.maketrans("", "", "\r\n")
_TO_STANDARD: Final = str.maketrans("-_+/", "+/**")


def utf8(value: Value, position: int) -> bytes:
    """Return the octets of an operand that must be a string."""
    return octets(string(value, position))


def json_octets(value: Value) -> bytes:
    """Return a value's JSON text, as it is sent and signed."""
    return octets(marshal(value))


def from_base64(text: str) -> bytes:
    """Decode padded base64 (RFC 4648 section 4); line ends count for nothing."""
    return _decoded(text.translate(_NO_NEWLINES), text, _STANDARD)


def from_base64url(text: str) -> bytes:
    """Decode base64url (RFC 4648 section 5), with its padding or without (RFC 7515 appendix C)."""
    if not text.endswith("="):
        if len(text) % _GROUP == 1:
            raise BuiltinFault("illegal base64url string")
        text += "=" * (-len(text) % _GROUP)
    return _decoded(text.translate(_NO_NEWLINES).translate(_TO_STANDARD), text, _URL)


def to_base64(data: bytes) -> str:
    """Encode as padded base64."""
    return base64.b64encode(data).decode()


def to_base64url(data: bytes) -> str:
    """Encode as base64url without padding, as JOSE does."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(plain: str, text: str, alphabet: frozenset[str]) -> bytes:
    is_whole = len(plain) % _GROUP == 0 and len(plain) - len(plain.rstrip("=")) <= _MOST_PADDING
    try:  # Python's own reader lets more padding pass
        found = base64.b64decode(plain, validate=True) if is_whole else None
    except (binascii.Error, ValueError):
        found = None
    if found is None:
        raise BuiltinFault(f"illegal base64 data at input byte {_offset(text, alphabet)}")
    return found


def _offset(text: str, alphabet: frozenset[str]) -> int:
    """Return where base64 that cannot be decoded first goes wrong."""
    digits = 0  # of the group of four that is being read
    padding = 0
    for index, character in enumerate(text):
        if character in "\r\n":
            continue
        if padding:
            if character == "=" and digits + padding < _GROUP:
                padding += 1
            else:
                return index
        elif character in alphabet:
            digits = (digits + 1) % _GROUP
        elif character == "=" and digits > 1:
            padding = 1
        else:
            return index
    return len(text) if padding else len(text) - digits
