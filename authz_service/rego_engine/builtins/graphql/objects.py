"""Syntax trees as objects, in the shape that OPA gives them: empty arrays and absent parts are left out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    DirectiveNode,
    EnumValueDefinitionNode,
    EnumValueNode,
    FieldDefinitionNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    InputValueDefinitionNode,
    IntValueNode,
    ListTypeNode,
    ListValueNode,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    SelectionSetNode,
    StringValueNode,
    TypeNode,
    TypeSystemExtensionNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
)

from authz_service.rego_engine.builtins.graphql.documents import Query, SchemaText
from authz_service.rego_engine.values import Value

Object = dict[str, Value]

KINDS: Final = {"scalar": "SCALAR", "object": "OBJECT", "interface": "INTERFACE", "union": "UNION", "enum": "ENUM"}

VARIABLE, INT, FLOAT, STRING, BLOCK, BOOLEAN, NULL, ENUM, LIST, OBJECT = range(10)  # kinds of values


def query_object(document: Query) -> Object:
    """Return operations and fragments as an object."""
    definitions = document.definitions
    return _pruned(
        Operations=[_operation(node) for node in definitions if isinstance(node, OperationDefinitionNode)],
        Fragments=[_fragment(node) for node in definitions if isinstance(node, FragmentDefinitionNode)],
    )


def schema_object(document: SchemaText) -> Object:
    """Return a schema's definitions and extensions as an object."""
    parts: dict[str, list[Object]] = {
        "Schema": [], "SchemaExtension": [], "Directives": [], "Definitions": [], "Extensions": [],
    }  # fmt: skip
    for node in document.definitions:
        if isinstance(node, SchemaDefinitionNode):
            parts["Schema"].append(_schema(node))
        elif isinstance(node, SchemaExtensionNode):
            parts["SchemaExtension"].append(_schema(node))
        elif isinstance(node, DirectiveDefinitionNode):
            parts["Directives"].append(_directive_definition(node))
        else:
            place = "Extensions" if isinstance(node, TypeSystemExtensionNode) else "Definitions"
            parts[place].append(_type_definition(node))
    return _pruned(**parts)


def _pruned(**parts: Value) -> Object:
    return {name: value for name, value in parts.items() if value is not None and value not in ([], {})}


def _text(node: NameNode | StringValueNode | NamedTypeNode | None) -> str:
    if node is None:
        return ""
    return node.name.value if isinstance(node, NamedTypeNode) else node.value


def _description(node: Any) -> str:
    return _text(getattr(node, "description", None))


def _operation(node: OperationDefinitionNode) -> Object:
    return _pruned(
        Description=_description(node),
        Operation=node.operation.value,
        Name=_text(node.name),
        VariableDefinitions=_variables(node.variable_definitions),
        Directives=_directives(node.directives),
        SelectionSet=_selections(node.selection_set),
    )


def _fragment(node: FragmentDefinitionNode) -> Object:
    return _pruned(
        Description=_description(node),
        Name=_text(node.name),
        VariableDefinition=_variables(node.variable_definitions),
        TypeCondition=_text(node.type_condition),
        Directives=_directives(node.directives),
        SelectionSet=_selections(node.selection_set),
    )


def _variables(nodes: Sequence[VariableDefinitionNode] | None) -> list[Object]:
    return [
        _pruned(
            Description=_description(node),
            Variable=_text(node.variable.name),
            Type=_type(node.type),
            DefaultValue=_value(node.default_value),
            Directives=_directives(node.directives),
            Used=False,
        )
        for node in nodes or ()
    ]


def _selections(node: SelectionSetNode | None) -> list[Object]:
    found = []
    for selection in node.selections if node else ():
        directives = _directives(selection.directives)
        if isinstance(selection, FieldNode):
            found.append(
                _pruned(
                    Alias=_text(selection.alias or selection.name),
                    Name=_text(selection.name),
                    Arguments=_arguments(selection.arguments),
                    Directives=directives,
                    SelectionSet=_selections(selection.selection_set),
                )
            )
        elif isinstance(selection, FragmentSpreadNode):
            found.append(_pruned(Name=_text(selection.name), Directives=directives))
        elif isinstance(selection, InlineFragmentNode):
            below = _selections(selection.selection_set)
            condition = _text(selection.type_condition)
            found.append(_pruned(TypeCondition=condition, Directives=directives, SelectionSet=below))
    return found


