"""The audit event of one authorization decision, and its JSON form."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from typing import Literal, NamedTuple

SCHEMA = "agent_gateway.audit/1"
MAX_FIELD = 512  # characters; whatever a client, an issuer or a policy chooses is cut there
MAX_ITEMS = 200  # of a list


@dataclass(frozen=True, slots=True)
class FindingNote:
    """That something was found, never what: its entity, where it stood, and what was done about it."""

    entity: str
    location: str
    name: str
    action: str


class DecisionEvent(NamedTuple):
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

        ASCII: no stream's encoding can refuse it, and no separator of Unicode reads as the end of a line. Written by
        hand, which takes half the time of `json.dumps`: it stands in the way of each answer.
        """
        findings = ", ".join(map(_finding, self.findings[:MAX_ITEMS]))
        return (
            f'{{"schema": "{SCHEMA}", "time": "{_time(self.time, "microseconds")}", "decision": "{self.decision}", '
            f'"decision_id": "{self.decision_id}", "request_id": {_cut(self.request_id)}, "user": {_cut(self.user)}, '
            f'"agent_id": {_cut(self.agent_id)}, "roles": [{", ".join(map(_cut, self.roles[:MAX_ITEMS]))}], '
            f'"issuer": {_cut(self.issuer)}, "policy_id": {_cut(self.policy_id)}, '
            f'"policy_revision": {_cut(self.policy_revision)}, "policy_loaded": "{_loaded(self.policy_loaded)}", '
            f'"code": {_cut(self.code)}, "reason": {_cut(self.reason)}, "status": {self.status:d}, '
            f'"method": {_cut(self.method)}, "host": {_cut(self.host)}, "path": {_cut(self.path)}, '
            f'"source": {_cut(self.source)}, "findings": [{findings}]}}'
        )


def _cut(text: str | None) -> str:
    """Return a text as JSON has it, cut at `MAX_FIELD` characters."""
    if text is None:
        return "null"
    return encode_basestring_ascii(text if len(text) <= MAX_FIELD else text[: MAX_FIELD - 1] + "…")


def _finding(note: FindingNote) -> str:
    return (
        f'{{"entity": {_cut(note.entity)}, "location": {_cut(note.location)}, "name": {_cut(note.name)}, '
        f'"action": {_cut(note.action)}}}'
    )


def _time(seconds: float, precision: str) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec=precision)


@lru_cache(maxsize=16)
def _loaded(seconds: float) -> str:
    return _time(seconds, "seconds")
