"""The audit event of one authorization decision, and its JSON form."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

SCHEMA = "agent_gateway.audit/1"
MAX_FIELD = 512  # characters; whatever a client, an issuer or a policy chooses is cut there
MAX_ITEMS = 200  # of a list


@dataclass(frozen=True, slots=True)
class FindingNote:
    """That something was found, never what: its entity and where it stood."""

    entity: str
    location: str
    name: str


@dataclass(frozen=True, slots=True)
class DecisionEvent:
    """Who asked for what, what was decided, by which rule and why.

    `time`, and `policy_loaded` (when the policies came into use), are in seconds since the epoch.
    """

    time: float
    decision: Literal["allow", "deny", "error"]
    decision_id: str
    request_id: str
    user: str | None
    agent_id: str | None
    roles: Sequence[str]
    issuer: str | None
    policy_id: str
    policy_revision: str
    policy_loaded: float
    code: str
    reason: str
    status: int
    method: str
    host: str
    path: str
    source: str
    findings: Sequence[FindingNote]

    def to_json(self) -> str:
        """One line of JSON, keys in a fixed order, texts cut at `MAX_FIELD` characters, lists at `MAX_ITEMS`.

        ASCII: no stream's encoding can refuse it, and no separator of Unicode reads as the end of a line.
        """
        return json.dumps(
            {
                "schema": SCHEMA,
                "time": datetime.fromtimestamp(self.time, UTC).isoformat(timespec="microseconds"),
                "decision": self.decision,
                "decision_id": self.decision_id,
                "request_id": _cut(self.request_id),
                "user": _cut(self.user),
                "agent_id": _cut(self.agent_id),
                "roles": [_cut(role) for role in self.roles[:MAX_ITEMS]],
                "issuer": _cut(self.issuer),
                "policy_id": _cut(self.policy_id),
                "policy_revision": self.policy_revision,
                "policy_loaded": datetime.fromtimestamp(self.policy_loaded, UTC).isoformat(timespec="seconds"),
                "code": _cut(self.code),
                "reason": _cut(self.reason),
                "status": self.status,
                "method": _cut(self.method),
                "host": _cut(self.host),
                "path": _cut(self.path),
                "source": _cut(self.source),
                "findings": [
                    {"entity": note.entity, "location": note.location, "name": _cut(note.name)}
                    for note in self.findings[:MAX_ITEMS]
                ],
            },
        )


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= MAX_FIELD else text[: MAX_FIELD - 1] + "…"
