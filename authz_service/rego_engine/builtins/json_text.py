"""Built-ins that write and read JSON (RFC 8259). What is written suits HTML, too: <, > and & are escaped."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import Final, NoReturn

from authz_service.rego_engine.builtins.registry import builtin, obj, string
from authz_service.rego_engine.builtins.rego_text import TOO_LARGE, quote, write
from authz_service.rego_engine.builtins.texts import BoundedText
from authz_service.rego_engine.errors import BuiltinFault, OperandFault
from authz_service.rego_engine.values import Value, plain, read, to_json, type_name

MAX_DEPTH: Final = 200  # levels of arrays and objects in a text that is read
MAX_INDENT: Final = 256  # characters of a prefix, and of an indent

_SPECIAL: Final = re.compile("[<>&\u2028\u2029\ud800-\udfff]")
_HALF: Final = re.compile("[\ud800-\udfff]")
_ESCAPES: Final = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
_LONE: Final = "\\ufffd"  # half of a surrogate pair, or an octet that is no UTF-8
_ESCAPED_HALF: Final = re.compile(r"\\u[dD][89a-fA-F]")


@builtin("json.marshal")
def marshal(value: Value) -> Value:
    """Return a value's JSON text without spaces, keys in order, sets as arrays."""
    made = BoundedText()
    _write(as_json(value), made)
    return made.text()


@builtin("json.marshal_with_options")
def marshal_with_options(value: Value, options: Value) -> Value:
    """Return a value's JSON text; where `pretty`, a line for each item, after `prefix` and an `indent` a level."""
    pretty: bool | None = None
    texts = {"prefix": "", "indent": "\t"}
    given = False
    for key, option in obj(options, 2).items():
        name = plain(key)
        if type(name) is not str:
            raise OperandFault(f"operand 2 failed to stringify key: must be string but got {type_name(name)}")
        if name in texts:
            texts[name] = _layout(name, option)
            given = True
        elif name == "pretty":
            if type(option) is not bool:
                raise OperandFault(f'operand 2 key "{name}" failed cast to bool')
            pretty = option
        else:
            raise OperandFault(f"operand 2 object contained unknown key {quote(name)}")
    made = BoundedText()
    if given if pretty is None else pretty:
        made.add(texts["prefix"])
        _write(as_json(value), made, texts["indent"], f"\n{texts['prefix']}")
    else:
        _write(as_json(value), made)
    return made.text()


@builtin("json.unmarshal")
def unmarshal(value: Value) -> Value:
    """Return the value of a JSON text, its numbers exact; of equal names in an object the last counts."""
    text = string(value, 1)
    try:
        found = read(text)
        _check_depth(text, found)
    except (ValueError, RecursionError):
        raise BuiltinFault(f"no JSON, or deeper than {MAX_DEPTH} levels, or a number out of bounds") from None
    return _whole(found) if _HALF.search(text) or _ESCAPED_HALF.search(text) else found


@builtin("json.is_valid")
def is_valid(value: Value) -> Value:
    """Whether a value is a JSON text."""
    if type(value) is not str:
        return False
    try:
        found = json.loads(value, parse_int=str, parse_float=str, parse_constant=_refuse)  # of any size
        _check_depth(value, found)
    except (ValueError, RecursionError):
        return False
    return True


def as_json(value: Value) -> Value:
    """Return a value as JSON has it, or raise `BuiltinFault` for a key that is too large a number to write."""
    try:
        return to_json(value)
    except ValueError:
        raise BuiltinFault(TOO_LARGE) from None


def _layout(name: str, option: Value) -> str:
    if type(option) is not str:
        raise OperandFault(f'operand 2 key "{name}" failed cast to string: must be string but got {type_name(option)}')
    if len(option) > MAX_INDENT:
        raise BuiltinFault(f"{name} is longer than {MAX_INDENT} characters")
    return option


def _write(value: Value, made: BoundedText, indent: str = "", line: str = "") -> None:
    """Write JSON. `line` starts a new line at the value's own level; empty, all is on one line."""
    kind = type(value)
    if kind is str:
        made.add(_quoted(value))
    elif (kind is not list and kind is not dict) or not value:
        made.add(write(value))
    else:
        inner = line + indent if line else ""
        space = " " if line else ""
        start = "[" if kind is list else "{"
        for item in value if kind is list else sorted(value):
            made.add(start + inner)
            start = ","
            if kind is list:
                _write(item, made, indent, inner)
            else:
                made.add(f"{_quoted(item)}:{space}")
                _write(value[item], made, indent, inner)
        made.add(line + ("]" if kind is list else "}"))


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _SPECIAL.sub(lambda found: _ESCAPES.get(found[0], _LONE), quoted)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _check_depth(text: str, value: Value) -> None:
    """Raise `ValueError` where arrays and objects lie deeper than `MAX_DEPTH`."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    level = [value] if type(value) in {dict, list} else []
    for _ in range(MAX_DEPTH):
        nested = chain.from_iterable(outer.values() if type(outer) is dict else outer for outer in level)
        level = [item for item in nested if type(item) in {dict, list}]
    if level:
        raise ValueError("too deep")


def _whole(value: Value) -> Value:
    """Return a value with each half of a surrogate pair replaced by U+FFFD."""
    kind = type(value)
    if kind is str:
        return _HALF.sub("\ufffd", value)
    if kind is list:
        return [_whole(item) for item in value]
    if kind is dict:
        return {_whole(name): _whole(item) for name, item in value.items()}
    return value
