"""Check digits and checksums, worked out anew after their standards: a judge must not share what it judges by.

Each function makes the digits that complete a number; nothing here reads one.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Sequence

BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_MASK = (1 << 64) - 1


def luhn(digits: str) -> str:
    """The digit behind `digits` (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * 2 if place % 2 == 0 else int(digit)
        total += doubled // 10 + doubled % 10
    return str(-total % 10)


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of digits times weights."""
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True))


def routing(digits: str) -> str:
    """The ninth digit of an ABA routing number: weights 3, 7, 1."""
    return str(-weighted(digits, (3, 7, 1, 3, 7, 1, 3, 7)) % 10)


def npi(digits: str) -> str:
    """The tenth digit of an NPI: Luhn's, with the card issuer prefix 80840 in front."""
    return luhn("80840" + digits)


def iban(country: str, account: str) -> str:
    """The two check digits of an IBAN (ISO 13616: mod 97)."""
    number = "".join(str(int(character, 36)) for character in f"{account}{country}00")
    return f"{98 - int(number) % 97:02d}"


def mod_11_10(digits: str) -> str:
    """The digit behind `digits` by ISO 7064, MOD 11,10."""
    product = 10
    for digit in digits:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return str((11 - product) % 10)


def crc32_base62(text: str) -> str:
    """GitHub's and npm's last six characters: CRC32 in base 62."""
    number, written = zlib.crc32(text.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        written = BASE62[digit] + written
    return written


def base58check(payload: bytes) -> str:
    """Bitcoin's addresses: four bytes of a double SHA-256 behind, in base 58."""
    data = payload + hashlib.sha256(hashlib.sha256(payload).digest()).digest()[:4]
    number, written = int.from_bytes(data), ""
    while number:
        number, digit = divmod(number, 58)
        written = BASE58[digit] + written
    return "1" * (len(data) - len(data.lstrip(b"\0"))) + written


def segwit(version: int, program: bytes) -> str:
    """A bc1 address: bech32 (BIP 173) for version 0, bech32m (BIP 350) for later ones."""
    bits = "".join(f"{byte:08b}" for byte in program)
    bits += "0" * (-len(bits) % 5)
    words = [version, *(int(bits[at : at + 5], 2) for at in range(0, len(bits), 5))]
    residue = _polymod([3, 3, 0, 2, 3, *words, 0, 0, 0, 0, 0, 0]) ^ (0x2BC830A3 if version else 1)
    check = [residue >> 5 * (5 - at) & 31 for at in range(6)]
    return "bc1" + "".join(BECH32[word] for word in [*words, *check])


def _polymod(words: Sequence[int]) -> int:
    found = 1
    for word in words:
        top = found >> 25
        found = (found & 0x1FFFFFF) << 5 ^ word
        for bit, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            if top >> bit & 1:
                found ^= generator
    return found


def eip55(address: str) -> str:
    """An Ethereum address (40 lower-case hexadecimal digits) in the capitals that check it (EIP-55)."""
    digest = keccak256(address.encode()).hex()
    return "0x" + "".join(
        letter.upper() if int(digit, 16) >= 8 else letter for letter, digit in zip(address, digest[:40], strict=True)
    )


def keccak256(data: bytes) -> bytes:
    """Keccak as it was before SHA-3 changed its padding; `data` is shorter than one block (136 bytes)."""
    block = data + b"\x01" + bytes(134 - len(data)) + b"\x80" if len(data) < 135 else data + b"\x81"
    lanes = [0] * 25
    for at in range(17):
        lanes[at] = int.from_bytes(block[at * 8 : at * 8 + 8], "little")
    register = 1
    for _ in range(24):
        column = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        turned = [column[(x + 4) % 5] ^ _left(column[(x + 1) % 5], 1) for x in range(5)]
        lanes = [lane ^ turned[at % 5] for at, lane in enumerate(lanes)]
        x, y, moving = 1, 0, lanes[1]
        for step in range(24):
            x, y = y, (2 * x + 3 * y) % 5
            at = x + 5 * y
            moving, lanes[at] = lanes[at], _left(moving, (step + 1) * (step + 2) // 2 % 64)
        lanes = [
            lane ^ (~lanes[at - at % 5 + (at + 1) % 5] & lanes[at - at % 5 + (at + 2) % 5] & _MASK)
            for at, lane in enumerate(lanes)
        ]
        for bit in range(7):
            register = (register << 1 ^ (register >> 7) * 0x71) % 256
            if register & 2:
                lanes[0] ^= 1 << ((1 << bit) - 1)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _left(lane: int, by: int) -> int:
    return (lane << by | lane >> 64 - by) & _MASK if by else lane
