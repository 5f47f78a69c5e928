"""One request → one decision: the real parts, save a policy that answers as told and an audit log in memory."""

from __future__ import annotations

import asyncio
import base64
import functools
import io
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from audit_log.event import DecisionEvent
from audit_log.sink import AuditEvent, AuditUnavailableError
from authz_service.denials import Denials
from authz_service.dlp.actions import Action, Rule
from authz_service.dlp.terms import Terms, open_terms
from authz_service.errors import PolicyFailed
from authz_service.identity.binding import Requirement
from authz_service.identity.key_source import Fetched, KeySourceError
from authz_service.identity.nonces import PERIOD, Nonces
from authz_service.model import Decision, HttpRequest, Location, Outcome, Peer
from authz_service.pipeline import Clock, Pipeline
from authz_service.policy.bodies.reading import BodyTerms
from authz_service.policy.document import DEFAULT_TERMS
from authz_service.rego_engine.values import UNDEFINED
from authz_service.revocation.guard import Guard
from authz_service.revocation.model import Kind, Revocation, Subject
from authz_service.routing import Conditions, RouteRule, Routes
from authz_service.settings.dlp import DlpSettings
from authz_service.settings.dpop import DpopSettings
from authz_service.settings.identity import KeyTimes
from authz_service.settings.revocation import RevocationSettings
from authz_service.telemetry import Metrics
from service_kit.logs import JsonFormatter
from tests.authz_service.identifying import Told, load, parts_of
from tests.authz_service.minting import ISSUER, NOW, compact, issuer, key, key_set, usual_claims
from tests.authz_service.proving import prover

SSN, HIDDEN = "123-45-6789", "[REDACTED:us_ssn]"
CANARY = "AKIAIOSFODNN7EXAMPLE"
SIGNER = key("ES256")
USUAL = DlpSettings()
PATHS_PASS = DlpSettings(actions=(Rule(Action.REPORT, locations=frozenset({Location.PATH})),))


class Policy:
    """An engine that gives one answer, or raises it, and keeps what it was asked."""

    reads: frozenset[str] | None = None
    loaded = 1_700_000_000.0

    revision = "rev-1"

    def __init__(self, answer: Any = None) -> None:
        self.answer = answer if answer is not None else {"allowed": True, "policy_id": "p/allow"}
        self.asked: list[dict[str, Any]] = []

    async def decide(self, rule: str, document: Mapping[str, Any]) -> Any:
        assert rule == "a/decision"
        self.asked.append(json.loads(json.dumps(document)))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Audit:
    """An audit log in memory, which can be full."""

    def __init__(self) -> None:
        self.events: list[DecisionEvent] = []
        self.full = False

    def record(self, event: AuditEvent) -> None:
        if self.full:
            raise AuditUnavailableError("the audit queue is full")
        assert isinstance(event, DecisionEvent)
        self.events.append(event)


class Keys:
    """One issuer's keys, which may be away."""

    def __init__(self) -> None:
        self.away = False

    async def fetch(self) -> Fetched:
        if self.away:
            raise KeySourceError("away")
        return Fetched(key_set(SIGNER))

    async def changed(self) -> bool:
        return False


@functools.cache
def usual_terms() -> Terms:
    """Those of most tests, once: a scanner takes long to make."""
    return open_terms(USUAL)


