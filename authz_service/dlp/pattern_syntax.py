"""RE2's syntax, as far as it takes to say something of a pattern's matches without matching anything. Pure.

A pattern is read as bytes, as the scanner does: encoded as UTF-8 and then taken for Latin-1, so what stands for one
character matches one byte, and a character outside ASCII is several. The reader keeps its own stack: a pattern can be
nested as deep as it likes. It takes for granted that RE2 takes the pattern; of any other the answer means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

Part = TypeVar("Part")

_NUMBER = "(?:0|[1-9][0-9]{0,8})"  # what RE2 reads as one: {01} and {,2} are text to it
_ESCAPE = r"\\x \{ [^}]* \} | \\x .. | \\[0-7]{1,3} | \\."
_PROPERTY = r"\\[pP] (?: \{ [^}]* \} | . )"
# In a class a hyphen makes the next character an end of a range, even a bracket that would begin a name: [+-[:a].
_MEMBER = rf"\[: .*? :\] | {_PROPERTY} | \\[dDsSwW] | (?: {_ESCAPE} | [^\]\\] ) (?: - (?: {_ESCAPE} | [^\]\\] ) )?"
_CLASS = rf"\[ \^? (?: \] (?: - (?: {_ESCAPE} | [^\]\\] ) )? )? (?: {_MEMBER} )*+ \]"
_TOKEN = re.compile(
    rf"""
      \\Q (?P<quoted> .*? ) (?: \\E | \Z )
    | (?P<place> \\[AzbB] | [\^$] )
    | (?P<flags> \(\? [A-Za-z-]* \) )  # for what follows; a repeat behind them is of what stands before them
    | (?P<open> \( (?: \? (?: P?<[^>]*> | [A-Za-z-]*: ) )? )
    | (?P<close> \) )
    | (?P<or> \| )
    | (?: (?P<sign> [*+?] ) | \{{ (?P<least> {_NUMBER} ) (?P<range> , (?P<most> {_NUMBER} )? )? \}} ) \??
    | (?P<unit> {_PROPERTY} | {_ESCAPE} | {_CLASS} | . )
    """,
    re.VERBOSE | re.DOTALL,
)
_SIGNS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}


@dataclass(frozen=True, slots=True)
class Meaning(Generic[Part]):
    """What a pattern means to somebody, from its smallest parts up.

    A unit matches one byte, a place such as `^` none, and holds only where it stands.
    """

    unit: Callable[[str], Part]
    place: Callable[[str], Part]
    joined: Callable[[Sequence[Part]], Part]  # one after the other; there may be none
    either: Callable[[Sequence[Part]], Part]  # alternatives, at least one
    repeated: Callable[[Part, int, int | None], Part]  # so often at least, and at most


def tokens(pattern: str) -> Iterator[re.Match[str]]:
    """Each token of a pattern, by the name of its group."""
    return _TOKEN.finditer(pattern.encode().decode("latin-1"))


def meaning_of(pattern: str, meaning: Meaning[Part]) -> Part:
    """Read a pattern from left to right, with a level for each group that is open."""
    levels = [_Level(meaning)]
    for token in tokens(pattern):
        level, kind = levels[-1], token.lastgroup
        if token["unit"] is not None:
            level.append(meaning.unit(token["unit"]))
        elif token["quoted"] is not None:
            for character in token["quoted"]:
                level.append(meaning.unit(f"\\x{ord(character):02x}"))
        elif kind == "place":
            level.append(meaning.place(token[0]))
        elif kind == "open":
            levels.append(_Level(meaning))
        elif kind == "or":
            level.begin_another()
        elif kind == "close":
            if len(levels) > 1:  # else RE2 refuses the pattern
                levels.pop()
                levels[-1].append(level.part())
        elif kind != "flags":
            level.repeat(*_times(token))
    return levels[0].part()


def _times(token: re.Match[str]) -> tuple[int, int | None]:
    """How often at least and at most."""
    if token["sign"] is not None:
        return _SIGNS[token["sign"]]
    least = int(token["least"])
    if token["range"] is None:
        return least, least
    return least, None if token["most"] is None else int(token["most"])


class _Level(Generic[Part]):
    """A group while it is read: the alternatives before, and the parts of the one that is being read."""

    def __init__(self, meaning: Meaning[Part]) -> None:
        self._meaning = meaning
        self._before: list[Part] = []
        self._parts: list[Part] = []

    def append(self, part: Part) -> None:
        self._parts.append(part)

    def repeat(self, least: int, most: int | None) -> None:
        if self._parts:  # else RE2 refuses the pattern
            self._parts[-1] = self._meaning.repeated(self._parts[-1], least, most)

    def begin_another(self) -> None:
        self._before.append(self._meaning.joined(self._parts))
        self._parts = []

    def part(self) -> Part:
        return self._meaning.either([*self._before, self._meaning.joined(self._parts)])
