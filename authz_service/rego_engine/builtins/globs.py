"""Built-ins of globs: * ? [abc] [!a-c] {one,other}, and ** across delimiters; a backslash takes a character as it is.

A glob becomes a regular expression, so that matching is linear, whatever the glob.
"""

from __future__ import annotations

import functools
from typing import Final

from authz_service.rego_engine.builtins.patterns import MAX_PATTERN, Pattern, quoted
from authz_service.rego_engine.builtins.registry import builtin, string, wrong
from authz_service.rego_engine.builtins.texts import octets
from authz_service.rego_engine.errors import BuiltinFault, OperandFault
from authz_service.rego_engine.values import Value, type_name

MAX_NESTING: Final = 100  # levels of {}
_CACHED: Final = 512  # compiled globs
_ANYTHING: Final = b"(?s:.)"


@builtin("glob.match")
def match(pattern: Value, delimiters: Value, value: Value) -> Value:
    """Whether a glob matches a whole text; * and ? stop at delimiters: a dot for [], none for null."""
    source, text = string(pattern, 1), string(value, 3)
    return _compiled(source, _delimiters(delimiters)).fullmatch(octets(text))


@builtin("glob.quote_meta")
def quote_meta(pattern: Value) -> Value:
    """Return the glob that matches just a text."""
    return "".join(f"\\{each}" if each in "*?\\[]{}" else each for each in string(pattern, 1))


def _delimiters(value: Value) -> str:
    if value is None:
        return ""
    if type(value) is not list:
        raise wrong(value, 2, "array", "null")
    for item in value:
        if type(item) is not str:
            raise OperandFault(f"operand 2 must be array of strings but got array containing {type_name(item)}")
        if len(item) != 1:
            raise OperandFault("operand 2 must be array of runes but got array containing string")
    return "".join(value) or "."


@functools.lru_cache(maxsize=_CACHED)
def _compiled(source: str, delimiters: str) -> Pattern:
    if len(source) > MAX_PATTERN:
        raise BuiltinFault(f"the glob is longer than {MAX_PATTERN} characters")
    return Pattern(_Translation(source, delimiters).expression())


class _Translation:
    """One pass over a glob, from left to right."""

    def __init__(self, source: str, delimiters: str) -> None:
        self._source = source
        self._place = 0
        self._level = 0  # of {} that are open
        self._within = _character_class(set(delimiters), negated=True) if delimiters else _ANYTHING

    def expression(self) -> bytes:
        """Return the regular expression of the whole glob."""
        parts: list[bytes] = []
        while self._place < len(self._source):
            parts.append(self._next())
        if self._level:
            raise self._fault("unclosed `{`")
        return b"".join(parts)

    def _next(self) -> bytes:
        character = self._take()
        if character == "*":
            if self._source.startswith("*", self._place):
                self._place += 1
                return _ANYTHING + b"*"
            return self._within + b"*"
        if character == "?":
            return self._within
        if character == "[":
            return self._class()
        if character == "{":
            self._level += 1
            if self._level > MAX_NESTING:
                raise self._fault(f"more than {MAX_NESTING} levels of {{}}")
            return b"(?:"
        if self._level and character == ",":
            return b"|"
        if self._level and character == "}":
            self._level -= 1
            return b")"
        if character == "\\":
            return quoted(octets(self._escaped()))
        return quoted(octets(character))

    def _class(self) -> bytes:
        """Read what follows a [: one range, or some characters, and the ]."""
        negated = self._source.startswith("!", self._place)
        self._place += negated
        if self._source.startswith("-", self._place + 1):
            low = self._take()
            self._place += 1
            high = self._take()
            self._close()
            if high < low:
                raise self._fault("range hi character is less than lo")
            return _character_class({low, high}, negated=negated, is_range=True)
        characters = set()
        while not self._source.startswith("]", self._place):
            character = self._take()
            characters.add(self._escaped() if character == "\\" else character)
        self._close()
        if not characters:
            raise self._fault("could not parse range")
        return _character_class(characters, negated=negated)

    def _close(self) -> None:
        if self._take() != "]":
            raise self._fault("expected close range character")

    def _escaped(self) -> str:
        if self._place == len(self._source):
            raise self._fault("trailing backslash")
        return self._take()

    def _take(self) -> str:
        if self._place == len(self._source):
            raise self._fault("unexpected end of input")
        self._place += 1
        return self._source[self._place - 1]

    def _fault(self, reason: str) -> BuiltinFault:
        return BuiltinFault(f"glob: syntax error at {len(octets(self._source[: self._place]))}: {reason}")


def _character_class(characters: set[str], *, negated: bool, is_range: bool = False) -> bytes:
    between = "-" if is_range else ""
    inside = between.join(f"\\x{{{ord(each):x}}}" for each in sorted(characters))
    return f"[{'^' if negated else ''}{inside}]".encode()
