"""The values that travel through the pipeline."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

import pytest

from authz_service import model
from authz_service.model import (
    Certificate,
    Confirmation,
    Decision,
    Finding,
    HttpRequest,
    Identity,
    Location,
    Mutations,
    Outcome,
    Peer,
)

VALUES: list[Any] = [
    Peer(),
    HttpRequest("GET", "/"),
    Identity("alice", None, (), "https://idp.example", {}, 0.0),
    Certificate("hash", "CN=x"),
    Confirmation(),
    Finding("us_ssn", "us_ssn_grouped", Location.PATH, ""),
    Mutations(),
    Decision(Outcome.ALLOW, "d-1", "allowed", "r", "p"),
]


def names(value: Any) -> list[str]:
    """Of its fields, whichever kind of class it is of."""
    return [field.name for field in fields(value)] if is_dataclass(value) else list(type(value)._fields)


def test_all_of_them_are_here() -> None:
    """A new one is to be frozen too."""
    classes = {
        value
        for value in vars(model).values()
        if isinstance(value, type) and (is_dataclass(value) or issubclass(value, tuple))
    }
    assert classes == {type(value) for value in VALUES}


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_cannot_be_changed(value: Any) -> None:
    """What was verified stays as it was verified."""
    for name in names(value):
        with pytest.raises(AttributeError):
            setattr(value, name, None)


def test_a_finding_has_no_room_for_what_was_found() -> None:
    """It may go into logs and policies."""
    told = {"entity", "detector", "location", "name", "action", "confidence", "count", "hash", "offset"}
    assert {field.name for field in fields(Finding)} == told


def test_outcomes_and_locations_read_as_words() -> None:
    """Audit lines, metrics and policies hold these."""
    assert list(Outcome) == ["allow", "deny", "error"]
    assert list(Location) == ["header", "cookie", "query", "path", "body", "trailer"]