class World:
    """A pipeline with everything that it was given at hand."""

    def __init__(
        self,
        answer: Any = None,
        *,
        anonymous: bool = False,
        routes: Sequence[RouteRule] = (),
        denials: Denials | None = None,
        bodies: BodyTerms = DEFAULT_TERMS,
        dry_run: bool = False,
        revocations: Guard | None = None,
        dlp: DlpSettings = USUAL,
        **settings: Any,
    ) -> None:
        """`settings` are more of `IdentitySettings`."""
        self.policy = Policy(answer)
        self.audit = Audit()
        self.keys = Keys()
        self.registry = CollectorRegistry()
        metrics = Metrics(self.registry)
        self.told = Told()
        found = parts_of((issuer(), self.keys), told=self.told, **settings)
        numbers = iter(range(1, 1_000_000))
        self.pipeline = Pipeline(
            routes=Routes([*routes, RouteRule("a/decision", anonymous)]),
            authenticator=found.authenticator,
            challenges=found.challenges,
            denials=denials or Denials(),
            dlp=usual_terms() if dlp is USUAL else open_terms(dlp),
            engine=self.policy,
            audit=self.audit,
            metrics=metrics,
            clock=Clock(lambda: NOW, lambda: 0.0),
            new_id=lambda: f"d-{next(numbers)}",
            bodies=bodies,
            dry_run=dry_run,
            revocations=revocations,
        )
        asyncio.run(load(found))

    def check(self, path: str = "/reports", headers: Mapping[str, str] | None = None, **fields: Any) -> Decision:
        """Check a GET with these headers."""
        request = HttpRequest(**{"method": "GET", "path": path, "headers": headers or {}, **fields})
        return asyncio.run(self.pipeline.check(request))

    def check_as(self, token: str, path: str = "/reports", **headers: str) -> Decision:
        """Check a GET with this token; header names are written with underscores."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.check(path, {"authorization": f"Bearer {token}", **given})

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


def headers_of(decision: Decision) -> dict[str, str]:
    """Its headers; none is written twice."""
    headers = dict(decision.headers)
    assert len(headers) == len(decision.headers)
    return headers


# Who


def test_a_caller_whom_the_policy_allows_passes() -> None:
    """With his identity as metadata and without his token."""
    world = World()
    decision = world.check_as(SIGNER.token())
    assert (decision.outcome, decision.status, decision.policy_id) == (Outcome.ALLOW, 200, "p/allow")
    assert decision.metadata == {
        "endpoint": "/reports",
        "decision_id": "d-1",
        "user": "alice",
        "agent": "desktop-7",
        "roles": ["engineer"],
        "issuer": ISSUER,
        "token_id": "",
        "method": "GET",
        "host": "",
    }
    assert list(decision.mutations.remove_headers) == ["authorization"]
    assert world.policy.asked[0]["identity"]["user"] == "alice"


def test_a_caller_who_is_revoked_is_refused_before_the_policy_is_asked() -> None:
    """With a challenge, and with his name in the audit log; the next request is judged by the list of that moment."""
    guard = Guard(RevocationSettings(30.0, refuse_when_stale=True), monotonic=lambda: 0.0)
    guard.confirm()
    world = World(revocations=guard)
    token = SIGNER.token(jti="t-1")
    assert world.check_as(token).outcome is Outcome.ALLOW
    subject = Subject(Kind.TOKEN_ID, "t-1")
    guard.join([Revocation(subject, "root", "stolen", "1-0", NOW)])
    decision = world.check_as(token)
    assert (decision.outcome, decision.status, decision.code) == (Outcome.DENY, 401, "token_revoked")
    assert 'error="invalid_token"' in headers_of(decision)["www-authenticate"]
    assert (world.audit.events[-1].user, world.audit.events[-1].code) == ("alice", "token_revoked")
    assert len(world.policy.asked) == 1
    assert world.check_as(SIGNER.token(jti="t-2")).outcome is Outcome.ALLOW


def test_whether_a_caller_is_revoked_has_to_be_known_and_of_nobody_it_is_not_asked() -> None:
    """503, as with every outage of ours."""
    guard = Guard(RevocationSettings(30.0, refuse_when_stale=True), monotonic=lambda: 0.0)
    world = World(anonymous=True, revocations=guard)
    decision = world.check_as(SIGNER.token())
    assert (decision.outcome, decision.status, decision.code) == (Outcome.ERROR, 503, "revocations_unknown")
    assert world.check().outcome is Outcome.ALLOW


def test_a_caller_without_a_credential_is_challenged() -> None:
    """RFC 6750 section 3.1: without an error code where none was sent."""
    world = World()
    decision = world.check()
    assert (decision.outcome, decision.status, decision.code) == (Outcome.DENY, 401, "credential_missing")
    assert headers_of(decision) == {
        "content-type": "application/json",
        "www-authenticate": 'Bearer realm="agent-gateway"',
    }
    assert world.policy.asked == []


@pytest.mark.parametrize(
    ("header", "code", "error"),
    [
        ("Basic YWxpY2U6eA==", "scheme_unsupported", None),
        (f"Bearer {SIGNER.token()},Bearer {SIGNER.token()}", "credential_repeated", "invalid_request"),
        ("Bearer nonsense", "token_malformed", "invalid_token"),
        ("Bearer " + "a" * 20_000, "token_too_large", "invalid_token"),
        (f"Bearer {SIGNER.token(exp=1)}", "token_expired", "invalid_token"),
        (f"Bearer {SIGNER.token(aud='x')}", "audience_wrong", "invalid_token"),
        (f"Bearer {SIGNER.token(iss='x')}", "issuer_unknown", "invalid_token"),
        (f"Bearer {SIGNER.token(sub='')}", "claim_malformed", "invalid_token"),
        (f"Bearer {key('ES256', 'k1', 1).token()}", "signature_invalid", "invalid_token"),
        (f"Bearer {key('ES256', 'k9', 1).token()}", "key_unknown", "invalid_token"),
        (f"Bearer {compact({'alg': 'none'}, usual_claims(), lambda _: b'x')}", "algorithm_refused", "invalid_token"),
    ],
)
def test_a_credential_that_does_not_hold_is_refused_with_its_reason(header: str, code: str, error: str | None) -> None:
    """In the challenge, in the body and in the audit log; the policy is not asked."""
    world = World()
    decision = world.check(headers={"authorization": header})
    status = 400 if error == "invalid_request" else 401
    assert (decision.outcome, decision.status, decision.code) == (Outcome.DENY, status, code)
    challenge = headers_of(decision)["www-authenticate"]
    told = f', error="{error}", error_description="{decision.reason}"' if error else ""
    assert challenge == f'Bearer realm="agent-gateway"{told}'
    assert '"' not in decision.reason
    assert json.loads(decision.body or "") == {"error": code, "message": decision.reason, "decision_id": "d-1"}
    assert decision.metadata == {"decision_id": "d-1", "method": "GET", "host": ""}
    assert world.policy.asked == []
    (event,) = world.audit.events
    assert (event.decision, event.status, event.code, event.user, event.policy_id) == (
        "deny",
        status,
        code,
        None,
        "identity",
    )


@pytest.mark.parametrize("header", ["Bearer nonsense", f"Bearer {SIGNER.token(exp=1)}", "Basic eA=="])
def test_a_bad_credential_is_refused_even_where_nobody_needs_one(header: str) -> None:
    """A caller who says who he is must be it."""
    world = World(anonymous=True)
    assert world.check(headers={"authorization": header}).status == 401


def test_anonymous_callers_pass_where_they_may_and_the_policy_says_so() -> None:
    """As nobody: the metadata cannot be taken for somebody."""
    world = World(anonymous=True)
    decision = world.check()
    assert decision.outcome is Outcome.ALLOW
    assert (decision.metadata["user"], decision.metadata["agent"], decision.metadata["roles"]) == ("", "", [])
    assert list(decision.mutations.remove_headers) == []
    assert {"user", "identity"}.isdisjoint(world.policy.asked[0])
    assert (world.audit.events[0].user, world.audit.events[0].issuer) == (None, None)


def test_without_usable_keys_it_is_an_outage() -> None:
    """Not the caller's fault, and never an allow."""
    world = World()
    world.keys.away = True
    world.told.monotonic += KeyTimes().usable_seconds
    decision = world.check_as(SIGNER.token())
    assert (decision.outcome, decision.status, decision.code) == (Outcome.ERROR, 503, "keys_unavailable")
    assert ISSUER not in (decision.body or "")


