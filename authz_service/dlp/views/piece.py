"""A part of what came, and how the application will read it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Syntax(enum.Enum):
    """How a replacement is written at a place, so that what is around it stays valid."""

    PLAIN = enum.auto()  # as it is
    JSON_STRING = enum.auto()  # with JSON's escapes; the place is inside a string
    JSON_NUMBER = enum.auto()  # the place is a whole number, which becomes a string, quotes and all
    FORM = enum.auto()  # percent-encoded
    XML = enum.auto()  # with character references
    FIXED = enum.auto()  # nothing can be changed here: what is found is refused


class Piece(NamedTuple):
    """Bytes that came, and the text that they stand for.

    The `raw` of all pieces, joined, is what came, byte for byte; the `text` of all pieces, joined, is what is searched.
    In a piece that is not `whole` both are of the same length, and a place in one is the same place in the other. A
    `whole` one is changed as a whole: whatever is found in any part of its text takes all of its raw.
    """

    raw: bytes
    text: bytes
    syntax: Syntax = Syntax.PLAIN
    whole: bool = False
    ends: bool = False  # nothing that is found goes on beyond this piece: an event or a record ends with it


class View(Protocol):
    """Reads one body, part by part. How it is cut into parts makes no difference to the joined pieces.

    It holds back at most 256 bytes that it cannot read yet.
    """

    def feed(self, data: bytes) -> Sequence[Piece]:
        """Read on."""
        ...

    def finish(self) -> Sequence[Piece]:
        """Read what was held back: there is no more."""
        ...
