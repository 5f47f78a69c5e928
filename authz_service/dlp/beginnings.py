r"""A pattern → a pattern of the beginnings of what it matches, for a text that goes on. Pure.

Where no end of a text is the beginning of a match, everything in it can be decided, whatever comes next. What is
written here may match more than such beginnings and never less: long repeats are read as endless ones, places such as
`\b` hold everywhere, and where capitals are as good as small letters in a part, they are in all. It takes for granted
that RE2 takes the pattern.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from authz_service.dlp.width import TOKEN, times

_COUNTED: Final = 16  # times up to which a repeat is counted
_FLAGS: Final = re.compile(r"\(\?(?P<set>[A-Za-z]*)(?:-[A-Za-z]*)?[:)]")


class _Part(NamedTuple):
    """`whole` matches what the part matches, `begun` each beginning of that, from nothing to all of it."""

    whole: str
    begun: str
    is_unit: bool = False


_NOTHING: Final = _Part("(?:)", "(?:)")


def anywhere(pattern: str) -> str:
    """Return the pattern without its places, bytes read as Latin-1: what it matches anywhere, whatever is beside."""
    return TOKEN.sub(
        lambda token: "(?:)" if token.lastgroup == "place" else token[0], pattern.encode().decode("latin-1")
    )


def beginnings(pattern: str) -> str:
    """Return the pattern of the beginnings, bytes read as Latin-1."""
    levels = [_Level()]
    sensitive = True
    for token in TOKEN.finditer(pattern.encode().decode("latin-1")):
        level, kind = levels[-1], token.lastgroup
        if kind in {"open", "flags"}:
            flags = _FLAGS.fullmatch(token[0])
            sensitive = sensitive and not (flags and "i" in flags["set"])
        if token["unit"] is not None:
            level.append(_unit(token["unit"]))
        elif token["quoted"] is not None:
            for character in token["quoted"]:
                level.append(_unit(f"\\x{ord(character):02x}"))
        elif kind == "place":
            level.append(_NOTHING)
        elif kind == "open":
            levels.append(_Level())
        elif kind == "or":
            level.begin_another()
        elif kind == "close":
            if len(levels) > 1:  # else RE2 refuses the pattern
                levels.pop()
                levels[-1].append(level.part())
        elif kind != "flags":
            level.repeat(*times(token))
    return f"(?{'s' if sensitive else 'si'}:{levels[0].part().begun})"


def _unit(written: str) -> _Part:
    return _Part(written, f"{written}?", is_unit=True)


class _Level:
    """A group while it is read: the alternatives before, and the parts of the one that is being read."""

    def __init__(self) -> None:
        self._before: list[_Part] = []
        self._parts: list[_Part] = []

    def append(self, part: _Part) -> None:
        self._parts.append(part)

    def repeat(self, least: int, most: int | None) -> None:
        if self._parts:  # else RE2 refuses the pattern
            self._parts[-1] = _repeated(self._parts[-1], least, most)

    def begin_another(self) -> None:
        self._before.append(_joined(self._parts))
        self._parts = []

    def part(self) -> _Part:
        parts = [*self._before, _joined(self._parts)]
        if len(parts) == 1:
            return parts[0]
        return _Part(f"(?:{'|'.join(part.whole for part in parts)})", f"(?:{'|'.join(part.begun for part in parts)})")


def _joined(parts: Sequence[_Part]) -> _Part:
    if not parts:
        return _NOTHING
    begun = parts[-1].begun
    for part in reversed(parts[:-1]):
        begun = f"(?:{part.whole}{begun})?" if part.is_unit else f"(?:{part.begun}|{part.whole}{begun})"
    return _Part(f"(?:{''.join(part.whole for part in parts)})", begun)


def _repeated(part: _Part, least: int, most: int | None) -> _Part:
    if most == 0:
        return _NOTHING
    if most is None or most > _COUNTED:
        before = f"{part.whole}*"
        return _Part(f"{part.whole}{'+' if least else '*'}", before if part.is_unit else f"(?:{before}{part.begun})")
    whole = f"{part.whole}{{{least},{most}}}"
    if part.is_unit:
        return _Part(whole, f"{part.whole}{{0,{most}}}")
    return _Part(whole, f"(?:{part.whole}{{0,{most - 1}}}{part.begun})")