# What


@pytest.mark.parametrize("path", ["/hr/%00", "/hr/%zz", "hr", "", "/x#y", "/" + "a" * 10_000, "/%ff"])
def test_a_malformed_path_is_a_bad_request(path: str) -> None:
    """Before anybody is asked who he is; the text says nothing of the path."""
    world = World()
    decision = world.check_as(SIGNER.token(), path)
    assert (decision.outcome, decision.status) == (Outcome.DENY, 400)
    assert headers_of(decision) == {"content-type": "application/json"}
    assert json.loads(decision.body or "")["decision_id"] == "d-1"
    assert (world.audit.events[0].policy_id, world.audit.events[0].user) == ("request", None)


def test_secrets_in_headers_and_query_are_taken_out_on_the_way() -> None:
    """And told to the policy by kind and place."""
    world = World()
    decision = world.check_as(SIGNER.token(), f"/reports?q={SSN}&{SSN}=1", x_note=f"a {SSN}")
    assert list(decision.mutations.set_headers) == [("x-note", f"a {HIDDEN}")]
    assert dict(decision.mutations.set_query) == {"q": "%5BREDACTED%3Aus_ssn%5D", "%5BREDACTED%3Aus_ssn%5D": "1"}
    assert list(decision.mutations.remove_query) == [SSN]
    assert [finding["location"] for finding in world.policy.asked[0]["dlp"]["findings"]] == ["header", "query", "query"]
    assert world.metric("authz_findings_total", entity="us_ssn", location="query") == 2


def test_a_header_whose_name_is_a_secret_is_removed() -> None:
    """Beside the credential."""
    decision = World().check_as(SIGNER.token(), **{f"x-{SSN}": "1"})
    assert list(decision.mutations.remove_headers) == [f"x-{SSN}", "authorization"]


