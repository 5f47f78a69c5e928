"""What stands directly beside a candidate, and makes it a part of something longer.

A number in an identifier, a decimal fraction, a version or a UUID is not the number that it looks like. The next two
bytes on each side tell: this is what `before` and `after` of two are for.
"""

from __future__ import annotations

BESIDE = 2  # bytes on each side that are looked at
# For hints: a place where a number, or a word, can begin. A set of patterns that may begin within a run of digits has
# to follow each of its digits at once, for every pattern, and slows down a hundredfold.
NO_DIGIT = r"(?:^|[^0-9])"
NO_WORD = r"(?:^|[^0-9A-Za-z])"
_JOINTS = frozenset(b".-")


def is_part(text: bytes, start: int, end: int) -> bool:
    """Whether a letter or digit touches the candidate, or a digit does with one dot or hyphen between."""
    return _touches(text, start, end) or _goes_on(text, start - 1, -1) or _goes_on(text, end, 1)


def touches_digit(text: bytes, start: int, end: int) -> bool:
    """Whether a digit stands directly beside the candidate."""
    return text[max(0, start - 1) : start].isdigit() or text[end : end + 1].isdigit()


def _touches(text: bytes, start: int, end: int) -> bool:
    return text[max(0, start - 1) : start].isalnum() or text[end : end + 1].isalnum()


def _goes_on(text: bytes, at: int, step: int) -> bool:
    """Whether a joint stands here and a digit behind it. A full stop with nothing behind it ends a sentence."""
    beyond = at + step
    return 0 <= beyond < len(text) and text[at] in _JOINTS and text[beyond : beyond + 1].isdigit()
