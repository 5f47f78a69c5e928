"""Numbers and addresses of people and companies, made up: one function for each entity, after its own standard.

A value that is a bare number, or looks like much else, says so (`needs_words`) and names words that stand beside it.
"""

from __future__ import annotations

import ipaddress
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bench import dlp_checksums as checks
from bench.dlp_random import digits, some
from bench.dlp_vat import VAT_NUMBERS

HEX = "0123456789abcdef"
CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
NAMES = ("alice", "bob.smith", "j.doe", "maria_garcia", "li.wei", "o.brien", "sven-ole", "fatima", "k8s-admin", "hr")
DOMAINS = ("example.com", "mail.example.org", "acme.co.uk", "uni-bonn.de", "corp.internal.example.net", "startup.io")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
          "December")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Value:
    """One value and the words that may stand beside it, or must."""

    text: str
    words: tuple[str, ...]
    needs_words: bool = False


def grouped(number: str, sizes: tuple[int, ...], separator: str) -> str:
    """A number in groups."""
    parts, position = [], 0
    for size in sizes:
        parts.append(number[position : position + size])
        position += size
    return separator.join(part for part in parts if part)


def _us_ssn(rng: random.Random) -> Value:
    area = rng.choice([n for n in range(1, 900) if n != 666])
    number = f"{area:03d}{rng.randrange(1, 100):02d}{rng.randrange(1, 10_000):04d}"
    words = ("ssn", "SSN", "social security number", "social_security_number", "Social Security No.")
    if rng.random() < 0.3:
        return Value(number, words, needs_words=True)
    return Value(grouped(number, (3, 2, 4), rng.choice("---- .")), words)


def _us_itin(rng: random.Random) -> Value:
    middle = rng.choice([*range(50, 66), *range(70, 89), *range(90, 93), *range(94, 100)])
    number = f"9{rng.randrange(100):02d}{middle}{rng.randrange(10_000):04d}"
    words = ("itin", "ITIN", "individual taxpayer identification number", "taxpayer id")
    if rng.random() < 0.3:
        return Value(number, words, needs_words=True)
    return Value(grouped(number, (3, 2, 4), "-"), words)


_CARDS = (("4", 16), ("4", 16), ("4", 13), ("51", 16), ("55", 16), ("2221", 16), ("2720", 16), ("34", 15), ("37", 15),
          ("6011", 16), ("65", 16), ("3528", 16), ("3589", 16), ("300", 14), ("36", 14), ("62", 16))  # fmt: skip


def _payment_card(rng: random.Random) -> Value:
    prefix, length = rng.choice(_CARDS)
    number = prefix + some(rng, "0123456789", length - len(prefix) - 1)
    number += checks.luhn(number)
    sizes = {15: (4, 6, 5), 14: (4, 6, 4), 13: (4, 4, 5)}.get(length, (4, 4, 4, 4))
    text = grouped(number, sizes, rng.choice([" ", "-"])) if rng.random() < 0.5 and length != 13 else number
    return Value(text, ("card", "card number", "credit_card", "pan", "cc_number", "Visa"))


_IBANS: Mapping[str, str] = {  # n: digit, a: capital, c: either
    "DE": "n18", "FR": "n10c11n2", "GB": "a4n14", "ES": "n20", "NL": "a4n10", "IT": "a1n10c12", "BE": "n12",
    "CH": "n5c12", "AT": "n16", "SE": "n20", "PL": "n24", "PT": "n21", "IE": "a4n14", "NO": "n11", "DK": "n14",
    "FI": "n14", "LU": "n3c13", "CZ": "n20", "MT": "a4n5c18", "SA": "n2c18", "AE": "n19", "TR": "n6c16",
}  # fmt: skip


