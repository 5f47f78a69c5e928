"""An audit event as a line of JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_log.event import MAX_FIELD, SCHEMA, DecisionEvent, FindingNote

EVENT = DecisionEvent(
    time=1_763_870_417.25,
    decision="deny",
    decision_id="d-1",
    request_id="r-1",
    user="alice",
    agent_id="desktop-7",
    roles=["engineer"],
    issuer="https://idp.example",
    policy_id="httpapi.authz/sensitive_path",
    policy_revision="0123456789ab",
    policy_loaded=1_699_999_000.0,
    code="role_missing",
    reason="this path needs the role hr_access",
    status=403,
    method="GET",
    host="api.example",
    path="/hr/x",
    source="10.0.0.7",
    findings=[FindingNote("us_ssn", "query", "q", "mask")],
)
FREE = ["request_id", "user", "agent_id", "issuer", "policy_id", "reason", "method", "host", "path", "source"]


def with_field(name: str, value: Any) -> DecisionEvent:
    """The event with another value in a field."""
    return EVENT._replace(**{name: value})


def read(event: DecisionEvent) -> dict[str, Any]:
    """The event as whoever reads the log sees it."""
    document: dict[str, Any] = json.loads(event.to_json())
    return document


def test_an_event_tells_who_what_and_why() -> None:
    """In a fixed order, under a schema of its own."""
    assert list(read(EVENT).items()) == [
        ("schema", SCHEMA),
        ("time", "2025-11-23T04:00:17.250000+00:00"),
        ("decision", "deny"),
        ("decision_id", "d-1"),
        ("request_id", "r-1"),
        ("user", "alice"),
        ("agent_id", "desktop-7"),
        ("roles", ["engineer"]),
        ("issuer", "https://idp.example"),
        ("policy_id", "httpapi.authz/sensitive_path"),
        ("policy_revision", "0123456789ab"),
        ("policy_loaded", "2023-11-14T21:56:40+00:00"),
        ("code", "role_missing"),
        ("reason", "this path needs the role hr_access"),
        ("status", 403),
        ("method", "GET"),
        ("host", "api.example"),
        ("path", "/hr/x"),
        ("source", "10.0.0.7"),
        ("findings", [{"entity": "us_ssn", "location": "query", "name": "q", "action": "mask"}]),
    ]


def test_nobody_is_null() -> None:
    """Not the text `None`."""
    document = read(EVENT._replace(user=None, agent_id=None, issuer=None, roles=(), findings=()))
    assert (document["user"], document["agent_id"], document["issuer"]) == (None, None, None)
    assert (document["roles"], document["findings"]) == ([], [])


@pytest.mark.parametrize("name", FREE)
def test_whatever_a_client_chooses_is_cut(name: str) -> None:
    """Up to the bound it stays; above it an ellipsis shows the cut."""
    fits, longer = "é" * MAX_FIELD, "é" * (MAX_FIELD + 1)
    assert read(with_field(name, fits))[name] == fits
    cut = read(with_field(name, longer))[name]
    assert cut == "é" * (MAX_FIELD - 1) + "…"
    assert len(read(with_field(name, "x" * 1_000_000))[name]) == MAX_FIELD


def test_roles_and_names_of_findings_are_cut_too() -> None:
    """Each by itself."""
    long = "x" * 10_000
    document = read(EVENT._replace(roles=[long, "short"], findings=[FindingNote("e", "header", long, "mask")]))
    assert [len(role) for role in document["roles"]] == [MAX_FIELD, 5]
    assert len(document["findings"][0]["name"]) == MAX_FIELD


ANY = st.text(st.characters(exclude_categories=[]))


@given(st.fixed_dictionaries(dict.fromkeys(FREE, ANY)), st.lists(ANY, max_size=3), ANY)
def test_an_event_is_one_line_whatever_stands_in_it(fields: dict[str, Any], roles: list[str], name: str) -> None:
    """By every reading of a line, in every encoding, surrogates and separators of Unicode included."""
    event = EVENT._replace(**fields, roles=roles, findings=[FindingNote("e", "header", name, "mask")])
    line = event.to_json()
    assert len(line.splitlines()) == 1
    assert line.isascii()
    assert line.isprintable()
    document = json.loads(line)
    if all(len(value) <= MAX_FIELD for value in fields.values()):
        assert {key: document[key] for key in FREE} == fields


@pytest.mark.parametrize(
    "character", ["\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\x00", "\x1b", "\ud800"]
)
def test_no_character_ends_a_line_or_reaches_a_terminal(character: str) -> None:
    """Nobody can write an event of his own."""
    event = EVENT._replace(path=f'/x{character}{{"decision": "allow"}}')
    assert len(event.to_json().splitlines()) == 1
    assert character not in event.to_json()
    assert read(event)["path"] == event.path


@given(st.floats(0, 4_102_444_800))
def test_times_are_in_utc_with_microseconds(seconds: float) -> None:
    """Always of the same length, so that they sort as text."""
    text = read(EVENT._replace(time=seconds))["time"]
    assert len(text) == len("2025-11-23T04:00:17.250000+00:00")
    assert abs(datetime.fromisoformat(text).astimezone(UTC).timestamp() - seconds) < 1e-5