def test_what_the_policy_sets_wins_over_what_the_client_sent() -> None:
    """The last write of a name holds: a value to be redacted must not undo it."""
    world = World({"allowed": True, "headers": {"X-User": "alice"}, "query_parameters_to_set": {"limit": "10"}})
    decision = world.check_as(SIGNER.token(), f"/reports?limit=99%20{SSN}", x_user=f"mallory {SSN}")
    assert dict(decision.mutations.set_headers)["x-user"] == "alice"
    assert dict(decision.mutations.set_query)["limit"] == "10"


# May it


def test_everything_that_a_policy_allows_with_is_carried_on() -> None:
    """To the servicer."""
    world = World(
        {
            "allowed": True,
            "headers": {"x-a": "1"},
            "request_headers_to_remove": ["x-b"],
            "query_parameters_to_set": {"c": "2"},
            "query_parameters_to_remove": ["d"],
            "response_headers_to_add": {"x-e": "3"},
            "dynamic_metadata": {"tier": "gold", "endpoint": "/grouped"},
            "code": "fine",
            "reason": "because",
            "policy_id": "p",
        }
    )
    decision = world.check_as(SIGNER.token())
    mutations = decision.mutations
    assert list(mutations.set_headers) == [("x-a", "1")]
    assert list(mutations.remove_headers) == ["x-b", "authorization"]
    assert list(mutations.set_query) == [("c", "2")]
    assert list(mutations.remove_query) == ["d"]
    assert list(mutations.response_headers) == [("x-e", "3")]
    assert (decision.code, decision.reason, decision.policy_id) == ("fine", "because", "p")
    assert (decision.metadata["tier"], decision.metadata["endpoint"]) == ("gold", "/grouped")


@pytest.mark.parametrize("anonymous", [True, False])
def test_no_policy_can_say_who_the_caller_is(anonymous: bool) -> None:  # noqa: FBT001  (both)
    """Limits and audit trust these names."""
    claimed = {"user": "root", "agent": "root", "roles": ["admin"], "decision_id": "d-999"}
    world = World({"allowed": True, "dynamic_metadata": claimed}, anonymous=anonymous)
    metadata = (world.check() if anonymous else world.check_as(SIGNER.token())).metadata
    assert metadata["decision_id"] == "d-1"
    assert (metadata["user"], metadata["agent"], metadata["roles"]) == (
        ("", "", []) if anonymous else ("alice", "desktop-7", ["engineer"])
    )


def test_a_denial_says_what_the_policy_says() -> None:
    """With a decision id to ask about."""
    world = World({"allowed": False, "code": "role_missing", "reason": "needs a role", "policy_id": "p/x"})
    decision = world.check_as(SIGNER.token())
    assert (decision.outcome, decision.status, decision.policy_id) == (Outcome.DENY, 403, "p/x")
    assert headers_of(decision) == {"content-type": "application/json"}
    assert json.loads(decision.body or "") == {"error": "role_missing", "message": "needs a role", "decision_id": "d-1"}
    assert (decision.metadata["decision_id"], decision.metadata["user"]) == ("d-1", "alice")


def test_a_denial_carries_the_policys_metadata_and_who_was_denied() -> None:
    """For Envoy's access log; the policy cannot say who that was."""
    world = World({"allowed": False, "dynamic_metadata": {"rule": "r7", "user": "root"}})
    assert world.check_as(SIGNER.token()).metadata == {
        "endpoint": "/reports", "rule": "r7", "decision_id": "d-1", "user": "alice", "agent": "desktop-7",
        "roles": ["engineer"], "issuer": ISSUER, "token_id": "", "method": "GET", "host": "",
    }  # fmt: skip


def test_a_bare_false_is_a_denial_too() -> None:
    """With words of our own."""
    decision = World(answer=False).check_as(SIGNER.token())
    assert (decision.outcome, decision.status, decision.code) == (Outcome.DENY, 403, "policy_denied")
    assert json.loads(decision.body or "")["message"] == "denied by policy"


def test_a_policys_own_status_headers_and_body_are_used() -> None:
    """As opa-envoy-plugin does."""
    world = World({"allowed": False, "http_status": 429, "headers": {"Retry-After": "7"}, "body": ""})
    decision = world.check_as(SIGNER.token())
    assert (decision.status, decision.body, headers_of(decision)) == (429, "", {"retry-after": "7"})


