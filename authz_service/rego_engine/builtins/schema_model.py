"""A JSON schema once it is read, and how a value is held against it.

Errors are told as OPA tells them, keyword by keyword in a fixed order; a value of the wrong type is told of by its type
alone. Where one of several schemas should have fitted, the errors of the one that came closest are told too: each
`Report` has a score for that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from authz_service.rego_engine import numbers
from authz_service.rego_engine.errors import BuiltinFault
from authz_service.rego_engine.values import Value, entries

MAX_STEPS: Final = 200_000  # schemas that are held against values, in one call
MAX_DEPTH: Final = 100  # schemas within schemas, and values within values
ROOT: Final = "(Root)"

Path = tuple[str, ...]  # property names and indices


class Report:
    """What one schema has to say of one value. Reports of one call share what the call may still spend."""

    def __init__(self, outer: Report | None = None) -> None:
        self.errors: list[dict[str, Value]] = []
        self.score = 0
        self.steps: list[int] = outer.steps if outer else [MAX_STEPS]  # that are left
        self.depth: int = outer.depth if outer else 0

    def enter(self) -> None:
        """Count a schema that is held against a value, until `leave`."""
        self.steps[0] -= 1
        self.depth += 1
        if self.steps[0] < 0 or self.depth > MAX_DEPTH:
            raise BuiltinFault(f"the schema takes more than {MAX_STEPS} steps or {MAX_DEPTH} levels")

    def leave(self) -> None:
        """Undo the level that `enter` counted."""
        self.depth -= 1

    def fail(self, kind: str, path: Path, description: str) -> None:
        """Add an error."""
        place = ".".join(path) if path else ROOT
        self.errors.append({"error": f"{place}: {description}", "type": kind, "field": place, "desc": description})
        self.score -= 2

    def merge(self, other: Report) -> None:
        """Add another report's errors and score."""
        self.errors.extend(other.errors)
        self.score += other.score


Check = Callable[[Value, Path, Report], None]


@dataclass(slots=True)
class Schema:
    """One schema. `verdict` is that of the schemas `true` and `false`; `target` is what a "$ref" leads to.

    The checks are grouped by the values that they are for.
    """

    verdict: bool | None = None
    target: Schema | None = None
    types: list[str] = field(default_factory=list)
    combined: list[Check] = field(default_factory=list)
    of_numbers: list[Check] = field(default_factory=list)
    of_strings: list[Check] = field(default_factory=list)
    of_arrays: list[Check] = field(default_factory=list)
    of_objects: list[Check] = field(default_factory=list)
    common: list[Check] = field(default_factory=list)
    properties: dict[str, Schema] = field(default_factory=dict)


def report_on(schema: Schema, value: Value, path: Path, outer: Report | None) -> Report:
    """Hold a value against a schema, in a report of its own."""
    report = Report(outer)
    validate(schema, value, path, report)
    return report


def validate(schema: Schema, value: Value, path: Path, report: Report) -> None:
    """Hold a value against a schema, adding to a report."""
    report.enter()
    if schema.verdict is not None:
        if not schema.verdict:
            report.fail("false", path, "False always fails validation")
    elif schema.target is not None:
        validate(schema.target, value, path, report)
    else:
        _check(schema, value, path, report)
    report.leave()


def _check(schema: Schema, value: Value, path: Path, report: Report) -> None:
    kind = json_type(value)
    if schema.types and kind not in schema.types and not (kind == "integer" and "number" in schema.types):
        expected = schema.types[0] if len(schema.types) == 1 else f"[{','.join(schema.types)}]"
        report.fail("invalid_type", path, f"Invalid type. Expected: {expected}, given: {kind}")
        return
    groups = [schema.combined, schema.common]
    if kind in {"number", "integer"}:
        groups.insert(1, schema.of_numbers)
    elif kind == "array":
        groups.insert(1, schema.of_arrays)
    elif kind == "object":
        groups.insert(1, schema.of_objects)
    elif kind == "string":
        groups.append(schema.of_strings)
    for group in groups:
        for check in group:
            check(value, path, report)
        report.score += 1
    if kind == "object":
        for name, below in schema.properties.items():
            if name in value:
                validate(below, value[name], (*path, name), report)
    report.score += 1


def json_type(value: Value) -> str:
    """Return what JSON schema calls a value's type; a whole number is an integer."""
    if type(value) is str:
        return "string"
    if type(value) is bool:
        return "boolean"
    if value is None:
        return "null"
    if type(value) is dict:
        return "object"
    if type(value) is list:
        return "array"
    return "integer" if numbers.is_whole(value) else "number"


def fits(schema: Schema, value: Value, path: Path, outer: Report) -> bool:
    """Whether a value fits a schema."""
    return not report_on(schema, value, path, outer).errors


def any_of(schemas: list[Schema]) -> Check:
    """Return the check that one of some schemas fits."""

    def check(value: Value, path: Path, report: Report) -> None:
        closest: Report | None = None
        for schema in schemas:
            found = report_on(schema, value, path, report)
            if not found.errors:
                return
            if closest is None or found.score > closest.score:
                closest = found
        if closest is not None:
            report.fail("number_any_of", path, "Must validate at least one schema (anyOf)")
            report.merge(closest)

    return check


def one_of(schemas: list[Schema]) -> Check:
    """Return the check that exactly one of some schemas fits."""

    def check(value: Value, path: Path, report: Report) -> None:
        fitting = 0
        closest: Report | None = None
        for schema in schemas:
            found = report_on(schema, value, path, report)
            if not found.errors:
                fitting += 1
            elif fitting == 0 and (closest is None or found.score > closest.score):
                closest = found
        if fitting != 1:
            report.fail("number_one_of", path, "Must validate one and only one schema (oneOf)")
            if fitting == 0 and closest is not None:
                report.merge(closest)

    return check


def all_of(schemas: list[Schema]) -> Check:
    """Return the check that all of some schemas fit."""

    def check(value: Value, path: Path, report: Report) -> None:
        failing = False
        for schema in schemas:
            found = report_on(schema, value, path, report)
            failing = failing or bool(found.errors)
            report.merge(found)
        if failing:
            report.fail("number_all_of", path, "Must validate all the schemas (allOf)")

    return check


def none_of(schema: Schema) -> Check:
    """Return the check that a schema does not fit."""

    def check(value: Value, path: Path, report: Report) -> None:
        if fits(schema, value, path, report):
            report.fail("number_not", path, "Must not validate the schema (not)")

    return check


def conditional(condition: Schema, then: Schema | None, otherwise: Schema | None) -> Check:
    """Return the check of one schema or another, by whether a third one fits."""

    def check(value: Value, path: Path, report: Report) -> None:
        holds = fits(condition, value, path, report)
        branch = then if holds else otherwise
        if branch is None:
            return
        found = report_on(branch, value, path, report)
        if found.errors:
            kind, fitted = ("then", "was valid") if holds else ("else", "was not valid")
            report.fail(f"condition_{kind}", path, f'Must validate "{kind}" as "if" {fitted}')
            report.merge(found)

    return check


def dependent(dependencies: dict[str, Schema | list[str]]) -> Check:
    """Return the check of what an object with certain properties must have or be as well."""

    def check(value: Value, path: Path, report: Report) -> None:
        if type(value) is not dict:
            return
        for name, _ in entries(value):
            wanted = dependencies.get(name)
            if isinstance(wanted, Schema):
                validate(wanted, value, path, report)
            for other in wanted if isinstance(wanted, list) else ():
                if other not in value:
                    report.fail("missing_dependency", path, f"Has a dependency on {other}")

    return check
