"""JSON of unknown origin → a value, with exact numbers: bounded in depth, and UTF-8 throughout. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from itertools import islice
from typing import Any, Final

from authz_service.rego_engine import values

MAX_DEPTH: Final = 64  # levels of nesting
MAX_LARGE_EXPONENTS: Final = 1_000  # numbers such as 1e4000, each of which a few bytes make into thousands of digits
_LARGE_EXPONENT: Final = re.compile(r"(?<=[\[:,\s])-?[0-9]+(?:\.[0-9]+)?[eE]\+?[0-9]{3,}")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")  # in pairs a character; alone no text at all


class JsonError(ValueError):
    """Text that is no JSON, or none that is taken: why, and in which line, 0 where there is none."""

    def __init__(self, line: int, text: str) -> None:
        self.line = line
        self.text = text
        super().__init__(text)


class Literal(str):
    """A number as it is written."""

    __slots__ = ()


def read(content: bytes) -> values.Value:
    """Read a value with its numbers exact, or raise `JsonError`."""
    return _read(content, values.read)


def read_literally(content: bytes) -> Any:
    """Read a value with its numbers as `Literal` texts, or raise `JsonError`."""
    return _read(content, lambda text: json.loads(text, parse_int=Literal, parse_float=Literal, parse_constant=_refuse))


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON")


def _read(content: bytes, load: Callable[[str], Any]) -> Any:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise JsonError(content.count(b"\n", 0, error.start) + 1, "is not UTF-8") from error
    if sum(1 for _ in islice(_LARGE_EXPONENT.finditer(text), MAX_LARGE_EXPONENTS + 1)) > MAX_LARGE_EXPONENTS:
        raise JsonError(0, f"has more than {MAX_LARGE_EXPONENTS} numbers of a hundred digits or more")
    try:
        value = load(text)
    except json.JSONDecodeError as error:
        raise JsonError(error.lineno, f"is not JSON: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise JsonError(0, "is not JSON that can be read") from error
    _check(value, look_at_texts=_SURROGATE.search(text) is not None)
    return value


def _check(value: Any, *, look_at_texts: bool) -> None:
    """Go down level by level, without recursion."""
    level = [value]
    depth = 0
    while level:
        if look_at_texts and not all(_is_text(node) for node in level if isinstance(node, str)):
            raise JsonError(0, "has half a surrogate pair in a string")
        below: list[Any] = []
        for node in level:
            if isinstance(node, dict):
                below += node.values()
                if look_at_texts and not all(map(_is_text, node)):
                    raise JsonError(0, "has half a surrogate pair in a key")
            elif isinstance(node, list):
                below += node
            else:
                continue
            if depth == MAX_DEPTH:
                raise JsonError(0, f"is nested deeper than {MAX_DEPTH} levels")
        level = below
        depth += 1


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
