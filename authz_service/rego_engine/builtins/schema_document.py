"""The parts of a JSON schema as they are written: its keywords with the types that they must have."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins.schema_model import Schema, json_type
from authz_service.rego_engine.values import Value, entries

ANY_DRAFT: Final = 99  # keywords of all drafts
INVALID: Final = "Expected: Valid Schema, given: Invalid JSON"

# What is told where a keyword's value is no schema, if it is not `INVALID`.
_FAULTS: Final = {
    "additionalItems": "Invalid type. Expected: boolean/Valid Schema, given: additionalItems",
    "additionalProperties": "Invalid type. Expected: boolean/Valid Schema, given: additionalProperties",
    "definitions": "Invalid type. Expected: Array Of Schemas, given: definitions",
    "else": "else must be of an object",
    "if": "if must be of an object",
    "items": "Invalid type. Expected: Valid Schema/Array Of Schemas, given: items",
    "not": "not must be of an object",
    "patternProperties": "Invalid type. Expected: Valid Schema, given: patternProperties",
    "properties": "Properties must be of type object",
    "propertyNames": "Invalid type. Expected: Valid Schema, given: patternProperties",
    "then": "then must be of an object",
}
_BOOLEANS_EVER: Final = frozenset({"additionalItems", "additionalProperties"})  # in draft 4 as well


class SchemaFault(Exception):  # noqa: N818  (the schema's, not ours)
    """It is no schema, or one that cannot be read here. The text says why."""


@dataclass(frozen=True, slots=True)
class Document:
    """One schema as it is written, an object. `read` reads a schema within it."""

    value: dict[str, Value]
    draft: int
    read: Callable[[Value], Schema]

    def one(self, keyword: str) -> Schema | None:
        """Return the schema that is a keyword's value."""
        if keyword not in self.value:
            return None
        value = self.value[keyword]
        if type(value) is bool and keyword in _BOOLEANS_EVER:
            return Schema(verdict=value)
        if type(value) is not dict and type(value) is not bool:
            raise SchemaFault(_FAULTS.get(keyword, INVALID))
        return self.read(value)

    def several(self, keyword: str) -> list[Schema]:
        """Return the schemas in the array that is a keyword's value."""
        found = self.array(keyword) or []
        if keyword in _FAULTS and any(type(item) is not dict and type(item) is not bool for item in found):
            raise SchemaFault(_FAULTS[keyword])
        return list(map(self.read, found))

    def named(self, keyword: str) -> Iterator[tuple[str, Schema]]:
        """Yield the schemas in the object that is a keyword's value."""
        value = self.value.get(keyword, {})
        if type(value) is not dict:
            raise SchemaFault(_FAULTS.get(keyword, INVALID))
        for name, item in entries(value):
            if keyword == "definitions" and type(item) is not dict and type(item) is not bool:
                raise SchemaFault(_FAULTS[keyword])
            yield name, self.read(item)

    def string(self, keyword: str) -> str | None:
        """Return a keyword's value, which must be a string."""
        value = self.value.get(keyword)
        if type(value) is str:
            return value
        if keyword in self.value:
            raise SchemaFault(f"Invalid type. Expected: string, given: {keyword}")
        return None

    def boolean(self, keyword: str) -> bool:
        """Return a keyword's value, which must be a boolean; false where it has none."""
        value = self.value.get(keyword, False)
        if type(value) is not bool:
            raise SchemaFault(f"{keyword} must be of a boolean")
        return value

    def array(self, keyword: str) -> list[Value] | None:
        """Return a keyword's value, which must be an array."""
        value = self.value.get(keyword)
        if type(value) is list:
            return value
        if keyword in self.value:
            raise SchemaFault(f"{keyword} must be of an array")
        return None

    def number(self, keyword: str) -> numbers.Number | None:
        """Return a keyword's value, which must be a number."""
        if keyword not in self.value:
            return None
        value: numbers.Number = self.value[keyword]
        if json_type(value) not in {"number", "integer"}:
            wanted = "Invalid type. Expected: Number, given: multipleOf"
            raise SchemaFault(wanted if keyword == "multipleOf" else f"{keyword} must be of a Number")
        return value

    def count(self, keyword: str) -> int | None:
        """Return a keyword's value, which must be a whole number from zero on."""
        if keyword not in self.value:
            return None
        value = self.value[keyword]
        if json_type(value) != "integer":
            raise SchemaFault(f"{keyword} must be of an integer")
        if value < 0:
            raise SchemaFault(f"{keyword} must be greater than or equal to 0")
        return int(value)


def strings(values: list[Value], fault: str) -> list[str]:
    """Return values that must be strings, or raise `SchemaFault` with this text."""
    if any(type(item) is not str for item in values):
        raise SchemaFault(fault)
    return values
