"""JSON of unknown origin → a value with exact numbers, and with one meaning. Pure.

Of two members with one name some readers take the first and some the last, so such an object is refused; and so are
NaN, a byte order mark, and half of a surrogate pair, which each reader treats in a way of its own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from authz_service.rego_engine import numbers
from authz_service.rego_engine.values import Value

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 64  # levels of arrays and objects
MAX_VALUES: Final = 100_000
MAX_EXPONENTS: Final = 10_000  # numbers with an exponent, each of which takes the time of several others
MAX_LARGE_EXPONENTS: Final = 1_000  # numbers such as 1e4000, each of which a few bytes make into thousands of digits
MAX_EXPONENT_DIGITS: Final = 100_000  # decimal digits that all of those numbers are made into
_EXPONENT: Final = re.compile(r"[eE]\+?([0-9]+)")
_LARGE: Final = 3  # digits of an exponent that makes a number of a hundred digits or more
_READABLE: Final = 4  # digits of an exponent that a number may have at all
_HALF_ESCAPED: Final = re.compile(rb"\\u[dD][89a-fA-F]")  # in pairs a character; alone no text at all
_HALF: Final = re.compile("[\ud800-\udfff]")
_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)


class JsonBodyError(ValueError):
    """Text that is no JSON, or none that is taken."""


@dataclass(slots=True)
class Budget:
    """What may still be read of one body. All that is JSON in it spends from one budget, in however many parts."""

    values: int = MAX_VALUES
    exponents: int = MAX_EXPONENTS
    large_exponents: int = MAX_LARGE_EXPONENTS
    exponent_digits: int = MAX_EXPONENT_DIGITS

    def spend_exponent(self, number: str) -> None:
        """Take off what a number with an exponent costs, or raise `JsonBodyError`."""
        self.exponents -= 1
        if self.exponents < 0:
            raise JsonBodyError(f"more than {MAX_EXPONENTS} numbers with an exponent")
        found = _EXPONENT.search(number)
        if found is None or len(found[1]) < _LARGE:
            return
        self.large_exponents -= 1
        size = found[1].lstrip("0")
        if len(size) <= _READABLE:  # a longer one is refused where it is read
            self.exponent_digits -= int(size or "0")
        if self.large_exponents < 0 or self.exponent_digits < 0:
            raise JsonBodyError("too many numbers of a hundred digits or more")


def read_json(content: bytes, budget: Budget | None = None) -> Value:
    """Read a value, or raise `JsonBodyError`, whose text tells the rule and nothing of the content.

    `budget` is what the body that it is a part of has left; None: it is a body by itself.
    """
    if len(content) > MAX_BYTES:
        raise JsonBodyError(f"more than {MAX_BYTES} bytes")
    left = Budget() if budget is None else budget
    if _has_more_values(content, left.values):  # before they are made
        raise JsonBodyError(f"more than {MAX_VALUES} values")

    def number(text: str) -> numbers.Number:
        if "e" in text or "E" in text:
            left.spend_exponent(text)
        return numbers.parse_fraction(text)

    try:
        text = content.decode("utf-8")
        value = json.loads(text, parse_float=number, parse_constant=_refuse, object_pairs_hook=_members)
    except JsonBodyError:
        raise
    except (ValueError, RecursionError):  # the parser's text would quote the content
        raise JsonBodyError("no JSON, or nested too deeply, or a number out of bounds") from None
    left.values -= _check(value, left.values, look_at_texts=_HALF_ESCAPED.search(content) is not None)
    return value


def _has_more_values(content: bytes, limit: int) -> bool:
    """Whether the commas alone, or the brackets alone, tell that these are more values than the limit."""
    if content.count(b",") < limit and content.count(b"[") + content.count(b"{") <= limit:
        return False
    bare = _STRING.sub(b"", content)
    return bare.count(b",") >= limit or bare.count(b"[") + bare.count(b"{") > limit


def _refuse(_: str) -> NoReturn:
    raise JsonBodyError("NaN and Infinity are no JSON")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise JsonBodyError("a member's name stands twice in one object")
    return members


def _check(value: Value, limit: int, *, look_at_texts: bool) -> int:
    """Return how many values there are. Goes down level by level, without recursion, and stops at the first bound."""
    level = [value]
    count = depth = 0
    while level:
        count += len(level)
        if count > limit:
            raise JsonBodyError(f"more than {MAX_VALUES} values")
        below: list[Any] = []
        for node in level:
            kind = type(node)
            if kind is dict:
                below += node.values()
            elif kind is list:
                below += node
            else:
                continue
            if depth == MAX_DEPTH:
                raise JsonBodyError(f"nested deeper than {MAX_DEPTH} levels")
        if look_at_texts and any(map(_has_half, level)):
            raise JsonBodyError("half of a surrogate pair")
        level = below
        depth += 1
    return count


def _has_half(node: Value) -> bool:
    """Whether a text or a member's name holds half of a surrogate pair."""
    if isinstance(node, str):
        return _HALF.search(node) is not None
    return isinstance(node, dict) and any(map(_HALF.search, node))
