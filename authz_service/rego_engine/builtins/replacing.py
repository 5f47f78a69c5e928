"""Built-ins that put other characters in the place of a string's: replace, lower, upper, reverse."""

from __future__ import annotations

import functools
from typing import Any, Final

from authz_service.rego_engine.builtins.patterns import Pattern, quoted
from authz_service.rego_engine.builtins.registry import builtin, obj, string
from authz_service.rego_engine.builtins.texts import BoundedText, check_length, from_octets, octets
from authz_service.rego_engine.errors import OperandFault
from authz_service.rego_engine.values import Value, plain

_CACHED: Final = 128  # sets of texts to replace


@builtin("replace")
def replace(value: Value, old: Value, new: Value) -> Value:
    """Replace a text wherever it occurs, from left to right; the empty text occurs before and after each character."""
    text, search, instead = string(value, 1), string(old, 2), string(new, 3)
    if len(instead) > len(search):
        check_length(len(text) + text.count(search) * (len(instead) - len(search)))
    return text.replace(search, instead)


@builtin("strings.replace_n")
def replace_n(patterns: Value, value: Value) -> Value:
    """Replace several texts in one pass from left to right. Where two start at one place, the shorter is replaced."""
    texts = _replacements(obj(patterns, 1))
    text = string(value, 2)
    if not texts or "" in texts:
        return _replace_between(text, texts) if texts else text
    found = octets(text)
    made = BoundedText()
    place = 0
    for start, end in _alternatives(frozenset(texts)).spans(found):
        made.add(from_octets(found[place:start]))
        made.add(texts[from_octets(found[start:end])])
        place = end
    made.add(from_octets(found[place:]))
    return made.text()


@builtin("lower")
def lower(value: Value) -> Value:
    """Write each character as its one lower-case character, where it has one."""
    text = string(value, 1)
    if text.isascii():
        return text.lower()
    # Python knows two exceptions to one for one: the dotted capital I, and the sigma at a word's end.
    return text.replace("\u0130", "i").replace("\u03a3", "\u03c3").lower()


@builtin("upper")
def upper(value: Value) -> Value:
    """Write each character as its one upper-case character, where it has one: an ß stays."""
    text = string(value, 1)
    found = text.upper()
    return found if len(found) == len(text) else "".join(map(_upper_character, text))


@builtin("strings.reverse")
def reverse(value: Value) -> Value:
    """Return the characters in the opposite order."""
    return string(value, 1)[::-1]


def _upper_character(character: str) -> str:
    for found in (character.upper(), character.title()):  # title: a Greek letter with iota has one for one there
        if len(found) == 1:
            return found
    return character


def _replacements(patterns: dict[Any, Value]) -> dict[str, str]:
    texts: dict[str, str] = {}
    for name, instead in patterns.items():
        search = plain(name)
        if type(search) is not str:
            raise OperandFault("operand 1 non-string key found in pattern object")
        if type(instead) is not str:
            raise OperandFault("operand 1 non-string value found in pattern object")
        texts[search] = instead
    return texts


@functools.lru_cache(maxsize=_CACHED)
def _alternatives(texts: frozenset[str]) -> Pattern:
    """Return a pattern for any of some texts; by their order a text stands before all that start with it."""
    return Pattern(b"|".join(quoted(octets(text)) for text in sorted(texts)))


def _replace_between(text: str, texts: dict[str, str]) -> str:
    """Replace with the empty text among those to replace: it occurs before each character or other text, and last."""
    lengths = sorted({len(search) for search in texts} - {0})
    made = BoundedText()
    place = 0
    while place < len(text):
        made.add(texts[""])
        found = next((part for size in lengths if (part := text[place : place + size]) in texts), None)
        made.add(text[place] if found is None else texts[found])
        place += 1 if found is None else len(found)
    made.add(texts[""])
    return made.text()
