"""Whether a GraphQL schema is valid, and whether a query is by a schema.

Beyond the spec, and as OPA has it: a schema needs no query type, and a type may be extended that is not defined.
"""

from __future__ import annotations

from typing import Any, Final

import re2
from graphql import (
    DefinitionNode,
    DirectiveDefinitionNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    GraphQLError,
    GraphQLSchema,
    InputObjectTypeDefinitionNode,
    InterfaceTypeDefinitionNode,
    ObjectTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    TypeDefinitionNode,
    TypeExtensionNode,
    UnionTypeDefinitionNode,
    build_ast_schema,
    introspection_types,
    parse,
    specified_rules,
    specified_scalar_types,
    validate,
    validate_schema,
)

from authz_service.rego_engine.builtins.graphql.documents import Query, SchemaText
from authz_service.rego_engine.errors import BuiltinFault

Schema = GraphQLSchema

_DEFINED_BY: Final[dict[str, type[TypeDefinitionNode]]] = {
    "scalar_type_extension": ScalarTypeDefinitionNode,
    "object_type_extension": ObjectTypeDefinitionNode,
    "interface_type_extension": InterfaceTypeDefinitionNode,
    "union_type_extension": UnionTypeDefinitionNode,
    "enum_type_extension": EnumTypeDefinitionNode,
    "input_object_type_extension": InputObjectTypeDefinitionNode,
}
_BUILT_IN: Final = frozenset({*specified_scalar_types, *introspection_types})
# Draft directives: @defer is known to every schema, and what rules there are for it are not applied.
_DEFER: Final = parse("directive @defer(if: Boolean = true, label: String) on FRAGMENT_SPREAD | INLINE_FRAGMENT")
_RULES: Final = tuple(
    rule for rule in specified_rules if not rule.__name__.startswith(("DeferStream", "StreamDirective"))
)
_REQUIRED: Final = re2.compile(r'Argument "(?:\w+\.)?(@?\w+)\((\w+):\)" of type (.*)')
_ACCEPTED: Final = (  # parts of what is told of a schema, and is no fault here
    "Query root type must be provided",
    "All root types must be different",
    "has invalid default value",
    "cannot be deprecated",
    "OneOf input field",
)


def build_schema(document: SchemaText) -> Schema:
    """Return the schema that a document describes.

    Raises:
        BuiltinFault: it describes none that is valid.
    """
    definitions = _with_extended_types(document.definitions)
    for node in definitions:
        if isinstance(node, TypeDefinitionNode) and node.name.value in _BUILT_IN:
            raise BuiltinFault(f"Cannot redeclare type {node.name.value}")
    if not any(isinstance(node, DirectiveDefinitionNode) and node.name.value == "defer" for node in definitions):
        definitions.extend(_DEFER.definitions)
    try:
        schema = build_ast_schema(DocumentNode(definitions=tuple(definitions)))
        errors = validate_schema(schema)
    except (GraphQLError, TypeError, ValueError) as error:
        raise BuiltinFault(_worded(str(error).partition("\n")[0])) from None
    for fault in errors:
        if not any(part in fault.message for part in _ACCEPTED):
            raise _fault(fault)
    parts: Any = schema.to_kwargs()
    parts["assume_valid"] = True  # what has been accepted is remembered as an error otherwise
    return GraphQLSchema(**parts)


def _with_extended_types(nodes: tuple[DefinitionNode, ...]) -> list[DefinitionNode]:
    """Return definitions where the first extension of a type that is not defined defines it."""
    defined = {node.name.value for node in nodes if isinstance(node, TypeDefinitionNode)} | _BUILT_IN
    found: list[DefinitionNode] = []
    for node in nodes:
        if isinstance(node, TypeExtensionNode) and node.name.value not in defined:
            defined.add(node.name.value)
            parts: dict[str, Any] = {name: getattr(node, name) for name in node.keys}
            found.append(_DEFINED_BY[node.kind](**parts))
        else:
            found.append(node)
    return found


def check_query(schema: Schema, query: Query) -> None:
    """Hold a query against a schema.

    Raises:
        BuiltinFault: it is not valid, by the first fault that is found.
    """
    if not query.definitions:
        return
    try:
        errors = validate(schema, query, _RULES, max_errors=1)
    except (GraphQLError, TypeError, ValueError) as error:
        raise BuiltinFault(_worded(str(error).partition("\n")[0])) from None
    if errors:
        raise _fault(errors[0])


def _fault(error: GraphQLError) -> BuiltinFault:
    text = _worded(error.message)
    if not error.locations:
        return BuiltinFault(f"GraphQL parse error: {text}")
    line, column = error.locations[0]
    return BuiltinFault(f"{text} in GraphQL string at location {line}:{column}")


def _worded(message: str) -> str:
    text = message.removesuffix(".").replace("'", '"')
    found = _REQUIRED.fullmatch(text) if text.isprintable() else None
    if found is None:
        return text
    owner = "Directive" if found[1].startswith("@") else "Field"
    return f'{owner} "{found[1]}" argument "{found[2]}" of type {found[3]}'
