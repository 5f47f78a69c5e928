"""Arithmetic: the operators `+ - * / %`, rounding, ranges of whole numbers, and whole numbers as text.

`numbers` says how exact a result is: whole numbers exactly, others with a mantissa of 64 bits. Some functions round
even a whole number to such a mantissa where it is longer, as OPA does: `/`, `abs`, `round`, `ceil` and `floor`.

`ceil` and `floor` hold to what they are documented to do between -1 and 0, where OPA 1.22 is off by one: the ceiling
of -0.5 is 0, its floor -1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Final

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins.registry import builtin, number, wrong
from authz_service.rego_engine.errors import BuiltinFault, OperandFault
from authz_service.rego_engine.numbers import Number
from authz_service.rego_engine.values import Value

MAX_RANGE = 100_000  # numbers that a range may hold
_MANTISSA_BITS: Final = 64
_FORMATS: Final = {2: "b", 8: "o", 10: "d", 16: "x"}


def whole(value: Value, position: int) -> int:
    """Return an operand that must be a whole number, of whatever size."""
    if type(value) is int:
        return value
    if type(value) is bool or not isinstance(value, Number):
        raise wrong(value, position, "integer")
    if not numbers.is_whole(value):
        raise OperandFault(f"operand {position} must be integer number but got floating-point number")
    return int(value)


def to_mantissa(value: Fraction | int) -> Fraction:
    """Round to a mantissa of 64 bits, ties to even."""
    exact = Fraction(value)
    excess = exact.numerator.bit_length() - exact.denominator.bit_length() - _MANTISSA_BITS  # of bits, or one less
    scale = Fraction(2) ** excess
    if abs(exact) >= scale * 2**_MANTISSA_BITS:
        scale *= 2
    return round(exact / scale) * scale


def _is_short(value: int) -> bool:
    return value.bit_length() <= _MANTISSA_BITS


def _whole_mantissa(value: int) -> int:
    return value if _is_short(value) else int(to_mantissa(numbers.bounded(value)))


def shortest(mantissa: Fraction) -> Number:
    """Return the shortest decimal that stands for a mantissa of 64 bits."""
    if mantissa.denominator == 1:
        return computed(numbers.add, mantissa.numerator, 0.0)
    return computed(numbers.divide, mantissa.numerator, mantissa.denominator)


def computed(operation: Callable[[Number, Number], Number], left: Number, right: Number) -> Number:
    """Return a result that is a number within bounds."""
    try:
        return operation(left, right)
    except (ValueError, ArithmeticError) as error:
        raise BuiltinFault("number is out of bounds") from error


@builtin("plus")
def plus(left: Value, right: Value) -> Value:
    """Sum of two numbers."""
    if type(left) is int and type(right) is int:
        return numbers.bounded(left + right)
    return computed(numbers.add, number(left, 1), number(right, 2))


@builtin("minus")
def minus(left: Value, right: Value) -> Value:
    """Difference of two numbers, or of two sets."""
    if type(left) is int and type(right) is int:
        return numbers.bounded(left - right)
    if type(left) is set:
        if type(right) is set:
            return left - right
        raise wrong(right, 2, "set" if _is_number(right) else "number")
    if not _is_number(left):
        raise wrong(left, 1, "number", "set")
    if type(right) is set:
        raise wrong(right, 2, "number")
    return computed(numbers.subtract, left, number(right, 2))


def _is_number(value: Value) -> bool:
    return type(value) is not bool and isinstance(value, Number)


@builtin("mul")
def times(left: Value, right: Value) -> Value:
    """Product of two numbers."""
    return computed(numbers.multiply, number(left, 1), number(right, 2))


@builtin("div")
def divided(left: Value, right: Value) -> Value:
    """Quotient of two numbers."""
    dividend, divisor = number(left, 1), number(right, 2)
    if divisor == 0:
        raise BuiltinFault("divide by zero")
    if type(dividend) is int and type(divisor) is int and not (_is_short(dividend) and _is_short(divisor)):
        return shortest(to_mantissa(to_mantissa(dividend) / to_mantissa(divisor)))
    return computed(numbers.divide, dividend, divisor)


@builtin("rem")
def remainder(left: Value, right: Value) -> Value:
    """Remainder of two whole numbers, with the sign of the dividend."""
    dividend, divisor = number(left, 1), number(right, 2)
    if not (numbers.is_whole(dividend) and numbers.is_whole(divisor)):
        raise BuiltinFault("modulo on floating-point number")
    if divisor == 0:
        raise BuiltinFault("modulo by zero")
    found = abs(int(dividend)) % abs(int(divisor))
    return -found if dividend < 0 else found


@builtin("abs")
def absolute(value: Value) -> Value:
    """Magnitude of a number."""
    found = number(value, 1)
    if type(found) is float or (type(found) is int and _is_short(found)):
        return abs(found)
    return shortest(abs(to_mantissa(Fraction(found))))


@builtin("round")
def rounded(value: Value) -> Value:
    """Nearest whole number, halves away from zero."""
    found = number(value, 1)
    if type(found) is int:
        return _whole_mantissa(found)
    return _whole_mantissa(int(computed(numbers.subtract if found < 0 else numbers.add, found, 0.5)))


@builtin("ceil")
def ceiling(value: Value) -> Value:
    """Least whole number that is not below a number."""
    return _whole_mantissa(math.ceil(_mantissa(number(value, 1))))


@builtin("floor")
def floor(value: Value) -> Value:
    """Greatest whole number that is not above a number."""
    return _whole_mantissa(math.floor(_mantissa(number(value, 1))))


def _mantissa(value: Number) -> Number:
    """Return a number with any fraction rounded to a mantissa of 64 bits."""
    if type(value) is int:
        return numbers.bounded(value)
    return value if type(value) is float else computed(numbers.add, value, 0.0)


@builtin("numbers.range")
def ranged(first: Value, last: Value) -> Value:
    """Whole numbers from one to another, both included, upwards or downwards; at most `MAX_RANGE`."""
    return _range(whole(first, 1), whole(last, 2), 1)


@builtin("numbers.range_step")
def ranged_by_step(first: Value, last: Value, step: Value) -> Value:
    """Every `step`th whole number from one towards another, both included; at most `MAX_RANGE`."""
    start, end, stride = whole(first, 1), whole(last, 2), whole(step, 3)
    if stride <= 0:
        raise BuiltinFault("step must be a positive integer")
    return _range(start, end, stride)


def _range(start: int, end: int, stride: int) -> list[int]:
    if abs(end - start) // stride >= MAX_RANGE:
        raise BuiltinFault(f"range has more than {MAX_RANGE} numbers")
    return list(range(start, end + 1, stride) if start <= end else range(start, end - 1, -stride))


@builtin("format_int")
def format_int(value: Value, base: Value) -> Value:
    """Text of a number, without any fraction, in base 2, 8, 10 or 16."""
    found, radix = number(value, 1), number(base, 2)
    letter = _FORMATS.get(int(radix)) if numbers.is_whole(radix) else None
    if letter is None:
        raise OperandFault("operand 2 must be one of {2, 8, 10, 16}")
    return format(numbers.bounded(int(_mantissa(found))), letter)
