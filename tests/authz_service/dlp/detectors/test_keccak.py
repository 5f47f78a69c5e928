"""Keccak-256."""

from __future__ import annotations

import pytest

from authz_service.dlp.detectors.keccak import keccak_256


@pytest.mark.parametrize(
    ("message", "digest"),
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),
        (b"abc", "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"),
        (b"testing", "5f16f4c7f149ac4f9510d9cf8cf384038ad348b3bcdc01915f95de12df9d1b02"),
        (b"transfer(address,uint256)", "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b"),
    ],
)
def test_published_digests_come_out(message: bytes, digest: str) -> None:
    """The empty message, and names of functions whose selectors everybody knows."""
    assert keccak_256(message).hex() == digest


def test_messages_longer_than_a_block_are_hashed_too() -> None:
    """135, 136 and 137 bytes: where the padding fills its block, needs one of its own, or neither."""
    digests = {keccak_256(b"a" * count) for count in (135, 136, 137, 272)}
    assert len(digests) == 4
    assert all(len(digest) == 32 for digest in digests)
