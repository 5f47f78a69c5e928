"""`Content-Type`, `Content-Disposition` and their like: a word, then parameters (RFC 9110 section 5.6.6). Pure.

Some servers take `boundary*0=` and `name*=` (RFC 2231) for the parameter before the star, and some undo a backslash
before any character: such are refused, but for the name of a file, by which no field is found.

Envoy joins repeated headers by commas, so two of them are no value of this form, and are refused: which of two types
counts, servers do not agree on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

MAX_VALUE_BYTES = 4 * 1024
MAX_PARAMETERS = 16
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105  (RFC 9110's word for a name)
# Of a value that is not quoted. Types and addresses are often written so, against the grammar, and read alike by all.
_VALUE = r"[!#$%&'*+.^_`|~0-9A-Za-z/:=?@-]+"
_WORD = re.compile(rf"[ \t]*({_TOKEN}(?:/{_TOKEN})?)[ \t]*")
_PARAMETER = re.compile(
    rf';[ \t]*(?:({_TOKEN})=(?:({_VALUE})|"((?:[^"\\\x00-\x08\x0a-\x1f\x7f]|\\[\x20-\x7e])*)"))?[ \t]*'
)
_QUOTED_PAIR = re.compile(r"\\(.)")
_ODD_PAIR = re.compile(r'(?:[^\\]|\\["\\])*\\[^"\\]')
_OF_FILES = frozenset({"filename", "filename*"})  # which clients write in all these ways (RFC 6266)
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii"})


class ParameterizedError(ValueError):
    """Text of another form."""


@dataclass(frozen=True, slots=True)
class Parameterized:
    """A word in lower case, and its parameters, whose names are in lower case too."""

    word: str
    parameters: Mapping[str, str]

    @property
    def is_json(self) -> bool:
        """Whether what it describes is JSON (RFC 8259 section 11, RFC 6839 section 3.1)."""
        return self.word == "application/json" or self.word.endswith("+json")

    @property
    def is_utf_8(self) -> bool:
        """Whether what it describes is in UTF-8, as it is where no character set is told."""
        return is_utf_8(self.parameters.get("charset", "utf-8"))


def is_utf_8(charset: str) -> bool:
    """Whether a character set is UTF-8 or a part of it."""
    return charset.lower() in _CHARSETS


def parse(value: str) -> Parameterized:
    """Parse a header's value, or raise `ParameterizedError`. A parameter that stands there twice is refused."""
    if len(value) > MAX_VALUE_BYTES:
        raise ParameterizedError("too long")
    match = _WORD.match(value)
    if match is None:
        raise ParameterizedError("has no word")
    parameters: dict[str, str] = {}
    place = match.end()
    for _ in range(MAX_PARAMETERS + 1):
        if place == len(value):
            return Parameterized(match[1].lower(), parameters)
        found = _PARAMETER.match(value, place)
        if found is None:
            raise ParameterizedError("has something else than parameters")
        place = found.end()
        name = (found[1] or "").lower()
        if not name:
            continue  # a lone semicolon, which the grammar allows
        if name in parameters:
            raise ParameterizedError("has a parameter twice")
        if name not in _OF_FILES and ("*" in name or _ODD_PAIR.match(found[3] or "")):
            raise ParameterizedError("has a parameter in a form that is not read alike")
        parameters[name] = found[2] if found[2] is not None else _QUOTED_PAIR.sub(r"\1", found[3])
    raise ParameterizedError("has too many parameters")
