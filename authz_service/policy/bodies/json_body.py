"""JSON of unknown origin → a value with exact numbers, and with one meaning. Pure.

Of two members with one name some readers take the first and some the last, so such an object is refused; and so are
NaN, a byte order mark, and half of a surrogate pair, which each reader treats in a way of its own.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NoReturn

from authz_service.rego_engine import numbers
from authz_service.rego_engine.values import Value

MAX_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 64  # levels of arrays and objects
MAX_VALUES: Final = 100_000
MAX_LARGE_EXPONENTS: Final = 1_000  # numbers such as 1e4000, each of which a few bytes make into thousands of digits
_LARGE_EXPONENT: Final = re.compile(r"[eE]\+?[0-9]{3,}")
_SHORT: Final = 4  # characters, in which no large exponent has room
_HALF_ESCAPED: Final = re.compile(rb"\\u[dD][89a-fA-F]")  # in pairs a character; alone no text at all
_HALF: Final = re.compile("[\ud800-\udfff]")


class JsonBodyError(ValueError):
    """Text that is no JSON, or none that is taken."""


def read_json(content: bytes) -> Value:
    """Read a value, or raise `JsonBodyError`, whose text tells the rule and nothing of the content."""
    if len(content) > MAX_BYTES:
        raise JsonBodyError(f"more than {MAX_BYTES} bytes")
    fractions = large = 0

    def number(text: str) -> numbers.Number:
        nonlocal fractions, large
        fractions += 1
        if fractions > MAX_VALUES:  # while reading: each of them takes its time
            raise JsonBodyError(f"more than {MAX_VALUES} values")
        if len(text) > _SHORT and _LARGE_EXPONENT.search(text):
            large += 1
            if large > MAX_LARGE_EXPONENTS:
                raise JsonBodyError("too many numbers of a hundred digits or more")
        return numbers.parse_fraction(text)

    try:
        text = content.decode("utf-8")
        value = json.loads(text, parse_float=number, parse_constant=_refuse, object_pairs_hook=_members)
    except JsonBodyError:
        raise
    except (ValueError, RecursionError):  # the parser's text would quote the content
        raise JsonBodyError("no JSON, or nested too deeply, or a number out of bounds") from None
    _check(value, look_at_texts=_HALF_ESCAPED.search(content) is not None)
    return value


def _refuse(_: str) -> NoReturn:
    raise JsonBodyError("NaN and Infinity are no JSON")


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise JsonBodyError("a member's name stands twice in one object")
    return members


def _check(value: Value, *, look_at_texts: bool) -> None:
    """Go down level by level, without recursion, and stop at the first bound."""
    level = [value]
    count = depth = 0
    while level:
        count += len(level)
        if count > MAX_VALUES:
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


def _has_half(node: Value) -> bool:
    """Whether a text or a member's name holds half of a surrogate pair."""
    if isinstance(node, str):
        return _HALF.search(node) is not None
    return isinstance(node, dict) and any(map(_HALF.search, node))
