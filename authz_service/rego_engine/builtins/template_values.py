"""Values within a template, and its functions: those of Go's text/template that look at values alone.

A number of the template's variables is a text here, as in Go: `eq .count "3"`. Numbers proper are a template's own
literals, lengths and the indices of a range.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote_plus

from authz_service.rego_engine.builtins.formatting import sprintf
from authz_service.rego_engine.builtins.go_format import Directive, formatted
from authz_service.rego_engine.builtins.json_text import as_json
from authz_service.rego_engine.builtins.rego_text import write
from authz_service.rego_engine.builtins.texts import BoundedText, check_length, octets
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value


class Missing(enum.Enum):
    """What a name that an object does not have stands for. It has no members, and none of them is a fault."""

    MISSING = enum.auto()


MISSING: Final = Missing.MISSING
_HTML: Final = str.maketrans({"<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&#34;", "'": "&#39;", "\0": "\ufffd"})
_LONGEST: Final = 6  # characters that one of them becomes


def variables(value: Value) -> Any:
    """Return a value as a template sees it: JSON, with numbers as texts."""
    return _without_numbers(as_json(value))


def truth(value: Any) -> bool:
    """Whether a condition holds: nothing, false, zero and what is empty do not."""
    return value is not MISSING and bool(value)


def shown(value: Any) -> str:
    """Return a value's text."""
    made = BoundedText()
    if value is None or value is MISSING:
        made.add("<no value>")
    else:
        _show(value, made)
    return made.text()


def member(value: Any, name: str) -> Any:
    """Return an object's member."""
    if value is MISSING:
        return MISSING
    if type(value) is not dict:
        raise BuiltinFault(f"can't evaluate field {name}")
    return value.get(name, MISSING)


def _without_numbers(value: Any) -> Any:
    kind = type(value)
    if value is None or kind is bool or kind is str:
        return value
    if kind is list:
        return [_without_numbers(item) for item in value]
    if kind is dict:
        return {name: _without_numbers(item) for name, item in value.items()}
    return write(value)


def _show(value: Any, made: BoundedText) -> None:
    if value is None or value is MISSING:
        made.add("<nil>")
    elif type(value) is bool:
        made.add("true" if value else "false")
    elif type(value) is list:
        start = "["
        for item in value:
            made.add(start)
            _show(item, made)
            start = " "
        made.add("]" if value else "[]")
    elif type(value) is dict:
        start = "map["
        for name in sorted(value):
            made.add(f"{start}{name}:")
            _show(value[name], made)
            start = " "
        made.add("]" if value else "map[]")
    else:
        made.add(formatted(value, Directive("v")))


def _text(value: Any) -> str:
    made = BoundedText()
    _show(value, made)
    return made.text()


def _print(*values: Any) -> str:
    """Join texts; between two operands of which neither is a text stands a space."""
    made = BoundedText()
    for place, value in enumerate(values):
        if place and type(value) is not str and type(values[place - 1]) is not str:
            made.add(" ")
        made.add(_text(value))
    return made.text()


def _println(*values: Any) -> str:
    return " ".join(map(_text, values)) + "\n"


def _printf(layout: Any, *values: Any) -> str:
    if type(layout) is not str:
        raise BuiltinFault("error calling printf: the format is no string")
    found: str = sprintf(layout, [value if type(value) in {str, int, float} else _text(value) for value in values])
    return found


def _html(*values: Any) -> str:
    text = _print(*values)
    check_length(_LONGEST * len(text))
    return text.translate(_HTML)


def _urlquery(*values: Any) -> str:
    text = _print(*values)
    check_length(3 * len(text))
    return quote_plus(octets(text))


def _len(value: Any) -> int:
    if type(value) is str:
        return len(octets(value))
    if type(value) is not list and type(value) is not dict:
        raise BuiltinFault("error calling len: the value has no length")
    return len(value)


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if type(value) is list and type(key) is int:
            if not 0 <= key < len(value):
                raise BuiltinFault(f"error calling index: index out of range: {key}")
            value = value[key]
        elif type(value) is dict and type(key) is str:
            value = value.get(key, MISSING)
        else:
            raise BuiltinFault("error calling index: no index of such a value")
    return value


def _equal(left: Any, right: Any) -> bool:
    left, right = (None if each is MISSING else each for each in (left, right))
    if left is None or right is None:
        return left is right
    if type(left) is not type(right) or type(left) is list or type(left) is dict:
        raise BuiltinFault("error calling eq: incompatible types for comparison")
    return bool(left == right)


def _eq(value: Any, *others: Any) -> bool:
    if not others:
        raise BuiltinFault("error calling eq: missing argument for comparison")
    return any(_equal(value, other) for other in others)


def _ne(left: Any, right: Any) -> bool:
    return not _equal(left, right)


def _less(left: Any, right: Any) -> bool:
    if type(left) is not type(right) or type(left) not in {str, int, float}:
        raise BuiltinFault("error calling lt: incompatible types for comparison")
    return bool(left < right)


def _not(value: Any) -> bool:
    return not truth(value)


FUNCTIONS: Final[dict[str, Callable[..., Any]]] = {
    "not": _not,
    "eq": _eq,
    "ne": _ne,
    "lt": _less,
    "le": lambda left, right: not _less(right, left),
    "gt": lambda left, right: _less(right, left),
    "ge": lambda left, right: not _less(left, right),
    "len": _len,
    "index": _index,
    "print": _print,
    "println": _println,
    "printf": _printf,
    "html": _html,
    "urlquery": _urlquery,
}
OPERANDS: Final = {"not": (1, 1), "ne": (2, 2), "lt": (2, 2), "le": (2, 2), "gt": (2, 2), "ge": (2, 2), "len": (1, 1)}
