"""Check digits of the VAT numbers of the European Union, country by country, as the VIES algorithms give them. Pure.

Each function gets what follows the country's letters, without separators and of the right form. Where a country gives
numbers of several kinds, one that is right for any of them is right; `None` in the table stands for no published rule.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from authz_service.dlp.detectors.validators import DECIMAL, iso_7064_mod_11_10, luhn, weighted

_SPANISH = b"TRWAGMYFPDXBNJZSQVHLCKE"
_IRISH = b"WABCDEFGHIJKLMNOPQRSTUV"
_FRENCH = b"0123456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_CYPRIOT_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)


def _austria(number: bytes) -> bool:
    """U and eight digits: Luhn's sum and four."""
    plain, doubled = number[1:8:2], number[2:8:2]
    total = sum(byte - 0x30 for byte in plain) + sum(sum(divmod((byte - 0x30) * 2, 10)) for byte in doubled)
    return (96 - total) % 10 == number[8] - 0x30


def _belgium(number: bytes) -> bool:
    return 97 - int(number[:8]) % 97 == int(number[8:])


def _bulgaria(number: bytes) -> bool:
    """Nine digits are a company's; ten are a person's, a foreigner's or another's."""
    if len(number) == 9:  # noqa: PLR2004
        check = weighted(number[:8], (1, 2, 3, 4, 5, 6, 7, 8)) % 11
        if check == 10:  # noqa: PLR2004
            check = weighted(number[:8], (3, 4, 5, 6, 7, 8, 9, 10)) % 11
        return check % 10 == number[8] - 0x30
    last = number[9] - 0x30
    person = weighted(number[:9], (2, 4, 8, 5, 10, 9, 7, 3, 6)) % 11 % 10
    foreigner = weighted(number[:9], (21, 19, 17, 13, 11, 9, 7, 3, 1)) % 10
    other = (11 - weighted(number[:9], (4, 3, 2, 7, 6, 5, 4, 3, 2)) % 11) % 11
    return last in {person, foreigner, other}


def _cyprus(number: bytes) -> bool:
    odd = sum(_CYPRIOT_ODD[byte - 0x30] for byte in number[0:8:2])
    even = sum(byte - 0x30 for byte in number[1:8:2])
    return number[:2] != b"12" and (odd + even) % 26 + ord("A") == number[8]


def _czechia(number: bytes) -> bool:
    """Eight digits are a company's; nine or ten a person's: of these the nine have no check digit."""
    if len(number) == 8:  # noqa: PLR2004
        check = 11 - weighted(number[:7], (8, 7, 6, 5, 4, 3, 2)) % 11
        return number[:1] != b"9" and (check % 11 or 1) % 10 == number[7] - 0x30
    return len(number) == 10 and int(number[:9]) % 11 % 10 == number[9] - 0x30  # noqa: PLR2004


def _germany(number: bytes) -> bool:
    return iso_7064_mod_11_10(number)


