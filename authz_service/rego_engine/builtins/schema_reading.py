"""Reads a JSON schema with the references in it.

A schema that names no draft by "$schema" may mix what the drafts have. References stay within the schema: to a place in
it by a JSON pointer, or to a part of it by that part's "$id". Nothing is ever fetched.
"""

from __future__ import annotations

from typing import Final, NamedTuple
from urllib.parse import unquote, urldefrag, urljoin

from authz_service.rego_engine.builtins.schema_document import ANY_DRAFT, INVALID, Document, SchemaFault
from authz_service.rego_engine.builtins.schema_keywords import read_keywords
from authz_service.rego_engine.builtins.schema_model import Schema
from authz_service.rego_engine.values import Value, entries

MAX_SCHEMAS: Final = 20_000  # within one schema
MAX_NESTING: Final = 100  # levels of schemas within schemas, references followed
_DRAFTS: Final = {f"http://json-schema.org/draft-0{draft}/schema": draft for draft in (4, 6, 7)}
_LITERAL: Final = frozenset({"const", "enum"})  # what is below is no schema
_NAMED: Final = frozenset({"properties", "dependencies", "patternProperties"})  # of which each value is a schema


class _Place(NamedTuple):
    """A part of the schema with the base that references in it are resolved against (RFC 3986 section 5)."""

    document: Value
    base: str


def read_schema(document: Value) -> Schema:
    """Read a schema that is a JSON value.

    Raises:
        SchemaFault: it is none.
    """
    return _Reading(document).read(_Place(document, ""), 0)


class _Reading:
    """Reads one schema, each reference in it once."""

    def __init__(self, root: Value) -> None:
        self._root = root
        self._draft = _declared_draft(root)
        self._identified: dict[str, _Place] = {}
        self._referred: dict[str, Schema] = {}
        self._count = 0
        self._collect(_Place(root, ""), 0)

    def _collect(self, place: _Place, depth: int) -> None:
        """Note all parts that have an identifier."""
        document, base = place
        if depth > MAX_NESTING:
            raise SchemaFault(f"schema nests deeper than {MAX_NESTING} levels")
        if type(document) is list:
            for item in document:
                self._collect(_Place(item, base), depth + 1)
        elif type(document) is dict:
            identifier = document.get(self._id_keyword(document))
            if type(identifier) is str:
                base = _joined(base, identifier)
                if base in self._identified:
                    raise SchemaFault(f'Reference already exists: "{base}"')
                self._identified[base] = _Place(document, base)
            for name, item in entries(document):
                if name in _NAMED and type(item) is dict:
                    for _, below in entries(item):
                        self._collect(_Place(below, base), depth + 1)
                elif name not in _LITERAL:
                    self._collect(_Place(item, base), depth + 1)

    def _id_keyword(self, document: dict[str, Value]) -> str:
        return "id" if self._draft == 4 or (self._draft == ANY_DRAFT and "id" in document) else "$id"  # noqa: PLR2004

    def read(self, place: _Place, depth: int) -> Schema:
        """Read the schema at a place."""
        document, base = place
        self._count += 1
        if self._count > MAX_SCHEMAS or depth > MAX_NESTING:
            raise SchemaFault(f"schema has more than {MAX_SCHEMAS} parts or {MAX_NESTING} levels")
        if type(document) is bool and self._draft >= 6:  # noqa: PLR2004  (the draft)
            return Schema(verdict=document)
        if type(document) is not dict:
            raise SchemaFault(INVALID)
        keyword = self._id_keyword(document)
        identifier = document.get(keyword)
        if type(identifier) is str:
            base = _joined(base, identifier)
        elif keyword in document:
            raise SchemaFault(f"Invalid type. Expected: string, given: {keyword}")
        parts = Document(document, self._draft, lambda part: self.read(_Place(part, base), depth + 1))
        for _ in parts.named("definitions"):
            pass
        parts.string("title")
        parts.string("description")
        reference = parts.string("$ref")
        if reference is not None:
            return Schema(target=self._target(reference, base, depth))
        schema = Schema()
        read_keywords(parts, schema)
        return schema

    def _target(self, reference: str, base: str, depth: int) -> Schema:
        absolute = _joined(base, reference)
        known = self._referred.get(absolute)
        if known is None:
            known = self._referred[absolute] = Schema()
            # The schema is filled in when it is read, so that it may refer to itself.
            known.target = self.read(self._find(absolute), depth + 1)
        return known

    def _find(self, absolute: str) -> _Place:
        if absolute in self._identified:
            return self._identified[absolute]
        address, fragment = urldefrag(absolute)
        place = _Place(self._root, "") if not address else self._identified.get(address)
        place = place or self._identified.get(f"{address}#")
        if place is None:
            raise SchemaFault(f"remote reference loading disabled: {absolute}")
        document, base = place
        if fragment and not fragment.startswith("/"):
            raise SchemaFault(f"Reference {absolute} leads nowhere")
        for part in unquote(fragment).split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            if type(document) is dict and name in document:
                document = document[name]
            elif type(document) is list and name.isascii() and name.isdigit() and len(name) < 10:  # noqa: PLR2004
                document = document[int(name)] if int(name) < len(document) else None
            else:
                raise SchemaFault(f"Object has no key '{name}'")
        return _Place(document, base)


def _declared_draft(root: Value) -> int:
    declared = root.get("$schema", "") if type(root) is dict else ""
    if type(declared) is not str:
        raise SchemaFault("$schema must be of type string")
    return _DRAFTS.get(declared.removesuffix("#"), ANY_DRAFT)


def _joined(base: str, reference: str) -> str:
    try:
        joined = urljoin(base, reference)
    except ValueError as fault:
        raise SchemaFault(f"{reference} is no reference: {fault}") from None
    return joined.removesuffix("#")
