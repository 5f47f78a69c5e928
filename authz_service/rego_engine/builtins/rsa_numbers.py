"""The numbers of an RSA private key (RFC 8017 section 3.2), held against each other.

A test that the factors are prime would take the better part of a second, and tell nothing about whose key it is: one
with other factors makes signatures that are not valid.
"""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateNumbers

_LEAST: Final = 3  # of factors and exponents


def fit(numbers: RSAPrivateNumbers) -> bool:
    """Whether the numbers are those of one key."""
    p, q, d = numbers.p, numbers.q, numbers.d
    e, n = numbers.public_numbers.e, numbers.public_numbers.n
    if min(p, q, d, e) < _LEAST or not p & q & e & 1:
        return False
    return (
        p * q == n
        and e * d % (p - 1) == 1
        and e * d % (q - 1) == 1
        and numbers.dmp1 == d % (p - 1)
        and numbers.dmq1 == d % (q - 1)
        and numbers.iqmp * q % p == 1
    )
