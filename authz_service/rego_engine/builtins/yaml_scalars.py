"""What a scalar of YAML stands for: YAML 1.2's core schema, with 0777 and 1_000 as numbers, as Go's readers have it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from authz_service.rego_engine import numbers
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.numbers import Number

_CONSTANTS: Final[dict[str, bool | None]] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
_NOT_FINITE: Final = frozenset(sign + text for sign in ("", "+", "-") for text in (".inf", ".Inf", ".INF")) | {
    ".nan",
    ".NaN",
    ".NAN",
}
_WHOLE: Final = re.compile(r"([+-]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_BASES: Final = (16, 2, 8, 10)
_FRACTION: Final = re.compile(r"[+-]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][+-]?[0-9]+)?")
_SEXAGESIMAL: Final = re.compile(r"[+-]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?")
_TIMESTAMP: Final = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?")
_OLD_BOOLEANS: Final = frozenset(
    form for word in ("y", "yes", "on", "n", "no", "off") for form in (word, word.capitalize(), word.upper())
)
_LEAST: Final = -(2**63)
_MOST: Final = 2**64 - 1
_MAX_DIGITS: Final = 400  # no number of 64 bits, nor any float, is written with more


def resolve(text: str) -> str | bool | Number | None:
    """Return what a plain scalar stands for.

    Raises:
        BuiltinFault: it is infinite or no number, which no value of Rego is.
    """
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text in _NOT_FINITE:
        raise BuiltinFault("json: unsupported value: a number that is not finite")
    if text[0] in "+-.0123456789" and len(text) <= _MAX_DIGITS:
        found = _number(text)
        if found is not None:
            return found
    return text


def must_quote(text: str) -> bool:
    """Whether a string must stand in quotation marks, lest some reader takes it for another value."""
    if text in _NOT_FINITE or text in _OLD_BOOLEANS or text == "<<":
        return True
    return type(resolve(text)) is not str or bool(_SEXAGESIMAL.fullmatch(text) or _TIMESTAMP.fullmatch(text))


def _number(text: str) -> Number | None:
    digits = text if text[0] == "." else text.replace("_", "")
    whole = _WHOLE.fullmatch(digits)
    if whole:
        value = next(int(part, base) for part, base in zip(whole.groups()[1:], _BASES, strict=True) if part)
        value = -value if whole[1] == "-" else value
        if _LEAST <= value <= (_MOST if not whole[1] else -_LEAST - 1):
            return value
    if _FRACTION.fullmatch(digits):
        near = float(digits)
        if near not in {float("inf"), float("-inf")}:
            return numbers.from_decimal(Decimal(repr(near)))
    return None
