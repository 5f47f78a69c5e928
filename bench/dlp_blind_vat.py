"""VAT numbers of the twenty-seven member states, completed by each state's own rule, and how they stand on invoices."""

from __future__ import annotations

import random
from collections.abc import Callable

from bench.dlp_checksums import luhn, mod_11_10, weighted
from bench.dlp_random import digits, some

_DIGITS = "0123456789"
_DNI, _CIF, _IRISH = "TRWAGMYFPDXBNJZSQVHLCKE", "JABCDEFGHI", "WABCDEFGHIJKLMNOPQRSTUV"
_CYPRIOT_ODD = (1, 0, 5, 7, 9, 13, 15, 17, 19, 21)


def _elevens(rng: random.Random, count: int, weights: tuple[int, ...], first: str = "") -> str:
    """Digits of which the weighted sum with the last is a multiple of eleven."""
    while True:
        body = first + digits(rng, count - len(first))
        check = -weighted(body, weights) % 11
        if check < 10:
            return f"{body}{check}"


def _austrian(rng: random.Random) -> str:
    body = digits(rng, 7)
    total = sum(sum(map(int, str(int(digit) * (1 + place % 2)))) for place, digit in enumerate(body))
    return f"U{body}{(96 - total) % 10}"


def _belgian(rng: random.Random) -> str:
    body = rng.choice("0001") + digits(rng, 7)
    return f"{body}{97 - int(body) % 97:02d}"


def _bulgarian(rng: random.Random) -> str:
    body = digits(rng, 8)
    check = weighted(body, range(1, 9)) % 11
    return f"{body}{check if check < 10 else weighted(body, range(3, 11)) % 11 % 10}"


def _cypriot(rng: random.Random) -> str:
    body = rng.choice("13459") + "0" + some(rng, _DIGITS, 6)
    total = sum(_CYPRIOT_ODD[int(digit)] for digit in body[::2]) + sum(map(int, body[1::2]))
    return body + chr(65 + total % 26)


def _czech(rng: random.Random) -> str:
    body = rng.choice("12345678") + some(rng, _DIGITS, 6)
    return f"{body}{((11 - weighted(body, range(8, 1, -1))) % 11 or 1) % 10}"


def _german(rng: random.Random) -> str:
    body = digits(rng, 8)
    return body + mod_11_10(body)


def _danish(rng: random.Random) -> str:
    return _elevens(rng, 7, (2, 7, 6, 5, 4, 3, 2))


def _estonian(rng: random.Random) -> str:
    body = "10" + some(rng, _DIGITS, 6)
    return f"{body}{-weighted(body, (3, 7, 1, 3, 7, 1, 3, 7)) % 10}"


def _greek(rng: random.Random) -> str:
    body = rng.choice("01789") + some(rng, _DIGITS, 7)
    return f"{body}{weighted(body, [2**power for power in range(8, 0, -1)]) % 11 % 10}"


def _spanish(rng: random.Random) -> str:
    pick = rng.randrange(3)
    if pick == 0:
        number = rng.randrange(10**8)
        return f"{number:08d}{_DNI[number % 23]}"
    if pick == 1:
        kind, number = rng.randrange(3), rng.randrange(10**7)
        return f"{'XYZ'[kind]}{number:07d}{_DNI[int(f'{kind}{number:07d}') % 23]}"
    body = f"{rng.randrange(1, 53):02d}{some(rng, _DIGITS, 5)}"
    form, check = rng.choice("ABBBEGHJPQRU"), int(luhn(body))
    return f"{form}{body}{_CIF[check] if form in 'PQR' else check}"


def _finnish(rng: random.Random) -> str:
    return _elevens(rng, 7, (7, 9, 10, 5, 8, 4, 2))


def _french(rng: random.Random) -> str:
    siren = digits(rng, 8)
    siren += luhn(siren)
    return f"{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def _croatian(rng: random.Random) -> str:
    body = digits(rng, 10)
    return body + mod_11_10(body)


def _hungarian(rng: random.Random) -> str:
    body = digits(rng, 7)
    return f"{body}{-weighted(body, (9, 7, 3, 1, 9, 7, 3)) % 10}"


def _irish(rng: random.Random) -> str:
    body, second = digits(rng, 7), rng.choice(("", "", "H", "A"))
    total = weighted(body, range(8, 1, -1)) + 9 * "WABCDEFGHI".find(second) * bool(second)
    return f"{body}{_IRISH[total % 23]}{second}"


def _italian(rng: random.Random) -> str:
    body = f"{some(rng, _DIGITS, 7)}{rng.randrange(1, 101):03d}"
    return body + luhn(body)


