"""Reversible tokens, which stand for a value on the far side and give it back to the same caller. Pure.

    agt1_ base64url( AES-SIV (RFC 5297) of entity, NUL, value; associated: what it is, direction, issuer, user )

The same value of the same caller always makes the same token, so that the far side can compare and join by it; for
another caller it makes another one, and his answers restore none of this one's. A token that was made of a request is
restored in responses, and one that was made of a response in requests: neither side can have its own values read out
to it by sending a token that it has seen. What was forged, or belongs to somebody else, stays as it is.

Of several keys the first encrypts and each decrypts: a new one is put in front, and the old one is taken away once
nobody sends its tokens any more.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from authz_service.dlp.actions import Direction
from authz_service.dlp.detectors.detector import LETTERS_AND_DIGITS, Detector

KEY_BYTES: Final = 32
MAX_KEYS: Final = 8
MAX_TOKEN: Final = 256  # bytes of a token, which bound the value: a longer one gets none
PREFIX: Final = b"agt1_"
ENTITY: Final = "gateway_token"
_ALPHABET: Final = LETTERS_AND_DIGITS | frozenset(b"_-")
_SHORTEST: Final = 24  # characters behind the prefix: the sixteen bytes of the tag, a name, a NUL
_OTHER: Final = {Direction.REQUEST: Direction.RESPONSE, Direction.RESPONSE: Direction.REQUEST}


@dataclass(frozen=True, slots=True)
class Caller:
    """To whom tokens belong."""

    issuer: str
    user: str


def _begins_alone(text: bytes, start: int, end: int) -> float:
    """No token begins in the middle of a word."""
    del end
    return 0.0 if start > 0 and text[start - 1] in _ALPHABET else 1.0


def _example() -> bytes:
    return PREFIX + b"A1b2" * 8


DETECTOR: Final = Detector(
    ENTITY, ENTITY, r"agt1_", rf"agt1_[A-Za-z0-9_-]{{{_SHORTEST}}}", _begins_alone,
    tail=_ALPHABET, longest=MAX_TOKEN, source="this module", example=_example,
)  # fmt: skip


class Tokens:
    """Makes and restores tokens. Each key is `KEY_BYTES` long, and there is at least one."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        # AES-SIV takes two keys: they are derived, so that a key file is like every other.
        self._ciphers = [AESSIV(hmac.digest(key, b"agent_gateway dlp tokens", hashlib.sha512)) for key in keys]

    def seal(self, entity: str, value: bytes, caller: Caller, direction: Direction) -> bytes | None:
        """Return the token for a value that goes this way; None where it would be too long."""
        plain = entity.encode() + b"\0" + value
        token = PREFIX + _encode(self._ciphers[0].encrypt(plain, _associated(caller, direction)))
        return token if len(token) <= MAX_TOKEN else None

    def restore(self, token: bytes, caller: Caller, direction: Direction) -> bytes | None:
        """Return the value of a token that was made the other way; None where it is not this caller's."""
        sealed = _decode(token)
        if sealed is None:
            return None
        associated = _associated(caller, _OTHER[direction])
        for cipher in self._ciphers:
            try:
                return cipher.decrypt(sealed, associated).partition(b"\0")[2]
            except InvalidTag:
                continue
        return None


def _associated(caller: Caller, made: Direction) -> list[bytes]:
    return [
        PREFIX,
        made.value.encode(),
        caller.issuer.encode("utf-8", "replace"),
        caller.user.encode("utf-8", "replace"),
    ]


def _encode(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _decode(token: bytes) -> bytes | None:
    """Return what is sealed in a token; None where it is none, or written otherwise than we write it."""
    text = token.removeprefix(PREFIX)
    if PREFIX + text != token or len(token) > MAX_TOKEN or not _ALPHABET.issuperset(text):
        return None
    try:
        sealed = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    except binascii.Error:
        return None
    return sealed if _encode(sealed) == text else None
