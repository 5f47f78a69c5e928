"""Built-ins that look into strings: tests, places, counts. Places and lengths count characters."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from authz_service.rego_engine.builtins.registry import builtin, string, strings, wrong
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value

MAX_COMPARED: Final = 20_000_000  # characters compared by indexof_n, whose finds may overlap


@builtin("startswith")
def startswith(search: Value, base: Value) -> Value:
    """Whether a text starts with another."""
    if type(search) is str and type(base) is str:
        return search.startswith(base)
    return string(search, 1).startswith(string(base, 2))


@builtin("endswith")
def endswith(search: Value, base: Value) -> Value:
    """Whether a text ends with another."""
    if type(search) is str and type(base) is str:
        return search.endswith(base)
    return string(search, 1).endswith(string(base, 2))


@builtin("contains")
def contains(haystack: Value, needle: Value) -> Value:
    """Whether a text has another in it."""
    if type(haystack) is str and type(needle) is str:
        return needle in haystack
    return string(needle, 2) in string(haystack, 1)


@builtin("strings.count")
def count(search: Value, substring: Value) -> Value:
    """Return how often a text occurs in another, without overlap; the empty text occurs around each character."""
    return string(search, 1).count(string(substring, 2))


@builtin("indexof")
def indexof(haystack: Value, needle: Value) -> Value:
    """Return where a text first occurs in another, or -1."""
    text = string(haystack, 1)
    return text.find(_needle(needle))


@builtin("indexof_n")
def indexof_n(haystack: Value, needle: Value) -> Value:
    """Return all the places where a text occurs in another, overlapping ones included."""
    text = string(haystack, 1)
    search = _needle(needle)
    most = MAX_COMPARED // len(search)
    found: list[int] = []
    place = text.find(search)
    while place >= 0:
        found.append(place)
        if len(found) > most:
            raise BuiltinFault(f"more than {MAX_COMPARED} characters to compare")
        place = text.find(search, place + 1)
    return found


@builtin("strings.any_prefix_match")
def any_prefix_match(search: Value, base: Value) -> Value:
    """Whether any of some texts starts with any of others."""
    texts, prefixes = _texts(search, 1), _texts(base, 2)
    if len(texts) == 1:
        return texts[0].startswith(tuple(prefixes))
    return _any_starts(texts, prefixes)


@builtin("strings.any_suffix_match")
def any_suffix_match(search: Value, base: Value) -> Value:
    """Whether any of some texts ends with any of others."""
    texts, suffixes = _texts(search, 1), _texts(base, 2)
    if len(texts) == 1:
        return texts[0].endswith(tuple(suffixes))
    return _any_starts([text[::-1] for text in texts], [suffix[::-1] for suffix in suffixes])


def _needle(value: Value) -> str:
    text = string(value, 2)
    if not text:
        raise BuiltinFault("empty search character")
    return text


def _texts(value: Value, position: int) -> list[str]:
    if type(value) is str:
        return [value]
    if type(value) is not list and type(value) is not set:
        raise wrong(value, position, "string", "set", "array")
    return strings(value, position)


def _any_starts(texts: list[str], prefixes: list[str]) -> bool:
    """Sorted, the texts with a prefix follow directly on the place of the prefix: one look for each prefix."""
    ordered = sorted(texts)
    for prefix in prefixes:
        place = bisect_left(ordered, prefix)
        if place < len(ordered) and ordered[place].startswith(prefix):
            return True
    return False
