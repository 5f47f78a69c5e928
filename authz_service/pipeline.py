"""One request → one decision: who is calling, what it carries, may it go on. Any fault on the way ends in a denial.

The steps are in `_judge`, in order. Whatever they raise becomes a `Decision` in `check`, in one place, and every
decision is written to the audit log before it is answered: a request whose event cannot be kept does not pass.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from audit_log.event import DecisionEvent, FindingNote
from audit_log.sink import AuditSink, AuditUnavailableError
from authz_service.answers import NOT_SEARCHED, answer_failure, answer_refusal, answer_verdict, with_nonce
from authz_service.challenges import Challenges
from authz_service.denials import Denials
from authz_service.dlp.actions import Action
from authz_service.dlp.reading import suspects_text
from authz_service.dlp.request import NOTHING_DONE, Applied, Scan, apply, redact_path, redact_text, scan_request
from authz_service.dlp.terms import Terms
from authz_service.dlp.tokens import Caller
from authz_service.errors import CredentialRefused, Outage, Refusal, RequestRefused
from authz_service.evaluation import DecisionLog, Evaluation
from authz_service.identity.authenticator import Authenticator
from authz_service.model import Decision, Finding, HttpRequest, Identity
from authz_service.policy.bodies.reading import BodyTerms
from authz_service.policy.decision_cache import Asking, DecisionCache
from authz_service.policy.document import DEFAULT_TERMS, build_input
from authz_service.policy.engine import Engine
from authz_service.policy.known_verdicts import KnownVerdicts
from authz_service.policy.target import MAX_PATH_BYTES, check_method, parse_target
from authz_service.policy.verdict import Verdict
from authz_service.revocation.guard import Guard
from authz_service.routing import Routes
from authz_service.telemetry import Metrics

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Clock:
    """The times that the pipeline is given: `now` in epoch seconds, `elapsed` in seconds of a steady clock."""

    now: Callable[[], float]
    elapsed: Callable[[], float]


@dataclass(slots=True)
class _Progress:
    """What is known of a request so far, for the log lines of whatever ends it. What the client chose is redacted."""

    method: str
    host: str
    request_id: str
    started: float
    now: float
    generation: int  # of the revocations that were known when it came
    identity: Identity | None = None
    scan: Scan | None = None
    findings: tuple[Finding, ...] = ()  # that are told
    evaluation: Evaluation | None = None


class Pipeline:
    """Judges requests. Everything it needs is handed in; it reads no clock, file or environment itself."""

    def __init__(  # noqa: PLR0913  (the parts of a decision, wired once in __main__)
        self,
        *,
        routes: Routes,
        authenticator: Authenticator,
        challenges: Challenges,
        denials: Denials,
        dlp: Terms,
        engine: Engine,
        audit: AuditSink,
        metrics: Metrics,
        clock: Clock,
        new_id: Callable[[], str],
        revocations: Guard | None = None,
        bodies: BodyTerms = DEFAULT_TERMS,
        dry_run: bool = False,
        decision_log: DecisionLog | None = None,
        cache: DecisionCache | None = None,
    ) -> None:
        self._routes = routes
        self._authenticator = authenticator
        self._challenges = challenges
        self._denials = denials
        self._dlp = dlp
        self._engine = engine
        self._audit = audit
        self._metrics = metrics
        self._clock = clock
        self._new_id = new_id
        self._revocations = revocations
        self._bodies = bodies
        self._dry_run = dry_run
        if dry_run:
            log.warning("dry run: what the policies deny passes")
        self._decision_log = decision_log
        self._cache = DecisionCache() if cache is None else cache
        self._verdicts = KnownVerdicts()

    def use(self, engine: Engine) -> None:
        """Judge with this engine from the next request on."""
        self._engine = engine

    async def check(self, request: HttpRequest) -> Decision:
        """Judge a request, write the decision down, return it. Never raises for anything a request can hold."""
        started = self._clock.elapsed()
        now = self._clock.now()
        decision_id = self._new_id()
        engine = self._engine  # one policy for the whole request, whatever is swapped meanwhile
        progress = self._begin(request, started, now)
        try:
            decision = await self._judge(request, engine, decision_id, now, progress)
        except CredentialRefused as refusal:
            text = self._denials.text(refusal.code, refusal.text)
            decision = answer_refusal(refusal, decision_id, self._challenges.answer(refusal, text))
        except Refusal as refusal:
            decision = answer_refusal(refusal, decision_id, text=self._denials.text(refusal.code, refusal.text))
        except Outage as outage:
            log.error("check failed", extra={"fields": {"code": outage.code, "detail": outage.detail}})
            decision = answer_failure(outage.code, decision_id)
        except Exception as error:  # fail closed, whatever it is
            log.error("check failed unexpectedly", exc_info=error)
            decision = answer_failure("internal_error", decision_id)
        try:
            self._audit.record(self._event(request, engine, progress, decision, now))
        except AuditUnavailableError as error:
            log.error("audit event not kept, request refused", extra={"fields": {"detail": str(error)}})
            decision = answer_failure("audit_unavailable", decision_id)
        except Exception as error:  # what cannot be written down does not pass either
            log.error("audit event not made, request refused", exc_info=error)
            decision = answer_failure("audit_unavailable", decision_id)
        self._log(progress, decision)
        self._metrics.decided(decision, progress.findings, self._clock.elapsed() - started)
        # For Envoy's access log, which would otherwise show them as the client wrote them.
        decision = decision._replace(metadata={**decision.metadata, "method": progress.method, "host": progress.host})
        return self._denials.form(decision, request)

    async def _judge(
        self, request: HttpRequest, engine: Engine, decision_id: str, now: float, progress: _Progress
    ) -> Decision:
        check_method(request.method)
        target = parse_target(request.path)
        rule = self._routes.find(request.method, request.host, target, request.context_extensions)
        caller = await self._authenticator.authenticate(request, rule, now)
        identity = progress.identity = caller.identity if caller else None
        if identity is None and not rule.anonymous:
            raise CredentialRefused("credential_missing", "a credential is needed", error=None)
        if identity is not None and self._revocations is not None:
            self._revocations.check(identity, now)
        if (progress.method, progress.host) != (request.method, request.host):
            # Neither can be changed on the way: what holds a secret there cannot go on at all.
            raise RequestRefused("secret_in_request_line", "the host or the method holds a secret")
        built = self._cache.members(rule.decision, engine.reads)
        owner = Caller(identity.issuer, identity.user) if identity else None
        scan = progress.scan = scan_request(
            request, target, self._dlp, owner, NOT_SEARCHED, body=built is None or "dlp" in built
        )
        progress.findings = _told(scan.findings)
        asking = Asking(engine, engine.revision, rule.decision, identity, scan, progress.generation, now)
        document = build_input(request, target, identity, scan, built, terms=self._bodies)
        evaluation = progress.evaluation = Evaluation(
            engine, rule.decision, request, target, identity, scan, self._clock.elapsed()
        )
        verdict = self._verdicts.read(await self._ask(engine, asking, document, built, evaluation))
        applied = self._applied(scan, verdict, progress) if verdict.allowed or self._dry_run else NOTHING_DONE
        decision = answer_verdict(verdict, decision_id, target, identity, scan, applied=applied, dry_run=self._dry_run)
        return with_nonce(decision, caller.nonce) if caller and caller.nonce else decision

    def _applied(self, scan: Scan, verdict: Verdict, progress: _Progress) -> Applied:
        """Do what is to be done with what was found."""
        applied = apply(scan, verdict.dlp)
        progress.findings = _told(applied.findings)
        if applied.blocked is not None:
            raise Refusal(applied.blocked, "the request holds a secret or personal data that may not pass")
        return applied

    async def _ask(
        self,
        engine: Engine,
        asking: Asking,
        document: Mapping[str, Any],
        built: frozenset[str] | None,
        evaluation: Evaluation,
    ) -> Any:
        """Return what the policy says, or has said of the same and allowed to be kept."""
        kept = self._cache.find(asking, document)
        if self._cache.knows(asking.rule):
            self._metrics.cache_looked_up("kept" if kept is not None else "new")
        try:
            evaluation.value = await engine.decide(asking.rule, document) if kept is None else kept
        finally:
            evaluation.ended = self._clock.elapsed()
        if kept is None:
            self._cache.keep(asking, document, built, evaluation.value)
        evaluation.cached = kept is not None
        return evaluation.value

    def _begin(self, request: HttpRequest, started: float, now: float) -> _Progress:
        method, host, request_id = request.method, request.host, request.headers.get("x-request-id", request.id)
        hidden = self._dlp.hidden
        if suspects_text(f"{method}\n{host}\n{request_id}".encode(), hidden):
            method, host, request_id = (redact_text(text, hidden) for text in (method, host, request_id))
        generation = self._revocations.generation if self._revocations is not None else 0
        return _Progress(method, host, request_id, started, now, generation)

    def _event(
        self, request: HttpRequest, engine: Engine, progress: _Progress, decision: Decision, now: float
    ) -> DecisionEvent:
        identity, scan = progress.identity, progress.scan
        return DecisionEvent(
            time=now,
            decision=decision.outcome.value,
            decision_id=decision.decision_id,
            request_id=progress.request_id,
            user=identity.user if identity else None,
            agent_id=identity.agent if identity else None,
            roles=identity.roles if identity else (),
            issuer=identity.issuer if identity else None,
            policy_id=decision.policy_id,
            policy_revision=engine.revision,
            policy_loaded=engine.loaded,
            code=decision.code,
            reason=decision.reason,
            status=decision.status,
            method=progress.method,
            host=progress.host,
            path=scan.path if scan else redact_path(request.path.partition("?")[0][:MAX_PATH_BYTES], self._dlp.scanner),
            source=request.source.address,
            findings=[
                FindingNote(found.entity, found.location.value, found.name, found.action) for found in progress.findings
            ],
        )

    def _log(self, progress: _Progress, decision: Decision) -> None:
        """Hand what the policy was asked over to the decision log."""
        evaluation = progress.evaluation
        if self._decision_log is None or evaluation is None:
            return
        try:
            self._decision_log.record(
                evaluation.record(decision, progress.now, self._clock.elapsed() - progress.started)
            )
        except Exception as error:  # no decision hangs on it
            log.error("decision not handed over to the decision log", exc_info=error)


def _told(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings that are told to others than the policy."""
    return tuple(finding for finding in findings if finding.action != Action.ALLOW)
