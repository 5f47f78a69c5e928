"""yaml.marshal: a value as YAML, two spaces a level, strings in quotation marks only where they must be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import yaml
from yaml.emitter import Emitter

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins.json_text import as_json
from authz_service.rego_engine.builtins.registry import builtin
from authz_service.rego_engine.builtins.texts import MAX_CHARACTERS, BoundedText
from authz_service.rego_engine.builtins.yaml_scalars import must_quote
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value

MAX_EVENTS: Final = 50_000  # values that are written, keys and ends of collections included

_PLAIN: Final = (True, True)
_WHOLE: Final = (-(2**63), 2**64)  # the whole numbers that are written plainly
_EXPONENTS: Final = (-4, 6)  # between them, a float is written without one
_RUNS: Final = re.compile(r"[0-9]+|.", re.DOTALL)
_BREAKS: Final = re.compile("[\r\x85\u2028\u2029]")  # which end a line, too, but would not come back as they are
_HALF: Final = re.compile("[\ud800-\udfff]")


class _Emitter(Emitter):
    """Indents a sequence in a mapping, as Go's writers do."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002, ARG002  (the library's signature)
        super().increase_indent(flow=flow, indentless=False)


class _Stream:
    """What the emitter writes to."""

    def __init__(self) -> None:
        self.made = BoundedText()

    def write(self, part: str) -> None:
        """Take a part of the text."""
        self.made.add(part)


@builtin("yaml.marshal")
def marshal(value: Value) -> Value:
    """Return a value's YAML text, keys in natural order, sets as sequences."""
    stream = _Stream()
    emitter = _Emitter(stream, indent=2, width=MAX_CHARACTERS, allow_unicode=True)
    try:
        emitter.emit(yaml.StreamStartEvent())
        emitter.emit(yaml.DocumentStartEvent(explicit=False))
        for number, event in enumerate(_events(as_json(value))):
            if number == MAX_EVENTS:
                raise BuiltinFault(f"yaml: more than {MAX_EVENTS} values and ends of collections")
            emitter.emit(event)
        emitter.emit(yaml.DocumentEndEvent(explicit=False))
        emitter.open_ended = False  # no other document follows: the end needs no mark
        emitter.emit(yaml.StreamEndEvent())
    except yaml.YAMLError:
        raise BuiltinFault("yaml: the value cannot be written") from None
    return stream.made.text()


def _events(value: Value) -> Iterator[Any]:
    kind = type(value)
    if kind is list:
        yield yaml.SequenceStartEvent(None, None, implicit=True, flow_style=not value)
        for item in value:
            yield from _events(item)
        yield yaml.SequenceEndEvent()
    elif kind is dict:
        yield yaml.MappingStartEvent(None, None, implicit=True, flow_style=not value)
        for name in sorted(value, key=_natural):
            yield _text(name)
            yield from _events(value[name])
        yield yaml.MappingEndEvent()
    elif kind is str:
        yield _text(value)
    else:
        yield yaml.ScalarEvent(None, None, _PLAIN, _written(value))


def _text(text: str) -> Any:
    text = _HALF.sub("\ufffd", text)
    style = None
    if must_quote(text) or _BREAKS.search(text):
        style = '"'
    elif "\n" in text:
        style = "|"
    return yaml.ScalarEvent(None, None, _PLAIN, text, style=style)


def _written(value: Value) -> str:
    if value is None:
        return "null"
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int and _WHOLE[0] <= value < _WHOLE[1]:
        return str(value)
    mantissa, _, exponent = f"{Decimal(repr(_near(value))).normalize():e}".partition("e")
    if _EXPONENTS[0] <= int(exponent) < _EXPONENTS[1]:
        return numbers.text(numbers.normalize(_near(value)))
    return f"{mantissa}e{int(exponent):+03d}"


def _near(value: Value) -> float:
    """Return the nearest float: what YAML's readers make of a number that is no whole number of 64 bits."""
    try:
        return float(value)
    except OverflowError:
        raise BuiltinFault("yaml: a number is larger than a float can be") from None


def _natural(name: str) -> list[tuple[int, int, str, int]]:
    """Order numbers in names by their values, before letters, and anything else before numbers."""
    found = []
    for run in _RUNS.findall(name):
        if run[0].isdecimal() and run.isascii():
            digits = run.lstrip("0")
            found.append((1, len(digits), digits, len(run)))
        else:
            found.append((2 if run.isalpha() else 0, 0, run, 0))
    return found
