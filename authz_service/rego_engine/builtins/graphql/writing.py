"""Objects that stand for GraphQL documents (see `objects`), written as the text that they stand for.

What is missing counts as empty, and what an object has besides is passed over. Names and numbers are checked here, so
that no text in an object can be anything else in the document.
"""

from __future__ import annotations

import json
from typing import Any, Final

import re2

from authz_service.rego_engine.builtins.graphql.documents import MAX_DEPTH
from authz_service.rego_engine.builtins.graphql.objects import (
    BLOCK,
    BOOLEAN,
    ENUM,
    FLOAT,
    INT,
    KINDS,
    LIST,
    NULL,
    OBJECT,
    STRING,
    VARIABLE,
)
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, type_name

Object = dict[Any, Value]

_NAME: Final = re2.compile(r"[_A-Za-z][_0-9A-Za-z]*")
_NUMBER: Final = re2.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_KEYWORDS: Final = {kind: keyword for keyword, kind in KINDS.items()} | {"OBJECT": "type", "INPUT_OBJECT": "input"}
_OPERATIONS: Final = frozenset({"query", "mutation", "subscription"})


def write_query(document: Object) -> str:
    """Write operations and fragments.

    Raises:
        BuiltinFault: it does not stand for any.
    """
    operations = map(_operation, _items(document, "Operations"))
    return "\n".join([*operations, *map(_fragment, _items(document, "Fragments"))])


def write_schema(document: Object) -> str:
    """Write a schema's definitions and extensions, as `write_query` writes a query."""
    return "\n".join(
        [
            *map(_schema, _items(document, "Schema")),
            *(f"extend {_schema(item)}" for item in _items(document, "SchemaExtension")),
            *map(_directive_definition, _items(document, "Directives")),
            *map(_type_definition, _items(document, "Definitions")),
            *(f"extend {_type_definition(item)}" for item in _items(document, "Extensions")),
        ]
    )


def _fault(name: str, value: Value) -> BuiltinFault:
    return BuiltinFault(f"GraphQL object has a {name} that is {type_name(value)}")


def _items(document: Object, name: str) -> list[Object]:
    value = document.get(name)
    found: list[Object] = [] if value is None else value
    if type(found) is not list or any(type(item) is not dict for item in found):
        raise _fault(name, value)
    return found


def _object(document: Object, name: str) -> Object | None:
    value = document.get(name)
    if value is not None and type(value) is not dict:
        raise _fault(name, value)
    return value


def _string(document: Object, name: str) -> str:
    value = document.get(name, "")
    if type(value) is not str:
        raise _fault(name, value)
    return value


def _names(document: Object, name: str) -> list[str]:
    value = document.get(name)
    found = [] if value is None else value
    if type(found) is not list:
        raise _fault(name, value)
    return [_checked(item) for item in found]


def _checked(name: Value) -> str:
    if type(name) is not str or not name.isascii() or not _NAME.fullmatch(name):
        raise BuiltinFault("GraphQL object has a name that is none")
    return name


def _name(document: Object, name: str = "Name") -> str:
    return _checked(_string(document, name))


def _quoted(text: str) -> str:
    return json.dumps(text).replace("\\u007f", "\x7f")


def _described(document: Object) -> str:
    text = _string(document, "Description")
    return f"{_quoted(text)} " if text else ""


def _listed(start: str, parts: list[str], end: str) -> str:
    return f"{start}{' '.join(parts)}{end}" if parts else ""


def _operation(document: Object) -> str:
    kind = _string(document, "Operation")
    if kind not in _OPERATIONS:
        raise BuiltinFault("GraphQL object has an operation that is none")
    name = _name(document) if document.get("Name") else ""
    variables = _variables(document, "VariableDefinitions")
    return f"{_described(document)}{kind} {name}{variables}{_directives(document)}{_selections(document, 0)}"


def _fragment(document: Object) -> str:
    start = f"{_described(document)}fragment {_name(document)}{_variables(document, 'VariableDefinition')}"
    return f"{start} on {_name(document, 'TypeCondition')}{_directives(document)}{_selections(document, 0)}"


def _variables(document: Object, name: str) -> str:
    parts = [
        f"{_described(item)}${_name(item, 'Variable')}: {_type(item)}{_default(item)}{_directives(item)}"
        for item in _items(document, name)
    ]
    return _listed("(", parts, ")")


def _selections(document: Object, depth: int) -> str:
    if depth > MAX_DEPTH:
        raise BuiltinFault(f"GraphQL object has more than {MAX_DEPTH} levels")
    return _listed(" {", [_selection(item, depth + 1) for item in _items(document, "SelectionSet")], "}")


