"""One request → one decision: who is calling, what it carries, may it go on. Any fault on the way ends in a denial.

The steps are in `_judge`, in order. Whatever they raise becomes a `Decision` in `check`, in one place, and every
decision is written to the audit log before it is answered: a request whose event cannot be kept does not pass.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from audit_log.event import DecisionEvent, FindingNote
from audit_log.sink import AuditSink, AuditUnavailable
from authz_service.answers import CREDENTIAL_HEADERS, answer_failure, answer_refusal, answer_verdict
from authz_service.dlp.redactions import redact
from authz_service.dlp.request import Scan, scan_request
from authz_service.dlp.scan import Scanner
from authz_service.errors import CredentialRefused, Outage, Refusal
from authz_service.identity.authenticator import Authenticator
from authz_service.model import Decision, HttpRequest, Identity
from authz_service.policy.document import build_input
from authz_service.policy.engine import Engine
from authz_service.policy.target import Target, parse_target
from authz_service.policy.verdict import read_verdict
from authz_service.telemetry import Metrics

log = logging.getLogger(__name__)


class EngineHolder(Protocol):
    """Has the engine that is in use now; a reload puts another one there."""

    engine: Engine


@dataclass(frozen=True, slots=True)
class Clock:
    """The times that the pipeline is given: `now` in epoch seconds, `elapsed` in seconds of a steady clock."""

    now: Callable[[], float]
    elapsed: Callable[[], float]


@dataclass(slots=True)
class _Progress:
    """What is known of a request so far, for the audit line of whatever ends it."""

    target: Target | None = None
    identity: Identity | None = None
    scan: Scan | None = None


class Pipeline:
    """Judges requests. Everything it needs is handed in; it reads no clock, file or environment itself."""

    def __init__(  # noqa: PLR0913  (the parts of a decision, wired once in __main__)
        self,
        *,
        authenticator: Authenticator,
        anonymous: Literal["deny", "allow"],
        scanner: Scanner,
        policy: EngineHolder,
        audit: AuditSink,
        metrics: Metrics,
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        self._authenticator = authenticator
        self._anonymous_allowed = anonymous == "allow"
        self._scanner = scanner
        self._policy = policy
        self._audit = audit
        self._metrics = metrics
        self._clock = clock
        self._new_id = new_id

    async def check(self, request: HttpRequest) -> Decision:
        """Judge a request, write the decision down, return it. Never raises for anything a request can hold."""
        started = self._clock.elapsed()
        now = self._clock.now()
        decision_id = self._new_id()
        engine = self._policy.engine
        progress = _Progress()
        try:
            decision = await self._judge(request, engine, decision_id, now, progress)
        except Refusal as refusal:
            decision = answer_refusal(refusal, decision_id)
        except Outage as outage:
            log.error("check failed", extra={"fields": {"code": outage.code, "detail": outage.detail}})
            decision = answer_failure(outage.code, decision_id)
        except Exception as error:  # fail closed, whatever it is
            log.error("check failed unexpectedly", exc_info=error)
            decision = answer_failure("internal_error", decision_id)
        try:
            self._audit.record(self._event(request, engine.revision, progress, decision, now))
        except AuditUnavailable as error:
            log.error("audit event not kept, request refused", extra={"fields": {"detail": str(error)}})
            decision = answer_failure("audit_unavailable", decision_id)
        findings = tuple(progress.scan.findings) if progress.scan else ()
        self._metrics.decided(decision, findings, self._clock.elapsed() - started)
        return decision

    async def _judge(
        self, request: HttpRequest, engine: Engine, decision_id: str, now: float, progress: _Progress
    ) -> Decision:
        # Scanned first, so that the audit line of a refusal shows the path without its secrets.
        scan = progress.scan = scan_request(request, self._scanner, CREDENTIAL_HEADERS)
        target = progress.target = parse_target(request.path)
        identity = progress.identity = await self._authenticator.authenticate(request.headers, now)
        if identity is None and not self._anonymous_allowed:
            raise CredentialRefused("credential_missing", "a bearer token is needed", error=None)
        verdict = read_verdict(engine.evaluate(build_input(request, target, identity, scan)))
        return answer_verdict(verdict, decision_id, target, identity, scan)

    def _event(
        self, request: HttpRequest, revision: str, progress: _Progress, decision: Decision, now: float
    ) -> DecisionEvent:
        identity, scan = progress.identity, progress.scan
        return DecisionEvent(
            time=now,
            decision=decision.outcome.value,
            decision_id=decision.decision_id,
            request_id=self._shown(request.headers.get("x-request-id", request.id)),
            user=identity.user if identity else None,
            agent_id=identity.agent if identity else None,
            roles=identity.roles if identity else (),
            issuer=identity.issuer if identity else None,
            policy_id=decision.policy_id,
            policy_revision=revision,
            code=decision.code,
            reason=decision.reason,
            status=decision.status,
            method=self._shown(request.method),
            host=self._shown(request.host),
            path=scan.path if scan else "",
            source=request.source.address,
            findings=[FindingNote(found.entity, found.location.value, found.name) for found in scan.findings]
            if scan
            else (),
        )

    def _shown(self, text: str) -> str:
        """Take the secrets out of something short that the client chose."""
        spans = self._scanner.scan(text.encode())
        return redact(text.encode(), spans).decode("utf-8", "replace") if spans else text
