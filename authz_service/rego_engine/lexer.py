"""Rego's text → its tokens. Pure, in time linear in the text, and without an error: any text has tokens.

What is no Rego comes out as signs of one character; telling what is wrong with it is the compiler's part. Comments and
white space are left out. A template string is one token where it holds nothing; each hole parts it, and the tokens in
the hole stand one level deeper.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple


class Kind(Enum):
    """What a token is; keywords are names, for whether one is a keyword depends on where it stands."""

    NAME = "name"
    NUMBER = "number"
    STRING = "string"
    TEMPLATE = "template"  # the whole, or the part before, between or behind holes
    OPEN = "open"
    CLOSE = "close"
    SIGN = "sign"


class Token(NamedTuple):
    """A piece of the text: `row` counts from 1, `depth` the brackets and holes around it, its own not among them."""

    kind: Kind
    text: str
    start: int
    row: int
    depth: int
    spaced: bool  # white space or a comment stands before it


MAX_TOKENS: Final = 1_000_000  # of a module that is read whole, about 150 bytes of memory each

_TOKEN: Final = re.compile(
    r"""(?P<space>[ \t\r\n\ufeff]+|\#[^\n]*)
    |(?P<name>[A-Za-z_][A-Za-z_\d]*)
    |(?P<number>[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?[A-Za-z_\d]*)
    |(?P<string>"[^"\\\n]*(?:\\[^\n][^"\\\n]*)*"?|`[^`]*`?)
    |(?P<template>\$["`])
    |(?P<open>[(\[{])
    |(?P<close>[)\]}])
    |(?P<sign>:=|[=!<>]=|.)""",
    re.VERBOSE | re.DOTALL,
)
_KINDS: Final = {kind.value: kind for kind in Kind}
# What follows the quote or a hole's end, up to the next hole or the closing quote; \{ opens no hole.
_PARTS: Final = {
    '"': re.compile(r'[^"\\\n{]*(?:\\[^\n][^"\\\n{]*)*(?P<end>["{])?'),
    "`": re.compile(r"[^`\\{]*(?:\\\{?[^`\\{]*)*(?P<end>[`{])?"),
}


def tokens(text: str) -> Iterator[Token]:
    """Yield a text's tokens in their order."""
    place = depth = 0
    row = 1
    spaced = False
    holes: list[tuple[str, int]] = []  # the quote of each template that has a hole open, and the depth in the hole
    while found := _TOKEN.match(text, place):
        start, place = place, found.end()
        if found["space"]:
            row += text.count("\n", start, place)
            spaced = True
            continue
        kind = _KINDS[found.lastgroup or "sign"]
        floor = holes[-1][1] if holes else 0
        resumed = found[0] == "}" and bool(holes) and depth == floor
        if kind is Kind.CLOSE and not resumed:
            depth = max(depth - 1, floor)
        at = depth
        if kind is Kind.OPEN:
            depth += 1
        elif kind is Kind.TEMPLATE or resumed:
            kind = Kind.TEMPLATE
            quote = holes.pop()[0] if resumed else found[0][1]
            part = _PARTS[quote].match(text, place)
            place = part.end() if part else place
            depth += (part is not None and part["end"] == "{") - resumed
            if part and part["end"] == "{":
                holes.append((quote, depth))
        yield Token(kind, text[start:place], start, row, at, spaced)
        row += text.count("\n", start, place)
        spaced = False
