"""`python -m authz_service decide --config FILE --request FILE`: what would happen to a request, step by step.

The request is written down as `request_file` reads it. Exit codes: 0 it would pass; 1 it would be refused; 2 the
configuration, the request or the arguments are at fault.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry

from audit_log.sink import AuditEvent
from authz_service import settings as configuration
from authz_service import sources
from authz_service.dlp.request import redact_text
from authz_service.dlp.terms import open_terms
from authz_service.identity import parts
from authz_service.identity.introspector import Introspector
from authz_service.identity.parts import Heard, IdentityParts
from authz_service.model import Decision, HttpRequest, Outcome
from authz_service.pipeline import Clock, Pipeline
from authz_service.policy import explaining
from authz_service.policy.compiling import compile_policy
from authz_service.policy.engine import Engine
from authz_service.rego_engine.builtins.context import Context
from authz_service.rego_engine.errors import EvaluationError
from authz_service.rehearsal import Stage, Step, answer_step, rehearse
from authz_service.request_file import MAX_BYTES, RequestFileError, read_request
from authz_service.routing import Routes
from authz_service.settings import Settings
from authz_service.telemetry import Metrics
from authz_service.terminal import FAULT, NO, OK, show_faults
from service_kit.faults import ConfigurationError

EVALUATION_SECONDS = 10.0


def add_arguments(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Declare the command."""
    decide = commands.add_parser("decide", help="say what would happen to a request, step by step")
    # Without a default: it may stand before the command too.
    decide.add_argument(
        "--config", type=Path, metavar="FILE", default=argparse.SUPPRESS, help="the configuration (YAML)"
    )
    decide.add_argument(
        "--request",
        required=True,
        metavar="FILE",
        help="the request (JSON, see docs/identity.md); - for standard input",
    )
    decide.add_argument("--at", metavar="TIME", help="judge as at this time, RFC 3339; default: now")
    decide.add_argument("--json", action="store_true", help="answer in JSON")
    decide.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Decide; return the exit code."""
    try:
        request = read_request(_read(arguments.request))
        now = datetime.fromisoformat(arguments.at).timestamp() if arguments.at else time.time()
    except (RequestFileError, OSError, ValueError) as error:
        print(f"--request, --at: {error}", file=sys.stderr)
        return FAULT
    try:
        settings = configuration.load(arguments.config)
        steps, decision = asyncio.run(_decide(settings, request, now))
    except ConfigurationError as error:
        return show_faults(error, as_json=arguments.json)
    _show(steps, decision, as_json=arguments.json)
    return OK if decision.outcome is Outcome.ALLOW else NO


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    with Path(name).open("rb") as file:
        return file.read(MAX_BYTES + 1)


async def _decide(settings: Settings, request: HttpRequest, now: float) -> tuple[list[Step], Decision]:
    asking = sources.introspectors(settings.identity.issuers, lambda _: None)
    policies = sources.policy_source(settings)
    try:
        engine = await policies.load()
        return await _rehearse(settings, engine, request, now, asking)
    finally:
        await asyncio.gather(policies.close(), *(each.close() for each in asking.values()))


async def _rehearse(
    settings: Settings, engine: Engine, request: HttpRequest, now: float, asking: Mapping[str, Introspector]
) -> tuple[list[Step], Decision]:
    dlp, routes = open_terms(settings.dlp), Routes(settings.routes)
    # Two, so that no proof is used up between them.
    first, second = await _identity(settings, asking), await _identity(settings, asking)
    terms = sources.body_terms(settings)
    stage = Stage(routes, first.authenticator, dlp, engine.reads, terms)
    found = await rehearse(request, stage, now)
    steps = found.steps
    if found.document is not None and found.rule is not None:
        steps.append(
            Step(
                "policy",
                True,
                f"revision {engine.revision}",
                await _explained(settings, found.rule.decision, found.document),
            )
        )
    pipeline = _pipeline(settings, second, engine, stage, now)
    decision = await pipeline.check(request)
    by = f"{decision.outcome} by {decision.policy_id}: {decision.code}, {redact_text(decision.reason, dlp.hidden)}"
    steps += [Step("decision", decision.outcome is Outcome.ALLOW, by), answer_step(decision)]
    return steps, decision


async def _identity(settings: Settings, asking: Mapping[str, Introspector]) -> IdentityParts:
    found = parts.build(
        settings.identity,
        sources.identity_sources(settings, None, asking),
        Heard(lambda *_: None, lambda _: None),
        monotonic=time.monotonic,
        resource_metadata=settings.denials.resource_metadata,
    )
    for fault in await sources.load_keys(settings.identity.issuers, found.rings):
        print(fault, file=sys.stderr)
    return found


def _pipeline(settings: Settings, identity: IdentityParts, engine: Engine, stage: Stage, now: float) -> Pipeline:
    """Judge as the service does, at a given time, on the same stage."""
    return Pipeline(
        routes=stage.routes,
        authenticator=identity.authenticator,
        challenges=identity.challenges,
        denials=settings.denials.denials,
        dlp=stage.dlp,
        engine=engine,
        audit=_Nowhere(),
        metrics=Metrics(CollectorRegistry()),
        clock=Clock(lambda: now, time.perf_counter),
        new_id=lambda: "rehearsal",
        bodies=sources.body_terms(settings),
        dry_run=settings.policy.dry_run,
    )


class _Nowhere:
    """Takes no note."""

    def record(self, event: AuditEvent) -> None:
        del event


async def _explained(settings: Settings, rule: str, document: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which rules held and which failed, and where; nothing for policies that have no sources here."""
    job = sources.policy_job(settings, probes=True)
    if job is None:
        return ()
    policy, _ = await compile_policy(job)
    evaluation = policy.evaluation(document, Context(time_ns=time.time_ns()), seconds=EVALUATION_SECONDS, strict=False)
    try:
        policy.evaluate(rule, document, evaluation)
    except EvaluationError as error:
        return (f"{error.code} at {error.where}" if error.where else error.code,)
    return tuple(explaining.show(explaining.explain(evaluation.trail, policy.places)))


def _show(steps: list[Step], decision: Decision, *, as_json: bool) -> None:
    if as_json:
        told = [
            {"step": step.name, "passed": step.passed, "text": step.text, "more": list(step.more)} for step in steps
        ]
        print(
            json.dumps(
                {"outcome": decision.outcome.value, "status": decision.status, "code": decision.code, "steps": told},
                indent=2,
            )
        )
        return
    for step in steps:
        print(f"{'✓' if step.passed else '✗'} {step.name:<11}{step.text}")
        for line in step.more:
            print(f"    {line}")
