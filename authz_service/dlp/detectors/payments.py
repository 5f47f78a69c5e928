"""Payment cards, bank accounts and the numbers of American banks."""

from __future__ import annotations

import random
from collections.abc import Mapping

from authz_service.dlp.detectors import validators
from authz_service.dlp.detectors.context import AFTER, BEFORE, Context
from authz_service.dlp.detectors.detector import Detector
from authz_service.dlp.detectors.neighbours import NO_DIGIT, NO_WORD, is_part

# Issuers by their first digits (from, to; ISO/IEC 7812 as the schemes publish it) and the lengths of their numbers.
# Maestro has had more prefixes than these; a broader range takes in one of ten numbers of that length.
_ISSUERS: tuple[tuple[int, int, frozenset[int]], ...] = (
    (4, 4, frozenset({13, 16, 19})),  # Visa
    (51, 55, frozenset({16})),  # Mastercard
    (2221, 2720, frozenset({16})),
    (2200, 2204, frozenset({16, 17, 18, 19})),  # Mir
    (34, 34, frozenset({15})),  # American Express
    (37, 37, frozenset({15})),
    (300, 305, frozenset({14})),  # Diners Club
    (3095, 3095, frozenset({14})),
    (36, 36, frozenset({14})),
    (38, 39, frozenset({14})),
    (6011, 6011, frozenset({16, 19})),  # Discover
    (622126, 622925, frozenset({16, 17, 18, 19})),
    (644, 649, frozenset({16, 19})),
    (65, 65, frozenset({16, 19})),
    (3528, 3589, frozenset({16, 17, 18, 19})),  # JCB
    (62, 62, frozenset({16, 17, 18, 19})),  # UnionPay
    (8100, 8171, frozenset({16, 17, 18, 19})),
    (8172, 8199, frozenset({16})),  # RuPay
    (9792, 9792, frozenset({16})),  # Troy
    (5018, 5018, frozenset(range(13, 20))),  # Maestro
    (5020, 5020, frozenset(range(13, 20))),
    (5038, 5038, frozenset(range(13, 20))),
    (5893, 5893, frozenset(range(13, 20))),
    (6304, 6304, frozenset(range(13, 20))),
    (6759, 6759, frozenset(range(13, 20))),
    (6761, 6763, frozenset(range(13, 20))),
)


def _by_prefix() -> Mapping[bytes, frozenset[int]]:
    found: dict[bytes, frozenset[int]] = {}
    for first, last, lengths in _ISSUERS:
        for number in range(first, last + 1):
            prefix = b"%d" % number
            found[prefix] = found.get(prefix, frozenset()) | lengths
    return found


_LENGTHS = _by_prefix()
_PREFIX_DIGITS = sorted({len(prefix) for prefix in _LENGTHS})
_FIRST = r"(?:4[0-9]|5[0-58]|6[0-57]|3[04-9]|2[2-7]|81|97)[0-9]{2}"
_FOURS = _FIRST + r"(?:[ -][0-9]{4}){3}"
_FOURS_AND_MORE = _FOURS + r"[ -][0-9]{2,3}"
_UNEVEN = r"3[04-9][0-9]{2}[ -][0-9]{6}[ -][0-9]{4,5}"
_COMPACT = _FIRST + r"[0-9]{9,15}"
_ROUTING = r"\b[0-36-8][0-9]{3}(?:[0-9]{5}|-[0-9]{4}-[0-9])\b"
_OF_BAR_CODES = 13  # digits
_GROUP = 4  # digits
_BESIDE = 7  # bytes: a group between two spaces, and what stands behind them
_CENTURIES = frozenset({b"19", b"20"})  # a year may stand before a card
_MONTHS = frozenset(b"%02d" % month for month in range(1, 13))

