"""How Go's fmt writes one operand with one verb: %s, %-8s, %05d, %.2f, %x, %q and the others.

Numbers are Go's int64 and big.Int, by size, and float64. A whole number may have been written with a fraction (100.0),
which nobody can tell any longer: it is a float64 to the verbs of floats, and a whole number to all others.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from authz_service.rego_engine.builtins.rego_text import quote, write
from authz_service.rego_engine.builtins.texts import octets
from authz_service.rego_engine.values import Value

Operand = str | int | float

_BASES: Final = {"d": "d", "v": "d", "s": "d", "b": "b", "o": "o", "O": "o", "x": "x", "X": "X"}
_PREFIXES: Final = {"b": "0b", "x": "0x", "X": "0X"}
_MACHINE: Final = 2**63
_FLOAT_LIMIT: Final = 2**1024 - 2**970  # from here on, a whole number rounds to no float
_PLAIN_EXPONENTS: Final = (-4, 6)  # between them, the shortest form of a float has no exponent
_SHARP_DIGITS: Final = 6
_LAST_CHARACTER: Final = 0x10FFFF
_SURROGATES: Final = range(0xD800, 0xE000)
_MANTISSA_BITS: Final = 52
_MANTISSA_DIGITS: Final = 13  # hexadecimal


@dataclass(frozen=True, slots=True)
class Directive:
    """A verb with its flags. Width and precision count characters; None where there is none."""

    verb: str
    flags: str = ""
    width: int | None = None
    precision: int | None = None


def operand(value: Value) -> Operand:
    """Return what a verb gets for a value: strings and numbers as they are, anything else as Rego writes it."""
    kind = type(value)
    if kind is str or kind is float:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return value if -_FLOAT_LIMIT < value < _FLOAT_LIMIT else _huge(value)
    if kind is Decimal:
        near = float(value)
        return near if math.isfinite(near) else write(value)
    return write(value)


def type_of(value: Operand) -> str:
    """Return Go's name for the type of an operand."""
    if isinstance(value, str):
        return "string"
    if isinstance(value, float):
        return "float64"
    return "int64" if -_MACHINE <= value < _MACHINE else "*big.Int"


def formatted(value: Operand, directive: Directive) -> str:
    """Return what a directive writes for an operand."""
    if directive.verb == "T":
        return _padded(type_of(value)[: directive.precision], directive)
    if directive.verb == "v" and (
        "+" in directive.flags or "#" in directive.flags
    ):  # for structures, and for Go's code
        flags = directive.flags.replace("+", "").replace("#", "")
        verb = "q" if isinstance(value, str) and "#" in directive.flags else "v"
        directive = Directive(verb, flags, directive.width, directive.precision)
    return _formatted(value, directive)


def _formatted(value: Operand, directive: Directive) -> str:
    verb = directive.verb
    if isinstance(value, str):
        return _string(value, directive)
    if isinstance(value, float):
        return _float(value, directive) if verb in "eEfFgGvbxX" else _bad(value, directive)
    if verb in "eEfFgG":
        return _float(float(value), directive)
    return _integer(value, directive)


def padded_width(directive: Directive) -> int:
    """Return the least number of characters that a directive writes."""
    return (directive.width or 0) + (directive.precision or 0)


def _huge(value: int) -> Operand:
    """Return a number beyond floats as it was most probably written: with an exponent, if it ends in many zeros."""
    digits = write(abs(value))
    short = digits.rstrip("0")
    if len(digits) - len(short) < len(digits) // 2:
        return value
    fraction = f".{short[1:]}" if len(short) > 1 else ""
    return f"{'-' if value < 0 else ''}{short[0]}{fraction}e{len(digits) - 1}"


def _bad(value: Operand, directive: Directive) -> str:
    """Return how a verb is shown that the operand's type does not have."""
    kind = type_of(value)
    if kind == "*big.Int":
        return f"%!{directive.verb}(big.Int={value})"
    shown = _formatted(value, Directive("v", directive.flags, directive.width, directive.precision))
    return f"%!{directive.verb}({kind}={shown})"


def _padded(text: str, directive: Directive, *, zeros: bool = True) -> str:
    if not directive.width or len(text) >= directive.width:
        return text
    if "-" in directive.flags:
        return text.ljust(directive.width)
    return text.rjust(directive.width, "0" if zeros and "0" in directive.flags else " ")


def _string(text: str, directive: Directive) -> str:
    verb, flags = directive.verb, directive.flags
    if verb in "xX":
        return _padded(_hexadecimal(octets(text)[: directive.precision], directive), directive)
    text = text if directive.precision is None else text[: directive.precision]
    if verb in "sv":
        return _padded(text, directive)
    if verb == "q":
        if "#" in flags and "`" not in text and all(each.isprintable() or each == "\t" for each in text):
            return _padded(f"`{text}`", directive)
        return _padded(quote(text, ascii_only="+" in flags), directive)
    return _bad(text, directive)


