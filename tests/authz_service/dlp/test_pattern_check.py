"""What users' patterns must not be."""

from __future__ import annotations

import pytest
import re2
from hypothesis import example, given
from hypothesis import strategies as st

from authz_service.dlp.pattern_check import (
    MAX_PATTERN,
    MAX_PROGRAM,
    MAX_WIDTH,
    complaints_about,
    first_match,
    program_size,
)

WRITE_OUT = "write out what may stand there, such as [A-Za-z0-9 _-]"


@pytest.mark.parametrize(
    "pattern",
    [
        "E-[0-9]{6}",
        r"\bE-\d{6}\b",
        r"(?i:emp)[ ._-]{0,3}[0-9]{4,8}",
        r"\Q*+\E[[:alnum:]]{3}",
        "(?:\\xc3\\xa4)?x",
        r"[^\x00-\x1f\x7f\"]{1,64}",
        "a{2}|b",
        "x" * MAX_PATTERN,
        "x{1000}y{1000}z{48}",
    ],
)
def test_a_pattern_with_an_end_that_leaves_structure_alone_can_be_used(pattern: str) -> None:
    """Whatever else it is."""
    assert complaints_about(pattern) == []


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("(a", "is refused by RE2: missing ): (a"),
        ("(?=a)b", "is refused by RE2: invalid perl operator: (?="),
        (r"(a)\1", r"is refused by RE2: invalid escape sequence: \1"),
        ("a{1001}", "is refused by RE2: invalid repetition size: {1001}"),
        ("x" * (MAX_PATTERN + 1), f"has more than {MAX_PATTERN} characters"),
        ("ä", r"has a character that is not printable ASCII: write its bytes in UTF-8, as (?:\xc3\xa4)"),
        ("a\tb", r"has a character that is not printable ASCII: write its bytes in UTF-8, as (?:\x09)"),
        ("ab*", "repeats without an end: write {0,64} for *, {1,64} for + and {3,64} for {3,}"),
        ("(?:ab){2,}", "repeats without an end: write {0,64} for *, {1,64} for + and {3,64} for {3,}"),
        ("x{1000}y{1000}z{49}", f"can match 2049 bytes, and {MAX_WIDTH} may be"),
        ("a{0,3}", "can match the empty text"),
        (r"\b", "can match the empty text"),
        (
            r"\Aab$",
            r"asks where a text begins or ends ($, \A), which a stream cannot tell: leave it out, or write \b",
        ),
        (
            "key.{1,3}[^,]x",
            f"can match a double quote or a control character (., [^,]): {WRITE_OUT}",
        ),
        (
            r'\W\s\n"\D',
            f'can match a double quote or a control character (", \\D, \\W and others): {WRITE_OUT}',
        ),
        (
            "|".join(f"{letter}{{1000}}" for letter in "abcdef"),
            f"is too large: RE2 makes 6004 instructions of it, and {MAX_PROGRAM} may be",
        ),
    ],
)
def test_what_is_wrong_is_told_with_what_to_write_instead(pattern: str, complaint: str) -> None:
    """In one sentence each."""
    assert complaints_about(pattern) == [complaint]


def test_all_that_is_wrong_is_told_at_once() -> None:
    """So that it can be mended in one go."""
    assert len(complaints_about("^.*")) == 4


@given(st.text(max_size=40))
@example("[")
@example("\\")
@example("a\\")
@example("\U0010ffff")
def test_no_text_ever_raises(pattern: str) -> None:
    """And one that nothing is said against compiles."""
    if not complaints_about(pattern):
        re2.compile(pattern.encode())
        assert program_size(pattern) <= MAX_PROGRAM


def test_the_first_match_is_told_by_its_bytes() -> None:
    """As the scanner finds it."""
    assert first_match("E-[0-9]", "ä E-1 E-2".encode()) == (3, 6)
    assert first_match("E-[0-9]", b"E-") is None