# Characters of an IBAN in each country of the registry (ISO 13616).
_IBAN_LENGTHS = {
    15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU XK MN", 21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL", 24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "PT ST LY", 26: "IS TR", 27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA", 30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
_IBAN = "|".join(
    rf"(?:{countries.replace(' ', '|')})[0-9]{{2}}(?:[ -]?[0-9A-Z]){{{length - 4}}}"
    for length, countries in _IBAN_LENGTHS.items()
)
# Typed in small letters, and without hyphens: a UUID may begin with two letters and two digits.
_SMALL_IBAN = "|".join(
    rf"\b(?:{countries.lower().replace(' ', '|')})[0-9]{{2}}(?: ?[0-9a-z]){{{length - 4}}}"
    for length, countries in _IBAN_LENGTHS.items()
)
_COUNTRIES = "|".join(_IBAN_LENGTHS.values()).replace(" ", "|")
_IBAN_HINT = rf"{NO_WORD}(?:{_COUNTRIES})[0-9]{{2}}[ -]?[0-9A-Z]{{4}}"

_BAR_CODE_WORDS = Context(("ean", "gtin", "barcode", "bar code", "isbn"))
_JUST_BEFORE = 16  # bytes
# In small letters, in which identifiers are written too, an IBAN must be called an account.
_ACCOUNT_WORDS = Context((
    "iban", "bank account", "account number", "konto", "kontonummer", "bankverbindung", "bank details",
    "creditor account", "debtor account", "payee", "refund to", "\u00fcberweisen", "compte", "cuenta", "rachunek",
    "rekening", "virement", "virer", "bonifico", "versare",
))  # fmt: skip
ROUTING_WORDS = Context((
    "routing", "routing number", "routing no", "routing transit", "aba", "rtn", "ach", "transit number",
    "direct deposit", "bank code",
))  # fmt: skip


def _is_card(text: bytes, start: int, end: int) -> float:
    """Issuer, length and Luhn; grouped with one kind of separator, and not within a longer row of groups."""
    if is_part(text, start, end):  # first, because it is cheap: a long run of digits has a candidate at each of them
        return 0.0
    candidate = text[start:end]
    number = validators.digits_of(candidate)
    if not (_issued(number) and validators.luhn(number)):
        return 0.0
    if len(candidate) > len(number):
        separators = {byte for byte in candidate if byte not in validators.DECIMAL}
        if len(separators) > 1 or _in_row(text, start, end):
            return 0.0
    elif len(number) == _OF_BAR_CODES and number[:1] == b"4":  # one in ten of Germany's and Japan's is right by chance
        before = text[max(0, start - _JUST_BEFORE) : start]
        return 0.0 if _BAR_CODE_WORDS.within(before, cut_left=start > _JUST_BEFORE) else 1.0
    return 1.0


def _issued(number: bytes) -> bool:
    length = len(number)
    return any(length in _LENGTHS.get(number[:digits], ()) for digits in _PREFIX_DIGITS)


def _in_row(text: bytes, start: int, end: int) -> bool:
    """Whether groups of four digits go on to either side: a table of numbers. A month and a year are a card's own."""
    left = text[max(0, start - _BESIDE) : start]
    group, beyond = left[-_GROUP - 1 : -1], left[: -_GROUP - 1]
    if left[-1:] == b" " and len(group) == _GROUP and group.isdigit() and not beyond[-1:].isalnum():  # noqa: SIM102
        if group[:2] not in _CENTURIES or beyond[:1].isdigit():
            return True
    right = text[end : end + _BESIDE]
    if left[-1:] + right[:1] == b"  " and right[1:2].isdigit() and group[:2].isupper() and group[2:].isdigit():
        return beyond[-1:].isalnum() is False  # an account number like `DE89 3704 0044 …`, whose check digits are wrong
    group = right[1 : _GROUP + 1]
    return (
        right[:1] == b" "
        and len(group) == _GROUP
        and group.isdigit()
        and not right[_GROUP + 1 : _GROUP + 2].isalnum()
        and (group[:2] not in _MONTHS or right[_GROUP + 2 :].isdigit())
    )


def _is_iban(text: bytes, start: int, end: int) -> float:
    """By its checksum, which lets one of 97 through; the check digits themselves run from 02 to 98."""
    number = bytes(byte for byte in text[start:end] if byte not in b" -")
    if not b"02" <= number[2:4] <= b"98" or not validators.mod_97(number):
        return 0.0
    return 0.0 if text[max(0, start - 1) : start].isalnum() or text[end : end + 1].isalnum() else 1.0


def _is_small_iban(text: bytes, start: int, end: int) -> float:
    return _is_iban(text, start, end) and float(_ACCOUNT_WORDS.near(text, start, end))


def _is_routing_number(text: bytes, start: int, end: int) -> float:
    """The first two digits are a Federal Reserve district, or that and 20, 60, or 80 for traveller's cheques."""
    number = validators.digits_of(text[start:end])
    if not validators.aba(number) or is_part(text, start, end) or number == b"000000000":
        return 0.0
    district = int(number[:2])
    if not (district <= 12 or 21 <= district <= 32 or 61 <= district <= 72 or district == 80):  # noqa: PLR2004
        return 0.0
    return 1.0 if ROUTING_WORDS.near(text, start, end) else 0.0


def _card_example(prefix: bytes, groups: tuple[int, ...]) -> bytes:
    """A number that nobody was given: drawn, with its check digit."""
    size = sum(groups)
    body = prefix + b"".join(b"%d" % random.randrange(10) for _ in range(size - 1 - len(prefix)))  # noqa: S311
    number = next(body + b"%d" % digit for digit in range(10) if validators.luhn(body + b"%d" % digit))
    ends = [sum(groups[: index + 1]) for index in range(len(groups))]
    return b" ".join(number[end - group : end] for end, group in zip(ends, groups, strict=True))


def _iban_example() -> bytes:
    account = b"%018d" % random.randrange(10**18)  # noqa: S311
    return next(iban for check in range(2, 99) if validators.mod_97(iban := b"DE%02d%b" % (check, account)))


def _routing_example() -> bytes:
    while not validators.aba(number := b"%09d" % random.randrange(10**7, 12 * 10**7)):  # noqa: S311
        pass
    return b"routing number " + number


_CARD_SOURCE = "ISO/IEC 7812-1; the schemes' ranges of prefixes"

DETECTORS = (
    Detector(
        "payment_card", "payment_card_grouped_19", NO_DIGIT + _FOURS_AND_MORE, _FOURS_AND_MORE, _is_card,
        before=_BESIDE, after=_BESIDE,
        source=_CARD_SOURCE, example=lambda: _card_example(b"62", (4, 4, 4, 4, 3)),
    ),
    Detector(
        "payment_card", "payment_card_grouped", NO_DIGIT + _FOURS, _FOURS, _is_card, before=_BESIDE, after=_BESIDE,
        source=_CARD_SOURCE, example=lambda: _card_example(b"4", (4, 4, 4, 4)),
    ),
    Detector(
        "payment_card", "payment_card_uneven", NO_DIGIT + _UNEVEN, _UNEVEN, _is_card, before=_BESIDE, after=_BESIDE,
        source=_CARD_SOURCE, example=lambda: _card_example(b"37", (4, 6, 5)),
    ),
    Detector(
        "payment_card", "payment_card_compact", NO_DIGIT + _FIRST + "[0-9]{9}", _COMPACT, _is_card,
        before=_JUST_BEFORE, after=_BESIDE, source=_CARD_SOURCE, example=lambda: _card_example(b"53", (16,)),
    ),
    Detector(
        "iban", "iban", _IBAN_HINT, _IBAN, _is_iban, source="ISO 13616: the IBAN registry", example=_iban_example,
    ),
    Detector(
        "iban", "iban_small", _ACCOUNT_WORDS.hint, _SMALL_IBAN, _is_small_iban, before=BEFORE, after=AFTER,
        source="ISO 13616: the IBAN registry", example=lambda: b"IBAN " + _iban_example().lower(),
    ),
    Detector(
        "us_routing_number", "us_routing_number", _ROUTING, _ROUTING,
        _is_routing_number, before=BEFORE, after=AFTER, source="American Bankers Association",
        example=_routing_example,
    ),
)  # fmt: skip
