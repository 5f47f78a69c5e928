"""Numbers that states and banks give to people, in the forms in which people write them."""

from __future__ import annotations

import random

from bench.dlp_blind_text import OPEN, SHUT
from bench.dlp_checksums import base58check, eip55, luhn, npi, routing, segwit
from bench.dlp_checksums import iban as iban_checks
from bench.dlp_random import some

_DIGITS, _UPPER = "0123456789", "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_EN_DASH, _HARD_HYPHEN, _HARD_SPACE = "\u2013", "\u2011", "\u00a0"


def us_ssn(rng: random.Random) -> str:
    """Nine digits, mostly grouped."""
    area = rng.choice([number for number in range(1, 900) if number != 666])
    by = rng.choices(("-", "", " ", _EN_DASH, _HARD_HYPHEN, "."), (62, 20, 10, 3, 3, 2))[0]
    return f"{area:03d}{by}{rng.randrange(1, 100):02d}{by}{rng.randrange(1, 10_000):04d}"


def us_itin(rng: random.Random) -> str:
    """Like an SSN, in a range of its own."""
    group = rng.choice([*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)])
    by = rng.choices(("-", "", " ", _EN_DASH), (70, 20, 7, 3))[0]
    return f"9{rng.randrange(100):02d}{by}{group}{by}{rng.randrange(10_000):04d}"


_CARDS = (
    *((prefix, 16) for prefix in ("4", "4", "4", "4", "51", "52", "53", "54", "55", "2221", "2507", "2720")),
    *((prefix, 15) for prefix in ("34", "37", "37")),
    *((prefix, 16) for prefix in ("6011", "644", "649", "65", "3528", "3566", "3589", "6221", "6250", "6282", "81")),
    *((prefix, 14) for prefix in ("36", "38", "300", "305", "3095")),
    ("4", 19), ("62", 19), ("5018", 16), ("5038", 16), ("6304", 18), ("6759", 19), ("6761", 16), ("2200", 16),
    ("9792", 16),
)  # fmt: skip


def payment_card(rng: random.Random) -> str:
    """The schemes' numbers, written as on the card or in one piece."""
    prefix, length = rng.choice(_CARDS)
    body = prefix + some(rng, _DIGITS, length - len(prefix) - 1)
    number = body + luhn(body)
    by = rng.choices(("", " ", "-", _HARD_SPACE, "."), (45, 35, 15, 3, 2))[0]
    if length == 15:
        return by.join((number[:4], number[4:10], number[10:]))
    if length == 14:
        return by.join((number[:4], number[4:10], number[10:]))
    return by.join(number[at : at + 4] for at in range(0, length, 4))


_ACCOUNTS = {
    "DE": "18n", "FR": "10n 11c 2n", "GB": "4a 14n", "NL": "4a 10n", "ES": "20n", "IT": "1a 10n 12c", "BE": "12n",
    "AT": "16n", "CH": "5n 12c", "PL": "24n", "SE": "20n", "NO": "11n", "DK": "14n", "FI": "14n", "IE": "4a 14n",
    "PT": "21n", "LU": "3n 13c", "CZ": "20n", "HU": "24n", "GR": "7n 16c", "RO": "4a 16c", "BG": "4a 6n 8c",
    "HR": "17n",
    "SI": "15n", "SK": "20n", "EE": "16n", "LV": "4a 13c", "LT": "16n", "CY": "8n 16c", "MT": "4a 5n 18c",
    "TR": "6n 16c",
    "AE": "19n", "SA": "2n 18c", "IL": "19n", "IS": "22n", "LI": "5n 12c", "MC": "10n 11c 2n", "UA": "6n 19c",
    "GE": "2a 16n", "BR": "23n 1a 1c", "RS": "18n", "KW": "4a 22c", "QA": "4a 21c",
}  # fmt: skip


def iban(rng: random.Random) -> str:
    """Forty-three countries' accounts, in groups or in one piece."""
    country = rng.choice(list(_ACCOUNTS) + ["DE", "FR", "GB", "NL", "ES", "IT", "BE", "AT", "CH", "PL"] * 3)
    kinds = {"n": _DIGITS, "a": _UPPER, "c": _DIGITS + _DIGITS + _UPPER}
    account = "".join(some(rng, kinds[part[-1]], int(part[:-1])) for part in _ACCOUNTS[country].split())
    number = country + iban_checks(country, account) + account
    by = rng.choices(("", " ", "-", _HARD_SPACE), (50, 42, 4, 4))[0]
    written = by.join(number[at : at + 4] for at in range(0, len(number), 4))
    return written.lower() if rng.random() < 0.06 else written


def us_routing_number(rng: random.Random) -> str:
    """Nine digits behind a district of the Federal Reserve."""
    district = rng.choice([*range(1, 13), *range(21, 33), *range(61, 73), 80])
    body = f"{district:02d}{some(rng, _DIGITS, 6)}"
    number = body + routing(body)
    return number if rng.random() < 0.93 else f"{number[:4]}-{number[4:8]}-{number[8]}"


def us_npi(rng: random.Random) -> str:
    """Ten digits."""
    body = rng.choice("1112") + some(rng, _DIGITS, 8)
    return body + npi(body)


