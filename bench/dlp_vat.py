"""VAT numbers of the European Union without their country, made up: each with the check that its country works out."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

from bench import dlp_checksums as checks
from bench.dlp_random import digits, some


def _spanish(rng: random.Random) -> str:
    number = rng.randrange(10**7, 10**8)
    return f"{number}{'TRWAGMYFPDXBNJZSQVHLCKE'[number % 23]}"


def _french(rng: random.Random) -> str:
    first = digits(rng, 8)
    siren = first + checks.luhn(first)
    return f"{(12 + 3 * (int(siren) % 97)) % 97:02d}{siren}"


def _dutch(rng: random.Random) -> str:
    while True:
        first = some(rng, "0123456789", 8)
        check = checks.weighted(first, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
        if check < 10:
            return f"{first}{check}B0{rng.randrange(1, 10)}"


def _polish(rng: random.Random) -> str:
    while True:
        first = digits(rng, 9)
        check = checks.weighted(first, (6, 5, 7, 2, 3, 4, 5, 6, 7)) % 11
        if check < 10:
            return f"{first}{check}"


def _belgian(rng: random.Random) -> str:
    first = f"0{digits(rng, 7)}"
    return f"{first}{97 - int(first) % 97:02d}"


def _german(rng: random.Random) -> str:
    first = digits(rng, 8)
    return first + checks.mod_11_10(first)


def _italian(rng: random.Random) -> str:
    # Number of the taxpayer, then the province's office: 001 to 100.
    first = f"{digits(rng, 7)}{rng.randrange(1, 101):03d}"
    return first + checks.luhn(first)


def _austrian(rng: random.Random) -> str:
    first = some(rng, "0123456789", 7)
    doubled = sum(int(d) * 2 // 10 + int(d) * 2 % 10 for d in first[1::2])
    return f"U{first}{(96 - sum(map(int, first[::2])) - doubled) % 10}"


def _finnish(rng: random.Random) -> str:
    while True:
        first = digits(rng, 7)
        check = -checks.weighted(first, (7, 9, 10, 5, 8, 4, 2)) % 11
        if check < 10:
            return f"{first}{check}"


def _danish(rng: random.Random) -> str:
    while True:
        number = digits(rng, 8)
        if checks.weighted(number, (2, 7, 6, 5, 4, 3, 2, 1)) % 11 == 0:
            return number


def _portuguese(rng: random.Random) -> str:
    first = rng.choice("125") + some(rng, "0123456789", 7)
    check = 11 - checks.weighted(first, (9, 8, 7, 6, 5, 4, 3, 2)) % 11
    return f"{first}{check if check < 10 else 0}"


def _swedish(rng: random.Random) -> str:
    first = rng.choice("5") + "5" + some(rng, "0123456789", 7)
    return f"{first}{checks.luhn(first)}01"


def _luxembourgish(rng: random.Random) -> str:
    first = digits(rng, 6)
    return f"{first}{int(first) % 89:02d}"


VAT_NUMBERS: Mapping[str, Callable[[random.Random], str]] = {
    "DE": _german, "FR": _french, "IT": _italian, "ES": _spanish, "NL": _dutch, "PL": _polish, "BE": _belgian,
    "AT": _austrian, "FI": _finnish, "DK": _danish, "PT": _portuguese, "SE": _swedish, "LU": _luxembourgish,
}  # fmt: skip
