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

from authz_service.dlp.pattern_syntax import Meaning, meaning_of, tokens

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
    return "".join(["(?:)" if token.lastgroup == "place" else token[0] for token in tokens(pattern)])


def beginnings(pattern: str) -> str:
    """Return the pattern of the beginnings, bytes read as Latin-1."""
    flags = (_FLAGS.fullmatch(token[0]) for token in tokens(pattern) if token.lastgroup in {"open", "flags"})
    mode = "si" if any(found and "i" in found["set"] for found in flags) else "s"
    return f"(?{mode}:{meaning_of(pattern, _BEGINNINGS).begun})"


def _unit(written: str) -> _Part:
    return _Part(written, f"{written}?", is_unit=True)


def _place(written: str) -> _Part:
    del written
    return _NOTHING


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


def _either(parts: Sequence[_Part]) -> _Part:
    if len(parts) == 1:
        return parts[0]
    return _Part(f"(?:{'|'.join(part.whole for part in parts)})", f"(?:{'|'.join(part.begun for part in parts)})")


_BEGINNINGS: Final = Meaning(_unit, _place, _joined, _either, _repeated)
