"""Values that nobody ever gave out, for the detectors' examples. Pure; the same name makes up the same value.

They are put together at run time: a secret that is made up and written out in a source file still rings every bell.
"""

from __future__ import annotations

import hashlib

from authz_service.dlp.detectors.entropy import looks_random

HEX = b"0123456789abcdef"
BASE36 = b"0123456789abcdefghijklmnopqrstuvwxyz"
BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BASE64 = BASE62 + b"+/"
BASE64URL = BASE62 + b"-_"
CAPITALS = b"234567ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def made_up(name: str, length: int, alphabet: bytes = BASE62) -> bytes:
    """Characters that look random, always the same ones for a name. At least twelve, or they cannot look so."""
    attempt = 0
    while True:
        digest = hashlib.shake_256(f"{name} {attempt}".encode()).digest(length)
        value = bytes(alphabet[byte % len(alphabet)] for byte in digest)
        if looks_random(value):
            return value
        attempt += 1
