"""Regular expressions, over octets: RE2, which Go's are too. Time is linear in pattern and text, whoever wrote them.

The one importer of `re2` in the engine.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from typing import Final

import re2

from authz_service.rego_engine.builtins.texts import from_octets, octets
from authz_service.rego_engine.errors import BuiltinFault, DeadlineExceeded

MAX_PATTERN: Final = 64 * 1024  # octets
MAX_MATCHES: Final = 500_000  # in one text
_CHECKED: Final = 1_000_000  # octets that may have been looked at from one check of the deadline to the next
_CACHED: Final = 512  # compiled patterns
_ESCAPES: Final = re.compile(rb"\\Q.*?(?:\\E|\Z)|\\.", re.DOTALL)
_WIDTHS: Final = ((0xF0, 4), (0xE0, 3), (0xC0, 2))  # of a character of UTF-8, by its first octet

Span = tuple[int, int]  # where it starts and ends; (-1, -1) where a group took no part


def _unhurried() -> float:
    return 1.0


class Pattern:
    """A compiled regular expression. Offsets count octets."""

    __slots__ = ("_finder", "_source", "_tester")

    def __init__(self, source: bytes) -> None:
        """Compile, or raise `BuiltinFault`."""
        if len(source) > MAX_PATTERN:
            raise BuiltinFault(f"the pattern is longer than {MAX_PATTERN} octets")
        if b"\\C" in source and any(part == b"\\C" for part in _ESCAPES.findall(source)):
            raise BuiltinFault("error parsing regexp: invalid escape sequence: `\\C`")  # RE2 has it, Go does not
        options = re2.Options()
        options.log_errors = False
        options.never_capture = True  # a test needs no groups, and is faster without
        try:
            self._tester = re2.compile(source, options)
        except re2.error as error:
            detail = error.args[0] if error.args else ""
            shown = from_octets(detail) if isinstance(detail, bytes) else str(detail)
            raise BuiltinFault(f"error parsing regexp: {shown}") from None
        self._source = source
        self._finder = None

    def search(self, text: bytes) -> bool:
        """Whether it matches a part of a text."""
        return self._tester.search(text) is not None

    def fullmatch(self, text: bytes) -> bool:
        """Whether it matches a whole text."""
        return self._tester.fullmatch(text) is not None

    def groups(self) -> int:
        """Return how many groups it has, the whole match not counted."""
        return int(self._capturing().groups)

    def names(self) -> dict[bytes, int]:
        """Return the numbers of its named groups."""
        return dict(self._capturing().groupindex)

    def spans(self, text: bytes, remaining: Callable[[], float] = _unhurried) -> Iterator[Span]:
        """Yield each match's place, in order; an empty match right behind another match counts not.

        `remaining` tells how many seconds are left: of some patterns each search looks at the whole rest of the text.
        """
        for match in self._matches(text, self._tester, remaining):
            yield match.span()

    def group_spans(self, text: bytes, remaining: Callable[[], float] = _unhurried) -> Iterator[list[Span]]:
        """Yield each match's place and its groups' places, as `spans` does."""
        numbers = range(self.groups() + 1)
        for match in self._matches(text, self._capturing(), remaining):
            yield [match.span(number) for number in numbers]

    def _capturing(self) -> re2._Regexp:
        if self._finder is None:
            options = re2.Options()
            options.log_errors = False
            self._finder = re2.compile(self._source, options)
        return self._finder

    def _matches(self, text: bytes, pattern: re2._Regexp, remaining: Callable[[], float]) -> Iterator[re2._Match]:
        place, last = 0, -1
        number = scanned = 0
        while place <= len(text):
            match = pattern.search(text, place)
            if match is None:
                return
            number += 1
            if number > MAX_MATCHES:
                raise BuiltinFault(f"more than {MAX_MATCHES} matches")
            scanned += len(text)
            if scanned > _CHECKED:
                scanned = 0
                if remaining() <= 0:
                    raise DeadlineExceeded
            start, end = match.span()
            place = end if start < end else end + _width(text, end)
            if start < end or start != last:
                last = end
                yield match


@functools.lru_cache(maxsize=_CACHED)
def pattern(source: str) -> Pattern:
    """Return the pattern of a text, compiled once.

    Raises:
        BuiltinFault: it is no regular expression, or longer than `MAX_PATTERN`.
    """
    return Pattern(octets(source))


def quoted(text: bytes) -> bytes:
    """Return the pattern that matches just this text."""
    return bytes(re2.escape(text))


def _width(text: bytes, place: int) -> int:
    """Return the octets of the character at a place, 1 at the end."""
    first = text[place] if place < len(text) else 0
    return next((width for least, width in _WIDTHS if first >= least), 1)
