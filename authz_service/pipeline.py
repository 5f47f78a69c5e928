"""One request → one decision: who is calling, what it carries, may it go on. Any fault on the way ends in a denial.

The steps are in `_judge`, in order. Whatever they raise becomes a `Decision` in `check`, in one place, and every
decision is written to the audit log before it is answered: a request whose event cannot be kept does not pass.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

from audit_log.event import DecisionEvent, FindingNote
from audit_log.sink import AuditSink, AuditUnavailable
from authz_service.dlp.request import Scan, scan_request
from authz_service.dlp.scan import Scanner
from authz_service.errors import CredentialRefused, Outage, Refusal
from authz_service.identity.authenticator import Authenticator
from authz_service.model import Decision, HttpRequest, Identity, Mutations, Outcome
from authz_service.policy.document import build_input
from authz_service.policy.engine import Engine
from authz_service.policy.target import Target, parse_target
from authz_service.policy.verdict import Verdict, read_verdict
from authz_service.telemetry import Metrics

log = logging.getLogger(__name__)

REALM = "agent-gateway"
_CREDENTIAL_HEADERS = frozenset({"authorization"})


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
            decision = _denied(refusal, decision_id)
        except Outage as outage:
            log.error("check failed", extra={"fields": {"code": outage.code, "detail": outage.detail}})
            decision = _failed(outage.code, decision_id)
        except Exception as error:  # fail closed, whatever it is
            log.error("check failed unexpectedly", exc_info=error)
            decision = _failed("internal_error", decision_id)
        try:
            self._audit.record(_event(request, engine.revision, progress, decision, now))
        except AuditUnavailable as error:
            log.error("audit event not kept, request refused", extra={"fields": {"detail": str(error)}})
            decision = _failed("audit_unavailable", decision_id)
        findings = tuple(progress.scan.findings) if progress.scan else ()
        self._metrics.decided(decision, findings, self._clock.elapsed() - started)
        return decision

    async def _judge(
        self, request: HttpRequest, engine: Engine, decision_id: str, now: float, progress: _Progress
    ) -> Decision:
        # Scanned first, so that the audit line of a refusal shows the path without its secrets.
        scan = progress.scan = scan_request(request, self._scanner, _CREDENTIAL_HEADERS)
        target = progress.target = parse_target(request.path)
        identity = progress.identity = await self._authenticator.authenticate(request.headers, now)
        if identity is None and not self._anonymous_allowed:
            raise CredentialRefused("credential_missing", "a bearer token is needed", error=None)
        verdict = read_verdict(engine.evaluate(build_input(request, target, identity, scan)))
        return _decision(verdict, decision_id, target, identity, scan)


def _decision(verdict: Verdict, decision_id: str, target: Target, identity: Identity | None, scan: Scan) -> Decision:
    policy_id = verdict.policy_id or "policy"
    if not verdict.allowed:
        code, reason = verdict.code or "policy_denied", verdict.reason or "denied by policy"
        headers = [*verdict.headers]
        body = verdict.body
        if body is None:
            headers.append(("content-type", "application/json"))
            body = _body(code, reason, decision_id)
        return Decision(
            Outcome.DENY, decision_id, code, reason, policy_id,
            status=verdict.http_status, headers=headers, body=body, metadata={"decision_id": decision_id},
        )  # fmt: skip
    # What the gateway says of the caller comes last: no policy and no client can say otherwise.
    metadata = {
        "endpoint": target.endpoint,
        **verdict.dynamic_metadata,
        "decision_id": decision_id,
        "user": identity.user if identity else "",
        "agent": (identity.agent or "") if identity else "",
        "roles": list(identity.roles) if identity else [],
    }
    mutations = Mutations(
        set_headers=[*verdict.headers, *scan.set_headers],
        # A token for this gateway is of no use to the upstream, and it could use it against us.
        remove_headers=[*verdict.request_headers_to_remove, *(_CREDENTIAL_HEADERS if identity else ())],
        set_query=[*verdict.query_parameters_to_set, *scan.set_query],
        remove_query=[*verdict.query_parameters_to_remove, *scan.remove_query],
        response_headers=verdict.response_headers_to_add,
    )
    return Decision(
        Outcome.ALLOW, decision_id, verdict.code or "allowed", verdict.reason or "allowed by policy", policy_id,
        mutations=mutations, metadata=metadata,
    )  # fmt: skip


def _denied(refusal: Refusal, decision_id: str) -> Decision:
    headers = [("content-type", "application/json")]
    policy_id = "request"
    if isinstance(refusal, CredentialRefused):
        policy_id = "identity"
        challenge = f'Bearer realm="{REALM}"'
        if refusal.error is not None:
            challenge += f', error="{refusal.error}", error_description="{refusal.text}"'
        headers.append(("www-authenticate", challenge))
    return Decision(
        Outcome.DENY, decision_id, refusal.code, refusal.text, policy_id,
        status=refusal.status, headers=headers, body=_body(refusal.code, refusal.text, decision_id),
        metadata={"decision_id": decision_id},
    )  # fmt: skip


def _failed(code: str, decision_id: str) -> Decision:
    reason = "the gateway cannot decide now"
    return Decision(
        Outcome.ERROR, decision_id, code, reason, "gateway",
        status=503, headers=[("content-type", "application/json")], body=_body(code, reason, decision_id),
        metadata={"decision_id": decision_id},
    )  # fmt: skip


def _body(code: str, reason: str, decision_id: str) -> str:
    return json.dumps({"error": code, "message": reason, "decision_id": decision_id})


def _event(request: HttpRequest, revision: str, progress: _Progress, decision: Decision, now: float) -> DecisionEvent:
    identity, scan = progress.identity, progress.scan
    return DecisionEvent(
        time=now,
        decision=decision.outcome.value,
        decision_id=decision.decision_id,
        request_id=request.headers.get("x-request-id", request.id),
        user=identity.user if identity else None,
        agent_id=identity.agent if identity else None,
        roles=identity.roles if identity else (),
        issuer=identity.issuer if identity else None,
        policy_id=decision.policy_id,
        policy_revision=revision,
        code=decision.code,
        reason=decision.reason,
        status=decision.status,
        method=request.method,
        host=request.host,
        path=scan.path if scan else "",
        source=request.source.address,
        findings=[FindingNote(found.entity, found.location.value, found.name) for found in scan.findings]
        if scan
        else (),
    )