def _denmark(number: bytes) -> bool:
    return weighted(number, (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0


def _estonia(number: bytes) -> bool:
    return weighted(number, (3, 7, 1, 3, 7, 1, 3, 7, 1)) % 10 == 0


def _greece(number: bytes) -> bool:
    return weighted(number[:8], (256, 128, 64, 32, 16, 8, 4, 2)) % 11 % 10 == number[8] - 0x30


def _spain(number: bytes) -> bool:
    """A letter stands first or last: a citizen's, a foreigner's (X, Y, Z), or a company's."""
    first, last = number[:1], number[8]
    if first.isdigit() or first in b"XYZKLM":
        digits = bytes([DECIMAL[b"XYZ".find(first)]]) + number[1:8] if first in b"XYZ" else number[:8]
        return _SPANISH[int(digits.lstrip(b"KLM")) % 23] == last
    odd = sum(sum(divmod((byte - 0x30) * 2, 10)) for byte in number[1:8:2])
    check = -(odd + sum(byte - 0x30 for byte in number[2:8:2])) % 10
    return last in {DECIMAL[check], b"JABCDEFGHI"[check]}


def _finland(number: bytes) -> bool:
    return weighted(number, (7, 9, 10, 5, 8, 4, 2, 1)) % 11 == 0


def _france(number: bytes) -> bool:
    """A key of two characters, then the company's SIREN, which has Luhn's digit but for Monaco's."""
    key, siren = number[:2], number[2:]
    if not luhn(siren) and siren[:3] != b"000":
        return False
    if key.isdigit():
        return (12 + 3 * (int(siren) % 97)) % 97 == int(key)
    first, second = _FRENCH.find(key[0]), _FRENCH.find(key[1])
    check = first * 24 + second - 10 if key[:1].isdigit() else first * 34 + second - 100
    return -1 not in {first, second} and (int(siren) + 1 + check // 11) % 11 == check % 11


def _hungary(number: bytes) -> bool:
    return weighted(number, (9, 7, 3, 1, 9, 7, 3, 1)) % 10 == 0


def _ireland(number: bytes) -> bool:
    """Seven digits and a letter, since 2013 a second letter; or the older kind with a letter in the second place."""
    if not number[1:2].isdigit():
        number = b"0" + number[2:7] + number[:1] + number[7:]
    more = 9 * max(0, _IRISH.find(number[8:9])) if len(number) == 9 else 0  # noqa: PLR2004
    return _IRISH[(weighted(number[:7], (8, 7, 6, 5, 4, 3, 2)) + more) % 23] == number[7]


def _italy(number: bytes) -> bool:
    office = int(number[7:10])
    return number[:7] != b"0000000" and (1 <= office <= 100 or office in {120, 121, 888, 999}) and luhn(number)  # noqa: PLR2004


def _lithuania(number: bytes) -> bool:
    body = number[:-1]
    if body[-1:] != b"1":
        return False
    check = sum((byte - 0x30) * (1 + index % 9) for index, byte in enumerate(body)) % 11
    if check == 10:  # noqa: PLR2004
        check = sum((byte - 0x30) * (1 + (index + 2) % 9) for index, byte in enumerate(body)) % 11
    return check % 10 == number[-1] - 0x30


def _luxembourg(number: bytes) -> bool:
    return int(number[:6]) % 89 == int(number[6:])


def _latvia(number: bytes) -> bool:
    """A company's begins above 3; a person's with the date of birth."""
    if number[:1] > b"3":
        return weighted(number, (9, 1, 4, 8, 3, 10, 2, 5, 7, 6, 1)) % 11 == 3  # noqa: PLR2004
    return (1 + weighted(number[:10], (10, 5, 8, 4, 2, 1, 6, 3, 7, 9))) % 11 % 10 == number[10] - 0x30


def _malta(number: bytes) -> bool:
    return weighted(number, (3, 4, 6, 7, 8, 9, 10, 1)) % 37 == 0


def _netherlands(number: bytes) -> bool:
    """Either over the nine digits, or for natural persons since 2020 MOD 97-10 over all with the country's letters."""
    if weighted(number[:9], (9, 8, 7, 6, 5, 4, 3, 2, -1)) % 11 == 0:
        return True
    return int("".join(str(int(letter, 36)) for letter in "NL" + number.decode())) % 97 == 1


def _poland(number: bytes) -> bool:
    return weighted(number, (6, 5, 7, 2, 3, 4, 5, 6, 7, -1)) % 11 == 0


def _portugal(number: bytes) -> bool:
    return (11 - weighted(number[:8], (9, 8, 7, 6, 5, 4, 3, 2)) % 11) % 11 % 10 == number[8] - 0x30


def _romania(number: bytes) -> bool:
    padded = number[:-1].rjust(9, b"0")
    return 10 * weighted(padded, (7, 5, 3, 2, 1, 7, 5, 3, 2)) % 11 % 10 == number[-1] - 0x30


def _sweden(number: bytes) -> bool:
    return number[10:] != b"00" and luhn(number[:10])


def _slovenia(number: bytes) -> bool:
    check = 11 - weighted(number[:7], (8, 7, 6, 5, 4, 3, 2)) % 11
    return check != 11 and check % 10 == number[7] - 0x30  # noqa: PLR2004


def _slovakia(number: bytes) -> bool:
    return number[2:3] in b"234789" and int(number) % 11 == 0


def _northern_ireland(number: bytes) -> bool:
    """As in Great Britain: nine digits, or twelve for a branch; 97 is taken off, since 2010 with 55 added before."""
    return number.isdigit() and weighted(number[:9], (8, 7, 6, 5, 4, 3, 2, 10, 1)) % 97 in {0, 42}


CHECKS: Mapping[bytes, Callable[[bytes], bool]] = {
    b"AT": _austria, b"BE": _belgium, b"BG": _bulgaria, b"CY": _cyprus, b"CZ": _czechia, b"DE": _germany,
    b"DK": _denmark, b"EE": _estonia, b"EL": _greece, b"ES": _spain, b"FI": _finland, b"FR": _france,
    b"HR": iso_7064_mod_11_10, b"HU": _hungary, b"IE": _ireland, b"IT": _italy, b"LT": _lithuania,
    b"LU": _luxembourg, b"LV": _latvia, b"MT": _malta, b"NL": _netherlands, b"PL": _poland, b"PT": _portugal,
    b"RO": _romania, b"SE": _sweden, b"SI": _slovenia, b"SK": _slovakia, b"XI": _northern_ireland,
}  # fmt: skip
