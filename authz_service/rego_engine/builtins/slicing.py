"""Built-ins that take strings apart and put them together: substring, split, concat, trim."""

from __future__ import annotations

from typing import Final

from authz_service.rego_engine.builtins.registry import builtin, integer, string, wrong
from authz_service.rego_engine.builtins.texts import check_length
from authz_service.rego_engine.errors import BuiltinFault, OperandFault
from authz_service.rego_engine.values import Value, members, type_name

# Unicode's White_Space. Python's own `strip()` takes the separators U+001C to U+001F too.
_SPACE: Final = (
    "\t\n\v\f\r \u0085\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000"
)
_MACHINE_BITS: Final = 63  # of an offset or a count


@builtin("substring")
def substring(value: Value, offset: Value, length: Value) -> Value:
    """Return at most `length` characters from `offset` on; with a negative length, all of them."""
    text = string(value, 1)
    start = machine_integer(offset, 2)
    size = machine_integer(length, 3)
    if start < 0:
        raise BuiltinFault("negative offset")
    return text[start:] if size < 0 else text[start : start + size]


@builtin("split")
def split(value: Value, delimiter: Value) -> Value:
    """Return the parts between delimiters; with an empty delimiter, the characters."""
    text = string(value, 1)
    between = string(delimiter, 2)
    return text.split(between) if between else list(text)


@builtin("strings.split_n")
def split_n(value: Value, delimiter: Value, number: Value) -> Value:
    """Return the first `number` parts between delimiters; with a negative number, the last."""
    text = string(value, 1)
    between = string(delimiter, 2)
    wanted = machine_integer(number, 3)
    if wanted == 0:
        return []
    parts = text.split(between) if between else list(text)
    return parts[:wanted] if wanted > 0 else parts[wanted:]


@builtin("concat")
def concat(delimiter: Value, collection: Value) -> Value:
    """Join texts, a set's in their order, with a delimiter between them."""
    between = string(delimiter, 1)
    if type(collection) is list:
        parts = collection
    elif type(collection) is set:
        parts = members(collection)
    else:
        raise wrong(collection, 2, "set", "array")
    length = 0
    for part in parts:
        if type(part) is not str:
            kind = type_name(collection)
            raise OperandFault(f"operand 2 must be {kind} of strings but got {kind} containing {type_name(part)}")
        length += len(part)
    check_length(length + len(between) * len(parts))
    return between.join(parts)


@builtin("trim")
def trim(value: Value, cutset: Value) -> Value:
    """Take characters of the cutset off both ends."""
    text = string(value, 1)
    return text.strip(string(cutset, 2))


@builtin("trim_left")
def trim_left(value: Value, cutset: Value) -> Value:
    """Take characters of the cutset off the start."""
    text = string(value, 1)
    return text.lstrip(string(cutset, 2))


@builtin("trim_right")
def trim_right(value: Value, cutset: Value) -> Value:
    """Take characters of the cutset off the end."""
    text = string(value, 1)
    return text.rstrip(string(cutset, 2))


@builtin("trim_prefix")
def trim_prefix(value: Value, prefix: Value) -> Value:
    """Take a prefix off, once."""
    text = string(value, 1)
    return text.removeprefix(string(prefix, 2))


@builtin("trim_suffix")
def trim_suffix(value: Value, suffix: Value) -> Value:
    """Take a suffix off, once."""
    text = string(value, 1)
    return text.removesuffix(string(suffix, 2))


@builtin("trim_space")
def trim_space(value: Value) -> Value:
    """Take white space, as Unicode defines it, off both ends."""
    return string(value, 1).strip(_SPACE)


def machine_integer(value: Value, position: int) -> int:
    """Return an operand that must be a whole number of 64 bits."""
    found = integer(value, position)
    if found.bit_length() > _MACHINE_BITS:
        raise OperandFault(f"operand {position} must be integer number but got one beyond 64 bits")
    return found
