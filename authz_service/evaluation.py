"""One question to the policy and its answer, as they are told to the decision log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from authz_service.decision_log.record import Record
from authz_service.dlp.request import Scan
from authz_service.model import Decision, HttpRequest, Identity, Outcome
from authz_service.policy.bodies.reading import BodyTerms
from authz_service.policy.document import build_input
from authz_service.policy.engine import Engine
from authz_service.policy.target import Target
from authz_service.rego_engine.values import UNDEFINED

MAX_TRACEPARENT = 256  # characters; a longer one is none


class DecisionLog(Protocol):
    """Where evaluations are written down. MUST NOT block: no request depends on it."""

    def record(self, record: Record) -> None:
        """Take a record, or leave it out."""
        ...


@dataclass(slots=True)
class Evaluation:
    """What the policy was asked, and what it said; `UNDEFINED` until it has. Times are in seconds of a steady clock.

    `document` builds the whole input, also what the policy does not look at; `cached` is an answer given before.
    """

    engine: Engine
    rule: str
    request: HttpRequest
    document: Callable[[], dict[str, Any]]
    started: float
    ended: float = 0.0
    value: Any = UNDEFINED
    cached: bool = False

    def record(self, decision: Decision, now: float, handler_seconds: float) -> Record:
        """Return what the decision log is to know. What takes time is left to whoever writes it."""
        request = self.request
        return Record(
            decision_id=decision.decision_id,
            path=self.rule,
            policies=self.engine,
            revision=self.engine.revision,
            document=self.document,
            value=self.value,
            error=(decision.code, decision.reason) if decision.outcome is Outcome.ERROR else None,
            time=now,
            evaluation_seconds=self.ended - self.started,
            handler_seconds=handler_seconds,
            traceparent=request.headers.get("traceparent", "")[:MAX_TRACEPARENT],
            requested_by=f"{request.source.address}:{request.source.port}",
            client_bytes=len(request.path) + sum(map(len, request.headers.values())),
            had_body=bool(request.body),
            cached=self.cached,
        )


def whole_input(
    request: HttpRequest, target: Target, identity: Identity | None, scan: Scan, terms: BodyTerms
) -> Callable[[], dict[str, Any]]:
    """Return what builds the whole input later. It holds on to no body: that would be much, and is not logged."""
    kept = replace(request, body=b"") if request.body else request
    return partial(build_input, kept, target, identity, scan, terms=terms)
