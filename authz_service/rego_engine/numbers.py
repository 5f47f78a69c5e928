"""Rego's numbers: decimals of any size, held as the cheapest Python type that holds them exactly.

A whole number is an `int`. Any other is a `float` where the float's shortest spelling is that very decimal (0.1, 2.5),
and a `Decimal` where it is not (0.33333333333333333334). So one number has one form, and equality is Python's.

Sums and products of whole numbers are exact. With a fraction in them, results are rounded to a mantissa of 64 bits and
to the shortest decimal that stands for it, as OPA does: 0.1 + 0.2 is 0.3, and 1 / 3 is 0.33333333333333333334.
"""

from __future__ import annotations

import math
import re
from decimal import Context, Decimal
from functools import lru_cache

from authz_service.rego_engine.errors import BuiltinFault

Number = int | float | Decimal

MAX_EXPONENT = 4_000  # decimal digits; Python writes no integer of more than 4,300
MAX_BITS = 13_000  # of a whole number that is computed: a little under MAX_EXPONENT digits
_MANTISSA_BITS = 64
_EXACT_FLOATS = 2.0**53  # up to here each whole number is a float of its own
# No two decimals of 15 digits have one float between them in this range, so that the float stands for the decimal.
_SURE_TEXT = 16  # characters, a point or an exponent's letter among them
_SURE_FROM, _SURE_TO = 1e-300, 1e15
_MANY_DIGITS = 300
_SMALLEST_POINT = -4  # places after which a small number is written with an exponent
_SHORTEST = 21  # decimal digits that tell any two mantissas of 64 bits apart
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_EXACT = Context(prec=2 * MAX_EXPONENT)


def parse(text: str) -> Number:
    """Read a number in JSON's grammar (RFC 8259 section 6).

    Raises:
        ValueError: it is none, or its exponent is beyond `MAX_EXPONENT`.
    """
    if not _NUMBER.fullmatch(text) or len(text) > MAX_EXPONENT:
        raise ValueError("not a number that can be read")
    if text.lstrip("-").isdigit():
        return int(text)
    near = float(text)
    if repr(near) == text and not near.is_integer():
        return near
    try:
        return from_decimal(Decimal(text))
    except ArithmeticError as error:  # an exponent that even Decimal does not hold
        raise ValueError("not a number that can be read") from error


def parse_fraction(text: str) -> Number:
    """Read a number that a JSON parser has found to be one: `parse` without its look at the grammar, for bodies."""
    near = float(text)
    if len(text) <= _SURE_TEXT and _SURE_FROM < abs(near) < _SURE_TO:
        return int(near) if near.is_integer() else near
    if len(text) > MAX_EXPONENT:
        raise ValueError("not a number that can be read")
    whole, _, fraction = text.partition(".")
    if fraction.isdigit():
        return _plain(whole, fraction.rstrip("0"), near)
    try:
        return from_decimal(Decimal(text), near)
    except ArithmeticError as error:  # an exponent that even Decimal does not hold
        raise ValueError("not a number that can be read") from error


def _plain(whole: str, fraction: str, near: float) -> Number:
    """Return a number without an exponent, whose fraction does not end in a zero; `near` is the nearest float."""
    if not fraction:
        return int(whole)
    text, shown = f"{whole}.{fraction}", repr(near)
    if shown == text:
        return near
    if near.is_integer() or "e" not in shown:  # a float that stands for the number would be spelled like it
        return Decimal(text)
    digits = shown.partition("e")[0].replace(".", "").lstrip("-")
    return near if digits == fraction.lstrip("0") and whole.lstrip("-") == "0" else Decimal(text)


def from_decimal(value: Decimal, near: float | None = None) -> Number:
    """Return the one representation of a decimal; `near` is the nearest float, where that is known.

    Raises:
        ValueError: its exponent is beyond `MAX_EXPONENT`.
    """
    if value == 0:
        return 0
    if not value.is_finite() or abs(value.adjusted()) > MAX_EXPONENT:
        raise ValueError("not a number that can be read")
    if value == value.to_integral_value(context=_EXACT):
        # Of many digits Python reads a text several times as fast as a decimal.
        return int(value) if value.adjusted() < _MANY_DIGITS else int(f"{value:f}".partition(".")[0])
    near = float(value) if near is None else near
    if Decimal(repr(near)) == value:
        return near
    return value.normalize(_EXACT)


def normalize(value: float | Decimal) -> Number:
    """Return the one representation of a number that came as a Python number."""
    if type(value) is int:
        return value
    if type(value) is float:
        if not math.isfinite(value):
            raise BuiltinFault("number is not finite")
        return from_decimal(Decimal(repr(value)))
    return from_decimal(Decimal(value))


def decimal(value: Number) -> Decimal:
    """Return the decimal that a number stands for: of a float, its shortest spelling."""
    return Decimal(repr(value)) if type(value) is float else Decimal(value)


def text(value: Number) -> str:
    """Write a number as JSON has it: whole numbers plainly, 1e-07 and 0.5 as OPA does."""
    if type(value) is int:
        return str(value)
    if type(value) is float and value.is_integer():
        return str(int(value))
    sign, digits, exponent = decimal(value).normalize(_EXACT).as_tuple()
    shown = "".join(map(str, digits))
    point = len(shown) + int(exponent)  # where the decimal point stands, counted from the first digit
    start = "-" if sign else ""
    if _SMALLEST_POINT < point <= _SHORTEST:
        whole, fraction = (shown[:point], shown[point:]) if point > 0 else ("0", "0" * -point + shown)
        return f"{start}{whole}.{fraction}"
    rest = f".{shown[1:]}" if len(shown) > 1 else ""
    return f"{start}{shown[0]}{rest}e{point - 1:+03d}"


