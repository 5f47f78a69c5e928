"""Form encoding, of queries and of bodies: names and values, `+` for a space, escapes (WHATWG URL, section 5). Pure."""

from __future__ import annotations

import re
from typing import Final

MAX_FIELDS: Final = 1_000
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_DIGITS: Final = "0123456789abcdefABCDEF"
_OCTETS: Final = {f"{high}{low}".encode(): bytes.fromhex(high + low) for high in _DIGITS for low in _DIGITS}


class FormError(ValueError):
    """Text that servers read in more ways than one, or with too many fields."""


def read_form(text: str) -> dict[str, list[str]]:
    """Return each name with its values, in their order; octets that are not UTF-8 become U+FFFD.

    Raises:
        FormError: an escape is broken; a `;` stands there, at which some servers end a field and others do not; or
            there are more than `MAX_FIELDS` fields.
    """
    if ";" in text or _BAD_ESCAPE.search(text):
        raise FormError("a broken escape, or a semicolon")
    if text.count("&") >= MAX_FIELDS:
        raise FormError("too many fields")
    fields: dict[str, list[str]] = {}
    for piece in text.replace("+", " ").split("&"):
        if piece:
            name, _, value = piece.partition("=")
            fields.setdefault(_decoded(name), []).append(_decoded(value))
    return fields


def _decoded(text: str) -> str:
    """Undo the escapes, in one pass over the octets: `urllib` takes each run of ASCII by itself, 200 ms for a MiB."""
    if "%" not in text:
        return text
    first, *others = text.encode("utf-8", "surrogatepass").split(b"%")
    alone = _OCTETS.get  # most escapes have another behind them
    octets = [alone(piece) or _OCTETS[piece[:2]] + piece[2:] for piece in others]
    return b"".join([first, *octets]).decode("utf-8", "replace")
