"""Check digits and checksums, each as its standard says. Pure: bytes in, yes or no out.

What is given has its separators taken out already; what is of the wrong length or alphabet is wrong, never an error.
"""

from __future__ import annotations

import hashlib

DECIMAL = b"0123456789"
BASE58 = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BECH32 = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32_CONSTANT = 1
_BECH32M_CONSTANT = 0x2BC830A3
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)  # each digit times two, its digits added


def digits_of(text: bytes) -> bytes:
    """The ASCII digits of a text, in order, and nothing else."""
    return bytes(byte for byte in text if byte in DECIMAL)


def weighted(number: bytes, weights: tuple[int, ...]) -> int:
    """The sum of digits times weights; a weight for each digit."""
    return sum((digit - 0x30) * weight for digit, weight in zip(number, weights, strict=True))


def luhn(number: bytes) -> bool:
    """ISO/IEC 7812-1, annex B: payment cards, and many others."""
    if not number.isdigit():
        return False
    plain = sum(digit - 0x30 for digit in number[-1::-2])
    return (plain + sum(_DOUBLED[digit - 0x30] for digit in number[-2::-2])) % 10 == 0


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
    expanded = [byte >> 5 for byte in prefix] + [0] + [byte & 31 for byte in prefix]
    return _bech32_checksum(expanded + values) == (_BECH32M_CONSTANT if version else _BECH32_CONSTANT)


def _bech32_checksum(values: list[int]) -> int:
    checksum = 1
    for value in values:
        top = checksum >> 25
        checksum = (checksum & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_BECH32_GENERATORS):
            if top >> bit & 1:
                checksum ^= generator
    return checksum


def valid_eip_55(address: bytes) -> bool:
    """Whether the case of forty hex digits is their checksum. All in one case carries none, and is not valid."""
    digits = address.lower()
    if len(digits) != 40 or digits == address or address.upper() == address:  # noqa: PLR2004
        return False
    digest = keccak_256(digits).hex()
    pairs = zip(address.decode(), digest, strict=False)
    return all(letter.isupper() == (nibble in "89abcdef") for letter, nibble in pairs if letter.isalpha())


_MASK = (1 << 64) - 1
_ROTATIONS = (
    (0, 36, 3, 41, 18), (1, 44, 10, 45, 2), (62, 6, 43, 15, 61), (28, 55, 25, 21, 56), (27, 20, 39, 8, 14),
)  # fmt: skip
_RATE = 136  # bytes: 1600 bits less twice 256


def _round_constants() -> tuple[int, ...]:
    """The constants of iota, from the shift register that FIPS 202 gives in algorithm 5."""
    register, constants = 1, []
    for _ in range(24):
        constant = 0
        for power in range(7):
            constant |= (register & 1) << ((1 << power) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants.append(constant)
    return tuple(constants)


_IOTA = _round_constants()


def keccak_256(message: bytes) -> bytes:
    """Keccak as Ethereum took it, before FIPS 202 changed the padding: hashlib's sha3_256 gives another result."""
    padded = bytearray(message) + b"\x01" + b"\0" * (-(len(message) + 1) % _RATE)
    padded[-1] |= 0x80
    lanes = [[0] * 5 for _ in range(5)]  # [x][y]
    for block in range(0, len(padded), _RATE):
        for index in range(_RATE // 8):
            at = block + 8 * index
            lanes[index % 5][index // 5] ^= int.from_bytes(padded[at : at + 8], "little")
        lanes = _permute(lanes)
    return b"".join(lanes[index][0].to_bytes(8, "little") for index in range(4))


def _permute(lanes: list[list[int]]) -> list[list[int]]:
    """Keccak-f[1600]: theta, rho and pi, chi, iota; 24 rounds."""
    five = range(5)
    for constant in _IOTA:
        columns = [row[0] ^ row[1] ^ row[2] ^ row[3] ^ row[4] for row in lanes]
        mixed = [columns[x - 1] ^ _rotate(columns[(x + 1) % 5], 1) for x in five]
        turned = [[0] * 5 for _ in five]
        for x in five:
            for y in five:
                turned[y][(2 * x + 3 * y) % 5] = _rotate(lanes[x][y] ^ mixed[x], _ROTATIONS[x][y])
        lanes = [[turned[x][y] ^ ~turned[(x + 1) % 5][y] & turned[(x + 2) % 5][y] for y in five] for x in five]
        lanes[0][0] ^= constant
    return lanes


def _rotate(lane: int, by: int) -> int:
    return (lane << by | lane >> 64 - by) & _MASK
