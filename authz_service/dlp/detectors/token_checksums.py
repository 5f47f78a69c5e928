"""The checksums that tokens carry. Pure.

GitHub and npm end a token with the CRC-32 of what stands between prefix and checksum, written in base62.
"""

from __future__ import annotations

import zlib

_BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
CHECKSUM_LENGTH = 6  # characters: 62 ** 6 is more than 2 ** 32


def base62_crc32(body: bytes) -> bytes:
    """Write the CRC-32 of a token's body in base62, six characters with zeros in front."""
    rest = zlib.crc32(body)
    written = bytearray()
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(_BASE62))
        written.append(_BASE62[digit])
    written.reverse()
    return bytes(written)


def checksum_holds(body_and_checksum: bytes) -> bool:
    """Whether the last six characters are the checksum of those before them."""
    return base62_crc32(body_and_checksum[:-CHECKSUM_LENGTH]) == body_and_checksum[-CHECKSUM_LENGTH:]
