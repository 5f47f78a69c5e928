"""Judges of tokens that are known by what they begin with. Pure.

The prefix is the evidence. What is left to refuse is a prefix inside a longer word (`ta` + `sk_test_…`) and a note in
the place of a token (`glpat-your-access-token`). A made-up token of the true form is not refused: it is nobody's to
send, and nobody can tell it from a true one.
"""

from __future__ import annotations

from collections.abc import Callable

from authz_service.dlp.detectors.detector import LETTERS_AND_DIGITS
from authz_service.dlp.detectors.entropy import reads_as_words
from authz_service.dlp.detectors.token_checksums import CHECKSUM_LENGTH, checksum_holds

Judge = Callable[[bytes, int, int], float]

KNOWN = 0.95  # prefix and form
PROVED = 1.0  # a checksum too


def begins_apart(text: bytes, start: int) -> bool:
    """Whether no letter and no digit stands before a candidate, which would make its prefix the end of a word."""
    return start == 0 or text[start - 1] not in LETTERS_AND_DIGITS


def ends_apart(text: bytes, end: int) -> bool:
    """Whether no letter and no digit follows a candidate."""
    return end == len(text) or text[end] not in LETTERS_AND_DIGITS


def token(prefix: int, body: int) -> Judge:
    """Judge by the `body` characters behind a prefix of so many: words are no token."""

    def judge(text: bytes, start: int, end: int) -> float:
        begin = start + prefix
        return 0.0 if reads_as_words(text[begin : min(begin + body, end)]) else KNOWN

    return judge


def token_apart(prefix: int, body: int) -> Judge:
    """As `token`, for a prefix that words end with: nothing may join it on its left."""
    inner = token(prefix, body)

    def judge(text: bytes, start: int, end: int) -> float:
        return inner(text, start, end) if begins_apart(text, start) else 0.0

    return judge


def token_between(prefix: int, body: int) -> Judge:
    """As `token_apart`, for a body of one length: nothing may join it on its right either."""
    inner = token_apart(prefix, body)

    def judge(text: bytes, start: int, end: int) -> float:
        return inner(text, start, end) if ends_apart(text, end) else 0.0

    return judge


def checked_token(prefix: int, body: int) -> Judge:
    """Judge by a checksum at the body's end: it makes sure, but its lack refuses no more than words."""
    known = token(prefix, body)

    def judge(text: bytes, start: int, end: int) -> float:
        begin = start + prefix
        return PROVED if checksum_holds(text[begin : begin + body]) else known(text, start, end)

    assert body > CHECKSUM_LENGTH  # noqa: S101  (a detector's own fault, seen when it is written)
    return judge
