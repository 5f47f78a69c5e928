"""Reads DER (X.690), as far as certificates and certificate requests need it.

A reader names in its faults what it reads, never what it found there. Lengths must be definite and as short as can be,
tags below 31: all else is refused, so nothing can be read in two ways.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from authz_service.rego_engine.errors import BuiltinFault

BOOLEAN: Final = 0x01
INTEGER: Final = 0x02
BIT_STRING: Final = 0x03
OCTET_STRING: Final = 0x04
NULL: Final = 0x05
OBJECT_IDENTIFIER: Final = 0x06
UTF8_STRING: Final = 0x0C
NUMERIC_STRING: Final = 0x12
PRINTABLE_STRING: Final = 0x13
T61_STRING: Final = 0x14
IA5_STRING: Final = 0x16
UTC_TIME: Final = 0x17
GENERALIZED_TIME: Final = 0x18
BMP_STRING: Final = 0x1E
SEQUENCE: Final = 0x30
SET: Final = 0x31

MAX_INTEGER_OCTETS: Final = 1_600  # a little under 4,000 decimal digits, the longest number there is
MAX_ARC_OCTETS: Final = 20  # of one part of an object identifier

_HIGH_TAG: Final = 0x1F
_LONG: Final = 0x80
_OCTET_BITS: Final = 8
_MAX_LENGTH_OCTETS: Final = 4
_LAST_YEAR_OF_TWO_DIGITS: Final = 2049
_PRINTABLE: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 '()+,-./:=?*&")
_NUMERIC: Final = frozenset(b"0123456789 ")

Identifier = tuple[int, ...]  # an object identifier's parts


def context(number: int, *, constructed: bool = False) -> int:
    """Return a context-specific tag."""
    return 0xA0 | number if constructed else 0x80 | number


class Reader:
    """Reads one element after another from the octets inside another."""

    __slots__ = ("_at", "_octets", "what")

    def __init__(self, octets: bytes, what: str) -> None:
        """`what` is the text of the fault when the octets are not what they should be."""
        self._octets = octets
        self._at = 0
        self.what = what

    def fault(self) -> BuiltinFault:
        """Return the fault that these octets are malformed."""
        return BuiltinFault(self.what)

    def __bool__(self) -> bool:
        return self._at < len(self._octets)

    @property
    def rest(self) -> bytes:
        """What has not been read."""
        return self._octets[self._at :]

    def next_is(self, tag: int) -> bool:
        """Whether an element with this tag comes next."""
        return self._at < len(self._octets) and self._octets[self._at] == tag

    def any(self) -> tuple[int, bytes, bytes]:
        """Read the next element: its tag, its content, and the whole of it."""
        octets, start = self._octets, self._at
        if start + 2 > len(octets) or octets[start] & _HIGH_TAG == _HIGH_TAG:
            raise self.fault()
        length, at = octets[start + 1], start + 2
        if length & _LONG:
            count = length & ~_LONG
            length = int.from_bytes(octets[at : at + count])
            if not 0 < count <= _MAX_LENGTH_OCTETS or length < max(_LONG, 1 << _OCTET_BITS * (count - 1)):
                raise self.fault()
            at += count
        end = at + length
        if end > len(octets):
            raise self.fault()
        self._at = end
        return octets[start], octets[at:end], octets[start:end]

    def read(self, tag: int) -> bytes:
        """Read the content of the next element, which must have this tag."""
        if not self.next_is(tag):
            raise self.fault()
        return self.any()[1]

    def inside(self, tag: int, what: str = "") -> Reader:
        """Read the next element, which must have this tag, and return a reader of its content."""
        return Reader(self.read(tag), what or self.what)

    def element(self, tag: int) -> bytes:
        """Read the whole of the next element, which must have this tag."""
        if not self.next_is(tag):
            raise self.fault()
        return self.any()[2]

    def optional(self, tag: int) -> Reader | None:
        """Read the next element if it has this tag."""
        return self.inside(tag) if self.next_is(tag) else None

    def integer(self, tag: int = INTEGER) -> int:
        """Read a whole number."""
        octets = self.read(tag)
        if not octets or len(octets) > MAX_INTEGER_OCTETS:
            raise self.fault()
        is_longer_than_needed = len(octets) > 1 and octets[0] in {0, 0xFF} and not (octets[0] ^ octets[1]) & _LONG
        if is_longer_than_needed:
            raise self.fault()
        return int.from_bytes(octets, signed=True)

    def boolean(self) -> bool:
        """Read a boolean."""
        octets = self.read(BOOLEAN)
        if octets not in {b"\x00", b"\xff"}:
            raise self.fault()
        return octets == b"\xff"

    def identifier(self) -> Identifier:
        """Read an object identifier."""
        return identifier(self.read(OBJECT_IDENTIFIER), self.what)

    def bits(self) -> bytes:
        """Read a bit string, shifted so that its last bit is the last of the octets."""
        octets, unused = self.bit_string()
        if not unused:
            return octets
        return (int.from_bytes(octets) >> unused).to_bytes(len(octets))

    def bit_string(self) -> tuple[bytes, int]:
        """Read a bit string: its octets, and how many bits of the last of them are unused."""
        octets = self.read(BIT_STRING)
        unused = octets[0] if octets else _OCTET_BITS
        last = octets[-1] if len(octets) > 1 else 0
        if unused >= _OCTET_BITS or (unused and len(octets) == 1) or last & ((1 << unused) - 1):
            raise self.fault()
        return octets[1:], unused

    def time(self) -> datetime:
        """Read a time in UTC, to the second, as certificates have it (RFC 5280 section 4.1.2.5)."""
        tag, octets, _ = self.any()
        formats = {UTC_TIME: "%y%m%d%H%M%SZ", GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}
        lengths = {UTC_TIME: 13, GENERALIZED_TIME: 15}
        if tag not in formats or len(octets) != lengths[tag] or not octets.removesuffix(b"Z").isdigit():
            raise self.fault()
        try:
            found = datetime.strptime(octets.decode("ascii"), formats[tag]).replace(tzinfo=UTC)
        except ValueError:
            raise self.fault() from None
        # Two digits mean 1950 to 2049; strptime takes 50 to 68 for 2050 to 2068.
        is_of_last_century = tag == UTC_TIME and found.year > _LAST_YEAR_OF_TWO_DIGITS
        return found.replace(year=found.year - 100) if is_of_last_century else found


def identifier(octets: bytes, what: str) -> Identifier:
    """Return the parts of an object identifier's content."""
    if not octets or octets[-1] & _LONG:
        raise BuiltinFault(what)
    parts: list[int] = []
    part = length = 0
    for octet in octets:
        if (length == 0 and octet == _LONG) or length == MAX_ARC_OCTETS:
            raise BuiltinFault(what)
        part = part << 7 | octet & 0x7F
        length += 1
        if not octet & _LONG:
            if parts:
                parts.append(part)
            else:  # the first two parts are one number (X.690 8.19.4)
                first = min(part // 40, 2)
                parts += [first, part - 40 * first]
            part = length = 0
    return tuple(parts)


def text(tag: int, octets: bytes) -> str | None:
    """Return the text of a string type, or None where it is none or breaks the type's rules."""
    try:
        if tag == UTF8_STRING:
            return octets.decode()
        if tag == PRINTABLE_STRING:
            return octets.decode("ascii") if _PRINTABLE.issuperset(octets) else None
        if tag == NUMERIC_STRING:
            return octets.decode("ascii") if _NUMERIC.issuperset(octets) else None
        if tag == IA5_STRING:
            return octets.decode("ascii")
        if tag == T61_STRING:  # whoever writes it means Latin-1
            return octets.decode("latin-1")
        if tag == BMP_STRING:
            return octets.removesuffix(b"\x00\x00").decode("utf-16-be") if not len(octets) % 2 else None
    except UnicodeDecodeError:
        return None
    return None
