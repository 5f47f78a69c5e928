"""How random a value looks. Pure.

Two measures together. Shannon's entropy tells a value of few different characters; but sixteen letters of a sentence
have as much of it as sixteen random ones. So the shifts are counted too: how often the kind of character changes from
small letter to capital to digit to sign. Words, identifiers and file names keep to one kind for long; a capital before
two small letters is a word's beginning and no shift, and what joins words (`-`, `_`, `.`, `/`, `+`) parts them too.
"""

from __future__ import annotations

import math
from collections import Counter
from itertools import pairwise

from authz_service.dlp.detectors.detector import DIGITS, HEX_DIGITS

_JOINTS = frozenset(b"-_./+=~ ")
_JOINT, _LETTERS = b"-", 26
_KINDS = bytes(
    _JOINT[0] if byte in _JOINTS
    else ord("d") if byte in DIGITS
    else ord("u") if 0 <= byte - ord("A") < _LETTERS
    else ord("l") if 0 <= byte - ord("a") < _LETTERS
    else ord("s")
    for byte in range(256)
)  # fmt: skip
_LEAST_BITS_HEX = 2.5  # of 4; sixteen random digits fall below it once in some thousands
_LEAST_BITS = 3.0  # of 6 for base64; sixteen random characters have 3.7 on average
_LEAST_SHIFTS = 0.13  # of all neighbours; random base62 has 0.5, small letters with digits 0.4, base32 0.3, words few
_LEAST_LENGTH = 12  # characters without the joints; with fewer there is nothing to tell


def bits_per_character(value: bytes) -> float:
    """Shannon's entropy of a value, over its own characters."""
    length = len(value)
    return -sum(count / length * math.log2(count / length) for count in Counter(value).values())


def shifts(value: bytes) -> float:
    """How many of all neighbours are of different kinds, from 0 to 1; what joints part are no neighbours."""
    kinds = value.translate(_KINDS).replace(b"ull", b"lll")
    length = len(kinds) - kinds.count(_JOINT)
    if length < _LEAST_LENGTH:
        return 0.0
    return sum(a != b and _JOINT[0] not in {a, b} for a, b in pairwise(kinds)) / (length - 1)


def looks_random(value: bytes) -> bool:
    """Whether a value is one that a machine made up. A number of digits alone is not: it counts or tells a time."""
    characters = frozenset(value)
    if characters <= DIGITS | _JOINTS:
        return False
    least = _LEAST_BITS_HEX if characters <= HEX_DIGITS else _LEAST_BITS
    return bits_per_character(value) >= least and shifts(value) >= _LEAST_SHIFTS


def reads_as_words(body: bytes) -> bool:
    """Whether what follows a prefix is a name or a note rather than a token: letters of one case, or one or two signs.

    `sk_test_placeholder`, `glpat-your-access-token` and `xoxb-XXXXXXXX` are not what anyone can log in with.
    """
    few = 2
    return len(frozenset(body)) <= few or not (
        DIGITS & frozenset(body) or (body != body.lower() and body != body.upper())
    )