def _arguments(nodes: Sequence[ArgumentNode] | None) -> list[Object]:
    return [_pruned(Name=_text(node.name), Value=_value(node.value)) for node in nodes or ()]


def _directives(nodes: Sequence[DirectiveNode] | None) -> list[Object]:
    return [_pruned(Name=_text(node.name), Arguments=_arguments(node.arguments), Location="") for node in nodes or ()]


def _value(node: ValueNode | None) -> Object | None:
    if node is None:
        return None
    kind, raw, children = _parts(node)
    return _pruned(Raw=raw, Children=children, Kind=kind, ExpectedTypeHasDefault=False)


def _parts(node: ValueNode) -> tuple[int, str, list[Object]]:
    """Return a value's kind, its text, and what it holds."""
    if isinstance(node, VariableNode):
        return VARIABLE, _text(node.name), []
    if isinstance(node, ListValueNode):
        return LIST, "", [_pruned(Name="", Value=_value(item)) for item in node.values]
    if isinstance(node, ObjectValueNode):
        return OBJECT, "", [_pruned(Name=_text(item.name), Value=_value(item.value)) for item in node.fields]
    if isinstance(node, BooleanValueNode):
        return BOOLEAN, "true" if node.value else "false", []
    if isinstance(node, StringValueNode):
        return BLOCK if node.block else STRING, node.value, []
    if isinstance(node, IntValueNode):
        return INT, node.value, []
    if isinstance(node, FloatValueNode):
        return FLOAT, node.value, []
    return (ENUM, node.value, []) if isinstance(node, EnumValueNode) else (NULL, "null", [])


def _type(node: TypeNode) -> Object:
    required = isinstance(node, NonNullTypeNode)
    inner = node.type if isinstance(node, NonNullTypeNode) else node
    if isinstance(inner, ListTypeNode):
        return {"NamedType": "", "Elem": _type(inner.type), "NonNull": required}
    return {"NamedType": _text(inner) if isinstance(inner, NamedTypeNode) else "", "NonNull": required}


def _schema(node: SchemaDefinitionNode | SchemaExtensionNode) -> Object:
    types = node.operation_types or ()
    return _pruned(
        Description=_description(node),
        Directives=_directives(node.directives),
        OperationTypes=[{"Operation": item.operation.value, "Type": _text(item.type)} for item in types],
    )


def _directive_definition(node: DirectiveDefinitionNode) -> Object:
    return _pruned(
        Description=_description(node),
        Name=_text(node.name),
        Arguments=_inputs(node.arguments),
        Locations=list(map(_text, node.locations)),
        IsRepeatable=node.repeatable,
    )


def _type_definition(node: DefinitionNode) -> Object:
    """Return the definition or extension of a type; `node` has what its kind has."""
    has: Any = node
    kind, _, _ = node.kind.partition("_type_")
    fields: Sequence[Any] = getattr(has, "fields", None) or ()
    return _pruned(
        Kind=KINDS.get(kind, "INPUT_OBJECT"),
        Description=_description(node),
        Name=_text(has.name),
        Directives=_directives(has.directives),
        Interfaces=list(map(_text, getattr(has, "interfaces", None) or ())),
        Fields=[_field(item) for item in fields] if kind in KINDS else _inputs(fields),
        Types=list(map(_text, getattr(has, "types", None) or ())),
        EnumValues=[_enum_value(item) for item in getattr(has, "values", None) or ()],
        BuiltIn=False,
    )


def _field(node: FieldDefinitionNode) -> Object:
    return _pruned(
        Description=_description(node),
        Name=_text(node.name),
        Arguments=_inputs(node.arguments),
        Type=_type(node.type),
        Directives=_directives(node.directives),
    )


def _inputs(nodes: Sequence[InputValueDefinitionNode] | None) -> list[Object]:
    return [
        _pruned(
            Description=_description(node),
            Name=_text(node.name),
            DefaultValue=_value(node.default_value),
            Type=_type(node.type),
            Directives=_directives(node.directives),
        )
        for node in nodes or ()
    ]


def _enum_value(node: EnumValueDefinitionNode) -> Object:
    return _pruned(Description=_description(node), Name=_text(node.name), Directives=_directives(node.directives))
