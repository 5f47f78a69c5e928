"""Built-ins of base64, base64url (RFC 4648 sections 4 and 5) and hexadecimal digits.

What is decoded need be no UTF-8: see `texts` for how such a string stands, and encodes again to what it was.
"""

from __future__ import annotations

import base64

from authz_service.rego_engine.builtins.octets import from_base64, from_base64url
from authz_service.rego_engine.builtins.registry import builtin, string
from authz_service.rego_engine.builtins.texts import check_length, from_octets, octets
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value


@builtin("base64.encode")
def base64_encode(value: Value) -> Value:
    """Return a text's octets in base64, padded."""
    return base64.b64encode(_bounded(value)).decode("ascii")


@builtin("base64.decode")
def base64_decode(value: Value) -> Value:
    """Decode padded base64; line ends count for nothing."""
    return from_octets(from_base64(string(value, 1)))


@builtin("base64.is_valid")
def base64_is_valid(value: Value) -> Value:
    """Whether a value is padded base64."""
    if type(value) is not str:
        return False
    try:
        base64_decode(value)
    except BuiltinFault:
        return False
    return True


@builtin("base64url.encode")
def base64url_encode(value: Value) -> Value:
    """Return a text's octets in base64url, padded."""
    return base64.urlsafe_b64encode(_bounded(value)).decode("ascii")


@builtin("base64url.encode_no_pad")
def base64url_encode_no_pad(value: Value) -> Value:
    """Return a text's octets in base64url without padding."""
    return base64.urlsafe_b64encode(_bounded(value)).rstrip(b"=").decode("ascii")


@builtin("base64url.decode")
def base64url_decode(value: Value) -> Value:
    """Decode base64url with its padding or without (RFC 7515 appendix C)."""
    return from_octets(from_base64url(string(value, 1)))


@builtin("hex.encode")
def hex_encode(value: Value) -> Value:
    """Return a text's octets, two lower-case digits each."""
    return _bounded(value).hex()


@builtin("hex.decode")
def hex_decode(value: Value) -> Value:
    """Return the text whose octets some digits write."""
    digits = octets(string(value, 1))
    foreign = digits.translate(None, b"0123456789abcdefABCDEF")
    if foreign:
        shown = chr(foreign[0])
        quoted = f" '{shown}'" if shown.isprintable() else ""
        raise BuiltinFault(f"encoding/hex: invalid byte: U+{foreign[0]:04X}{quoted}")
    if len(digits) % 2:
        raise BuiltinFault("encoding/hex: odd length hex string")
    return from_octets(bytes.fromhex(digits.decode("ascii")))


def _bounded(value: Value) -> bytes:
    data = octets(string(value, 1))
    check_length(2 * len(data))
    return data
