"""Calls of built-ins → expressions; the commonest ones without a call. Only where the result is exactly the same.

Each form answers for operands of the usual type, and leaves any other to the built-in itself, which knows the fault.
"""

from __future__ import annotations

from typing import Any, Final

from authz_service.rego_engine import plan
from authz_service.rego_engine.builtins.registry import Builtin
from authz_service.rego_engine.codegen.expression import comparison

# Built-ins that have a result for any operands.
_TOTAL: Final = frozenset({"equal", "neq", "lt", "lte", "gt", "gte", "type_name", "internal.member_2"})

# For a local of type str and a constant string: the expression of the result.
_OF_TWO_STRINGS: Final = {
    "startswith": "{0}.startswith({1})",
    "endswith": "{0}.endswith({1})",
    "contains": "{1} in {0}",
}
_OF_ONE_STRING: Final = {"lower": "{0}.lower()", "upper": "{0}.upper()"}
_ORDER: Final = {"lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def inline_call(statement: plan.Call, builtin: Builtin, arguments: list[str], module: Any) -> tuple[str, bool]:
    """Return the expression of a call, and whether it always has a value and never a fault."""
    name = module.builtin(builtin)
    total = builtin.name in _TOTAL
    call = f"{name}({', '.join([*(['ev.context'] if builtin.wants_context else []), *arguments])})"
    if not module.options.inline:
        return call, total
    operands = statement.arguments
    if builtin.name in {"equal", "neq"}:
        same, other = comparison(operands[0], operands[1], module.constants)
        return (same if builtin.name == "equal" else other), True
    constants = [each.value if isinstance(each, plan.Constant) else None for each in operands]
    if builtin.name in _OF_TWO_STRINGS and type(constants[1]) is str and constants[0] is None:
        written = _OF_TWO_STRINGS[builtin.name].format(*arguments)
        return f"{written} if type({arguments[0]}) is str else {call}", False
    if builtin.name in _OF_ONE_STRING and constants[0] is None:
        written = _OF_ONE_STRING[builtin.name].format(*arguments)
        return f"{written} if type({arguments[0]}) is str and {arguments[0]}.isascii() else {call}", False
    if builtin.name == "count" and constants[0] is None:
        shown = arguments[0]
        return f"len({shown}) if type({shown}) in COUNTED else {call}", False
    if builtin.name in _ORDER and type(constants[1]) is int and constants[0] is None:
        return f"{arguments[0]} {_ORDER[builtin.name]} {arguments[1]} if type({arguments[0]}) is int else {call}", True
    return call, total