@pytest.mark.parametrize(
    "answer",
    [UNDEFINED, PolicyFailed("evaluation failed"), RuntimeError(CANARY), KeyError(CANARY), RecursionError(), "yes", 1,
     [], {}, {"allowed": "true"}, {"allowed": True, "headers": {"x": 1}}, {"allowed": True, "headers": {"x": "a\r\nb"}},
     {"allowed": False, "http_status": 700}],
)  # fmt: skip
def test_a_policy_that_fails_is_an_outage_and_never_an_allow(answer: object, caplog: pytest.LogCaptureFixture) -> None:
    """The caller sees that it is not his fault, the log why; the audit log names the caller."""
    world = World(answer)
    decision = world.check_as(SIGNER.token())
    assert (decision.outcome, decision.status, decision.policy_id) == (Outcome.ERROR, 503, "gateway")
    assert decision.code == ("internal_error" if isinstance(answer, RuntimeError | KeyError) else "policy_failed")
    assert headers_of(decision) == {"content-type": "application/json"}
    assert json.loads(decision.body or "") == {
        "error": decision.code,
        "message": "the gateway cannot decide now",
        "decision_id": "d-1",
    }
    assert (world.audit.events[0].decision, world.audit.events[0].user) == ("error", "alice")
    assert world.metric("authz_decisions_total", outcome="error", code=decision.code) == 1
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert CANARY not in "".join(map(JsonFormatter("test").format, caplog.records))


def test_a_request_is_judged_by_one_policy_from_start_to_end() -> None:
    """A reload in the middle does not mix two."""
    world = World()

    class Reloading(Policy):
        revision = "rev-2"

        async def decide(self, rule: str, document: Mapping[str, Any]) -> Any:
            world.pipeline.use(world.policy)
            return await super().decide(rule, document)

    world.pipeline.use(Reloading({"allowed": False}))
    assert world.check_as(SIGNER.token()).outcome is Outcome.DENY
    assert world.check_as(SIGNER.token()).outcome is Outcome.ALLOW
    assert [event.policy_revision for event in world.audit.events] == ["rev-2", "rev-1"]


# Bound tokens, routes


def test_who_has_proven_his_key_is_told_the_next_nonce_whatever_the_policy_says() -> None:
    """On an allow and on a denial; and neither his proof nor his token goes on."""
    secret, holder = b"s" * 32, prover()
    before, current = Nonces(secret).current(NOW - PERIOD), Nonces(secret).current(NOW)
    terms = DpopSettings({"api.example": "https://api.example"}, ("ES256",), 60, 5, secret, "memory")
    token = SIGNER.token(cnf={"jkt": holder.jkt})
    for answer, allowed in (({"allowed": True}, True), ({"allowed": False}, False)):
        world = World(answer, dpop=terms)
        headers = {"authorization": f"DPoP {token}", "dpop": holder.proof(token, nonce=before)}
        decision = world.check(headers=headers, host="api.example")
        told = dict(decision.mutations.response_headers if allowed else decision.headers)
        assert (told["dpop-nonce"], told["cache-control"]) == (current, "no-store")
        assert world.policy.asked[0]["identity"]["binding"] == "dpop"
        if allowed:
            assert set(decision.mutations.remove_headers) == {"authorization", "dpop"}


def test_who_needs_a_nonce_is_told_it_with_the_refusal() -> None:
    secret, holder = b"s" * 32, prover()
    terms = DpopSettings({"api.example": "https://api.example"}, ("ES256",), 60, 5, secret, "memory")
    token = SIGNER.token(cnf={"jkt": holder.jkt})
    world = World(dpop=terms)
    headers = {"authorization": f"DPoP {token}", "dpop": holder.proof(token)}
    decision = world.check(headers=headers, host="api.example")
    assert (decision.status, decision.code) == (401, "proof_nonce_needed")
    told = headers_of(decision)
    assert told["dpop-nonce"] == Nonces(secret).current(NOW)
    assert told["www-authenticate"].startswith('DPoP realm="agent-gateway", error="use_dpop_nonce"')
    assert world.policy.asked == []


def test_a_route_has_a_rule_of_its_own_and_asks_what_it_asks() -> None:
    """By Envoy's route, and by path however it is written."""
    by_envoy = RouteRule(
        "a/decision", anonymous=True, conditions=Conditions(context_extensions={"r": "open"}), name="o"
    )
    bound = RouteRule(
        "a/decision", anonymous=False, require_binding=Requirement.ANY, conditions=Conditions(paths=("/pay",)), name="p"
    )
    world = World(routes=[by_envoy, bound])
    assert world.check("/pay", context_extensions={"r": "open"}).outcome is Outcome.ALLOW
    assert world.check("/pay", context_extensions={"r": "other"}).status == 401
    for method in ("post", "Get", "GET ", "", "G\tET"):
        assert world.check_as(SIGNER.token(), "/pay").code == "binding_required"
        refused = world.check("/pay", {"authorization": f"Bearer {SIGNER.token()}"}, method=method)
        assert (refused.status, refused.code) == (400, "method_malformed"), "no rule by method is gone around"
    for path in ("/pay", "/PAY/x", "/%70ay", "/x/../pay"):
        assert world.check_as(SIGNER.token(), path).code == "binding_required"
    assert world.check_as(SIGNER.token(), "/payments").outcome is Outcome.ALLOW