def _iban(rng: random.Random) -> Value:
    country = rng.choice(list(_IBANS))
    form, account, at = _IBANS[country], "", 0
    while at < len(form):
        end = at + 1
        while end < len(form) and form[end].isdigit():
            end += 1
        alphabet = {"n": "0123456789", "a": CAPITALS, "c": "0123456789" + CAPITALS}[form[at]]
        account += some(rng, alphabet, int(form[at + 1 : end]))
        at = end
    number = country + checks.iban(country, account) + account
    if rng.random() < 0.4:
        number = " ".join(number[at : at + 4] for at in range(0, len(number), 4))
    return Value(number, ("iban", "IBAN", "account", "bank account", "Kontoverbindung"))


def _us_routing_number(rng: random.Random) -> Value:
    first = f"{rng.choice([*range(1, 13), *range(21, 33), *range(61, 73)]):02d}{some(rng, '0123456789', 6)}"
    words = ("routing number", "routing_number", "ABA", "aba routing", "RTN", "bank routing")
    return Value(first + checks.routing(first), words, needs_words=True)


def _ca_sin(rng: random.Random) -> Value:
    first = rng.choice("12345679") + some(rng, "0123456789", 7)
    number = first + checks.luhn(first)
    words = ("SIN", "sin", "social insurance number")
    if rng.random() < 0.6:
        number = grouped(number, (3, 3, 3), rng.choice(" -"))
    return Value(number, words, needs_words=True)


def _uk_nino(rng: random.Random) -> Value:
    letters = "ABCEGHJKLMNOPRSTWXYZ"
    while (prefix := rng.choice(letters) + rng.choice(letters.replace("O", ""))) in {"BG", "GB", "NK", "KN", "TN", "NT",
                                                                                     "ZZ"}:  # fmt: skip
        pass
    number = prefix + some(rng, "0123456789", 6) + rng.choice("ABCD")
    words = ("NINO", "national insurance number", "NI number", "national_insurance")
    if rng.random() < 0.5:
        return Value(grouped(number, (2, 2, 2, 2, 1), " "), words)
    return Value(number, words)


def _eu_vat(rng: random.Random) -> Value:
    country = rng.choice(list(VAT_NUMBERS))
    words = ("VAT", "vat_number", "VAT ID", "USt-IdNr", "VAT registration number", "TVA")
    return Value(country + VAT_NUMBERS[country](rng), words, needs_words=True)


def _us_passport(rng: random.Random) -> Value:
    number = rng.choice("ACXY") + digits(rng, 8) if rng.random() < 0.5 else digits(rng, 9)
    return Value(number, ("passport", "passport number", "passport_no", "US passport"), needs_words=True)


def _uk_passport(rng: random.Random) -> Value:
    return Value(
        digits(rng, 9), ("UK passport", "British passport", "passport number", "passport_no"), needs_words=True
    )


def _phone_number(rng: random.Random) -> Value:
    area, exchange, line = rng.randrange(201, 980), rng.randrange(200, 1000), f"{rng.randrange(10_000):04d}"
    while area % 100 == 11 or str(area)[1] == "9":
        area = rng.randrange(201, 980)
    exchange += exchange % 100 == 11
    abroad = (
        "+44 20 7{3} {4}",
        "+44 7{3} {6}",
        "+49 30 {7}",
        "+33 6 {2} {2} {2} {2}",
        "+49 17{1} {7}",
        "+81 3-{4}-{4}",
    )
    words = ("phone", "tel", "telephone", "mobile", "cell", "phone_number", "fax")
    match rng.randrange(7):
        case 0:
            return Value(f"({area}) {exchange}-{line}", words)
        case 1:
            return Value(f"{area}-{exchange}-{line}", words)
        case 2:
            return Value(f"+1{rng.choice(['', ' ', '-'])}{area}{exchange}{line}", words)
        case 3:
            return Value(f"+1 ({area}) {exchange}-{line}", words)
        case 4:
            return Value(f"{area}.{exchange}.{line}", words, needs_words=True)
        case 5:
            return Value(f"{area}{exchange}{line}", words, needs_words=True)
        case _:
            text = rng.choice(abroad)
            for size in (1, 2, 3, 4, 6, 7):
                while f"{{{size}}}" in text:
                    text = text.replace(f"{{{size}}}", digits(rng, size), 1)
            return Value(text, words)


