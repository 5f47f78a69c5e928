"""JSON web tokens in their parts (RFC 7519, RFC 7515), and io.jwt.decode. No fault quotes a token.

Signatures are checked in `token_verification`, made in `token_signing`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from authz_service.rego_engine.builtins.json_text import unmarshal
from authz_service.rego_engine.builtins.octets import from_base64url
from authz_service.rego_engine.builtins.registry import builtin, string
from authz_service.rego_engine.builtins.texts import octets
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value

MAX_CHARACTERS: Final = 262_144  # of a token

_PARTS: Final = 3
_NESTED: Final = "JWT"  # the content type of a token that holds another


@dataclass(frozen=True, slots=True)
class Token:
    """A token's three parts as they were sent. Nothing in them is to be trusted before the signature is checked."""

    header_part: str
    payload_part: str
    signature_part: str

    @property
    def signed(self) -> bytes:
        """What the signature is over."""
        return octets(f"{self.header_part}.{self.payload_part}")

    def header(self) -> dict[Any, Value]:
        """Return the header, of a signed token: an encrypted one is a fault."""
        found = _object(_part(self.header_part, "JWT header had invalid encoding"), "bad JWT header: ")
        if "enc" in found:  # RFC 7516 section 9
            raise BuiltinFault("JWT is a JWE object, which is not supported")
        return found

    def content(self) -> str:
        """Return the payload's text."""
        return _part(self.payload_part, "JWT payload had invalid encoding").decode("utf-8", "replace")

    def payload(self) -> dict[Any, Value]:
        """Return the payload, an object."""
        return _object(_part(self.payload_part, "JWT payload had invalid encoding"), "")

    def signature(self) -> bytes:
        """Return the signature's octets."""
        return _part(self.signature_part, "JWT signature had invalid encoding")


def split(text: str) -> Token:
    """Part a token in compact form (RFC 7515 section 7.1)."""
    if len(text) > MAX_CHARACTERS:
        raise BuiltinFault(f"encoded JWT is longer than {MAX_CHARACTERS} characters")
    parts = text.split(".")
    if len(parts) == 1:
        raise BuiltinFault("encoded JWT had no period separators")
    if len(parts) != _PARTS:
        raise BuiltinFault(f"encoded JWT must have 3 sections, found {len(parts)}")
    return Token(*parts)


@builtin("io.jwt.decode")
def decode(jwt: Value) -> Value:
    """Return a token's header, payload and signature in hexadecimal, unchecked; of nested tokens the innermost's."""
    text = string(jwt, 1)
    while True:
        token = split(text)
        header, text = token.header(), token.content()
        kind = header.get("cty", "")
        if type(kind) is not str:
            raise BuiltinFault("cty: must be a string")
        if kind != _NESTED:
            return [header, token.payload(), token.signature().hex()]
        text = text.strip("\"'")


def is_nested(header: dict[Any, Value]) -> bool:
    """Whether a token's payload is a token itself (RFC 7519 section 5.2)."""
    return str(header.get("cty", "")).upper() == _NESTED


def _part(text: str, what: str) -> bytes:
    try:
        return from_base64url(text)
    except BuiltinFault as fault:
        raise BuiltinFault(f"{what}: {fault.text}") from None


def _object(data: bytes, what: str) -> dict[Any, Value]:
    """Read a JSON object; of members with the same name the last counts."""
    try:
        found = unmarshal(data.decode("utf-8", "replace"))
    except BuiltinFault:
        raise BuiltinFault(f"{what}invalid JSON") from None
    if type(found) is not dict:
        raise BuiltinFault(f"{what}decoded JSON type was not an Object")
    return found
