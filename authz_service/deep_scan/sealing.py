"""A note and a body ↔ one encrypted entry: AES-256-GCM (NIST SP 800-38D), a random nonce each, several keys.

    entry = version (1 byte), key id (4 bytes), nonce (12 bytes), ciphertext
    plaintext = length of the note (4 bytes), note, body packed by zlib

The first key encrypts, each of them decrypts: a new one is put in front, and the old one is taken away once what it
encrypted has expired.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from authz_service.deep_scan.note import Note, NoteError

KEY_BYTES = 32
MAX_BODY_BYTES = 4 * 1024 * 1024  # of one that is opened: more does not come from us
_VERSION = b"\x01"
_KEY_ID_BYTES, _NONCE_BYTES, _LENGTH_BYTES = 4, 12, 4
_HEAD_BYTES = len(_VERSION) + _KEY_ID_BYTES + _NONCE_BYTES


class SealError(Exception):
    """The entry cannot be opened. The text says why, and nothing of what is in it."""


class Seal:
    """Encrypts and decrypts entries. Each key is `KEY_BYTES` long."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {_id(key): AESGCM(key) for key in keys}
        self._first = _id(keys[0])

    def close(self, note: Note, body: bytes) -> bytes:
        """Return the entry."""
        noted = note.to_bytes()
        plain = len(noted).to_bytes(_LENGTH_BYTES, "big") + noted + zlib.compress(body, 1)
        nonce = os.urandom(_NONCE_BYTES)
        head = _VERSION + self._first
        return head + nonce + self._keys[self._first].encrypt(nonce, plain, head)

    def open(self, entry: bytes) -> tuple[Note, bytes]:
        """Return note and body; raises `SealError`."""
        if len(entry) < _HEAD_BYTES or entry[:1] != _VERSION:
            raise SealError("is none of ours")
        key_id, nonce = entry[1 : 1 + _KEY_ID_BYTES], entry[1 + _KEY_ID_BYTES : _HEAD_BYTES]
        key = self._keys.get(key_id)
        if key is None:
            raise SealError("is encrypted with a key that is not here")
        try:
            plain = key.decrypt(nonce, entry[_HEAD_BYTES:], entry[: 1 + _KEY_ID_BYTES])
        except InvalidTag as error:
            raise SealError("was changed on the way, or is encrypted with another key") from error
        begin = _LENGTH_BYTES + int.from_bytes(plain[:_LENGTH_BYTES], "big")
        unpacking = zlib.decompressobj()
        try:
            body = unpacking.decompress(plain[begin:], MAX_BODY_BYTES)
            note = Note.from_bytes(plain[_LENGTH_BYTES:begin])
        except (zlib.error, NoteError) as error:
            raise SealError("holds no note and body") from error
        if unpacking.unconsumed_tail or not unpacking.eof:
            raise SealError(f"holds a body of more than {MAX_BODY_BYTES} bytes, or a part of one")
        return note, body


def _id(key: bytes) -> bytes:
    return hashlib.sha256(b"agent gateway deep scan key id" + key).digest()[:_KEY_ID_BYTES]
