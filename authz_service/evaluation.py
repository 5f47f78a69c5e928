"""One question to the policy and its answer, as they are told to the decision log."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol

from authz_service.decision_log.record import Record
from authz_service.decision_log.weighing import weigh
from authz_service.dlp.request import Scan
from authz_service.errors import RequestRefused
from authz_service.model import Decision, HttpRequest, Identity, Outcome
from authz_service.policy.bodies.reading import BodyTerms
from authz_service.policy.document import MEMBERS, build_input
from authz_service.policy.engine import Engine
from authz_service.policy.target import Target
from authz_service.rego_engine.values import UNDEFINED

MAX_TRACEPARENT = 256  # characters; a longer one is none
_NO_BODIES: Final = BodyTerms(skip=True)


class DecisionLog(Protocol):
    """Where evaluations are written down. MUST NOT block: no request depends on it."""

    def record(self, record: Record) -> None:
        """Take a record, or leave it out."""
        ...


@dataclass(slots=True)
class Evaluation:
    """What the policy was asked, and what it said; `UNDEFINED` until it has. Times are in seconds of a steady clock.

    `cached` is an answer that was given before.
    """

    engine: Engine
    rule: str
    request: HttpRequest
    target: Target
    identity: Identity | None
    scan: Scan
    started: float
    ended: float = 0.0
    value: Any = UNDEFINED
    cached: bool = False

    def record(self, decision: Decision, now: float, handler_seconds: float) -> Record:
        """Return what the decision log is to know. What takes time is left to whoever writes it."""
        request, scan = _without_octets(self.request), replace(self.scan, fields=None)
        return Record(
            decision_id=decision.decision_id,
            path=self.rule,
            policies=self.engine,
            revision=self.engine.revision,
            document=partial(_document, request, self.target, self.identity, scan),
            value=self.value,
            error=(decision.code, decision.reason) if decision.outcome is Outcome.ERROR else None,
            time=now,
            evaluation_seconds=self.ended - self.started,
            handler_seconds=handler_seconds,
            traceparent=request.headers.get("traceparent", "")[:MAX_TRACEPARENT],
            requested_by=f"{request.source.address}:{request.source.port}",
            held_bytes=weigh(request, self.target, self.identity, scan, self.value),
            had_body=bool(self.request.body),
            cached=self.cached,
        )


def _without_octets(request: HttpRequest) -> HttpRequest:
    """Return what of a request is held on to until its input is built, in whole, also what the policy did not look at.

    No body, which would be much and is not logged, nor the headers in their encoded form, in which nobody would find
    what has to be taken out; they are there in the plain one too.
    """
    return request._replace(body=b"", header_lines=()) if request.body or request.header_lines else request


def _document(request: HttpRequest, target: Target, identity: Identity | None, scan: Scan) -> dict[str, Any]:
    try:
        return build_input(request, target, identity, scan, terms=_NO_BODIES)
    except RequestRefused:  # a query that cannot be read, at which the policy did not look
        return build_input(request, target, identity, scan, MEMBERS - {"parsed_query"}, terms=_NO_BODIES)
