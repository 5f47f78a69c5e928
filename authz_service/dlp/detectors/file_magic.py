"""What files begin with. Pure.

Documents, pictures, archives, databases and programs tell what they are by their first bytes. The same bytes begin
their base64, which is how a file stands in JSON. Only signs that no text begins with are in the table; two letters
(`MZ`, `BM`) are looked into further or left out.
"""

from __future__ import annotations

import base64

import re2

# From the makers' own specifications, as IANA's media types name them.
_BEGINNINGS = (
    b"%PDF-",
    b"PK\x03\x04",  # ZIP, and with it OOXML, ODF, EPUB, JAR, APK
    b"PK\x05\x06",  # an empty one
    b"PK\x07\x08",  # one of several
    b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",  # OLE2: Office before 2007, Outlook messages
    b"{\\rtf",
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",  # JPEG
    b"GIF87a",
    b"GIF89a",
    b"II*\x00",  # TIFF, either byte order
    b"MM\x00*",
    b"\x1f\x8b\x08",  # gzip
    b"BZh91AY&SY",
    b"\xfd7zXZ\x00",
    b"\x28\xb5\x2f\xfd",  # Zstandard
    b"7z\xbc\xaf\x27\x1c",
    b"Rar!\x1a\x07",
    b"SQLite format 3\x00",
    b"PAR1\x15",  # Parquet
    b"!BDN",  # Outlook's mailboxes
    b"\x03\xd9\xa2\x9a",  # KeePass
    b"\xfe\xed\xfe\xed",  # Java's key stores
    b"\x7fELF",
    b"\xfe\xed\xfa\xce",  # Mach-O, 32 and 64 bits, either byte order
    b"\xfe\xed\xfa\xcf",
    b"\xce\xfa\xed\xfe",
    b"\xcf\xfa\xed\xfe",
    b"\xca\xfe\xba\xbe",  # Mach-O for several machines; Java's classes
    b"\x00asm",
    b"OggS",
    b"fLaC",
    b"ID3\x03",
    b"ID3\x04",
)
# What stands further in: tar; MP4, MOV, HEIC and AVIF; WebP, WAV and AVI; Windows programs, behind an old one.
_FURTHER_IN = rb"(?s:.{257}ustar|.{4}ftyp|RIFF.{4}(?:WEBP|WAVE|AVI )|MZ.{58,900}PE\x00\x00)"
_FEWEST_DIGITS = 6  # of base64, in which a beginning is told from a word


def _compile(before: bytes) -> re2._Regexp:
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    beginnings = b"|".join(b"".join(b"\\x%02x" % byte for byte in sign) for sign in _BEGINNINGS)
    return re2.compile(before + b"(?:" + beginnings + b"|" + _FURTHER_IN + b")", options)


_BODY = _compile(rb"\A")
_PART = _compile(rb"\n\r?\n")  # the empty line before a part's content (RFC 2046 section 5.1.1)


def begins_a_file(data: bytes) -> bool:
    """Whether bytes begin as a file of a known kind does."""
    return _BODY.search(data) is not None


def a_part_begins_a_file(body: bytes) -> bool:
    """Whether any part of a multipart body does."""
    return _PART.search(body) is not None


def base64_beginnings() -> tuple[bytes, ...]:
    """What the base64 of such files begins with: the digits that depend on nothing behind the sign."""
    digits = (base64.b64encode(sign)[: len(sign) * 8 // 6] for sign in _BEGINNINGS)
    return tuple(each for each in digits if len(each) >= _FEWEST_DIGITS)
