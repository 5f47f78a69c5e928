"""The pipeline asks the policy again only where its last result does not stand for the new request."""

from __future__ import annotations

from typing import Any

from authz_service.decision_log.record import Record
from authz_service.model import Outcome
from authz_service.revocation.guard import Guard
from authz_service.settings.revocation import RevocationSettings
from tests.authz_service.test_pipeline import SIGNER, World


def keeping(*key: str, **more: Any) -> World:
    """A world whose policy allows its results to be kept."""
    return World({"allowed": True, "cache": {"ttl": 60, "key": list(key)}, **more})


def test_a_kept_result_answers_without_the_policy_and_each_request_has_its_own_decision() -> None:
    world = keeping("path")
    first, second = world.check_as(SIGNER.token(), "/a"), world.check_as(SIGNER.token(), "/a", x_b="1")
    assert (first.outcome, second.outcome) == (Outcome.ALLOW, Outcome.ALLOW)
    assert first.decision_id != second.decision_id
    assert len(world.policy.asked) == 1
    assert [event.decision_id for event in world.audit.events] == [first.decision_id, second.decision_id]
    world.check_as(SIGNER.token(), "/b")
    assert len(world.policy.asked) == 2
    assert world.metric("authz_policy_results_total", result="kept") == 1
    assert world.metric("authz_policy_results_total", result="new") == 1  # the first was before anybody knew


def test_a_kept_denial_denies() -> None:
    world = World({"allowed": False, "reason": "not today", "cache": {"ttl": 60, "key": []}})
    decisions = [world.check_as(SIGNER.token(), path) for path in ("/a", "/b")]
    assert [decision.reason for decision in decisions] == ["not today"] * 2
    assert len(world.policy.asked) == 1


def test_a_key_may_name_what_the_policy_does_not_read() -> None:
    """It is built from the second request on."""
    world = keeping("attributes.request.http.host")
    world.policy.reads = frozenset({"path"})
    for host in ("a", "a", "a", "b"):
        world.check("/x", {"authorization": f"Bearer {SIGNER.token()}"}, host=host)
    assert len(world.policy.asked) == 3
    assert ["attributes" in document for document in world.policy.asked] == [False, True, True]


def test_a_kept_result_lets_no_secret_through() -> None:
    """What a request carries is a part of each key, and what must be taken out of it is taken out."""
    world = keeping()
    world.check_as(SIGNER.token())
    decision = world.check_as(SIGNER.token(), x_note="123-45-6789")
    assert len(world.policy.asked) == 2
    assert ("x-note", "[REDACTED:us_ssn]") in decision.mutations.set_headers


def test_a_revocation_and_a_new_policy_drop_what_is_kept() -> None:
    world = keeping()
    guard = Guard(RevocationSettings(30, refuse_when_stale=True), monotonic=lambda: 0.0)
    guard.confirm()
    world.pipeline._revocations = guard
    for number in range(4):
        if number == 2:
            guard.join([])
        world.check_as(SIGNER.token())
    assert len(world.policy.asked) == 2
    world.policy.revision = "rev-2"
    world.check_as(SIGNER.token())
    assert len(world.policy.asked) == 3


def test_the_decision_log_tells_which_results_were_kept() -> None:
    world = keeping()
    records: list[Record] = []

    class Log:
        def record(self, record: Record) -> None:
            records.append(record)

    world.pipeline._decision_log = Log()
    for _ in range(2):
        world.check_as(SIGNER.token())
    assert [record.cached for record in records] == [False, True]
    assert records[0].value == records[1].value
