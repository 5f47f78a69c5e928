"""VAT numbers of the European Union's countries and of Northern Ireland (XI); many of them are a person's own."""

from __future__ import annotations

import random

from authz_service.dlp.detectors.context import AFTER, BEFORE, Context
from authz_service.dlp.detectors.detector import Detector
from authz_service.dlp.detectors.neighbours import NO_WORD, is_part
from authz_service.dlp.detectors.vat_check_digits import CHECKS

_J = r"[ .-]?"  # what joins the groups
_D = rf"(?:{_J}[0-9])"

# What follows the country's letters. Where the length differs within a country, only digits without separators are
# read: with them a number that stands next to it in a sentence would be taken in.
_FORMS = {
    "AT": rf"{_J}U{_D}{{8}}", "BE": rf"{_J}[01]{_D}{{9}}", "BG": rf"{_J}[0-9]{{9,10}}", "CY": rf"{_D}{{8}}{_J}[A-Z]",
    "CZ": rf"{_J}[0-9]{{8,10}}", "DE": rf"{_J}[1-9]{_D}{{8}}", "DK": rf"{_J}[1-9]{_D}{{7}}", "EE": rf"{_D}{{9}}",
    "EL": rf"{_D}{{9}}", "ES": rf"{_J}(?:[A-Z]{_D}{{7}}{_J}[0-9A-Z]|[0-9]{_D}{{7}}{_J}[A-Z])", "FI": rf"{_D}{{8}}",
    "FR": rf"{_J}[0-9A-HJ-NP-Z]{{2}}{_D}{{9}}", "HR": rf"{_D}{{11}}", "HU": rf"{_D}{{8}}",
    "IE": rf"{_J}(?:[0-9]{{7}}[A-W][A-I]?|[0-9][A-Z+*][0-9]{{5}}[A-W])", "IT": rf"{_D}{{11}}",
    "LT": rf"{_J}(?:[0-9]{{12}}|[0-9]{{9}})", "LU": rf"{_D}{{8}}", "LV": rf"{_D}{{11}}", "MT": rf"{_J}[1-9]{_D}{{7}}",
    "NL": rf"{_D}{{9}}{_J}B{_D}{{2}}", "PL": rf"{_D}{{10}}", "PT": rf"{_J}[1-9]{_D}{{8}}",
    "RO": rf"{_J}[1-9][0-9]{{1,9}}",
    "SE": rf"{_D}{{12}}", "SI": rf"{_J}[1-9]{_D}{{7}}", "SK": rf"{_J}[1-9]{_D}{{9}}",
    "XI": rf"{_J}(?:[0-9]{{12}}|[0-9]{{9}}|(?:GD|HA)[0-9]{{3}}|[0-9]{{3}} [0-9]{{4}} [0-9]{{2}})",
}  # fmt: skip
_PATTERN = "|".join(country + form for country, form in _FORMS.items())
# Without the joints of every form, which a set of patterns would pay for in each text.
_HINT = rf"{NO_WORD}(?:{'|'.join(_FORMS)})[ .-]?[A-Z]{{0,2}}[ .-]?[0-9]"
_SHORT = 8  # digits; what has fewer is too often right by chance

VAT_WORDS = Context((
    "vat", "vat no", "vatin", "vat id", "tax id", "tax number", "tva", "ust", "ust id", "ustid", "ustidnr", "uid",
    "mwst", "umsatzsteuer", "iva", "partita iva", "p iva", "nif", "cif", "btw", "moms", "momsnr", "alv", "nip",
    "dic", "ic dph", "dph", "afm", "oib", "kmkr", "pvn", "pvm", "tax registration", "vies", "cui", "cod fiscal",
    "reverse charge",
))  # fmt: skip


def _is_vat(text: bytes, start: int, end: int) -> float:
    """By its check digits; a word beside it must tell where a country gives numbers without, or of few digits."""
    if is_part(text, start, end):
        return 0.0
    country = text[start : start + 2]
    number = bytes(byte for byte in text[start + 2 : end] if byte not in b" .-")
    if not number.strip(b"0") or (country == b"AT" and len(number) != 9):  # noqa: PLR2004
        return 0.0
    if _has_no_check(country, number):
        return 0.7 if VAT_WORDS.near(text, start, end) else 0.0
    if not CHECKS[country](number):
        return 0.0
    if len(number) < _SHORT or b"-" in text[start:end]:
        return 0.9 if VAT_WORDS.near(text, start, end) else 0.0
    return 1.0


def _has_no_check(country: bytes, number: bytes) -> bool:
    """Czech numbers of nine digits, Latvian personal codes since 2017 (32), and British offices (GD, HA)."""
    return (
        (country == b"CZ" and len(number) == 9)  # noqa: PLR2004
        or (country == b"LV" and number[:2] == b"32")
        or (country == b"XI" and not number.isdigit())
    )


def _example() -> bytes:
    while True:
        number = b"%09d" % random.randrange(10**8, 10**9)  # noqa: S311
        if CHECKS[b"DE"](number):
            return b"DE" + number


DETECTORS = (
    Detector(
        "eu_vat", "eu_vat", _HINT, _PATTERN, _is_vat, before=BEFORE, after=AFTER,
        source="European Commission, VIES: VAT identification numbers", example=_example,
    ),
)  # fmt: skip
