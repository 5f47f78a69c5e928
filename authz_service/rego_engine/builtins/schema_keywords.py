"""The keywords of JSON schema, of drafts 4, 6 and 7: each is read into a check of a `Schema`."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, Final

from authz_service.rego_engine import numbers
from authz_service.rego_engine.builtins.schema_document import ANY_DRAFT, Document, SchemaFault, strings
from authz_service.rego_engine.builtins.schema_formats import expression, found_in, has_format
from authz_service.rego_engine.builtins.schema_model import (
    ROOT,
    Check,
    Path,
    Report,
    Schema,
    all_of,
    any_of,
    conditional,
    dependent,
    json_type,
    none_of,
    one_of,
    report_on,
)
from authz_service.rego_engine.values import Value, compare, entries, key, write

_TYPES: Final = ("array", "boolean", "integer", "number", "null", "object", "string")


def read_keywords(document: Document, schema: Schema) -> None:
    """Add what all keywords but references ask for."""
    _read_types(document, schema)
    _read_objects(document, schema)
    _read_arrays(document, schema)
    _read_numbers(document, schema)
    _read_strings(document, schema)
    _read_common(document, schema)
    _read_combined(document, schema)


def _read_types(document: Document, schema: Schema) -> None:
    value = document.value.get("type", [])
    fault = "Invalid type. Expected: type, given: string/Array Of Strings"
    names: list[Value] = value if type(value) is list else [value]
    for name in strings(names, fault):
        if name not in _TYPES:
            expected = " ".join(_TYPES)
            raise SchemaFault(
                f"has a primitive type that is NOT VALID -- given: /{name}/ Expected valid values are:[{expected}]"
            )
        if name in schema.types:
            raise SchemaFault(f"{name} type is duplicated")
        schema.types.append(name)


def _read_objects(document: Document, schema: Schema) -> None:
    schema.properties = dict(document.named("properties"))
    least, most = document.count("minProperties"), document.count("maxProperties")
    if least is not None and most is not None and least > most:
        raise SchemaFault("minProperties cannot be greater than maxProperties")
    required = strings(document.array("required") or [], "Invalid type. Expected: string, given: required")
    if len(set(required)) != len(required):
        raise SchemaFault("required items must be unique")
    extra = document.one("additionalProperties")
    patterns = []
    for pattern, found in document.named("patternProperties"):
        compiled = expression(pattern)
        if compiled is None:
            raise SchemaFault(f"Invalid regex pattern '{pattern}'")
        patterns.append((compiled, found))
    names = document.one("propertyNames") if document.draft >= 6 else None  # noqa: PLR2004  (the draft)

    def check(value: Value, path: Path, report: Report) -> None:
        if least is not None and len(value) < least:
            report.fail("array_min_properties", path, f"Must have at least {least} properties")
        if most is not None and len(value) > most:
            report.fail("array_max_properties", path, f"Must have at most {most} properties")
        for name in required:
            if name in value:
                report.score += 1
            else:
                report.fail("required", path, f"{name} is required")
        if patterns or extra is not None:
            for name, item in entries(value):
                check_property(name, item, path, report)
        if names is not None:
            _check_names(names, value, path, report)

    def check_property(name: str, item: Value, path: Path, report: Report) -> None:
        matching = [found for compiled, found in patterns if found_in(compiled, name)]
        for found in matching:
            report.merge(report_on(found, item, (*path, name), report))
        report.score += bool(matching)
        if extra is None or matching or name in schema.properties:
            return
        if extra.verdict is False:
            report.fail("additional_property_not_allowed", path, f"Additional property {name} is not allowed")
        else:
            report.merge(report_on(extra, item, (*path, name), report))

    schema.of_objects.append(check)


def _check_names(schema: Schema, value: dict[str, Value], path: Path, report: Report) -> None:
    for name, _ in entries(value):
        found = report_on(schema, name, path, report)
        if found.errors:
            report.fail("invalid_property_name", path, f'Property name of "{name}" does not match')
            report.merge(found)


def _read_arrays(document: Document, schema: Schema) -> None:
    each: Schema | None = None
    first: list[Schema] = []
    if type(document.value.get("items")) is list:
        first = document.several("items")
    else:
        each = document.one("items")
    extra = document.one("additionalItems")
    least, most = document.count("minItems"), document.count("maxItems")
    unique = document.boolean("uniqueItems")
    contained = document.one("contains") if document.draft >= 6 else None  # noqa: PLR2004  (the draft)

    def check(value: Value, path: Path, report: Report) -> None:
        for index, item in enumerate(value):
            schema_of = each or (first[index] if index < len(first) else extra if first else None)
            if schema_of is not None and not (schema_of is extra and extra.verdict is False):
                report.merge(report_on(schema_of, item, (*path, str(index)), report))
        if first and extra is not None and extra.verdict is False and len(value) > len(first):
            report.fail("array_no_additional_items", path, "No additional items allowed on array")
        if least is not None and len(value) < least:
            report.fail("array_min_items", path, f"Array must have at least {least} items")
        if most is not None and len(value) > most:
            report.fail("array_max_items", path, f"Array must have at most {most} items")
        if unique:
            _check_unique(value, path, report)
        if contained is not None:
            _check_contains(contained, value, path, report)

    schema.of_arrays.append(check)


def _check_unique(value: list[Value], path: Path, report: Report) -> None:
    met: dict[Any, int] = {}
    for index, item in enumerate(value):
        hashed = key(item)
        if hashed in met:
            report.fail("unique", path, f"array items[{met[hashed]},{index}] must be unique")
        met[hashed] = index


def _check_contains(schema: Schema, value: list[Value], path: Path, report: Report) -> None:
    closest: Report | None = None
    for index, item in enumerate(value):
        found = report_on(schema, item, (*path, str(index)), report)
        if not found.errors:
            return
        if closest is None or found.score > closest.score:
            closest = found
    report.fail("contains", path, "At least one of the items must match")
    if closest is not None:
        report.merge(closest)


def _read_numbers(document: Document, schema: Schema) -> None:
    multiple = document.number("multipleOf")
    if multiple is not None:
        if multiple <= 0:
            raise SchemaFault("multipleOf must be strictly greater than 0")
        divisor, shown = Fraction(numbers.decimal(multiple)), _shown(multiple)

        def check(value: Value, path: Path, report: Report) -> None:
            if Fraction(numbers.decimal(value)) % divisor:
                report.fail("multiple_of", path, f"Must be a multiple of {shown}")

        schema.of_numbers.append(check)
    # The order is that in which the errors are told.
    for side, word in (("aximum", "less"), ("inimum", "greater")):
        bound, strict = _bounds(document, side)
        letters = "lt" if word == "less" else "gt"
        if bound is not None:
            schema.of_numbers.append(
                _bound(bound, f"number_{letters}e", f"Must be {word} than or equal to", strict=False)
            )
        if strict is not None:
            schema.of_numbers.append(_bound(strict, f"number_{letters}", f"Must be {word} than", strict=True))


def _bounds(document: Document, side: str) -> tuple[numbers.Number | None, numbers.Number | None]:
    """Return the bound that a number may reach, and the one that it may not."""
    plain, exclusive = f"m{side}", f"exclusiveM{side}"
    bound, value = document.number(plain), document.value.get(exclusive)
    if exclusive not in document.value:
        return bound, None
    if type(value) is bool and document.draft in {4, ANY_DRAFT}:
        if bound is None:
            raise SchemaFault(f"{exclusive} cannot be used without {plain}")
        return (None, bound) if value else (bound, None)
    if document.draft == 4 or json_type(value) not in {"number", "integer"}:  # noqa: PLR2004  (the draft)
        expected = {4: "boolean", ANY_DRAFT: "boolean/number"}.get(document.draft, "number")
        raise SchemaFault(f"Invalid type. Expected: {expected}, given: {exclusive}")
    return bound, value


def _bound(bound: numbers.Number, kind: str, wanted: str, *, strict: bool) -> Check:
    failing = 1 if "_lt" in kind else -1
    description = f"{wanted} {_shown(bound)}"

    def check(value: Value, path: Path, report: Report) -> None:
        found = compare(value, bound)
        if found == failing or (strict and found == 0):
            report.fail(kind, path, description)

    return check


def _shown(value: numbers.Number) -> str:
    """Write a bound: with an exponent from seven digits on."""
    sign, digits, exponent = numbers.decimal(value).normalize().as_tuple()
    place = len(digits) + int(exponent) - 1
    if value == 0 or -5 < place < 6:  # noqa: PLR2004  (where exponents begin)
        return numbers.text(value)
    shown = "".join(map(str, digits))
    fraction = f".{shown[1:]}" if len(shown) > 1 else ""
    return f"{'-' if sign else ''}{shown[0]}{fraction}e{place:+03d}"


def _read_strings(document: Document, schema: Schema) -> None:
    least, most = document.count("minLength"), document.count("maxLength")
    if least is not None and most is not None and least > most:
        raise SchemaFault("minLength cannot be greater than maxLength")
    pattern = document.string("pattern")
    compiled = None if pattern is None else expression(pattern)
    if pattern is not None and compiled is None:
        raise SchemaFault("pattern must be a valid regex")

    def check(value: Value, path: Path, report: Report) -> None:
        if least is not None and len(value) < least:
            report.fail("string_gte", path, f"String length must be greater than or equal to {least}")
        if most is not None and len(value) > most:
            report.fail("string_lte", path, f"String length must be less than or equal to {most}")
        if compiled is not None and not found_in(compiled, value):
            report.fail("pattern", path, f"Does not match pattern '{pattern}'")

    schema.of_strings.append(check)


def _read_common(document: Document, schema: Schema) -> None:
    if "const" in document.value and document.draft >= 6:  # noqa: PLR2004  (the draft)
        schema.common.append(_one_of_values("const", "does not match:", [document.value["const"]]))
    allowed = document.array("enum")
    if allowed is not None:
        if len(set(map(key, allowed))) != len(allowed):
            raise SchemaFault("enum items must be unique")
        schema.common.append(_one_of_values("enum", "must be one of the following:", allowed))
    name = document.string("format")
    if name:

        def check(value: Value, path: Path, report: Report) -> None:
            if type(value) is str and not has_format(name, value):
                report.fail("format", path, f"Does not match format '{name}'")

        schema.common.append(check)


def _one_of_values(kind: str, words: str, allowed: list[Value]) -> Check:
    known = {key(item) for item in allowed}
    shown = ", ".join(map(_literal, allowed))

    def check(value: Value, path: Path, report: Report) -> None:
        if key(value) not in known:
            report.fail(kind, path, f"{'.'.join(path) if path else ROOT} {words} {shown}")

    return check


def _literal(value: Value) -> str:
    """Write a value as JSON that is safe within HTML."""
    return write(value).replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def _read_combined(document: Document, schema: Schema) -> None:
    for keyword, combination in (("anyOf", any_of), ("oneOf", one_of), ("allOf", all_of)):
        schemas = document.several(keyword)
        if schemas:
            schema.combined.append(combination(schemas))
    excluded = document.one("not")
    if excluded is not None:
        schema.combined.append(none_of(excluded))
    if "dependencies" in document.value:
        schema.combined.append(dependent(_dependencies(document)))
    if document.draft >= 7:  # noqa: PLR2004  (the draft)
        condition = document.one("if")
        then, otherwise = document.one("then"), document.one("else")
        if condition is not None:
            schema.combined.append(conditional(condition, then, otherwise))


def _dependencies(document: Document) -> dict[str, Schema | list[str]]:
    found: dict[str, Schema | list[str]] = {}
    fault = "Dependency must be of type Schema Or Array Of Strings"
    value = document.value["dependencies"]
    if type(value) is not dict:
        raise SchemaFault("dependencies must be of type object")
    for name, item in entries(value):
        if type(item) is list:
            found[name] = strings(item, fault)
        elif type(item) is dict or type(item) is bool:
            found[name] = document.read(item)
        else:
            raise SchemaFault(fault)
    return found
