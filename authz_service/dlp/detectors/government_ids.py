"""Numbers that governments give to people. Those of the European Union's tax offices are in `vat`.

Most have no check digit, or one of ten: where they stand bare, nine digits among others, a word beside them has to tell
what they are.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from authz_service.dlp.detectors import validators
from authz_service.dlp.detectors.context import AFTER, BEFORE, Context
from authz_service.dlp.detectors.detector import DIGITS, Detector, stands_alone
from authz_service.dlp.detectors.neighbours import NO_DIGIT, NO_WORD, is_part, touches_digit

# What people put between the groups of a number: space, tab, dot, hyphen, and in UTF-8 the no-break space (C2 A0), the
# dashes U+2010 to U+2015 (E2 80 90 to 95) and the minus sign (E2 88 92).
_SEPARATOR = r"(?:[ \t.-]|\xc2\xa0|\xe2\x80[\x90-\x95]|\xe2\x88\x92)"
_SSN = rf"[0-9]{{3}}{_SEPARATOR}[0-9]{{2}}{_SEPARATOR}[0-9]{{4}}"
_ITIN = rf"9[0-9]{{2}}{_SEPARATOR}[5-9][0-9]{_SEPARATOR}[0-9]{{4}}"
_NINE_DIGITS = r"\b[0-9]{9}\b"
_THREES = r"[0-9]{3}[ .-][0-9]{3}[ .-][0-9]{3}"
# National insurance: D, F, I, Q, U and V are in neither place, O not in the second.
_SIX = r"[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?"
_NINO = rf"[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]{_SIX}[A-D]"
_SMALL_NINO = rf"\b[a-ceghj-pr-tw-z][a-ceghj-npr-tw-z]{_SIX}[a-d]\b"
_PATH = 2  # bytes before a number in a path: a digit, and what parts the two
_NO_NINO = frozenset({b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"})

SSN_WORDS = Context((
    "ssn", "ss number", "ss no", "ss#", "ss #", "social security", "social sec", "soc sec",
    "social number", "taxpayer id", "taxpayer identification", "tin", "tax id",
    "my social", "your social", "his social", "her social", "their social", "seguro social", "seguridad social",
))  # fmt: skip
ITIN_WORDS = Context(("itin", "individual taxpayer", "taxpayer id", "taxpayer identification", "tin", "tax id", "w7"))
SIN_WORDS = Context((
    "sin", "social insurance", "nas", "assurance sociale", "canada",
    "canadian", "service canada", "cra",
))  # fmt: skip
NPI_WORDS = Context((
    "npi", "national provider", "provider identifier", "provider number", "provider id", "prescriber", "nppes",
    "rendering provider", "billing provider", "referring provider",
))  # fmt: skip
PASSPORT_WORDS = Context(("passport", "travel document", "pasaporte", "passeport",
                          "reisepass"))  # fmt: skip
BRITISH_WORDS = Context(("uk", "u.k.", "british", "britain", "united kingdom", "gb", "gbr", "hmpo", "english",
                         "scottish", "welsh", "england", "london"))  # fmt: skip
AMERICAN_WORDS = Context(("usa", "u.s", "american", "america", "united states", "state department"))
_NINO_NAMES = Context(("nino", "ni number", "ni no", "national insurance", "insurance number"))
NINO_WORDS = Context((*_NINO_NAMES.words, "nin"))


def _is_social_security(number: bytes) -> bool:
    """Judge by the Social Security Administration's own rules (RM 10201.035); there is no check digit.

    Area 000, 666 and 900 to 999, group 00 and serial 0000 were never given out.
    """
    area, group, serial = number[:3], number[3:5], number[5:]
    return area not in {b"000", b"666"} and area < b"900" and group != b"00" and serial != b"0000"


def _is_taxpayer(number: bytes) -> bool:
    """Judge by the Internal Revenue Service's ranges of the fourth and fifth digit; there is no check digit."""
    group = int(number[3:5])
    return number[:1] == b"9" and (50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or group >= 94)  # noqa: PLR2004