# The audit log


def test_every_decision_is_written_down_once() -> None:
    """With who, what, by which rule and when."""
    world = World({"allowed": True, "policy_id": "p", "code": "c", "reason": "r"}, dlp=PATHS_PASS)
    world.check(
        f"/people/{SSN}?q=1",
        {"authorization": f"Bearer {SIGNER.token()}", "x-request-id": "r-7"},
        host="api.example",
        source=Peer("10.0.0.7"),
        id="envoy-7",
    )
    (event,) = world.audit.events
    assert (event.time, event.decision, event.decision_id, event.request_id) == (NOW, "allow", "d-1", "r-7")
    assert (event.user, event.agent_id, list(event.roles), event.issuer) == ("alice", "desktop-7", ["engineer"], ISSUER)
    assert (event.policy_id, event.policy_revision, event.policy_loaded) == ("p", "rev-1", 1_700_000_000.0)
    assert (event.code, event.reason) == ("c", "r")
    assert (event.status, event.method, event.host, event.source) == (200, "GET", "api.example", "10.0.0.7")
    assert event.path == f"/people/{HIDDEN}"
    assert [(note.entity, note.location, note.name, note.action) for note in event.findings] == [
        ("us_ssn", "path", "", "report")
    ]
    world.check(id="envoy-8")
    assert world.audit.events[1].request_id == "envoy-8"


@pytest.mark.parametrize("answer", [True, False, UNDEFINED])
def test_a_request_whose_event_cannot_be_kept_does_not_pass(answer: object) -> None:
    """Whatever was decided."""
    world = World(answer)
    world.audit.full = True
    decision = world.check_as(SIGNER.token(), x_note=SSN)
    assert (decision.outcome, decision.status, decision.code) == (Outcome.ERROR, 503, "audit_unavailable")
    assert list(decision.mutations.set_headers) == []
    assert world.metric("authz_decisions_total", outcome="error", code="audit_unavailable") == 1
    assert world.metric("authz_decisions_total", outcome="allow", code="policy") is None