def is_whole(value: Number) -> bool:
    """Whether it has no fraction."""
    return type(value) is int or value == int(value)


def bounded(value: int) -> int:
    """Return a whole number that was computed, unless it is too large to go on with."""
    if value.bit_length() > MAX_BITS:
        raise BuiltinFault(f"number is larger than {MAX_BITS} bits")
    return value


def add(left: Number, right: Number) -> Number:
    """Sum."""
    if type(left) is int and type(right) is int:
        return bounded(left + right)
    return _sum(_mantissa(left), _mantissa(right))


def subtract(left: Number, right: Number) -> Number:
    """Difference."""
    if type(left) is int and type(right) is int:
        return bounded(left - right)
    mantissa, exponent = _mantissa(right)
    return _sum(_mantissa(left), (-mantissa, exponent))


def multiply(left: Number, right: Number) -> Number:
    """Product."""
    if type(left) is int and type(right) is int:
        return bounded(left * right)
    (one, shift), (other, more) = _mantissa(left), _mantissa(right)
    return _shortest(_round(one * other, shift + more))


def divide(left: Number, right: Number) -> Number:
    """Quotient. The divisor must not be zero."""
    if type(left) is int and type(right) is int and left % right == 0:
        return left // right
    (one, shift), (other, more) = _mantissa(left), _mantissa(right)
    return _shortest(_ratio(one, other, shift - more))


# A number with a fraction is worked on as a whole number of 64 bits times a power of two: (mantissa, exponent).

_Binary = tuple[int, int]


@lru_cache(maxsize=4_096)
def _mantissa(value: Number) -> _Binary:
    sign, digits, exponent = decimal(value).as_tuple()
    whole = int("".join(map(str, digits))) * (-1 if sign else 1)
    power = int(exponent)
    return _round(whole * 10**power, 0) if power >= 0 else _ratio(whole, 10**-power, 0)


def _round(whole: int, exponent: int) -> _Binary:
    """Round to 64 bits, ties to even."""
    excess = whole.bit_length() - _MANTISSA_BITS
    if excess <= 0:
        return whole, exponent
    kept, rest = abs(whole) >> excess, abs(whole) & ((1 << excess) - 1)
    half = 1 << (excess - 1)
    kept += rest > half or (rest == half and kept & 1)
    return (-kept if whole < 0 else kept), exponent + excess


def _ratio(dividend: int, divisor: int, exponent: int) -> _Binary:
    """Divide, to 64 bits: two bits more decide the rounding, and one that stands for all that is left after them."""
    shift = _MANTISSA_BITS + 2 + divisor.bit_length() - dividend.bit_length()
    shift = max(shift, 0)
    quotient, rest = divmod(abs(dividend) << shift, abs(divisor))
    quotient = quotient << 1 | (rest != 0)
    return _round(-quotient if (dividend < 0) != (divisor < 0) else quotient, exponent - shift - 1)


def _sum(left: _Binary, right: _Binary) -> Number:
    (one, shift), (other, more) = left, right
    if one == 0 or other == 0:
        return _shortest(right if one == 0 else left)
    low = min(shift, more)
    if max(shift, more) - low > MAX_BITS:  # the smaller one is far below the other's last bit
        return _shortest(left if shift > more else right)
    return _shortest(_round((one << (shift - low)) + (other << (more - low)), low))


def _shortest(value: _Binary) -> Number:
    """Return the number with the fewest decimal digits that rounds to these 64 bits."""
    mantissa, exponent = value
    if exponent >= 0 and mantissa.bit_length() + exponent > MAX_BITS:
        raise BuiltinFault("number is out of bounds")
    if exponent >= 0 and mantissa.bit_length() + exponent <= _MANTISSA_BITS:
        return mantissa << exponent
    if mantissa == 0:
        return 0
    if -exponent > 2 * MAX_BITS:  # what is read may be as small as 10 to the power of -MAX_EXPONENT
        raise BuiltinFault("number is out of bounds")
    dividend, divisor = (mantissa << exponent, 1) if exponent >= 0 else (mantissa, 1 << -exponent)
    canonical = _round(mantissa << _MANTISSA_BITS, exponent - _MANTISSA_BITS)
    low, high = 1, _SHORTEST
    while low < high:  # more digits than enough are enough, too
        digits = (low + high) // 2
        near = Context(prec=digits).divide(Decimal(dividend), Decimal(divisor))
        low, high = (low, digits) if _same_bits(near, canonical) else (digits + 1, high)
    try:
        return from_decimal(Context(prec=low).divide(Decimal(dividend), Decimal(divisor)))
    except ValueError as error:
        raise BuiltinFault("number is out of bounds") from error


def _same_bits(near: Decimal, canonical: _Binary) -> bool:
    sign, digits, exponent = near.as_tuple()
    whole = int("".join(map(str, digits))) * (-1 if sign else 1)
    power = int(exponent)
    found = _round(whole * 10**power, 0) if power >= 0 else _ratio(whole, 10**-power, 0)
    return _round(found[0] << _MANTISSA_BITS, found[1] - _MANTISSA_BITS) == canonical
