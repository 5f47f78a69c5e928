"""What the families of text share: a text's octets, and how long a text may become.

A string of Rego is what UTF-8 octets say. Octets that are no UTF-8 (decoded base64 of a key, say) stand in a Python
string as the lone surrogates of PEP 383, one for each octet: nothing is lost, and two different keys stay different.
"""

from __future__ import annotations

import re
from typing import Final

from authz_service.rego_engine.errors import BuiltinFault

MAX_CHARACTERS: Final = 8 * 1024 * 1024  # of a text that a built-in makes

_LONE: Final = re.compile("[\ud800-\udc7f\udd00-\udfff]")  # surrogates that stand for no octet


def octets(text: str) -> bytes:
    """Return a text's octets; a surrogate that stands for none is U+FFFD, as JSON's readers have it."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        return _LONE.sub("\ufffd", text).encode(errors="surrogateescape")


def from_octets(data: bytes) -> str:
    """Return the text of some octets, be they UTF-8 or not."""
    return data.decode(errors="surrogateescape")


def check_length(characters: int) -> None:
    """Refuse to make a text of more than `MAX_CHARACTERS`."""
    if characters > MAX_CHARACTERS:
        raise BuiltinFault(f"the text would be longer than {MAX_CHARACTERS} characters")


class BoundedText:
    """A text in the making, of at most `MAX_CHARACTERS`."""

    __slots__ = ("_length", "_parts")

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0

    def add(self, part: str) -> None:
        """Append a part, or raise `BuiltinFault` where the text becomes too long."""
        self._length += len(part)
        check_length(self._length)
        self._parts.append(part)

    def text(self) -> str:
        """Return what was added so far."""
        return "".join(self._parts)