def _hexadecimal(data: bytes, directive: Directive) -> str:
    digits = data.hex()
    prefix = "0x" if "#" in directive.flags and data else ""
    if " " in directive.flags:
        digits = " ".join(prefix + digits[place : place + 2] for place in range(0, len(digits), 2))
    else:
        digits = prefix + digits
    return digits.upper() if directive.verb == "X" else digits


def _integer(value: int, directive: Directive) -> str:
    verb, flags = directive.verb, directive.flags
    is_big = not -_MACHINE <= value < _MACHINE
    if verb in "cqU" and not is_big:
        return _code_point(value, directive)
    if verb not in _BASES or (verb == "s" and not is_big):
        return _bad(value, directive)
    digits = format(abs(value), _BASES[verb])
    sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
    if directive.precision is not None:
        digits = digits.rjust(directive.precision, "0") if value or directive.precision else ""
        if not digits:
            return _padded("", directive, zeros=False)
    elif "0" in flags and "-" not in flags and directive.width:
        digits = digits.rjust(directive.width - len(sign), "0")
    if verb == "O":
        sign += "0o"
    elif "#" in flags:
        sign += ("" if digits.startswith("0") else "0") if verb == "o" else _PREFIXES.get(verb, "")
    return _padded(sign + digits, directive, zeros=False)


def _code_point(value: int, directive: Directive) -> str:
    known = 0 <= value <= _LAST_CHARACTER and value not in _SURROGATES
    character = chr(value) if known else "\ufffd"
    if directive.verb == "c":
        return _padded(character, directive)
    if directive.verb == "q":
        return _padded(quote(character, ascii_only="+" in directive.flags, mark="'"), directive)
    text = f"U+{format(value % (2 * _MACHINE), 'X').rjust(max(4, directive.precision or 0), '0')}"
    if "#" in directive.flags and known and character.isprintable():
        text += f" '{character}'"
    return _padded(text, directive, zeros=False)


def _float(value: float, directive: Directive) -> str:
    flags = directive.flags
    digits = _float_digits(abs(value), directive.verb, directive.precision, sharp="#" in flags)
    sign = "-" if value < 0 else "+" if "+" in flags else " " if " " in flags else ""
    if sign and "0" in flags and "-" not in flags and directive.width:
        digits = digits.rjust(directive.width - len(sign), "0")
    return _padded(sign + digits, directive)


def _float_digits(value: float, verb: str, precision: int | None, *, sharp: bool) -> str:
    if verb == "b":
        bits = struct.unpack(">Q", struct.pack(">d", value))[0]
        power, mantissa = divmod(bits, 1 << _MANTISSA_BITS)
        return f"{mantissa + ((1 << _MANTISSA_BITS) if power else 0)}p{max(power, 1) - 1075:+d}"
    if verb in "xX":
        text = _float_hexadecimal(value, precision)
        return text.upper() if verb == "X" else text
    if verb in "gGv" and precision is None:
        if not sharp:
            return _shortest(value, "E" if verb == "G" else "e")
        precision = max(_SHARP_DIGITS, len(Decimal(repr(value)).normalize().as_tuple().digits))
    form = {"v": "g", "F": "f"}.get(verb, verb)
    return f"{value:{'#' if sharp else ''}.{_SHARP_DIGITS if precision is None else precision}{form}}"


def _shortest(value: float, mark: str) -> str:
    """Return the fewest digits that stand for a float, with an exponent where it is small or large."""
    exact = Decimal(repr(value)).normalize()
    if _PLAIN_EXPONENTS[0] <= exact.adjusted() < _PLAIN_EXPONENTS[1]:
        return format(exact, "f")
    digits = "".join(map(str, exact.as_tuple().digits))
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}{mark}{exact.adjusted():+03d}"


def _float_hexadecimal(value: float, precision: int | None) -> str:
    """Return a float as 0x1.8p+00: its mantissa in hexadecimal digits, its power of two in decimal ones."""
    if value == 0:
        fraction = "0" * (precision or 0)
        return f"0x0{'.' if fraction else ''}{fraction}p+00"
    mantissa, power = math.frexp(value)
    scaled = int(mantissa * 2 ** (_MANTISSA_BITS + 1))  # from 2**52 on, less than 2**53
    power -= 1
    digits = _MANTISSA_DIGITS if precision is None else min(precision, _MANTISSA_DIGITS)
    kept = round(scaled / 2 ** (4 * (_MANTISSA_DIGITS - digits)))  # exact: a power of two; ties go to even
    first, rest = divmod(kept, 16**digits)
    if first > 1:
        first, rest, power = 1, 0, power + 1
    fraction = format(rest, "x").rjust(digits, "0") if digits else ""
    fraction = fraction.rstrip("0") if precision is None else fraction.ljust(precision, "0")
    return f"0x{first}{'.' if fraction else ''}{fraction}p{power:+03d}"
