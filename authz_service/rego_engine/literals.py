"""Values → Python source: the one place where policy text becomes a part of generated code.

Every text goes out as an ASCII string literal (`ascii`), so that no quote, backslash, line end or look-alike in a
policy can end the literal that it stands in.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from authz_service.rego_engine.values import Key, Value, key


def literal(value: Value) -> str:
    """Return a Python expression for a value; what it names (`Decimal`, `key`) the generated module imports."""
    kind = type(value)
    if kind is str:
        return ascii(value)
    if value is None or kind is bool or kind is int:
        return repr(value)
    if kind is float:
        return repr(value)
    if kind is Decimal:
        return f"Decimal({str(value)!a})"
    if kind is list:
        return f"[{', '.join(map(literal, value))}]"
    if kind is set:
        return f"{{{', '.join(sorted(map(_hashed, value)))}}}" if value else "set()"
    if kind is dict:
        return f"{{{', '.join(f'{_hashed(name)}: {literal(item)}' for name, item in value.items())}}}"
    raise TypeError(f"{kind.__name__} is no Rego value")


def _hashed(name: Any) -> str:
    return f"key({literal(name.value)})" if type(name) is Key else literal(name)


def hashed_literal(value: Value) -> str:
    """Return a Python expression for what stands for a value among an object's keys."""
    return _hashed(key(value))


def comment(text: str) -> str:
    """Return a text that cannot end the comment it stands in."""
    return text if text.isascii() and text.isprintable() else ascii(text)
