"""The audit event of what was found in one direction of an exchange, or of why it was cut off; and its JSON form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from audit_log.event import MAX_FIELD, MAX_ITEMS, FindingNote

SCHEMA = "agent_gateway.audit.body/1"


@dataclass(frozen=True, slots=True)
class BodyEvent:
    """What a direction held. `decision_id` is that of the request's decision.

    `code` is `passed`, or why it did not pass; `status` is what the client was told then, 0 where nothing was.
    """

    time: float
    decision_id: str
    request_id: str
    direction: Literal["request", "response"]
    code: str
    status: int
    findings: Sequence[FindingNote]

    def to_json(self) -> str:
        """One line of ASCII JSON, keys in a fixed order, texts cut at `MAX_FIELD` characters, lists at `MAX_ITEMS`."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "time": datetime.fromtimestamp(self.time, UTC).isoformat(timespec="microseconds"),
                "decision_id": _cut(self.decision_id),
                "request_id": _cut(self.request_id),
                "direction": self.direction,
                "code": _cut(self.code),
                "status": self.status,
                "findings": [
                    {
                        "entity": _cut(note.entity),
                        "location": _cut(note.location),
                        "name": _cut(note.name),
                        "action": _cut(note.action),
                    }
                    for note in self.findings[:MAX_ITEMS]
                ],
            }
        )


def _cut(text: str) -> str:
    return text if len(text) <= MAX_FIELD else text[: MAX_FIELD - 1] + "…"