def ca_sin(rng: random.Random) -> str:
    """Nine digits, mostly in three groups."""
    body = rng.choice("12345679") + some(rng, _DIGITS, 7)
    number = body + luhn(body)
    by = rng.choices((" ", "-", "", _HARD_SPACE, "."), (45, 27, 22, 4, 2))[0]
    return by.join((number[:3], number[3:6], number[6:]))


def uk_nino(rng: random.Random) -> str:
    """Two letters, six digits, a letter."""
    while True:
        letters = rng.choice("ABCEGHJKLMNOPRSTWXYZ") + rng.choice("ABCEGHJKLMNPRSTWXYZ")
        if letters not in {"BG", "GB", "KN", "NK", "NT", "TN", "ZZ"}:
            break
    digits, last = some(rng, _DIGITS, 6), rng.choice("ABCD")
    by = rng.choices(("", " ", "-"), (52, 44, 4))[0]
    written = by.join((letters, digits[:2], digits[2:4], digits[4:], last))
    return written.lower() if rng.random() < 0.05 else written


def us_passport(rng: random.Random) -> str:
    """Nine digits, or of late a letter and eight."""
    return rng.choice((some(rng, _DIGITS, 9), f"{rng.choice('ACEXYZ')}{some(rng, _DIGITS, 8)}"))


def uk_passport(rng: random.Random) -> str:
    """Nine digits."""
    number = some(rng, _DIGITS, 9)
    return number if rng.random() < 0.94 else f"{number[:3]} {number[3:6]} {number[6:]}"


def crypto_wallet(rng: random.Random) -> str:
    """Addresses of Bitcoin and of Ethereum."""
    payload, pick = rng.randbytes(20), rng.randrange(100)
    if pick < 22:
        return base58check(b"\0" + payload)
    if pick < 37:
        return base58check(b"\5" + payload)
    if pick < 55:
        address = segwit(0, payload if rng.random() < 0.8 else rng.randbytes(32))
        return address.upper() if rng.random() < 0.08 else address
    if pick < 65:
        return segwit(1, rng.randbytes(32))
    if pick < 92:
        return eip55(payload.hex())
    return f"0x{payload.hex()}"


_FIRST = (
    "anna", "b.keller", "carlos_m", "d.osei", "ewa.nowak", "f", "giulia-r", "h.larsen", "info", "j.o.brien", "kim",
    "l_andersson", "m.dubois", "noreply", "o'neil", "priya.s", "sales", "t.yamada", "u2", "x.li", "Zoe.Becker", "ADMIN",
)  # fmt: skip
_TLDS = (
    "com",
    "org",
    "net",
    "de",
    "fr",
    "co.uk",
    "io",
    "pl",
    "it",
    "com.br",
    "nl",
    "se",
    "dev",
    "cloud",
    "museum",
    "ac.jp",
)


def email_address(rng: random.Random) -> str:
    """Addresses under domains made of two words."""
    tag = rng.choice(("", "", "", "", f"+{rng.choice(('news', 'shop', 'test1', '2024'))}", f"{rng.randrange(99)}"))
    host = (
        f"{some(rng, 'bcdfghklmnprstvz', 3)}{rng.choice('aeiou')}{rng.choice(('', '-'))}{some(rng, 'bdgklmnprst', 2)}o"
    )
    under = rng.choice(("", "", "", "mail.", "corp.eu."))
    address = f"{rng.choice(_FIRST)}{tag}@{under}{host}.{rng.choice(_TLDS)}"
    return address.upper() if rng.random() < 0.03 else address


def ip_address(rng: random.Random) -> str:
    """Addresses of both versions, now and then with a port, a mask or a zone behind."""
    if rng.random() < 0.6:
        first = rng.choice((10, 172, 192, *rng.choices([n for n in range(1, 224) if n not in {10, 127}], k=6)))
        second = {192: 168, 172: rng.randrange(16, 32)}.get(first, rng.randrange(256))
        address = f"{first}.{second}.{rng.randrange(256)}.{rng.randrange(1, 255)}"
        return OPEN + address + SHUT + rng.choice(("", "", "", "", f":{rng.randrange(1_024, 65_536)}", "/24", "/32"))
    groups = [f"{rng.randrange(65_536):x}" for _ in range(8)]
    prefix = rng.choice(("2001:db8", "2a02:8109", "fd12:3456", "fe80:0", "2606:4700", "2400:cb00"))
    shape = rng.randrange(5)
    if shape == 0:
        return ":".join((prefix, *groups[:6]))
    if shape == 1:
        return f"{prefix}::{groups[0]}"
    if shape == 2:
        return f"{prefix}:{groups[1]}::{groups[2]}:{groups[3]}"
    if shape == 3:
        return f"[{OPEN}{prefix}::{groups[4]}:{groups[5]}{SHUT}]:{rng.randrange(1_024, 65_536)}"
    return f"{OPEN}fe80::{groups[1]}:{groups[2]}:{groups[3]}:{groups[4]}{SHUT}{rng.choice(('%eth0', '/64', ''))}"
