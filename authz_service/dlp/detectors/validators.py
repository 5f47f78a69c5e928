"""Check digits and checksums, each as its standard says. Pure: bytes in, yes or no out.

What is given has its separators taken out already; what is of the wrong length or alphabet is wrong, never an error.
"""

from __future__ import annotations

import hashlib

from authz_service.dlp.detectors.keccak import keccak_256

DECIMAL = b"0123456789"
_NO_DIGITS = bytes(byte for byte in range(256) if byte not in DECIMAL)
BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CONSTANT = 1
_BECH32M_CONSTANT = 0x2BC830A3
_DOUBLED = bytes.maketrans(DECIMAL, b"0246813579")  # each digit times two, its digits added


def digits_of(text: bytes) -> bytes:
    """The ASCII digits of a text, in order, and nothing else."""
    return text.translate(None, _NO_DIGITS)


def weighted(number: bytes, weights: tuple[int, ...]) -> int:
    """The sum of digits times weights; a weight for each digit."""
    return sum((digit - 0x30) * weight for digit, weight in zip(number, weights, strict=True))


def luhn(number: bytes) -> bool:
    """ISO/IEC 7812-1, annex B: payment cards, and many others."""
    if not number.isdigit():
        return False
    doubled = number[-2::-2]
    # As characters, zero being 0x30: the sum of all is too large by that for each.
    return (sum(number[-1::-2]) + sum(doubled.translate(_DOUBLED)) - 0x30 * len(number)) % 10 == 0


def mod_97(text: bytes) -> bool:
    """ISO/IEC 7064 MOD 97-10 as ISO 13616 uses it: the first four characters go to the end, letters count from 10."""
    if not (text.isalnum() and text.isascii()):
        return False
    moved = (text[4:] + text[:4]).upper()
    return int("".join(str(int(chr(byte), 36)) for byte in moved)) % 97 == 1


def iso_7064_mod_11_10(number: bytes) -> bool:
    """ISO/IEC 7064 MOD 11,10: a running product over all digits, the check digit last."""
    if not number.isdigit():
        return False
    product = 10
    for digit in number[:-1]:
        product = ((product + digit - 0x30) % 10 or 10) * 2 % 11
    return (product + number[-1] - 0x30) % 10 == 1


def aba(number: bytes) -> bool:
    """American Bankers Association: nine digits, weights 3, 7, 1."""
    return number.isdigit() and len(number) == 9 and weighted(number, (3, 7, 1) * 3) % 10 == 0  # noqa: PLR2004


def npi(number: bytes) -> bool:
    """National Provider Identifier: Luhn over 80840 and the ten digits (45 CFR 162.406)."""
    return len(number) == 10 and number[:1] in {b"1", b"2"} and luhn(b"80840" + number)  # noqa: PLR2004


def base58check(text: bytes) -> bytes | None:
    """The payload of base58check, its version byte first, or None where the double SHA-256 does not hold."""
    value = 0
    for byte in text:
        digit = BASE58.find(byte)
        if digit < 0:
            return None
        value = value * 58 + digit
    zeros = len(text) - len(text.lstrip(b"1"))
    data = b"\0" * zeros + value.to_bytes((value.bit_length() + 7) // 8, "big")
    payload, checksum = data[:-4], data[-4:]
    right = hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    return payload if payload and checksum == right else None


def segwit(address: bytes) -> bool:
    """A segregated-witness address of Bitcoin: BIP 173 for version 0, BIP 350 (bech32m) for those above."""
    if not (address.islower() or address.isupper()):
        return False  # the two cases are never mixed
    prefix, _, data = address.lower().rpartition(b"1")
    values = [BECH32.find(byte) for byte in data]
    if not prefix or len(values) < 7 or -1 in values or len(address) > 90:  # noqa: PLR2004
        return False
    version, program = values[0], values[1:-6]
    size, spare = divmod(len(program) * 5, 8)
    if version > 16 or spare > 4 or not 2 <= size <= 40 or (version == 0 and size not in {20, 32}):  # noqa: PLR2004
        return False
    if spare and program[-1] & ((1 << spare) - 1):
        return False  # what fills up the last byte is zero
    return _bech32_checksum(prefix, values) == _segwit_constant(version)


def segwit_address(prefix: bytes, version: int, program: bytes) -> bytes:
    """Write a segregated-witness address."""
    bits = int.from_bytes(program, "big") << (-8 * len(program) % 5)
    count = (8 * len(program) + 4) // 5
    values = [version, *(bits >> 5 * (count - 1 - index) & 31 for index in range(count))]
    checksum = _bech32_checksum(prefix, [*values, *[0] * 6]) ^ _segwit_constant(version)
    values += [checksum >> 5 * (5 - index) & 31 for index in range(6)]
    return prefix + b"1" + bytes(BECH32[value] for value in values)


def _segwit_constant(version: int) -> int:
    return _BECH32M_CONSTANT if version else _BECH32_CONSTANT


def _bech32_checksum(prefix: bytes, values: list[int]) -> int:
    checksum = 1
    for value in [*(byte >> 5 for byte in prefix), 0, *(byte & 31 for byte in prefix), *values]:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATORS):
            if top >> bit & 1:
                checksum ^= generator
    return checksum


def with_eip_55(digits: bytes) -> bytes:
    """Forty hex digits in the case that is their checksum."""
    lower = digits.lower()
    pairs = zip(lower.decode(), keccak_256(lower).hex(), strict=False)
    return "".join(letter.upper() if nibble in "89abcdef" else letter for letter, nibble in pairs).encode()
