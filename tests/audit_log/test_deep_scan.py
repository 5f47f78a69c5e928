"""The event of a finding that came after its exchange."""

from __future__ import annotations

import json

from audit_log.deep_scan import DeepScanEvent, FindingCount
from audit_log.event import MAX_ITEMS


def event(findings: list[FindingCount]) -> DeepScanEvent:
    return DeepScanEvent(
        1.5, "5-0", "found", "d-1", "r-1", "request", "älice", "cowork", "https://idp", "/reports", findings,
        ["webhook"], complete=True,
    )  # fmt: skip


def test_it_is_one_line_of_ascii_json() -> None:
    """With a schema of its own."""
    line = event([FindingCount("us_ssn", 2, 0.9)]).to_json()
    assert line.isascii()
    assert "\n" not in line
    told = json.loads(line)
    assert (told["schema"], told["time"]) == ("agent_gateway.deep_scan/1", "1970-01-01T00:00:01.500000+00:00")
    assert (told["user"], told["findings"]) == ("älice", [{"entity": "us_ssn", "count": 2, "score": 0.9}])


def test_its_list_is_bounded() -> None:
    """However many kinds there are."""
    assert len(json.loads(event([FindingCount("x", 1, 1.0)] * 1_000).to_json())["findings"]) == MAX_ITEMS
