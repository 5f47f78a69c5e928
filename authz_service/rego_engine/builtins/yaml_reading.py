"""Built-ins that read YAML: the first document of a text, as the JSON value that it stands for.

Read from events, with a stack of its own: no depth of the text uses up Python's. Aliases are counted with all that they
stand for, so that a few lines cannot stand for a billion values.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

import yaml

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins.registry import builtin, string
from authz_service.rego_engine.builtins.rego_text import quote
from authz_service.rego_engine.builtins.texts import from_octets, octets
from authz_service.rego_engine.builtins.yaml_scalars import resolve
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, type_name

MAX_CHARACTERS: Final = 1024 * 1024  # of a text
MAX_DEPTH: Final = 200  # levels of sequences and mappings
MAX_VALUES: Final = 200_000  # of a document, with its aliases' values

_TAG: Final = "tag:yaml.org,2002:"
_TYPES: Final[dict[str, tuple[type, ...]]] = {
    f"{_TAG}int": (int,),
    f"{_TAG}float": (int, float, Decimal),
    f"{_TAG}bool": (bool,),
    f"{_TAG}null": (type(None),),
}
_MERGE: Final = object()  # the key <<
_NO_KEY: Final = object()


@builtin("yaml.unmarshal")
def unmarshal(value: Value) -> Value:
    """Return the value of a YAML text; of several documents, the first's."""
    return _read(string(value, 1))


@builtin("yaml.is_valid")
def is_valid(value: Value) -> Value:
    """Whether a value is a YAML text that stands for a value."""
    if type(value) is not str:
        return False
    try:
        _read(value)
    except BuiltinFault:
        return False
    return True


def _read(text: str) -> Value:
    if len(text) > MAX_CHARACTERS:
        raise BuiltinFault(f"yaml: the text is longer than {MAX_CHARACTERS} characters")
    document = _Document()
    number = 0
    for event in _events(octets(text)):
        if type(event) is yaml.DocumentStartEvent:
            number += 1
        elif number == 1:
            document.take(event)
    return document.value


def _events(data: bytes) -> Iterator[Any]:
    try:
        yield from yaml.parse(data, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        raise BuiltinFault(f"yaml: {_line(error)}{error.problem or error.context}") from None
    except yaml.YAMLError:
        raise BuiltinFault("yaml: the text has characters that YAML does not allow") from None


def _line(error: yaml.MarkedYAMLError) -> str:
    """Return where an error is, counted as Go's reader does: from 1 where characters are, else from 0."""
    mark = error.context_mark if error.context_mark and error.context_mark.line else error.problem_mark
    line = (mark.line if mark else 0) + isinstance(error, yaml.scanner.ScannerError)
    return f"line {line}: " if line else ""


class _Level:
    """A sequence or a mapping that is not complete yet."""

    __slots__ = ("anchor", "key", "merged", "size", "value")

    def __init__(self, value: list[Value] | dict[str, Value], anchor: str | None) -> None:
        self.value = value
        self.anchor = anchor
        self.key: Any = _NO_KEY
        self.merged: list[dict[str, Value]] = []
        self.size = 1  # values, with those of aliases

    def add(self, value: Value, size: int) -> None:
        """Add a member, or a key or its value."""
        self.size += size
        if type(self.value) is list:
            self.value.append(value)
        elif self.key is _NO_KEY:
            self.key = value if value is _MERGE else _key(value)
        else:
            if self.key is _MERGE:
                self.merged += _mappings(value)
            else:
                self.value[self.key] = value
            self.key = _NO_KEY

    def complete(self) -> Value:
        """Return the whole; a mapping's own keys come before merged ones, and earlier merged ones before later."""
        if not self.merged:
            return self.value
        self.size += sum(map(len, self.merged))
        whole: dict[str, Value] = {}
        for mapping in reversed(self.merged):
            whole.update(mapping)
        whole.update(self.value)
        return whole


class _Document:
    """The value of one document, in the making."""

    def __init__(self) -> None:
        self.value: Value = None
        self._levels: list[_Level] = []
        self._anchors: dict[str, tuple[Value, int] | None] = {}  # None while the value is not complete
        self._size = 0

    def take(self, event: Any) -> None:
        """Take the next event."""
        kind = type(event)
        if kind is yaml.ScalarEvent:
            in_key = bool(self._levels) and type(self._levels[-1].value) is dict and self._levels[-1].key is _NO_KEY
            value = _MERGE if in_key and event.implicit[0] and event.value == "<<" else _scalar(event)
            self._add(value, 1, event.anchor)
        elif kind is yaml.SequenceStartEvent:
            self._open([], event.anchor)
        elif kind is yaml.MappingStartEvent:
            self._open({}, event.anchor)
        elif kind is yaml.AliasEvent:
            self._add(*self._anchored(event.anchor), None)
        elif kind in {yaml.SequenceEndEvent, yaml.MappingEndEvent}:
            level = self._levels.pop()
            self._add(level.complete(), level.size, level.anchor)

    def _open(self, value: list[Value] | dict[str, Value], anchor: str | None) -> None:
        if len(self._levels) == MAX_DEPTH:
            raise BuiltinFault(f"yaml: deeper than {MAX_DEPTH} levels")
        if anchor:
            self._anchors[anchor] = None
        self._levels.append(_Level(value, anchor))

    def _anchored(self, anchor: str) -> tuple[Value, int]:
        if anchor not in self._anchors:
            raise BuiltinFault(f"yaml: unknown anchor '{anchor}' referenced")
        found = self._anchors[anchor]
        if found is None:
            raise BuiltinFault(f"yaml: anchor '{anchor}' value contains itself")
        return found

    def _add(self, value: Value, size: int, anchor: str | None) -> None:
        self._size = max(self._size, size) + 1
        if size > MAX_VALUES or self._size > MAX_VALUES:
            raise BuiltinFault(f"yaml: more than {MAX_VALUES} values, with those that aliases stand for")
        if anchor:
            self._anchors[anchor] = (value, size)
        if self._levels:
            self._levels[-1].add(value, size)
            if self._levels[-1].size > MAX_VALUES:
                raise BuiltinFault(f"yaml: more than {MAX_VALUES} values, with those that aliases stand for")
        else:
            self.value = value


def _scalar(event: Any) -> Value:
    text: str = event.value
    if event.tag == f"{_TAG}binary":
        try:
            return from_octets(binascii.a2b_base64(text))
        except ValueError:
            raise BuiltinFault("yaml: !!binary value contains invalid base64 data") from None
    types = _TYPES.get(event.tag)
    if not types and not event.implicit[0]:
        return text
    found = resolve(text)
    if types and type(found) not in types:
        raise BuiltinFault(f"yaml: cannot decode {quote(text)} as a !!{event.tag.removeprefix(_TAG)}")
    return found


def _key(value: Value) -> str:
    """Return a mapping's key as the string that JSON has for it."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if value is None or type(value) is list or type(value) is dict:
        raise BuiltinFault(f"yaml: invalid map key: {type_name(value)}")
    return numbers.text(value)


def _mappings(value: Value) -> list[dict[str, Value]]:
    found = value if type(value) is list else [value]
    if not all(type(item) is dict for item in found):
        raise BuiltinFault("yaml: map merge requires map or sequence of maps as the value")
    return found
