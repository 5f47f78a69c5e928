"""How random a value looks."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.dlp.detectors.entropy import bits_per_character, looks_random, reads_as_words, shifts
from tests.authz_service.dlp.detectors.surroundings import BASE62, BASE64URL, DIGITS, HEX, SMALL, random_text


def test_the_entropy_is_shannons() -> None:
    """None of one character, one bit of two, and the most of all different ones."""
    assert bits_per_character(b"aaaa") == 0
    assert bits_per_character(b"abab") == 1
    assert bits_per_character(b"abcdefgh") == 3
    assert bits_per_character(b"") == 0


@given(st.binary(min_size=1, max_size=200))
def test_the_entropy_is_never_below_nothing_or_above_eight_bits(value: bytes) -> None:
    assert -1e-9 <= bits_per_character(value) <= 8
    assert 0 <= shifts(value) <= 1


@pytest.mark.parametrize("alphabet", [HEX, DIGITS + SMALL, BASE62, BASE64URL])
def test_nearly_every_value_that_a_machine_makes_up_looks_random(alphabet: str) -> None:
    """At least 98 of 100 of twenty-four characters, of each alphabet."""
    source = random.Random(24)
    values = ["".join(source.choices(alphabet, k=24)).encode() for _ in range(1_000)]
    assert sum(map(looks_random, values)) >= 980


@pytest.mark.parametrize(
    "value",
    [
        "configuration",
        "authentication-token-provider",
        "AuthenticationTokenProvider",
        "access_token_expired_at",
        "process.env.API_KEY_SECRET_2",
        "my-secret-value-2024",
        "com.example.TokenServiceV2Impl",
        "src/auth/token2/x.ts",
        "1700000000000000",
        "2024-01-02-03-04-05",
        "0000000000000000",
        "aaaaaaaaaaaaaaaaaaaa",
        "us-east-1-prod-db-02",
        "1.2.3-beta.4+build.567",
        "gpt-4o-mini-2024-07-18",
        "YOUR_API_KEY_HERE_123",
        "abcabcabcabcabcabc",
        "",
    ],
)
def test_what_a_person_named_does_not(value: str) -> None:
    """Words, identifiers, paths, numbers, dates, versions."""
    assert not looks_random(value.encode())


@pytest.mark.parametrize(
    "body", ["placeholder", "your-access-token", "XXXXXXXXXXXX", "YOUR_TOKEN_HERE", "0000000000", ""]
)
def test_a_note_reads_as_words(body: str) -> None:
    """Letters of one case, or one or two signs."""
    assert reads_as_words(body.encode())


@given(st.integers(0, 10_000))
def test_a_token_does_not_read_as_words(seed: int) -> None:
    """Digits, or letters of both cases."""
    assert not reads_as_words(random_text(random.Random(seed), 20).encode())
