"""The corpus's own check digits, against examples that the standards publish."""

from __future__ import annotations

import pytest

from bench import dlp_checksums as checks


@pytest.mark.parametrize(
    ("made", "published"),
    [
        (checks.luhn("7992739871"), "3"),  # ISO/IEC 7812-1's usual example
        (checks.routing("02100002"), "1"),  # a bank in New York
        (checks.npi("123456789"), "3"),  # of the NPI standard itself
        (checks.iban("GB", "WEST12345698765432"), "82"),  # the IBAN registry
        (checks.mod_11_10("0794"), "5"),  # ISO 7064
        (checks.base58check(bytes.fromhex("00010966776006953d5567439e5e39f86a0d273bee")),
         "16UwLL9Risc3QfPqBUvKofHmBQ7wMtjvM"),
        (checks.segwit(0, bytes.fromhex("751e76e8199196d454941c45d1b3a323f1433bd6")),
         "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4"),  # BIP 173
        (checks.segwit(1, bytes.fromhex("79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798")),
         "bc1p0xlxvlhemja6c4dqv22uapctqupfhlxm9h8z3k2e72q4k9hcz7vqzk5jj0"),  # BIP 350
        (checks.eip55("5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"),
        (checks.keccak256(b"").hex(), "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
    ],
)  # fmt: skip
def test_a_checksum_is_the_one_that_is_published(made: str, published: str) -> None:
    assert made == published


def test_the_checksum_of_a_token_has_six_characters_whatever_it_is_of() -> None:
    assert checks.crc32_base62("") == "000000"
    assert len({checks.crc32_base62(text) for text in "abcdefgh"}) == 8
