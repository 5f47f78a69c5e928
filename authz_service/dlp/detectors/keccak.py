"""Keccak-256 as Ethereum took it, before FIPS 202 changed the padding: hashlib's sha3_256 gives another result.

OpenSSL has it since 3.2 only, and systems with 3.0 are many.
"""

from __future__ import annotations

_MASK = (1 << 64) - 1
_RATE = 136  # bytes: 1600 bits less twice 256
_ROTATIONS = (
    0, 1, 62, 28, 27, 36, 44, 6, 55, 20, 3, 10, 43, 25, 39, 41, 45, 15, 21, 8, 18, 2, 61, 56, 14,
)  # fmt: skip
# Of lane x + 5y: for each place after rho and pi, which lane comes there, its column and its rotation; and for chi the
# lane itself and the two behind it in its row.
_SOURCES = sorted((y + 5 * ((2 * x + 3 * y) % 5), x + 5 * y, x) for x in range(5) for y in range(5))
_TURNS = tuple((lane, x, _ROTATIONS[lane], 64 - _ROTATIONS[lane]) for _, lane, x in _SOURCES)
_ROWS = tuple((5 * y + x, 5 * y + (x + 1) % 5, 5 * y + (x + 2) % 5) for y in range(5) for x in range(5))


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
    """Hash a message."""
    padded = bytearray(message) + b"\x01" + b"\0" * (-(len(message) + 1) % _RATE)
    padded[-1] |= 0x80
    lanes = [0] * 25
    for block in range(0, len(padded), _RATE):
        for lane in range(_RATE // 8):
            at = block + 8 * lane
            lanes[lane] ^= int.from_bytes(padded[at : at + 8], "little")
        lanes = _permute(lanes)
    return b"".join(lane.to_bytes(8, "little") for lane in lanes[:4])


def _permute(lanes: list[int]) -> list[int]:
    """Keccak-f[1600]: theta, rho and pi, chi, iota; 24 rounds."""
    for constant in _IOTA:
        columns = [lanes[x] ^ lanes[x + 5] ^ lanes[x + 10] ^ lanes[x + 15] ^ lanes[x + 20] for x in range(5)]
        turned = [columns[x - 4] << 1 & _MASK | columns[x - 4] >> 63 for x in range(5)]
        mixed = [columns[x - 1] ^ turned[x] for x in range(5)]
        moved = [((lane := lanes[at] ^ mixed[x]) << left | lane >> right) & _MASK for at, x, left, right in _TURNS]
        lanes = [moved[this] ^ ~moved[second] & moved[third] for this, second, third in _ROWS]
        lanes[0] ^= constant
    return lanes