def _is_ssn(text: bytes, start: int, end: int) -> float:
    """Grouped as on the card: no digit may touch it."""
    if not stands_alone(text, start, end, DIGITS) or _is_drawn(text, start, end):
        return 0.0
    return float(_is_social_security(validators.digits_of(text[start:end])))


def _is_drawn(text: bytes, start: int, end: int) -> bool:
    """Whether it is of a path of SVG: a number stands before it, and a command's letter touches its end."""
    before = text[max(0, start - _PATH) : start]
    return before[-1:] in {b" ", b","} and before[:1].isdigit() and text[end : end + 1].isalpha()


def _is_bare_ssn(text: bytes, start: int, end: int) -> float:
    if is_part(text, start, end) or not _is_social_security(text[start:end]):
        return 0.0
    return 0.85 if SSN_WORDS.near(text, start, end) else 0.0


def _is_itin(text: bytes, start: int, end: int) -> float:
    if touches_digit(text, start, end) or _is_drawn(text, start, end):
        return 0.0
    return 0.85 if _is_taxpayer(validators.digits_of(text[start:end])) else 0.0


def _is_bare_itin(text: bytes, start: int, end: int) -> float:
    if is_part(text, start, end) or not _is_taxpayer(text[start:end]):
        return 0.0
    return 0.85 if ITIN_WORDS.near(text, start, end) else 0.0


def _is_sin(text: bytes, start: int, end: int) -> float:
    """Luhn lets one of ten numbers through, and three times three digits are in many of them: a word must be near."""
    candidate = text[start:end]
    number = validators.digits_of(candidate)
    grouped = len(candidate) > len(number)
    if grouped and candidate[3] != candidate[7]:
        return 0.0
    if number[:1] == b"8" or not validators.luhn(number) or is_part(text, start, end):
        return 0.0
    return 1.0 if SIN_WORDS.near(text, start, end) and number != b"000000000" else 0.0


def _is_npi(text: bytes, start: int, end: int) -> float:
    if not validators.npi(text[start:end]) or is_part(text, start, end):
        return 0.0
    return 1.0 if NPI_WORDS.near(text, start, end) else 0.0


def _is_nino(text: bytes, start: int, end: int) -> float:
    """Its letters are few and their places fixed: grouped it speaks for itself, and hardly less where it is compact."""
    letters = text[start : start + 2]
    if letters.upper() in _NO_NINO or is_part(text, start, end):
        return 0.0
    if NINO_WORDS.near(text, start, end):
        return 0.95
    if letters.islower():
        return 0.0
    return 0.85 if b" " in text[start:end] else 0.7


def _is_us_passport(text: bytes, start: int, end: int) -> float:
    """Any nine digits, or a letter and eight: the word is everything, and no word of another country."""
    if is_part(text, start, end) or not PASSPORT_WORDS.near(text, start, end):
        return 0.0
    return 0.0 if _is_british(text, start, end) and text[start : start + 1].isdigit() else 0.75


def _is_uk_passport(text: bytes, start: int, end: int) -> float:
    if is_part(text, start, end) or not PASSPORT_WORDS.near(text, start, end):
        return 0.0
    return 0.75 if _is_british(text, start, end) else 0.0


def _is_british(text: bytes, start: int, end: int) -> bool:
    """Whether the windows name Britain, and not America: a key of its own need not name the country."""
    windows = text[max(0, start - BEFORE) : start] + b" " + text[end : end + AFTER]
    return BRITISH_WORDS.within(windows) and not AMERICAN_WORDS.within(windows)


def _digits(count: int) -> bytes:
    return b"%0*d" % (count, random.randrange(10**count))  # noqa: S311


def _made_up(form: Callable[[], bytes], holds: Callable[[bytes], bool], words: bytes = b"") -> Callable[[], bytes]:
    """Draw until a number holds: one of ten does, or more."""

    def draw() -> bytes:
        while not holds(value := form()):
            pass
        return words + value

    return draw


