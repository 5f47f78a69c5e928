"""The audit event of a revocation that came into force, or was lifted, in one process; and its JSON form."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from audit_log.event import MAX_FIELD

SCHEMA = "agent_gateway.audit.revocation/1"


@dataclass(frozen=True, slots=True)
class RevocationEvent:
    """Who was revoked or restored, by whom and why.

    `time` is when it came into force here, `since` when it was made; all times are in seconds since the epoch. `change`
    is the same in the event of every replica.
    """

    time: float
    action: Literal["revoke", "restore"]
    change: str
    kind: str
    value: str
    issuer: str | None
    by: str
    reason: str
    since: float
    until: float | None
    issued_before: float | None

    def to_json(self) -> str:
        """One line of ASCII JSON, keys in a fixed order, texts cut at `MAX_FIELD` characters."""
        return json.dumps(
            {
                "schema": SCHEMA,
                "time": _time(self.time),
                "action": self.action,
                "change": _cut(self.change),
                "kind": _cut(self.kind),
                "value": _cut(self.value),
                "issuer": None if self.issuer is None else _cut(self.issuer),
                "by": _cut(self.by),
                "reason": _cut(self.reason),
                "since": _time(self.since),
                "until": None if self.until is None else _time(self.until),
                "issued_before": None if self.issued_before is None else _time(self.issued_before),
            }
        )


def _cut(text: str) -> str:
    return text if len(text) <= MAX_FIELD else text[: MAX_FIELD - 1] + "…"


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
