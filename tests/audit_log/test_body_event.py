"""A body's event is one line with bounded fields, and tells no value."""

from __future__ import annotations

import json

from audit_log.body_event import BodyEvent
from audit_log.event import MAX_FIELD, MAX_ITEMS, FindingNote

EVENT = BodyEvent(1.5, "d-1", "r-1", "response", "passed", 0, [FindingNote("us_ssn", "body", "$.a", "mask")])


def test_it_is_one_line_of_json() -> None:
    line = EVENT.to_json()
    assert "\n" not in line
    assert json.loads(line) == {
        "schema": "agent_gateway.audit.body/1",
        "time": "1970-01-01T00:00:01.500000+00:00",
        "decision_id": "d-1",
        "request_id": "r-1",
        "direction": "response",
        "code": "passed",
        "status": 0,
        "findings": [{"entity": "us_ssn", "location": "body", "name": "$.a", "action": "mask"}],
    }


def test_its_fields_are_bounded_and_ascii() -> None:
    notes = [FindingNote("e" * 9_000, "body", "ü\u2028" * 9_000, "mask")] * (MAX_ITEMS + 1)
    line = BodyEvent(0, "d" * 9_000, "r" * 9_000, "request", "c" * 9_000, 403, notes).to_json()
    read = json.loads(line)
    assert line.isascii()
    assert len(read["findings"]) == MAX_ITEMS
    assert all(len(read[name]) == MAX_FIELD for name in ("decision_id", "request_id", "code"))
    assert len(read["findings"][0]["name"]) == MAX_FIELD