def _grouped(number: bytes) -> bytes:
    return number[:3] + b"-" + number[3:5] + b"-" + number[5:]


def _number(value: bytes) -> bytes:
    return validators.digits_of(value)


_SSA = "Social Security Administration, RM 10201.035"
_IRS = "Internal Revenue Service, IRM 3.21.263"

DETECTORS = (
    Detector(
        "us_ssn", "us_ssn_grouped", NO_DIGIT + _SSN, _SSN, _is_ssn, before=_PATH, source=_SSA,
        example=_made_up(lambda: _grouped(_digits(9)), lambda value: _is_social_security(_number(value))),
    ),
    # Nine bare digits are too common to be one without a word beside them.
    Detector(
        "us_ssn", "us_ssn_bare", _NINE_DIGITS, _NINE_DIGITS, _is_bare_ssn, before=BEFORE, after=AFTER, source=_SSA,
        example=_made_up(lambda: _digits(9), _is_social_security, b"ssn "),
    ),
    Detector(
        "us_itin", "us_itin_grouped", NO_DIGIT + _ITIN, _ITIN, _is_itin, before=_PATH, source=_IRS,
        example=_made_up(lambda: _grouped(b"9" + _digits(8)), lambda value: _is_taxpayer(_number(value))),
    ),
    Detector(
        "us_itin", "us_itin_bare", r"\b9[0-9]{8}\b", r"\b9[0-9]{8}\b", _is_bare_itin,
        before=BEFORE, after=AFTER, source=_IRS, example=_made_up(lambda: b"9" + _digits(8), _is_taxpayer, b"ITIN "),
    ),
    Detector(
        "uk_passport", "uk_passport", PASSPORT_WORDS.hint, rf"{_NINE_DIGITS}|\b{_THREES}\b", _is_uk_passport,
        before=BEFORE, after=AFTER, source="HM Passport Office", example=lambda: b"UK passport " + _digits(9),
    ),
    Detector(
        "us_passport", "us_passport", PASSPORT_WORDS.hint, rf"\b[A-Z0-9][0-9]{{8}}\b|\b{_THREES}\b",
        _is_us_passport, before=BEFORE, after=AFTER, source="US Department of State",
        example=lambda: b"passport " + _digits(9),
    ),
    Detector(
        "uk_nino", "uk_nino", NO_WORD + _NINO, _NINO, _is_nino, before=BEFORE, after=AFTER,
        source="HM Revenue & Customs, NIM39110",
        example=lambda: b"AB%sC" % _digits(6),
    ),
    # Who types one in small letters does so behind its name, without which it could be anything.
    Detector(
        "uk_nino", "uk_nino_small", _NINO_NAMES.hint, _SMALL_NINO, _is_nino, before=BEFORE, after=AFTER,
        source="HM Revenue & Customs, NIM39110", example=lambda: b"NINO ab%sc" % _digits(6),
    ),
    Detector(
        "ca_sin", "ca_sin_grouped", NO_DIGIT + _THREES, _THREES, _is_sin, before=BEFORE, after=AFTER,
        source="Employment and Social Development Canada",
        example=_made_up(lambda: b"1" + _digits(2) + b" " + _digits(3) + b" " + _digits(3),
                         lambda value: validators.luhn(_number(value)), b"SIN "),
    ),
    Detector(
        "ca_sin", "ca_sin_bare", _NINE_DIGITS, _NINE_DIGITS, _is_sin, before=BEFORE, after=AFTER,
        source="Employment and Social Development Canada",
        example=_made_up(lambda: b"1" + _digits(8), validators.luhn, b"SIN "),
    ),
    Detector(
        "us_npi", "us_npi", NPI_WORDS.hint, r"\b[12][0-9]{9}\b", _is_npi,
        before=BEFORE, after=AFTER, source="45 CFR 162.406",
        example=_made_up(lambda: b"1" + _digits(9), validators.npi, b"NPI "),
    ),
)  # fmt: skip
