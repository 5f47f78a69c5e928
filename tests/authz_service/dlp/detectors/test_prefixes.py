"""Judges of tokens that are known by what they begin with."""

from __future__ import annotations

import pytest

from authz_service.dlp.detectors.prefixes import (
    KNOWN,
    PROVED,
    begins_apart,
    checked_token,
    ends_apart,
    token,
    token_apart,
    token_between,
)
from authz_service.dlp.detectors.token_checksums import base62_crc32

BODY = b"a1B2c3D4"


@pytest.mark.parametrize(
    ("text", "anywhere", "apart", "between"),
    [
        (b"p_" + BODY, True, True, True),
        (b"-p_" + BODY + b"-", True, True, True),
        (b"xp_" + BODY, True, False, False),
        (b"p_" + BODY + b"x", True, True, False),
        (b"p_wordword", False, False, False),
    ],
)
def test_neighbours_and_words_refuse_a_token(text: bytes, anywhere: bool, apart: bool, between: bool) -> None:  # noqa: FBT001
    """As each judge says."""
    start = text.index(b"p_")
    for judge, accepted in ((token, anywhere), (token_apart, apart), (token_between, between)):
        assert judge(2, 8)(text, start, start + 10) == (KNOWN if accepted else 0)


def test_a_checksum_that_holds_makes_sure() -> None:
    """One that does not refuses nothing."""
    body = b"a1B2" * 5
    judge = checked_token(2, 26)
    assert judge(b"p_" + body + base62_crc32(body), 0, 28) == PROVED
    assert judge(b"p_" + body + b"000000", 0, 28) == KNOWN


def test_letters_and_digits_join_and_nothing_else_does() -> None:
    """Nor do the text's ends."""
    for sign in b"-_. \n\xe9":
        assert begins_apart(bytes([sign]) + b"p", 1)
        assert ends_apart(b"p" + bytes([sign]), 1)
    for sign in b"aZ0":
        assert not begins_apart(bytes([sign]) + b"p", 1)
        assert not ends_apart(b"p" + bytes([sign]), 1)
    assert begins_apart(b"p", 0)
    assert ends_apart(b"p", 1)
