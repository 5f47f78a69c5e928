"""How people and their machines are reached: e-mail addresses and network addresses, and the phones of `phones`."""

from __future__ import annotations

import ipaddress
import random

from authz_service.dlp.detectors import phones
from authz_service.dlp.detectors.context import BEFORE, Context, compiled, key_before
from authz_service.dlp.detectors.detector import Detector
from authz_service.dlp.detectors.neighbours import NO_DIGIT, is_part

# RFC 5321, 4.5.3.1: 64 octets, `@`, 255 octets. Of the signs that RFC 5322 lets a local part hold, those are left out
# that stand around addresses (`=/?{|}^`), and a part within quotes.
_LOCAL = r"[A-Za-z0-9_](?:[A-Za-z0-9._%+'&~!#$*\x80-\xbf\xc3-\xdf-]{0,62}[A-Za-z0-9_+\x80-\xbf\xc3-\xdf-])?"
_EMAIL = _LOCAL + r"@[A-Za-z0-9\x80-\xff][A-Za-z0-9.\x80-\xff-]{0,229}\.(?:xn--[A-Za-z0-9]{2,20}|[A-Za-z]{2,24})"
_LONGEST_DOMAIN = 255  # octets
_LONGEST_LABEL = 63  # octets
# Names of files, and of networks that no mail goes to.
_NO_TOP_LEVEL = frozenset(
    b"png jpg jpeg gif svg webp avif ico bmp tiff pdf css scss js mjs cjs jsx ts tsx json html htm xml yml yaml txt "
    b"csv map tgz gz whl exe dll ttf woff".split()
)
_USERINFO_ENDS = compiled(r"[ \t\"'<>/?#,;()]")
_REPOSITORY_USERS = frozenset({b"git", b"hg"})  # `git@host.example:team/repository`: an address of nobody

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])"
_V4 = rf"\b(?:{_OCTET}\.){{3}}{_OCTET}\b"
_V4_HINT = NO_DIGIT + r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]"
_GROUP = "[0-9A-Fa-f]{1,4}"
# In full, with the last 32 bits as IPv4, or with zeros left out. Times have fewer groups, and hardware addresses.
_V6 = (
    rf"(?:{_GROUP}:){{6}}(?:{_GROUP}:{_GROUP}|(?:{_OCTET}\.){{3}}{_OCTET})"
    rf"|(?:{_GROUP}(?::{_GROUP}){{0,6}})?::(?:{_GROUP}:){{0,6}}(?:(?:{_OCTET}\.){{3}}{_OCTET}|{_GROUP})?"
)
_V6_HINT = rf"(?:{_GROUP}:){{6}}|[0-9A-Fa-f]::|::[fF]{{4}}:"
_ADDRESS_BYTES = frozenset(b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_:")
# What is told: addresses that the registries give out, private and link-local ones (they show a company's inside), and
# those for documentation, which are written where true ones would be. Not loopback, unspecified, broadcast and
# network masks: these are everybody's. In IPv6 only what is given out so far, so that `a::b` in a program is none.
_V6_BLOCKS = tuple(map(ipaddress.IPv6Network, ("2000::/3", "fc00::/7", "fe80::/10", "64:ff9b::/96", "::ffff:0:0/96")))
_BEFORE_VERSION = compiled(
    r"(?:(?:^|[^A-Za-z])(?i:version|ver|v|release|rev|revision|build|firmware|section|sec|chapter|clause|article|paragraph"
    r"|appendix|figure|table|oid)[ .:=#(\"']{0,4}|[=~^<>!]= ?|[~^]|[A-Z][A-Za-z]{1,20}/|\xc2\xa7 ?)$"
)
_BEFORE_V4 = 24  # bytes
_RANGE = 6  # bytes
_RANGE_BEGINS = compiled(r"[0-9]\.[0-9]{1,3}-$")
_RANGE_GOES_ON = compiled(r"^-[0-9]{1,3}\.[0-9]")
_BEFORE_V6 = 6  # bytes: a group and its colon, and what tells that it is a key: `host:2001:db8::1`
_KEY_LETTER = compiled(r"(?:[^0-9A-Fa-f:][0-9A-Fa-f]{0,4}|^):$")
_NUMBERS = Context(("version", "ver", "release", "build", "firmware", "oid", "revision", "section", "chapter"))


def _is_email(text: bytes, start: int, end: int) -> float:
    """By the shape of both parts. What stands before `@` in a URL is a user of a machine, not an address."""
    before = text[max(0, start - 1) : start]
    if before.isalnum() or before in {b"_", b"%", b"+"} or text[end : end + 1].isalnum():
        return 0.0
    local, _, domain = text[start:end].rpartition(b"@")
    labels = domain.split(b".")
    if b".." in local or len(domain) > _LONGEST_DOMAIN or labels[-1].lower() in _NO_TOP_LEVEL:
        return 0.0
    if any(not 1 <= len(label) <= _LONGEST_LABEL or b"-" in {label[:1], label[-1:]} for label in labels):
        return 0.0
    if labels[0].isdigit() and labels[1].isdigit():
        return 0.0  # a package and its version
    if local in _REPOSITORY_USERS and text[end : end + 1] == b":":
        return 0.0
    scheme, separator, userinfo = text[max(0, start - BEFORE) : start].rpartition(b"://")
    if separator and not scheme.endswith(b"mailto") and not _USERINFO_ENDS.search(userinfo):
        return 0.0
    return 0.9


def _is_v4(text: bytes, start: int, end: int) -> float:
    """Not a version, a section or an object identifier, which have the same shape."""
    first = text[start : text.index(b".", start)]
    if _is_part(text, start, end) or first in {b"0", b"127", b"255"}:
        return 0.0
    if _BEFORE_VERSION.search(text[max(0, start - _BEFORE_V4) : start]):
        return 0.0
    key = key_before(text, start)
    return 0.0 if key is not None and _NUMBERS.within(key) else 0.85


def _is_part(text: bytes, start: int, end: int) -> bool:
    """Whether it belongs to something longer that is not a range of addresses (`10.0.0.1-10.0.0.9`)."""
    if _RANGE_BEGINS.search(text[max(0, start - _RANGE) : start]):
        text, end, start = text[start:], end - start, 0
    if _RANGE_GOES_ON.search(text[end : end + _RANGE]):
        text = text[:end]
    return is_part(text, start, end)


def _is_v6(text: bytes, start: int, end: int) -> float:
    before, behind = text[max(0, start - _BEFORE_V6) : start], text[end : end + 1]
    if before.endswith(b":") and not before.endswith(b"::") and _KEY_LETTER.search(before):
        before = b""
    if (before and before[-1] in _ADDRESS_BYTES) or (behind and behind[0] in _ADDRESS_BYTES and behind != b":"):
        return 0.0
    if behind == b":" and text[end + 1 : end + 2].isalnum():
        return 0.0
    try:
        address = ipaddress.IPv6Address(text[start:end].decode())
    except ValueError:
        return 0.0
    return 0.95 if any(address in block for block in _V6_BLOCKS) else 0.0


def _v4_example() -> bytes:
    return b"203.0.113.%d" % random.randrange(1, 255)  # noqa: S311


def _v6_example() -> bytes:
    return b"2001:db8::%x" % random.randrange(1, 0xFFFF)  # noqa: S311


def _email_example() -> bytes:
    return b"someone%d@example.org" % random.randrange(1000)  # noqa: S311


DETECTORS = (
    Detector(
        "email_address", "email_address", r"@[A-Za-z0-9\x80-\xff]", _EMAIL, _is_email,
        before=BEFORE, after=1, source="RFC 5321", example=_email_example,
    ),
    Detector(
        "ip_address", "ip_address_v4", _V4_HINT, _V4, _is_v4, before=BEFORE, after=_RANGE, source="RFC 791",
        example=_v4_example,
    ),
    Detector(
        "ip_address", "ip_address_v6", _V6_HINT, _V6, _is_v6, before=_BEFORE_V6, after=2,
        source="RFC 4291, RFC 5952", example=_v6_example,
    ),
    *phones.DETECTORS,
)  # fmt: skip
