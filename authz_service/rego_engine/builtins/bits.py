"""Whole numbers as bits, in two's complement without end: of a negative number, all higher bits are set."""

from __future__ import annotations

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins.arithmetic import whole
from authz_service.rego_engine.builtins.registry import builtin
from authz_service.rego_engine.errors import BuiltinFault, OperandFault
from authz_service.rego_engine.values import Value


@builtin("bits.or")
def either(left: Value, right: Value) -> Value:
    """Bits that are set in either number."""
    return whole(left, 1) | whole(right, 2)


@builtin("bits.and")
def both(left: Value, right: Value) -> Value:
    """Bits that are set in both numbers."""
    return whole(left, 1) & whole(right, 2)


@builtin("bits.xor")
def one_only(left: Value, right: Value) -> Value:
    """Bits that are set in one of the numbers, not in both."""
    return whole(left, 1) ^ whole(right, 2)


@builtin("bits.negate")
def flipped(value: Value) -> Value:
    """Bits that are not set in a number."""
    return ~whole(value, 1)


@builtin("bits.lsh")
def shifted_left(value: Value, places: Value) -> Value:
    """Bits moved up by a number of places; the result has at most `numbers.MAX_BITS`."""
    found, shift = whole(value, 1), _places(places)
    if found == 0:
        return 0
    if shift > numbers.MAX_BITS:  # checked before the shift, which would otherwise fill the memory
        raise BuiltinFault(f"number is larger than {numbers.MAX_BITS} bits")
    return numbers.bounded(found << shift)


@builtin("bits.rsh")
def shifted_right(value: Value, places: Value) -> Value:
    """Bits moved down by a number of places; those that fall out at the end are lost."""
    found, shift = whole(value, 1), _places(places)
    return found >> min(shift, found.bit_length())


def _places(value: Value) -> int:
    found = whole(value, 2)
    if found < 0:
        raise OperandFault("operand 2 must be an unsigned integer number but got a negative integer")
    return found
