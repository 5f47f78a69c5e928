"""The audit event of a finding that came after its exchange, and its JSON form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

from audit_log.event import MAX_ITEMS

SCHEMA = "agent_gateway.deep_scan/1"


@dataclass(frozen=True, slots=True)
class FindingCount:
    """That something was found, never what: its entity, how often, and how sure it is at best."""

    entity: str
    count: int
    score: float


@dataclass(frozen=True, slots=True)
class DeepScanEvent:
    """Whose exchange it was, what was found in it, and what was done. `time` is in seconds since the epoch.

    `outcome` is `found`, or `given_up` where the body could not be analysed. `complete`: the body was there in whole.
    """

    time: float
    entry_id: str
    outcome: str
    decision_id: str
    request_id: str
    direction: str
    user: str
    agent_id: str
    issuer: str
    endpoint: str
    findings: Sequence[FindingCount]
    actions: Sequence[str]
    complete: bool

    def to_json(self) -> str:
        """One line of JSON, ASCII, lists cut at `MAX_ITEMS`. Its texts are bounded where they come from."""
        plain = asdict(self)
        plain["time"] = datetime.fromtimestamp(self.time, UTC).isoformat(timespec="microseconds")
        plain["findings"] = plain["findings"][:MAX_ITEMS]
        return json.dumps({"schema": SCHEMA, **plain})