@pytest.fixture
def logged() -> Iterator[Callable[[], str]]:
    """Everything that is logged meanwhile, as the service writes it, and as a debugger would see it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("test"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream.getvalue
    root.removeHandler(handler)
    root.setLevel(level)


def places(canary: str, token: str) -> list[HttpRequest]:
    """Requests that carry a secret wherever a client can put one."""
    signed = {"authorization": f"Bearer {token}"}
    return [
        HttpRequest("GET", f"/people/{canary}", headers=signed),
        HttpRequest("GET", f"/people/%41{canary[1:]}", headers=signed),
        HttpRequest("GET", f"/people/{canary}/%00", headers=signed),
        HttpRequest("GET", f"/x?q={canary}&{canary}=1&{canary}", headers=signed),
        HttpRequest("GET", "/x", headers={**signed, "x-note": canary, "cookie": f"a={canary}"}),
        HttpRequest("GET", "/x", headers={**signed, f"x-{canary}-y": canary}),
        HttpRequest("GET", "/x", headers={**signed, "x-request-id": canary}),
        HttpRequest("GET", "/x", headers=signed, id=canary),
        HttpRequest(canary, "/x", headers=signed),
        HttpRequest("GET", "/x", headers=signed, host=f"{canary}.example"),
        HttpRequest("GET", "/x", headers=signed, body=canary.encode()),
        HttpRequest("GET", "/x", headers={"authorization": f"Bearer {canary}"}),
        HttpRequest("GET", "/x", headers={"authorization": f"Basic {canary}"}),
        HttpRequest("GET", "/x", headers={"authorization": f"Bearer {token},Bearer {canary}"}),
        HttpRequest("GET", "/x", headers={"authorization": f"Bearer {token}x"}),
    ]


@pytest.mark.parametrize(
    "answer", [True, False, UNDEFINED, RuntimeError(CANARY), PolicyFailed("evaluation failed")], ids=repr
)
@pytest.mark.parametrize("full", [False, True])
def test_no_secret_and_no_token_is_logged_counted_or_told(
    answer: object,
    full: bool,  # noqa: FBT001  (both)
    logged: Callable[[], str],
) -> None:
    """Wherever a client put it, however the request ends."""
    token = SIGNER.token()
    signature = token.rpartition(".")[2]
    for request in places(CANARY, token):
        world = World(answer)
        world.audit.full = full
        decision = asyncio.run(world.pipeline.check(request))
        told = [
            *(event.to_json() for event in world.audit.events),
            logged(),
            generate_latest(world.registry).decode(),
            json.dumps([decision.headers, decision.body, decision.reason, decision.metadata, decision.policy_id]),
        ]
        for text in told:
            assert CANARY not in text, request
            assert CANARY[1:] not in text, request
            assert signature not in text
            assert token[:40] not in text


@hypothesis_settings(suppress_health_check=[HealthCheck.too_slow])
@given(
    st.text(max_size=20),
    st.dictionaries(st.sampled_from(["authorization", "x-request-id", "x-note", "cookie"]), st.text(max_size=20)),
    st.binary(max_size=20),
)
def test_no_request_raises_and_none_without_a_sound_token_passes(
    path: str, headers: dict[str, str], body: bytes
) -> None:
    """Fail closed, whatever comes; each is written down."""
    world = WORLD
    before = len(world.audit.events)
    decision = world.check(path, headers, body=body)
    assert decision.outcome is Outcome.DENY
    assert decision.status in {400, 401}
    assert len(world.audit.events) == before + 1
    assert len(world.audit.events[-1].to_json().splitlines()) == 1


WORLD = World()


# What a client could do to the service or to those who read its logs


@pytest.mark.parametrize("fields", [{"host": f"{SSN}.example"}, {"method": CANARY}])
def test_a_secret_where_nothing_can_be_redacted_stops_the_request(fields: dict[str, str]) -> None:
    """Envoy does not let host and method be changed; the access log reads them from the metadata, redacted."""
    world = World()
    decision = world.check(headers={"authorization": f"Bearer {SIGNER.token()}"}, **fields)
    assert (decision.status, decision.code) == (400, "secret_in_request_line")
    assert "[REDACTED:" in f"{decision.metadata['method']}{decision.metadata['host']}"
    told = world.audit.events[0].to_json() + json.dumps(decision.metadata)
    assert SSN not in told
    assert CANARY not in told


def test_the_endpoint_that_limits_count_by_holds_no_secret_and_is_bounded() -> None:
    """It travels in a header, in counters' keys and in logs."""
    world = World(dlp=PATHS_PASS)
    assert world.check_as(SIGNER.token(), f"/{SSN}/x").metadata["endpoint"] == f"/{HIDDEN}"
    assert len(world.check_as(SIGNER.token(), "/" + "a" * 7000).metadata["endpoint"]) == 128


def test_who_has_no_token_makes_nobody_search_his_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search costs time on the one loop that serves everybody."""
    world = World()
    monkeypatch.setattr("authz_service.pipeline.scan_request", lambda *_, **__: pytest.fail("searched"))
    assert world.check("/x?" + "&".join([SSN] * 1000)).status == 401
    assert world.check("/x", {"authorization": "Bearer a.b.c", "x-note": SSN}).status == 401


def test_many_findings_are_told_in_few_words() -> None:
    """In the audit line and to the policy; none of them is left in the request."""
    world = World()
    name = "n" * 4000
    decision = world.check_as(SIGNER.token(), f"/x?{name}=" + "+".join([SSN] * 500), x_note=" ".join([SSN] * 500))
    assert len(world.audit.events[0].findings) == 2
    assert max(len(finding["name"]) for finding in world.policy.asked[0]["dlp"]["findings"]) == 64
    assert SSN not in str(decision.mutations)


def test_what_cannot_be_written_down_does_not_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the reason."""
    world = World()
    monkeypatch.setattr(world.audit, "record", lambda _: 1 / 0)
    decision = world.check_as(SIGNER.token())
    assert (decision.outcome, decision.code) == (Outcome.ERROR, "audit_unavailable")


def test_a_large_body_comes_to_the_policy_whole_and_is_searched_for_files() -> None:
    """A rule that denies by what it finds there must not be undefined for large ones."""
    world = World()
    body = b"x" * (64 * 1024) + b" file:///home/alice/payroll.csv"
    world.check(headers={"authorization": f"Bearer {SIGNER.token()}"}, body=body, body_is_raw=True)
    shown = world.policy.asked[0]["attributes"]["request"]["http"]["rawBody"]
    assert base64.b64decode(shown) == body
    assert world.policy.asked[0]["body_contains_file"] is True


