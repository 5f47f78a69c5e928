"""Amounts with a unit, as Kubernetes and people write them: `10K`, `1.5Gi`, `250m`, `20MB`."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Final

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins.arithmetic import to_mantissa
from authz_service.rego_engine.builtins.casts import read_decimal
from authz_service.rego_engine.builtins.registry import builtin, string
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.numbers import Number
from authz_service.rego_engine.values import Value

MAX_EXPONENT_DIGITS = 6  # of an amount in scientific notation; `numbers.MAX_EXPONENT` bounds what they say
_PLACES: Final = 10  # decimal places that `units.parse` keeps

_LETTERS: Final = "kmgtpe"
_DECIMAL: Final = {letter: 1000**power for power, letter in enumerate(_LETTERS, 1)}
_BINARY: Final = {f"{letter}i": 1024**power for power, letter in enumerate(_LETTERS, 1)}
_BYTES: Final = {"": 1} | {name: factor for unit, factor in (_DECIMAL | _BINARY).items() for name in (unit, f"{unit}b")}
# Here a lower-case m is a thousandth (the double, as OPA has it), and only M a million; mi and Mi are both 1024².
_AMOUNTS: Final[dict[str, int | Fraction]] = {
    "": 1,
    **{name: factor for unit, factor in (_DECIMAL | _BINARY).items() for name in (unit, unit.capitalize())},
    "m": Fraction(0.001),
}

_DIGITS: Final = frozenset("0123456789")
_SIGNS: Final = frozenset("+-")


@builtin("units.parse")
def parse(text: Value) -> Value:
    """Number that an amount stands for, to ten decimal places: SI and binary units, `m` for a thousandth."""
    written, rest = _parted(string(text, 1).replace('"', ""), "no amount provided")
    unit = rest[:1] + rest[1:].lower()
    factor = _AMOUNTS.get(unit)
    if factor is None:
        raise BuiltinFault(f"unit {unit} not recognized")
    exact = Fraction(_amount(written, "could not parse amount to a number")) * factor
    if exact.denominator == 1:
        return numbers.bounded(exact.numerator)
    kept = int(abs(exact) * 10**_PLACES + Fraction(1, 2))  # halves go away from zero
    return numbers.from_decimal(Decimal(f"{'-' if exact < 0 else ''}{numbers.bounded(kept)}e-{_PLACES}"))


@builtin("units.parse_bytes")
def parse_bytes(text: Value) -> Value:
    """Whole number of bytes that an amount stands for: kB or KiB, in any case, with the B or without."""
    written, unit = _parted(string(text, 1).lower().replace('"', ""), "no byte amount provided")
    factor = _BYTES.get(unit)
    if factor is None:
        raise BuiltinFault(f"byte unit {unit} not recognized")
    amount = _amount(written, "could not parse byte amount to a number")
    mantissa = to_mantissa(Fraction(numbers.decimal(amount)))
    return numbers.bounded(int(to_mantissa(mantissa * factor)))


def _parted(text: str, missing: str) -> tuple[str, str]:
    """Part an amount from its unit. An `e` belongs to the amount where a digit or a sign follows: else it is exa."""
    if " " in text:
        raise BuiltinFault("spaces not allowed in resource strings")
    end = 0
    while end < len(text):
        if text[end] in _DIGITS or text[end] in _SIGNS or text[end] == ".":
            end += 1
        elif text[end] in "eE" and (text[end + 1 : end + 2] in _DIGITS or text[end + 1 : end + 2] in _SIGNS):
            end += 2
        else:
            break
    if end == 0:
        raise BuiltinFault(missing)
    return text[:end], text[end:]


def _amount(written: str, refusal: str) -> Number:
    """Read an amount."""
    exponent = written.lower().partition("e")[2].lstrip("+-")
    if len(exponent) > MAX_EXPONENT_DIGITS:
        raise BuiltinFault("exponent too large")
    found = read_decimal(written)
    if found is None:
        raise BuiltinFault(refusal)
    try:
        return numbers.from_decimal(found)
    except ValueError as error:
        raise BuiltinFault("exponent too large") from error
