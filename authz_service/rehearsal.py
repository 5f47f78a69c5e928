"""What would happen to a request, step by step: the pipeline's own parts, each asked in its turn, and told in words.

Nothing is written to the audit log and no proof is used up: the stores are this process's own. What is told is redacted
as logs are, and no credential is among it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from authz_service.answers import NOT_SEARCHED
from authz_service.dlp.request import Scan, redact_path, redact_text, scan_request
from authz_service.dlp.terms import Terms
from authz_service.dlp.tokens import Caller
from authz_service.errors import CredentialRefused, Outage, Refusal
from authz_service.identity.authenticator import Authenticator
from authz_service.identity.credentials import read_credential
from authz_service.model import Decision, HttpRequest, Identity, Outcome
from authz_service.policy.bodies.reading import BodyTerms
from authz_service.policy.document import DEFAULT_TERMS, build_input
from authz_service.policy.target import Target, check_method, parse_target
from authz_service.routing import RouteRule, Routes


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it is, whether the request got past it, and what there is to say."""

    name: str
    passed: bool
    text: str
    more: tuple[str, ...] = ()


@dataclass(slots=True)
class Rehearsal:
    """The steps up to the policy, and the input that it would be asked with; None where none gets there."""

    steps: list[Step] = field(default_factory=list)
    rule: RouteRule | None = None
    document: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """The pipeline's own parts; `reads` and `terms` are as `build_input` has them."""

    routes: Routes
    authenticator: Authenticator
    dlp: Terms
    reads: frozenset[str] | None = None
    terms: BodyTerms = DEFAULT_TERMS


async def rehearse(request: HttpRequest, stage: Stage, now: float) -> Rehearsal:
    """Take a request through every step before the policy. `now` is in epoch seconds."""
    hidden = stage.dlp.hidden
    found = Rehearsal()
    steps = found.steps
    shown = redact_path(request.path.partition("?")[0], stage.dlp.scanner)
    try:
        check_method(request.method)
        target = parse_target(request.path)
        steps.append(
            Step("request", True, f"{redact_text(request.method, hidden)} {redact_text(request.host, hidden)}{shown}")
        )
        rule = found.rule = stage.routes.find(request.method, request.host, target, request.context_extensions)
        steps.append(Step("route", True, _route(rule)))
        steps.append(Step("credential", True, _credential(request, target)))
        caller = await stage.authenticator.authenticate(request, rule, now)
        if caller is None and not rule.anonymous:
            raise CredentialRefused("credential_missing", "a credential is needed", error=None)
        identity = caller.identity if caller else None
        steps.append(Step("identity", True, _caller(identity)))
    except Refusal as refusal:
        steps.append(Step(_step_of(refusal), False, f"{refusal.code}: {refusal.text}"))
        return found
    except Outage as outage:
        steps.append(Step("identity", False, f"{outage.code}: {outage.detail}"))
        return found
    owner = Caller(identity.issuer, identity.user) if identity else None
    scan = scan_request(request, target, stage.dlp, owner, NOT_SEARCHED, body=True)
    steps.append(Step("findings", True, _findings(scan)))
    try:
        found.document = build_input(request, target, identity, scan, stage.reads, terms=stage.terms)
    except Refusal as refusal:
        steps.append(Step("input", False, f"{refusal.code}: {refusal.text}"))
    return found


def _credential(request: HttpRequest, target: Target) -> str:
    credential = read_credential(request.headers, target.query)
    if credential is None:
        return "none" + ("; a client certificate" if request.source.certificate else "")
    proof = " with a DPoP proof" if credential.proof else ""
    return f"{credential.scheme} token of {len(credential.token)} bytes{proof}"


def _caller(identity: Identity | None) -> str:
    if identity is None:
        return "nobody, whom this route lets in"
    parts = [f"user {identity.user}", f"agent {identity.agent}", f"roles {', '.join(identity.roles) or 'none'}"]
    return "; ".join([*parts, f"issuer {identity.issuer}", f"binding {identity.binding}"])


def answer_step(decision: Decision) -> Step:
    """What is answered, in the end."""
    if decision.outcome is not Outcome.ALLOW:
        names = ", ".join(name for name, _ in decision.headers)
        return Step(
            "answer", False, f"{decision.status} {decision.body or ''}", (f"headers: {names}",) if names else ()
        )
    changes = decision.mutations
    more = [
        *(f"sets header {name}" for name, _ in changes.set_headers),
        *(f"removes header {name}" for name in changes.remove_headers),
        *(f"sets parameter {name}" for name, _ in changes.set_query),
        *(f"removes parameter {name}" for name in changes.remove_query),
        *(f"adds response header {name}" for name, _ in changes.response_headers),
    ]
    return Step("answer", True, "goes on to the upstream", tuple(more))


def _route(rule: RouteRule) -> str:
    asked = "" if rule.require_binding == "none" else f", binding {rule.require_binding}"
    return f"{rule.name}: decision {rule.decision}, credentials {rule.credentials}{asked}"


def _step_of(refusal: Refusal) -> str:
    return "identity" if isinstance(refusal, CredentialRefused) else "request"


def _findings(scan: Scan) -> str:
    told = [
        f"{found.entity} in {found.location}{f' {found.name}' if found.name else ''}: {found.action}"
        for found in scan.findings
    ]
    return ", ".join([*told, *(["a local file in the body"] if scan.carries_local_file else [])]) or "none"
