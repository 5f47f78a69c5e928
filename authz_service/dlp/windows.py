"""How far back a coded body may refer: what its decoder holds for as long as the body lasts. Pure.

zlib's 32 KiB are not told. zstd (RFC 8878 section 3.1.1.1.2) and brotli (RFC 7932 section 9.1) say their window in the
first bytes, and take its memory as it fills: no more of it is in use than has come out.
"""

from __future__ import annotations

from typing import Final

MAX_WINDOW: Final = 8 * 1024 * 1024  # bytes; what RFC 9659 lets a sender of zstd ask for
HEAD_BYTES: Final = 18  # the longest header of a frame of zstd
_MAGIC: Final = bytes.fromhex("28b52ffd")
_DICTIONARY_BYTES: Final = (0, 1, 2, 4)
_LENGTH_BYTES: Final = (1, 2, 4, 8)
_LENGTH_ADDED: Final = (0, 256, 0, 0)
_AT: Final = 5  # where it is told, in the header
_BROTLI_MOST: Final = 24  # bits
_BROTLI_USUAL, _BROTLI_LEAST_OF_SEVEN = 16, 17


def zstd_window(head: bytes) -> int:
    """Bytes of a frame's window, by its first bytes; the most there may be while these do not tell."""
    if len(head) <= _AT or not head.startswith(_MAGIC):
        return MAX_WINDOW
    descriptor, told = head[_AT - 1], head[_AT]
    if not descriptor >> 5 & 1:
        least = 1 << 10 + (told >> 3)
        return min(least + least // 8 * (told & 7), MAX_WINDOW)
    start, flag = _AT + _DICTIONARY_BYTES[descriptor & 3], descriptor >> 6  # the whole text is its window
    length = head[start : start + _LENGTH_BYTES[flag]]
    if len(length) < _LENGTH_BYTES[flag]:
        return MAX_WINDOW
    return min(int.from_bytes(length, "little") + _LENGTH_ADDED[flag], MAX_WINDOW)


def brotli_window(first: int) -> int:
    """Bytes of a stream's window, by its first byte."""
    if not first & 1:
        bits = _BROTLI_USUAL
    elif high := first >> 1 & 0b111:
        bits = _BROTLI_LEAST_OF_SEVEN + high
    elif (low := first >> 4 & 0b111) > 1:
        bits = 8 + low
    else:
        bits = _BROTLI_LEAST_OF_SEVEN if not low else _BROTLI_MOST  # the latter is no window that brotli has
    return 1 << bits