# Bodies


JSON_TYPE = {"content-type": "application/json"}


def with_body(world: World, body: bytes, **headers: str) -> Decision:
    """Check a POST with this JSON body."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    credential = {"authorization": f"Bearer {SIGNER.token()}"}
    return world.check(headers={**credential, **JSON_TYPE, **given}, method="POST", body=body, body_is_raw=True)


def test_a_body_that_cannot_be_read_is_a_bad_request_that_tells_nothing_of_it() -> None:
    """400 with a decision id, and no word of a parser."""
    world = World()
    decision = with_body(world, b'{"secret": AKIA}')
    assert (decision.outcome, decision.status, decision.code) == (Outcome.DENY, 400, "body_malformed")
    assert json.loads(decision.body or "") == {
        "error": "body_malformed", "message": "the body is not what its content type says", "decision_id": "d-1",
    }  # fmt: skip
    assert world.policy.asked == []
    assert (world.audit.events[0].code, world.audit.events[0].user) == ("body_malformed", "alice")


def test_a_body_that_no_policy_reads_may_be_anything() -> None:
    """It costs nothing either."""
    world = World()
    world.policy.reads = frozenset({"method"})
    assert with_body(world, b"{").outcome is Outcome.ALLOW
    assert {"parsed_body", "truncated_body", "mcp"}.isdisjoint(world.policy.asked[0])


def test_where_bodies_are_skipped_nothing_of_them_is_told_or_refused() -> None:
    """The operator's way out."""
    world = World(bodies=BodyTerms(skip=True))
    assert with_body(world, b"{", mcp_method="tools/call").outcome is Outcome.ALLOW
    assert {"parsed_body", "truncated_body", "mcp"}.isdisjoint(world.policy.asked[0])


def test_an_mcp_request_whose_headers_say_another_thing_is_refused_with_its_identifier() -> None:
    """Even where no policy reads it: somebody on the way may have gone by the headers."""
    world = World()
    world.policy.reads = frozenset({"method"})
    body = b'{"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {"name": "delete"}}'
    decision = with_body(world, body, mcp_method="tools/call", mcp_name="list", mcp_protocol_version="2026-07-28")
    assert (decision.status, decision.code) == (400, "mcp_header_mismatch")
    assert headers_of(decision) == JSON_TYPE
    error = {"code": -32020, "message": "headers and body do not agree", "data": {"decision_id": "d-1"}}
    assert json.loads(decision.body or "") == {"jsonrpc": "2.0", "id": 7, "error": error}


# Dry run


def test_a_dry_run_is_warned_of_at_the_start(caplog: pytest.LogCaptureFixture) -> None:
    """Nobody should find out by what passes."""
    World(dry_run=True)
    assert [record.getMessage() for record in caplog.records] == ["dry run: what the policies deny passes"]


def test_in_a_dry_run_what_the_policy_denies_passes_and_is_told_so() -> None:
    """Without what the policy would have changed, and with what the gateway itself takes out."""
    world = World(
        {"allowed": False, "code": "c", "reason": "r", "policy_id": "p/x", "http_status": 429, "headers": {"x-a": "1"},
         "body": "no", "dynamic_metadata": {"tier": "gold"}},
        dry_run=True,
    )  # fmt: skip
    decision = world.check_as(SIGNER.token(), x_note=SSN)
    assert (decision.outcome, decision.status, decision.code) == (Outcome.ALLOW, 200, "dry_run")
    assert list(decision.mutations.set_headers) == [("x-note", HIDDEN)]
    assert list(decision.mutations.remove_headers) == ["authorization"]
    assert (decision.metadata["tier"], decision.metadata["user"]) == ("gold", "alice")
    (event,) = world.audit.events
    assert (event.decision, event.code, event.policy_id) == ("allow", "dry_run", "p/x")
    assert event.reason == "would be denied (c): r"
    assert world.metric("authz_decisions_total", outcome="allow", code="dry_run") == 1


@pytest.mark.parametrize("answer", [UNDEFINED, {"allowed": "no"}, PolicyFailed("x")])
def test_a_dry_run_overrides_no_failure(answer: object) -> None:
    """An outage must show."""
    assert World(answer, dry_run=True).check_as(SIGNER.token()).status == 503


def test_a_dry_run_overrides_no_refusal() -> None:
    """Of a credential, a path or a body."""
    world = World(answer=False, dry_run=True)
    assert world.check().status == 401
    assert world.check_as(SIGNER.token(), "/%zz").status == 400
    assert with_body(world, b"{").status == 400