def _lithuanian(rng: random.Random) -> str:
    body = digits(rng, 7) + "1"
    check = weighted(body, range(1, 9)) % 11
    return f"{body}{check if check < 10 else weighted(body, (3, 4, 5, 6, 7, 8, 9, 1)) % 11 % 10}"


def _luxembourgish(rng: random.Random) -> str:
    body = digits(rng, 6)
    return f"{body}{int(body) % 89:02d}"


def _latvian(rng: random.Random) -> str:
    while True:
        body = rng.choice("49") + some(rng, _DIGITS, 9)
        check = (3 - weighted(body, (9, 1, 4, 8, 3, 10, 2, 5, 7, 6))) % 11
        if check < 10:
            return f"{body}{check}"


def _maltese(rng: random.Random) -> str:
    body = digits(rng, 6)
    return f"{body}{37 - weighted(body, (3, 4, 6, 7, 8, 9)) % 37:02d}"


def _dutch(rng: random.Random) -> str:
    while rng.random() < 0.5:  # companies, by the old rule
        body = digits(rng, 8)
        check = weighted(body, range(9, 1, -1)) % 11
        if check < 10:
            return f"{body}{check}B{rng.randrange(1, 20):02d}"
    body = f"{digits(rng, 9)}B"  # people who trade under their own name, since 2020
    number = int("".join(str(int(sign, 36)) for sign in f"NL{body}") + "00")
    check = 98 - number % 97
    return f"{body}{check:02d}"


def _polish(rng: random.Random) -> str:
    while True:
        body = digits(rng, 9)
        check = weighted(body, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11
        if check < 10:
            return f"{body}{check}"


def _portuguese(rng: random.Random) -> str:
    body = rng.choice("1235") + some(rng, _DIGITS, 7)
    check = 11 - weighted(body, range(9, 1, -1)) % 11
    return f"{body}{check if check < 10 else 0}"


def _romanian(rng: random.Random) -> str:
    body = digits(rng, rng.choice((6, 7, 7)))
    total = weighted(body.rjust(9, "0"), (7, 5, 3, 2, 1, 7, 5, 3, 2))
    return f"{body}{total * 10 % 11 % 10}"


def _swedish(rng: random.Random) -> str:
    body = rng.choice("5555") + some(rng, _DIGITS, 8)
    return f"{body}{luhn(body)}01"


def _slovenian(rng: random.Random) -> str:
    while True:
        body = digits(rng, 7)
        check = 11 - weighted(body, range(8, 1, -1)) % 11
        if check != 11:
            return f"{body}{check % 10}"


def _slovak(rng: random.Random) -> str:
    while True:
        number = f"{rng.choice('1234567899')}{rng.choice(_DIGITS)}{rng.choice('234789')}{some(rng, _DIGITS, 7)}"
        if int(number) % 11 == 0:
            return number


STATES: dict[str, Callable[[random.Random], str]] = {
    "AT": _austrian, "BE": _belgian, "BG": _bulgarian, "CY": _cypriot, "CZ": _czech, "DE": _german, "DK": _danish,
    "EE": _estonian, "EL": _greek, "ES": _spanish, "FI": _finnish, "FR": _french, "HR": _croatian, "HU": _hungarian,
    "IE": _irish, "IT": _italian, "LT": _lithuanian, "LU": _luxembourgish, "LV": _latvian, "MT": _maltese, "NL": _dutch,
    "PL": _polish, "PT": _portuguese, "RO": _romanian, "SE": _swedish, "SI": _slovenian, "SK": _slovak,
}  # fmt: skip
_GROUPS = {"DE": (3, 3, 3), "FR": (2, 3, 3, 3), "BE": (4, 3, 3), "LU": (4, 4), "DK": (2, 2, 2, 2), "PL": (3, 3, 2, 2)}


def eu_vat(rng: random.Random) -> str:
    """Behind the state's letters, mostly in one piece."""
    state = rng.choice((*STATES, "DE", "DE", "FR", "FR", "IT", "IT", "ES", "ES", "NL", "NL", "BE", "AT", "PL"))
    number = STATES[state](rng)
    if state in _GROUPS and rng.random() < 0.25:
        by, at = rng.choice((" ", " ", ".")), 0
        parts = []
        for length in _GROUPS[state]:
            parts.append(number[at : at + length])
            at += length
        return f"{state}{rng.choice(('', ' '))}{by.join(parts)}"
    return f"{state}{rng.choice(('', '', '', '', ' ', '-'))}{number}"
