"""What the pipeline does about findings: the policy sees them first, and then it is done."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from authz_service.dlp.detectors import ALL
from authz_service.dlp.terms import open_terms
from authz_service.model import Outcome
from authz_service.settings.dlp import DlpSettings
from tests.authz_service.test_pipeline import CANARY, HIDDEN, SIGNER, SSN, World


def test_the_policy_sees_what_was_found_before_anything_is_done_about_it() -> None:
    """With what the configuration would do; and what it says instead holds."""
    world = World({"allowed": True, "dlp": {"request": {"us_ssn": "mask", "*": "allow"}}})
    decision = world.check_as(SIGNER.token(), x_note=f"{SSN} {CANARY}", cookie=f"s={SSN}")
    told = world.policy.asked[0]["dlp"]["findings"]
    assert [(each["entity"], each["location"], each["name"], each["action"]) for each in told] == [
        ("us_ssn", "header", "x-note", "replace"),
        ("aws_access_key", "header", "x-note", "replace"),
        ("us_ssn", "cookie", "s", "replace"),
    ]
    assert dict(decision.mutations.set_headers) == {"x-note": f"***-**-6789 {CANARY}", "cookie": "s=***-**-6789"}
    assert decision.metadata["dlp"] == {"request": {"us_ssn": "mask", "*": "allow"}}
    assert [(note.entity, note.action) for note in world.audit.events[0].findings] == [("us_ssn", "mask")] * 2


def test_what_is_allowed_is_neither_audited_nor_counted_and_what_is_reported_is_both() -> None:
    """That is how they differ: both pass."""
    for action, told in (("allow", 0), ("report", 1)):
        world = World({"allowed": True, "dlp": {"us_ssn": action}})
        decision = world.check_as(SIGNER.token(), x_note=SSN)
        assert list(decision.mutations.set_headers) == []
        assert len(world.audit.events[0].findings) == told
        assert (world.metric("authz_findings_total", entity="us_ssn", location="header") or 0) == told


@pytest.mark.parametrize(
    ("path", "headers", "dlp", "code"),
    [
        ("/x", {"x_note": SSN}, {"us_ssn": "block"}, "secret_in_request"),
        (f"/x?q={SSN}", {}, {"request": {"*": "block"}}, "secret_in_request"),
        (f"/x?{SSN}", {}, {"us_ssn": "block"}, "secret_in_request"),
        (f"/{SSN}/x", {}, {}, "secret_in_path"),
        (f"/{SSN}/x", {}, {"us_ssn": "mask"}, "secret_in_path"),
    ],
)
def test_what_is_blocked_is_a_denial_by_the_gateway(
    path: str, headers: dict[str, str], dlp: dict[str, Any], code: str
) -> None:
    """With a decision's id, and with the findings in the audit log; nothing of it goes on."""
    world = World({"allowed": True, "policy_id": "p", "dlp": dlp})
    decision = world.check_as(SIGNER.token(), path, **headers)
    assert (decision.outcome, decision.status, decision.code) == (Outcome.DENY, 403, code)
    answer = json.loads(decision.body or "")
    assert (answer["error"], answer["decision_id"]) == (code, "d-1")
    (event,) = world.audit.events
    assert (event.decision, event.code) == ("deny", code)
    assert [note.entity for note in event.findings] == ["us_ssn"]
    assert SSN not in event.to_json() + str(decision)
    assert world.metric("authz_decisions_total", outcome="deny", code=code) == 1


@pytest.mark.parametrize(("action", "passes"), [("allow", True), ("report", True), ("block", False)])
def test_the_policy_can_let_a_finding_stay_in_the_path(action: str, passes: bool) -> None:  # noqa: FBT001
    world = World({"allowed": True, "dlp": {"us_ssn": action}})
    assert (world.check_as(SIGNER.token(), f"/{SSN}/x").outcome is Outcome.ALLOW) is passes


def test_a_denial_of_the_policy_does_nothing_about_findings() -> None:
    """There is nothing that would go on; what was found is told."""
    world = World({"allowed": False, "code": "no"})
    decision = world.check_as(SIGNER.token(), f"/{SSN}/x", x_note=SSN)
    assert (decision.code, list(decision.mutations.set_headers)) == ("no", [])
    assert [note.location for note in world.audit.events[0].findings] == ["header", "path"]


def test_a_dry_run_lets_no_secret_pass() -> None:
    """It is the policy's denials that it passes over."""
    world = World({"allowed": False}, dry_run=True)
    assert dict(world.check_as(SIGNER.token(), x_note=SSN).mutations.set_headers) == {"x-note": HIDDEN}
    assert world.check_as(SIGNER.token(), f"/{SSN}").code == "secret_in_path"


def test_a_host_that_is_an_address_is_no_secret() -> None:
    """What is only reported may stand where nothing can be rewritten."""
    address = replace(ALL[0], entity="ip_address", name="ip", hint="10", pattern=r"10\.0\.0\.1", accepts=lambda *_: 1.0)
    world = World()
    world.pipeline._dlp = open_terms(DlpSettings(), (*ALL, address))
    decision = world.check("/x", {"authorization": f"Bearer {SIGNER.token()}", "x-a": "10.0.0.1"}, host="10.0.0.1:8443")
    assert (decision.outcome, decision.metadata["host"]) == (Outcome.ALLOW, "10.0.0.1:8443")
    assert [note.action for note in world.audit.events[0].findings] == ["report"]


def test_a_body_is_searched_where_the_policy_looks_at_findings() -> None:
    """Where none does, it is left to whoever lets bodies pass."""
    world = World()
    fields = {"method": "POST", "body": f"a {SSN}".encode()}
    headers = {"authorization": f"Bearer {SIGNER.token()}"}
    assert world.check("/x", headers, **fields).outcome is Outcome.ALLOW
    assert [note.location for note in world.audit.events[0].findings] == ["body"]
    world.policy.reads = frozenset({"user"})
    assert world.check("/x", headers, **fields).outcome is Outcome.ALLOW
    assert world.audit.events[1].findings == []
    world.policy.reads = frozenset({"dlp"})
    world.policy.answer = {"allowed": True, "dlp": {"us_ssn": "block"}}
    assert world.check("/x", headers, **fields).code == "secret_in_request"
    assert {name: world.policy.asked[-1]["dlp"]["findings"][0][name] for name in ("offset", "count")} == {
        "offset": 2,
        "count": 1,
    }
