"""One evaluation of the policy as the pipeline saw it, and the event that OPA would write of it. Pure.

Names and shapes are those of OPA's decision log events. `custom.cached` is ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from authz_service.rego_engine.values import UNDEFINED

BUNDLE = "policy"  # the name that stands for the policies in use, however they came
# What of the input is never logged: it is content, not circumstance.
BODY_PLACES = ("/input/attributes/request/http/body", "/input/parsed_body")
OVERHEAD_BYTES = 4 * 1024  # of one record, beside what it holds on to
_TRACEPARENT = re.compile(r"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")


class Evaluates(Protocol):
    """What evaluates the policies' rules about the log. It may be called from any thread."""

    @property
    def rules(self) -> frozenset[str]:
        """The rules that may be asked for."""
        ...

    def evaluate(self, rule: str, document: Mapping[str, Any]) -> Any:
        """Return a rule's value, or `UNDEFINED`; MUST raise only `PolicyFailed`."""
        ...


@dataclass(frozen=True, slots=True)
class Record:
    """One evaluation. Nothing in it is changed by anybody, and none of it is made on the request's way.

    `document` builds the whole input, without bodies; `had_body` says that there was one. `value` is what the rule
    said, `UNDEFINED` where nothing. `error` is the code and the text of why there is no decision. Times are in seconds,
    the first since the epoch. `held_bytes` is what the record holds on to, all of it together (`weighing`).
    """

    decision_id: str
    path: str
    policies: object
    revision: str
    document: Callable[[], Mapping[str, Any]]
    value: Any
    error: tuple[str, str] | None
    time: float
    evaluation_seconds: float
    handler_seconds: float
    traceparent: str
    requested_by: str
    held_bytes: int
    had_body: bool = False
    cached: bool = False

    @property
    def size(self) -> int:
        """How much room it takes in a queue, in bytes, about."""
        return OVERHEAD_BYTES + self.held_bytes


def event_of(record: Record, labels: Mapping[str, str], number: int) -> dict[str, Any]:
    """Return the event of a record, nothing masked; `number` counts the requests of this process."""
    event: dict[str, Any] = {
        "labels": dict(labels),
        "decision_id": record.decision_id,
        "bundles": {BUNDLE: {"revision": record.revision}},
        "path": record.path,
        "input": record.document(),
        "requested_by": record.requested_by,
        "timestamp": datetime.fromtimestamp(record.time, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "metrics": {
            "timer_rego_query_eval_ns": int(record.evaluation_seconds * 1e9),
            "timer_server_handler_ns": int(record.handler_seconds * 1e9),
        },
        "req_id": number,
    }
    if record.value is not UNDEFINED:
        event["result"] = record.value
    trace = _TRACEPARENT.fullmatch(record.traceparent)
    if trace and trace[1].strip("0") and trace[2].strip("0"):  # all zeros are no ids (W3C Trace Context section 3.2.2)
        event["trace_id"], event["span_id"] = trace[1], trace[2]
    if record.error is not None:
        event["error"] = {"code": record.error[0], "message": record.error[1]}
    if record.had_body:
        event["erased"] = list(BODY_PLACES)
    if record.cached:
        event["custom"] = {"cached": True}
    return event


def evaluator_of(policies: object) -> Evaluates | None:
    """Return what evaluates the rules about the log; None where they are another's policies."""
    if hasattr(policies, "evaluate") and hasattr(policies, "rules"):
        return policies
    return None