def _email_address(rng: random.Random) -> Value:
    name = rng.choice(NAMES) + rng.choice(["", "", "+billing", str(rng.randrange(100))])
    name = name.title() if rng.random() < 0.1 else name
    return Value(f"{name}@{rng.choice(DOMAINS)}", ("email", "mail", "contact", "user", "from"))


def _ip_address(rng: random.Random) -> Value:
    words = ("ip", "client_ip", "remote_addr", "host", "address", "x-forwarded-for")
    if rng.random() < 0.7:
        first = rng.choice([n for n in range(1, 224) if n not in {10, 127}])
        return Value(f"{first}.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}", words)
    number = 0x2001_0DB8 << 96 | rng.getrandbits(rng.choice([16, 48, 96]))
    number |= rng.choice([0x2600, 0x2A00, 0]) << 112
    address = ipaddress.IPv6Address(number)
    return Value(rng.choice([address.compressed, address.compressed, address.exploded]), words)


def _us_npi(rng: random.Random) -> Value:
    first = rng.choice("12") + some(rng, "0123456789", 8)
    words = ("NPI", "npi", "provider npi", "national provider identifier", "npi_number")
    return Value(first + checks.npi(first), words, needs_words=True)


def _date_of_birth(rng: random.Random) -> Value:
    year, month, day = rng.randrange(1930, 2012), rng.randrange(1, 13), rng.randrange(1, 29)
    name = MONTHS[month - 1]
    shapes = (f"{year}-{month:02d}-{day:02d}", f"{month:02d}/{day:02d}/{year}", f"{day:02d}.{month:02d}.{year}",
              f"{day} {name} {year}", f"{name} {day}, {year}", f"{month}/{day}/{year}")  # fmt: skip
    words = ("date of birth", "dob", "DOB", "born", "birthdate", "date_of_birth", "birthday")
    return Value(rng.choice(shapes), words, needs_words=True)


def _crypto_wallet(rng: random.Random) -> Value:
    words = ("wallet", "btc address", "send to", "payout_address", "address")
    match rng.randrange(5):
        case 0:
            return Value(checks.base58check(bytes([0]) + rng.randbytes(20)), words)
        case 1:
            return Value(checks.base58check(bytes([5]) + rng.randbytes(20)), words)
        case 2:
            return Value(checks.segwit(0, rng.randbytes(rng.choice([20, 32]))), words)
        case 3:
            return Value(checks.segwit(1, rng.randbytes(32)), words)
        case _:
            address = some(rng, HEX, 40)
            if rng.random() < 0.6:
                return Value(checks.eip55(address), words)
            named = ("wallet", "eth_address", "ethereum address", "payout_address")
            return Value(f"0x{address}", named, needs_words=True)  # without capitals nothing checks it


# The second part tells whether a checksum or a fixed prefix makes it sure: the goal is then higher.
PERSONAL: Mapping[str, tuple[Callable[[random.Random], Value], bool]] = {
    "us_ssn": (_us_ssn, False),
    "us_itin": (_us_itin, False),
    "payment_card": (_payment_card, True),
    "iban": (_iban, True),
    "us_routing_number": (_us_routing_number, True),
    "ca_sin": (_ca_sin, True),
    "uk_nino": (_uk_nino, False),
    "eu_vat": (_eu_vat, True),
    "us_passport": (_us_passport, False),
    "uk_passport": (_uk_passport, False),
    "phone_number": (_phone_number, False),
    "email_address": (_email_address, False),
    "ip_address": (_ip_address, False),
    "us_npi": (_us_npi, True),
    "date_of_birth": (_date_of_birth, False),
    "crypto_wallet": (_crypto_wallet, True),
}
