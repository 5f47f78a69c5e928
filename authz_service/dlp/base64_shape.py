"""How base64 of printable ASCII looks, and where in a row of its characters another text begins. Pure.

All that detectors find is printable ASCII. Four characters that stand for three such bytes have a shape that one in
sixteen of any others has, so that three in a row are a sign: nearly no word, path or digest has one. Where such a sign,
and most of one more, stands out of step with what was read so far (behind a path, `a/`, or behind the end of another
text without padding), another text has begun there.
"""

from __future__ import annotations

from binascii import a2b_base64
from collections.abc import Iterator
from typing import Any, Final

import re2

ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
IN: Final = r"[A-Za-z0-9+/_-]"
# Four characters that stand for three printable ones of ASCII (and for few others).
_MORE: Final = "[I-Za-f][C-HS-Xi-nyz0-3][ABEFIJMNQRUVYZcdghklopstwx014589]"
FOUR: Final = _MORE + IN
TWELVE: Final = FOUR * 3
REACH: Final = 20  # characters from a sign on by which it is known to be one
BEFORE: Final = 4  # characters before the four that it begins in which count too
_STEP: Final = 4
_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_PLAIN: Final = bytes([*b"\t\n\r", *range(0x20, 0x7F)])


def compiled(pattern: str) -> Any:
    """Compile a pattern for bytes of any kind."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    return re2.compile(pattern.encode(), options)


def _out_of_step(own: int) -> Any:
    signs = [f"{IN}{{{step}}}{FOUR * 2 if step == own else TWELVE + _MORE}" for step in range(1, _STEP)]
    return compiled(rf"(?:{IN}{{4}})*?(?:{'|'.join(signs)})")


# Three fours of a text that is read, whose lines have ends.
_THREE: Final = compiled(f"(?:[CDI-Za-f][AC-HQS-Xg-nwyz0-3][ABEFIJMNQRUVYZcdghklopstwx014589]{IN}){{3}}")
_FULL: Final = compiled(TWELVE + _MORE)
_SIGN: Final = 15  # characters of that
# By how far the fours of the row itself are off those that are read: to get back to them, less is enough.
_SIGNS: Final = tuple(_out_of_step(own) for own in range(_STEP))


def other_text(characters: bytes, start: int, own: int, first: int, *, ends: bool) -> int:
    """Where another text begins in a row of characters, which is read from `start` by fours; -1 where none does.

    `own` is by how far the fours in which the row itself began are off those, `first` a four from which on to look.
    Without `ends` what is nearer to the end than REACH is left to the next time. A sign that overlaps one of the text
    that is read is none: two texts cannot be at one place, and the one that is read was there before.
    """
    if not own and _is_plain(characters, first):
        return -1
    while (match := _SIGNS[own].match(characters, first)) is not None:
        sign: int = match.end() - _SIGN
        if sign < first or not _FULL.match(characters, sign):
            sign = match.end() - 2 * _STEP
        if not ends and sign + REACH > len(characters):
            return -1
        step = first + (sign - first) // _STEP * _STEP
        steps = (step + off for off in (-4, 0, 4, 8) if step + off >= start)
        if not any(_THREE.match(characters, each) for each in steps):
            return sign
        first = step + _STEP
    return -1


def _is_plain(characters: bytes, first: int) -> bool:
    """Whether all that is read is plain text: then every sign overlaps with it. Most of it is, and this is quick."""
    usable = (len(characters) - first) // _STEP * _STEP
    decoded = a2b_base64(characters[first : first + usable].translate(_TO_STANDARD))
    return not decoded.translate(None, _PLAIN)


def texts(row: bytes) -> Iterator[tuple[int, int]]:
    """Where each text begins and ends in a whole row of characters."""
    start = 0
    while (found := other_text(row, start, -start % _STEP, start, ends=True)) >= 0:
        yield start, found
        start = found
    yield start, len(row)
