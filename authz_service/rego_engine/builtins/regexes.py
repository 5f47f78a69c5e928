"""Built-ins of regular expressions. Syntax and matches are RE2's."""

from __future__ import annotations

import functools
import re
from itertools import islice
from typing import Final

from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.builtins.patterns import Pattern, Span, pattern, quoted
from authz_service.rego_engine.builtins.registry import builtin, string
from authz_service.rego_engine.builtins.rego_text import quote
from authz_service.rego_engine.builtins.slicing import machine_integer
from authz_service.rego_engine.builtins.texts import BoundedText, from_octets, octets
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value

_CACHED: Final = 256  # compiled templates
_REFERENCE: Final = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})")  # $$, $1 or $name, ${1} or ${name}


@builtin("regex.match", "re_match")
def match(regex: Value, value: Value) -> Value:
    """Whether a pattern matches some part of a text."""
    source, text = string(regex, 1), string(value, 2)
    return pattern(source).search(octets(text))


@builtin("regex.is_valid")
def is_valid(regex: Value) -> Value:
    """Whether a value is a pattern."""
    if type(regex) is not str:
        return False
    try:
        pattern(regex)
    except BuiltinFault:
        return False
    return True


@builtin("regex.split", context=True)
def split(context: Context, regex: Value, value: Value) -> Value:
    """Return the parts between matches."""
    source, text = string(regex, 1), octets(string(value, 2))
    compiled = pattern(source)
    if source and not text:
        return [""]
    parts: list[str] = []
    place = start = 0
    for start, end in compiled.spans(text, context.remaining):
        if end > 0:  # an empty match at the start parts nothing
            parts.append(from_octets(text[place:start]))
        place = end
    if start != len(text):
        parts.append(from_octets(text[place:]))
    return parts


@builtin("regex.find_n", context=True)
def find_n(context: Context, regex: Value, value: Value, number: Value) -> Value:
    """Return the first `number` matches; with a negative number, all."""
    source, text = string(regex, 1), octets(string(value, 2))
    most = machine_integer(number, 3)
    spans = pattern(source).spans(text, context.remaining)
    return [from_octets(text[start:end]) for start, end in islice(spans, most if most >= 0 else None)]


@builtin("regex.find_all_string_submatch_n", context=True)
def find_all_string_submatch_n(context: Context, regex: Value, value: Value, number: Value) -> Value:
    """Return the first `number` matches, each as an array of the whole and its groups; with a negative number, all."""
    source, text = string(regex, 1), octets(string(value, 2))
    most = machine_integer(number, 3)
    found = pattern(source).group_spans(text, context.remaining)
    return [[from_octets(_part(text, span)) for span in spans] for spans in islice(found, most if most >= 0 else None)]


@builtin("regex.replace", context=True)
def replace(context: Context, value: Value, regex: Value, new: Value) -> Value:
    """Replace each match by a template: $1 or ${1} is a group, $name or ${name} a named one, $$ a dollar sign."""
    base, source, template = string(value, 1), string(regex, 2), string(new, 3)
    text = octets(base)
    compiled = pattern(source)
    pieces = _template(template, compiled) if "$" in template else [template]
    made = BoundedText()
    place = 0
    for spans in compiled.group_spans(text, context.remaining):
        start, end = spans[0]
        made.add(from_octets(text[place:start]))
        for piece in pieces:
            made.add(piece if isinstance(piece, str) else from_octets(_part(text, spans[piece])))
        place = end
    made.add(from_octets(text[place:]))
    return made.text()


@builtin("regex.template_match")
def template_match(template: Value, value: Value, delimiter_start: Value, delimiter_end: Value) -> Value:
    """Whether a text matches a template: literal text, with patterns between delimiters of one octet."""
    source, text = string(template, 1), string(value, 2)
    start, end = octets(string(delimiter_start, 3)), octets(string(delimiter_end, 4))
    for name, delimiter in (("start", start), ("end", end)):
        if len(delimiter) != 1:
            raise BuiltinFault(f"{name} delimiter has to be exactly one character long but is {len(delimiter)} long")
    return _template_pattern(source, start, end).fullmatch(octets(text))


def _part(text: bytes, span: Span) -> bytes:
    return text[span[0] : span[1]] if span[0] >= 0 else b""


def _template(template: str, compiled: Pattern) -> list[str | int]:
    """Take a template of `replace` apart, into texts and numbers of groups. A name that is no group is left out."""
    names = {from_octets(name): number for name, number in compiled.names().items()}
    most = compiled.groups()
    pieces: list[str | int] = []
    place = 0
    for reference in _REFERENCE.finditer(template):
        pieces.append(template[place : reference.start()])
        place = reference.end()
        name = reference[2] or reference[3]
        if reference[1]:
            pieces.append("$")
        elif name.isascii() and name.isdigit():
            number = int(name[:9])
            if number <= most and len(name) <= len(str(most)):
                pieces.append(number)
        elif name in names:
            pieces.append(names[name])
    pieces.append(template[place:])
    return pieces


@functools.lru_cache(maxsize=_CACHED)
def _template_pattern(template: str, start: bytes, end: bytes) -> Pattern:
    source = octets(template)
    parts: list[bytes] = []
    place = depth = opened = 0
    for index, octet in enumerate(source):
        if octet == start[0]:
            depth += 1
            if depth == 1:
                opened = index
        elif octet == end[0]:
            depth -= 1
            if depth < 0:
                break
            if depth == 0:
                inner = source[opened + 1 : index]
                Pattern(inner)  # each must be a pattern by itself
                parts += [quoted(source[place:opened]), b"(", inner, b")"]
                place = index + 1
    if depth != 0:
        raise BuiltinFault(f"unbalanced braces in {quote(template)}")
    parts.append(quoted(source[place:]))
    return Pattern(b"".join(parts))
