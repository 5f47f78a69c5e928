"""Records for the tests of the decision log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from authz_service.decision_log.record import Record
from authz_service.dlp.detectors import ALL
from authz_service.dlp.scan import Scanner

SCANNER = Scanner(ALL)
NOW = 1_700_000_000.25
SSN = "123-45-6789"


def record_of(document: Mapping[str, Any] | None = None, value: Any = "said", **changes: Any) -> Record:
    """A record of one evaluation."""
    given: dict[str, Any] = {
        "decision_id": "d-1",
        "path": "agent/decision",
        "policies": None,
        "revision": "rev-1",
        "document": lambda: document or {},
        "value": value,
        "error": None,
        "time": NOW,
        "evaluation_seconds": 0.000_012,
        "handler_seconds": 0.000_345,
        "traceparent": "",
        "requested_by": "10.0.0.1:4711",
        "held_bytes": 100,
        **changes,
    }
    return Record(**given)
