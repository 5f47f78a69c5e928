"""What stands in the place of a value: a fixed text, a mask, a keyed hash, a token, nothing. Pure."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from authz_service.dlp.actions import Action, Direction
from authz_service.dlp.detectors.detector import LETTERS_AND_DIGITS
from authz_service.dlp.scan import Span
from authz_service.dlp.tokens import Caller, Tokens

USUAL_TEXT: Final = "[REDACTED:{entity}]"
HASH_CHARACTERS: Final = 16  # of a keyed hash, hexadecimal
_SHOWN: Final = 4  # characters of a masked value
_LEAST: Final = 8  # letters and digits that a value has of which any are shown
_SEPARATORS: Final = frozenset(b" .-/@:")


def redact(text: bytes, spans: Sequence[Span]) -> bytes:
    """Put `[REDACTED:entity]` in the place of each span; `spans` are in order and apart. For what is written down."""
    parts: list[bytes] = []
    position = 0
    for span in spans:
        parts.append(text[position : span.start])
        parts.append(f"[REDACTED:{span.detector.entity}]".encode())
        position = span.end
    parts.append(text[position:])
    return b"".join(parts)


def mask(value: bytes) -> bytes:
    """Write `*` for all but the last four letters and digits; separators stay. Of a short value nothing is shown."""
    readable = sum(byte in LETTERS_AND_DIGITS for byte in value)
    if readable < _LEAST:
        return b"*" * len(value)
    hidden = readable - _SHOWN
    masked = bytearray()
    for byte in value:
        if byte in LETTERS_AND_DIGITS:
            masked.append(byte if hidden <= 0 else _STAR)
            hidden -= 1
        else:
            masked.append(byte if byte in _SEPARATORS else _STAR)
    return bytes(masked)


_STAR: Final = ord("*")


class Redactions:
    """The texts as they are configured. `hash_key` makes hashes that nobody else can try values against.

    `text` is what replaces; `{entity}` in it stands for the entity. Without `tokens` none are made.
    """

    def __init__(self, hash_key: bytes, text: str = USUAL_TEXT, tokens: Tokens | None = None) -> None:
        self._hash_key = hash_key
        self._text = text
        self.tokens = tokens

    def hash(self, value: bytes) -> str:
        """Return a value's keyed hash: the same for the same value, under the same key."""
        return hmac.digest(self._hash_key, value, hashlib.sha256).hex()[:HASH_CHARACTERS]

    def write(
        self, action: Action, entity: str, value: bytes | None, caller: Caller | None, direction: Direction
    ) -> bytes:
        """Return what stands in the place of a value that does not pass as it is.

        Where an action needs what is not there (a value that is longer than could be held back, a caller to whom a
        token could belong, a key), the fixed text takes its place.
        """
        if action is Action.REMOVE:
            return b""
        if value is not None:
            if action is Action.MASK:
                return mask(value)
            if action is Action.HASH:
                return f"[{entity}:{self.hash(value)}]".encode()
            if action is Action.TOKENIZE and self.tokens is not None and caller is not None:
                token = self.tokens.seal(entity, value, caller, direction)
                if token is not None:
                    return token
        return self._text.replace("{entity}", entity).encode()
