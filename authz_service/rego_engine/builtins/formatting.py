"""sprintf and string interpolation.

sprintf's formats are Go's: a verb with flags, width, precision and operand numbers, as in %-8s, %.2f, %[2]d, %*d. A
verb that does not suit its operand, or has none, shows so in the text: %!d(string=x), %!d(MISSING), %!(EXTRA int64=1).
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final

from authz_service.rego_engine.builtins.go_format import Directive, Operand, formatted, operand, padded_width, type_of
from authz_service.rego_engine.builtins.registry import array, builtin, string
from authz_service.rego_engine.builtins.rego_text import show
from authz_service.rego_engine.builtins.texts import MAX_CHARACTERS, BoundedText
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, plain, type_name

MAX_FORMAT: Final = 64 * 1024  # characters
MAX_WIDTH: Final = 1_000_000  # characters, and digits of a precision
_CACHED: Final = 512  # formats, of at most _CACHED_LENGTH characters
_CACHED_LENGTH: Final = 2048
_MACHINE: Final = 2**63
_LARGE_WIDTH: Final = 10  # digits: beyond MAX_WIDTH, and not worth reading
_VERB: Final = re.compile(
    r"""%(?P<flags>[#0+\- ]*)
    (?P<width_index>\[[^\]]{0,16}\]|\[)?(?P<width>\*|[0-9]+)?
    (?P<dot>\.(?=.)(?P<precision_index>\[[^\]]{0,16}\]|\[)?(?P<precision>\*|[0-9]+)?)?
    (?P<index>\[[^\]]{0,16}\]|\[)?(?P<verb>.)?""",
    re.DOTALL | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class _Part:
    """A directive as it is written; None where a piece of it is not there. `simple`: there is only a verb."""

    flags: str
    width_index: str | None
    width: str | None
    dot: bool
    precision_index: str | None
    precision: str | None
    index: str | None
    verb: str | None
    simple: bool


@builtin("sprintf")
def sprintf(text: Value, values: Value) -> Value:
    """Return a format's text, with each verb replaced by its operand."""
    layout, operands = string(text, 1), array(values, 2)
    if len(layout) > MAX_FORMAT:
        raise BuiltinFault(f"the format is longer than {MAX_FORMAT} characters")
    parts = _cached_parts(layout) if len(layout) <= _CACHED_LENGTH else _parts(layout)
    return _Writer(operands).write(parts)


@builtin("internal.template_string")
def template_string(parts: Value) -> Value:
    """Return the text of an interpolated string: a set of an expression's one value, or of none, is an expression."""
    made = BoundedText()
    for part in array(parts, 1):
        if type(part) is not set:
            if type(part) is list or type(part) is dict:
                raise BuiltinFault(f"illegal argument type: {type_name(part)}")
            made.add(show(part))
        elif len(part) > 1:
            raise BuiltinFault("template-strings must not produce multiple outputs")
        else:
            made.add(show(plain(next(iter(part)))) if part else "<undefined>")
    return made.text()


def _parts(layout: str) -> tuple[str | _Part, ...]:
    """Take a format apart, into texts and directives."""
    parts: list[str | _Part] = []
    place = 0
    for found in _VERB.finditer(layout):
        if place < found.start():
            parts.append(layout[place : found.start()])
        place = found.end()
        pieces = found.groupdict()
        verb = pieces.pop("verb")
        flags = pieces.pop("flags") or ""
        dot = pieces.pop("dot") is not None
        parts.append(
            _Part(**pieces, flags=flags, dot=dot, verb=verb, simple=not (flags or dot or any(pieces.values())))
        )
    parts.append(layout[place:])
    return tuple(parts)


_cached_parts = functools.lru_cache(maxsize=_CACHED)(_parts)


class _Writer:
    """Writes one format with its operands."""

    def __init__(self, values: list[Value]) -> None:
        self._values = values
        self._made = BoundedText()
        self._next = 0  # the operand that the next verb takes
        self._reordered = False  # some directive names its operand
        self._is_good = True  # the directive names an operand that is there

    def write(self, parts: tuple[str | _Part, ...]) -> str:
        """Return the whole text."""
        for part in parts:
            if isinstance(part, str):
                self._made.add(part)
            elif part.simple and self._next < len(self._values):
                self._simple(part.verb)
            else:
                self._directive(part)
        if not self._reordered and self._next < len(self._values):
            extra = map(operand, self._values[self._next :])
            shown = (f"{type_of(each)}={formatted(each, Directive('v'))}" for each in extra)
            self._made.add(f"%!(EXTRA {', '.join(shown)})")
        return self._made.text()

    def _simple(self, verb: str | None) -> None:
        """Write a directive of nothing but a verb: almost every one."""
        if verb is None or verb == "%":
            self._made.add("%" if verb else "%!(NOVERB)")
            return
        value = self._values[self._next]
        self._next += 1
        if type(value) is str and verb in "sv":
            self._made.add(value)
        elif type(value) is int and verb in "dv" and -_MACHINE <= value < _MACHINE:
            self._made.add(str(value))
        else:
            self._made.add(formatted(operand(value), Directive(verb)))

    def _directive(self, part: _Part) -> None:
        self._is_good = True
        flags = part.flags
        named = self._name(part.width_index)
        width: int | None = None
        if part.width == "*":
            width = self._star("%!(BADWIDTH)")
            if width is not None and width < 0:
                width = -width
                flags = "-" + flags.replace("0", "")
            named = False
        elif part.width:
            width = _size(part.width)
            self._is_good = self._is_good and not named  # the number stands before the verb, or a star
        precision: int | None = None
        if part.dot:
            self._is_good = self._is_good and not named
            named = self._name(part.precision_index)
            if part.precision == "*":
                precision = self._star("%!(BADPREC)", least=0)
                named = False
            else:
                precision = _size(part.precision or "0")
        if named and part.index:
            # A second number is no number: its bracket is the verb, and the rest is text.
            self._verb(Directive("[", flags, width, precision))
            self._made.add(part.index[1:] + (part.verb or ""))
            return
        self._name(part.index)
        if part.verb is None:
            self._made.add("%!(NOVERB)")
        else:
            self._verb(Directive(part.verb, flags, width, precision))

    def _verb(self, directive: Directive) -> None:
        if directive.verb == "%":
            self._made.add("%")
        elif not self._is_good:
            self._made.add(f"%!{directive.verb}(BADINDEX)")
        elif self._next >= len(self._values):
            self._made.add(f"%!{directive.verb}(MISSING)")
        else:
            value = operand(self._values[self._next])
            self._next += 1
            if padded_width(directive) > MAX_CHARACTERS:
                raise BuiltinFault(f"the text would be longer than {MAX_CHARACTERS} characters")
            self._made.add(formatted(value, directive))

    def _name(self, index: str | None) -> bool:
        """Turn to the operand that a directive names, if it names one."""
        if not index:
            return False
        self._reordered = True
        digits = index[1:-1]
        if len(index) == 1 or not (digits.isascii() and digits.isdecimal()):
            self._is_good = False
            return False
        if 1 <= int(digits) <= len(self._values):
            self._next = int(digits) - 1
        else:
            self._is_good = False
        return True

    def _star(self, refusal: str, least: int = -MAX_WIDTH) -> int | None:
        """Take an operand as width or precision."""
        value: Operand | None = None
        if self._next < len(self._values):
            value = operand(self._values[self._next])
            self._next += 1
        if isinstance(value, int) and least <= value <= MAX_WIDTH:
            return value
        self._made.add(refusal)
        return None


def _size(digits: str) -> int:
    size = int(digits) if len(digits) < _LARGE_WIDTH else MAX_WIDTH + 1
    if size > MAX_WIDTH:
        raise BuiltinFault(f"a width or precision of more than {MAX_WIDTH}")
    return size