def _selection(document: Object, depth: int) -> str:
    below = _selections(document, depth)
    directives = _directives(document)
    if "Alias" in document or ("Name" in document and (below or "Arguments" in document)):
        name = _name(document)
        alias = f"{_name(document, 'Alias')}: " if document.get("Alias", name) != name else ""
        return f"{alias}{name}{_arguments(document)}{directives}{below}"
    if "Name" in document:
        return f"...{_name(document)}{directives}"
    condition = f" on {_name(document, 'TypeCondition')}" if document.get("TypeCondition") else ""
    return f"...{condition}{directives}{below}"


def _arguments(document: Object) -> str:
    parts = [f"{_name(item)}: {_value(_object(item, 'Value'), 0)}" for item in _items(document, "Arguments")]
    return _listed("(", parts, ")")


def _directives(document: Object) -> str:
    return "".join(f" @{_name(item)}{_arguments(item)}" for item in _items(document, "Directives"))


def _default(document: Object) -> str:
    value = _object(document, "DefaultValue")
    return "" if value is None else f" = {_value(value, 0)}"


def _value(document: Object | None, depth: int) -> str:
    if document is None or depth > MAX_DEPTH:
        raise BuiltinFault(f"GraphQL object has an empty value, or more than {MAX_DEPTH} levels")
    kind, raw = document.get("Kind", VARIABLE), _string(document, "Raw")
    if kind == LIST:
        parts = [_value(_object(item, "Value"), depth + 1) for item in _items(document, "Children")]
        return f"[{', '.join(parts)}]"
    if kind == OBJECT:
        fields = [(_name(item), _object(item, "Value")) for item in _items(document, "Children")]
        return f"{{{', '.join(f'{name}: {_value(value, depth + 1)}' for name, value in fields)}}}"
    if kind in {STRING, BLOCK}:
        return _quoted(raw)
    if kind in {INT, FLOAT}:
        if not raw.isascii() or not _NUMBER.fullmatch(raw):
            raise BuiltinFault("GraphQL object has a number that is none")
        return raw
    if kind in {VARIABLE, ENUM, BOOLEAN, NULL}:
        return f"{'$' if kind == VARIABLE else ''}{_checked(raw)}"
    raise BuiltinFault("GraphQL object has a value of no kind")


def _type(document: Object, name: str = "Type", depth: int = 0) -> str:
    found = _object(document, name)
    if found is None or depth > MAX_DEPTH:
        raise BuiltinFault(f"GraphQL object has no type, or more than {MAX_DEPTH} levels")
    required = "!" if found.get("NonNull") is True else ""
    if found.get("NamedType"):
        return f"{_name(found, 'NamedType')}{required}"
    return f"[{_type(found, 'Elem', depth + 1)}]{required}"


def _schema(document: Object) -> str:
    parts = []
    for item in _items(document, "OperationTypes"):
        if _string(item, "Operation") not in _OPERATIONS:
            raise BuiltinFault("GraphQL object has an operation that is none")
        parts.append(f"{item['Operation']}: {_name(item, 'Type')}")
    return f"{_described(document)}schema{_directives(document)}{_listed(' {', parts, '}')}"


def _directive_definition(document: Object) -> str:
    repeatable = " repeatable" if document.get("IsRepeatable") is True else ""
    start = f"{_described(document)}directive @{_name(document)}{_inputs(document, 'Arguments', '()')}"
    return f"{start}{repeatable} on {' | '.join(_names(document, 'Locations'))}"


def _type_definition(document: Object) -> str:
    kind = _string(document, "Kind")
    if kind not in _KEYWORDS:
        raise BuiltinFault("GraphQL object has a type of no kind")
    interfaces, types = _names(document, "Interfaces"), _names(document, "Types")
    values = [f"{_described(item)}{_name(item)}{_directives(item)}" for item in _items(document, "EnumValues")]
    return "".join(
        [
            f"{_described(document)}{_KEYWORDS[kind]} {_name(document)}",
            f" implements {' & '.join(interfaces)}" if interfaces else "",
            _directives(document),
            f" = {' | '.join(types)}" if types else "",
            _inputs(document, "Fields", "{}"),
            _listed(" {", values, "}"),
        ]
    )


def _inputs(document: Object, name: str, brackets: str) -> str:
    """Write fields, of which those of inputs may have values, and arguments, which are inputs as well."""
    parts = [
        f"{_described(item)}{_name(item)}{_inputs(item, 'Arguments', '()') if brackets == '{}' else ''}"
        f": {_type(item)}{_default(item)}{_directives(item)}"
        for item in _items(document, name)
    ]
    return _listed(brackets[0], parts, brackets[1])
