"""Phone numbers: international, North American, and any other where a word beside it says so.

Many numbers look alike: identifiers, times, parts of accounts. What the numbering plans do not have is none.
"""

from __future__ import annotations

import random

from authz_service.dlp.detectors import calling_codes
from authz_service.dlp.detectors.context import AFTER, BEFORE, Context, compiled, key_before
from authz_service.dlp.detectors.detector import Detector
from authz_service.dlp.detectors.neighbours import NO_DIGIT, is_part
from authz_service.dlp.detectors.validators import digits_of

# A digit with what may stand before it: `(212) 555-0123`, `+44 20 7946 0018`, `030/1234567`.
_D = r"(?:(?:[ ./-]|\) ?|[ -]?\()?[0-9])"
_TRUNK = r"(?: ?\(0\))?"  # `+44 (0)20`: not dialled from abroad, and written nonetheless


def _international() -> str:
    """Each calling code with as many digits as its plan has, so that a number which stands behind is not taken in."""
    forms = [r"1" + _D + r"{10}"]
    for shortest, longest in sorted(set(calling_codes.PLANS.values())):
        codes = [code.decode() for code, plan in calling_codes.PLANS.items() if plan == (shortest, longest)]
        forms.append(rf"(?:{'|'.join(codes)}){_TRUNK}{_D}{{{shortest},{longest}}}")
    return rf"\+(?:{'|'.join(forms)})"


_INTERNATIONAL = _international()
_NANP = (
    r"(?:\b1[ .-]?)?(?:\([2-9][0-9]{2}\)[ -]?[2-9][0-9]{2}[ .-][0-9]{4}"
    r"|\b[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}|\b[2-9][0-9]{2}\.[2-9][0-9]{2}\.[0-9]{4})"
)
_NANP_HINT = NO_DIGIT + r"[2-9][0-9]{2}(?:\)[ -]?|[.-])[2-9][0-9]{2}[ .-][0-9]{4}"
_ANY = (
    r"(?:\b1[ .-]?)?(?:\([2-9][0-9]{2}\) ?|\b[2-9][0-9]{2}[ .-]?)[2-9][0-9]{2}[ .-]?[0-9]{4}\b"
    rf"|\(0[0-9]{{1,4}}\)[ -]?[0-9]{_D}{{4,9}}\b|\b(?:00[1-9]|0[1-9]|[1-9]){_D}{{6,12}}\b"
)
_LOOKS_LIKE_TIME = compiled(
    r"^(?:(?:19|20)[0-9]{2}[-/. ]?(?:0[1-9]|1[0-2])[-/. ]?(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0?[1-9]|[12][0-9]|3[01])[-/.](?:0?[1-9]|[12][0-9]|3[01])[-/.](?:19|20)[0-9]{2})"
)
_ADDRESS_OR_VERSION = compiled(r"^[0-9]{1,3}(?:\.[0-9]{1,3}){3}$")

PHONE_WORDS = Context((
    "phone", "phone number", "telephone", "tel", "tel no", "mobile", "cell", "cellphone", "fax", "whatsapp", "msisdn",
    "call me", "call us", "call him", "call her", "call them", "called from", "calling from", "text me",
    "sms number", "sms to", "dial",
    "ring me", "contact number", "contact no", "callback", "reach me", "reach us", "hotline", "helpline", "voicemail",
    "phonenumber", "telefon", "handy", "rufnummer", "mobil", "movil", "portable", "anrufen", "erreichen", "erreichbar",
    "mon num\u00e9ro", "mi n\u00famero", "meine nummer",
))  # fmt: skip
# Of a key that has one of the words above: then the value is about the phone, not its number.
_ABOUT_WORDS = Context((
    "id", "at", "time", "timestamp", "ts", "date", "on", "count", "hash", "order", "updated", "created", "verified",
    "duration", "code", "model", "imei", "serial", "version", "price", "uuid", "size", "calls", "bill", "account",
))  # fmt: skip


def _is_international(text: bytes, start: int, end: int) -> float:
    candidate = text[start:end].replace(b"(0)", b"")
    if calling_codes.split(digits_of(candidate)) is None or _is_cut(text, start, end):
        return 0.0
    return 0.85 if candidate.count(b"(") == candidate.count(b")") else 0.0


def _is_north_american(text: bytes, start: int, end: int) -> float:
    if not calling_codes.is_north_american(digits_of(text[start:end])[-10:]) or _is_cut(text, start, end):
        return 0.0
    return 0.85 if text[start : start + 1] == b"(" or PHONE_WORDS.near(text, start, end) else 0.75


def _is_named(text: bytes, start: int, end: int) -> float:
    """With a word beside it, as long as it is none of the numbers that stand beside such words too."""
    candidate = text[start:end]
    number = digits_of(candidate)
    if _is_cut(text, start, end) or len(set(number)) == 1:
        return 0.0
    if _LOOKS_LIKE_TIME.search(candidate) or _ADDRESS_OR_VERSION.search(candidate):
        return 0.0
    if not PHONE_WORDS.near(text, start, end):
        return 0.0
    key = key_before(text, start)
    if key is not None and _ABOUT_WORDS.within(key):
        return 0.0
    return 0.8 if calling_codes.is_north_american(number[-10:]) and len(number) <= 11 else 0.65  # noqa: PLR2004


def _is_cut(text: bytes, start: int, end: int) -> bool:
    """Whether it is a part of something longer. An extension (`x12`) is not."""
    if text[end : end + 1] in {b"x", b"X"} and text[end + 1 : end + 2].isdigit():
        return is_part(text[:end], start, end)
    return is_part(text, start, end)


def _north_american() -> bytes:
    return b"212-555-01%02d" % random.randrange(100)  # noqa: S311


DETECTORS = (
    Detector(
        "phone_number", "phone_number_international", r"\+[1-9][0-9 ().-]{2,4}[0-9][0-9 ().-]", _INTERNATIONAL,
        _is_international, before=2, after=2, source="ITU-T E.164 and national numbering plans",
        example=lambda: b"+1 " + _north_american(),
    ),
    Detector(
        "phone_number", "phone_number_north_american", _NANP_HINT,
        _NANP, _is_north_american, before=BEFORE, after=AFTER,
        source="North American Numbering Plan Administrator", example=_north_american,
    ),
    Detector(
        "phone_number", "phone_number_named", PHONE_WORDS.hint, _ANY, _is_named, before=BEFORE, after=AFTER,
        source="ITU-T E.123", example=lambda: b"phone " + _north_american().replace(b"-", b""),
    ),
)  # fmt: skip
