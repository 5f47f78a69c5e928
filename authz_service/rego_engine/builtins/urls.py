"""Built-ins of query strings, as HTML forms write them (application/x-www-form-urlencoded)."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import quote_plus, unquote_to_bytes

from authz_service.rego_engine.builtins.json_text import as_json
from authz_service.rego_engine.builtins.registry import builtin, string, wrong
from authz_service.rego_engine.builtins.rego_text import quote
from authz_service.rego_engine.builtins.texts import BoundedText, check_length, from_octets, octets
from authz_service.rego_engine.errors import BuiltinFault, OperandFault
from authz_service.rego_engine.values import Value

MAX_PARAMETERS: Final = 10_000  # of a query
_BAD_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2}).{0,2}", re.DOTALL)


@builtin("urlquery.encode")
def encode(value: Value) -> Value:
    """Return a text as a part of a query: letters, digits and -_.~ stay, a space is +."""
    return _encoded(string(value, 1))


@builtin("urlquery.decode")
def decode(value: Value) -> Value:
    """Return the text that a part of a query stands for."""
    return _decoded(string(value, 1))


@builtin("urlquery.encode_object")
def encode_object(value: Value) -> Value:
    """Return the query of an object whose values are texts, or arrays or sets of texts, by the order of its keys."""
    if type(value) is not dict:
        raise wrong(value, 1, "object")
    made = BoundedText()
    for name, item in sorted(as_json(value).items()):
        start = f"{_encoded(name)}="
        for text in item if type(item) is list else [item]:
            if type(text) is not str:
                raise OperandFault("operand 1 values must be string, array[string], or set[string]")
            made.add(f"&{start}{_encoded(text)}")
    return made.text()[1:]


@builtin("urlquery.decode_object")
def decode_object(value: Value) -> Value:
    """Return the object of a query's parameters: to each name an array of its values, in their order."""
    query = string(value, 1)
    if query.count("&") >= MAX_PARAMETERS:
        raise BuiltinFault("number of URL query parameters exceeded limit")
    if ";" in query:
        raise BuiltinFault("invalid semicolon separator in query")
    found: dict[str, list[str]] = {}
    for parameter in query.split("&"):
        if parameter:
            name, _, text = parameter.partition("=")
            found.setdefault(_decoded(name), []).append(_decoded(text))
    return found


def unescape(data: bytes) -> bytes:
    """Decode the escapes of RFC 3986 section 2.1, or raise `BuiltinFault` for one that is none."""
    bad = _BAD_ESCAPE.search(data)
    if bad:
        raise BuiltinFault(f"invalid URL escape {quote(from_octets(bad[0]))}")
    return unquote_to_bytes(data)


def _encoded(text: str) -> str:
    check_length(3 * len(text))
    return quote_plus(octets(text))


def _decoded(text: str) -> str:
    return from_octets(unescape(octets(text).replace(b"+", b" ")))
