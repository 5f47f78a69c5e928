"""What is told of an evaluation to the decision log, and that no request hangs on it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from authz_service.decision_log.record import Record
from authz_service.errors import PolicyFailed
from authz_service.model import Outcome, Peer
from authz_service.rego_engine.values import UNDEFINED
from tests.authz_service.test_pipeline import SIGNER, World


class Log:
    """A decision log in memory, which can be broken."""

    def __init__(self, *, broken: bool = False) -> None:
        self.records: list[Record] = []
        self.broken = broken

    def record(self, record: Record) -> None:
        if self.broken:
            raise RuntimeError("broken")
        self.records.append(record)


def logged(world: World, *, broken: bool = False) -> Log:
    log = Log(broken=broken)
    world.pipeline._decision_log = log
    return log


def test_an_evaluation_is_handed_over_with_the_whole_input_and_no_body() -> None:
    """Also what the policy did not look at; it is built by whoever writes the log."""
    world = World()
    world.policy.reads = frozenset()
    log = logged(world)
    headers = {"authorization": f"Bearer {SIGNER.token()}", "traceparent": "00-a-b-01", "x-a": "1"}
    decision = world.check("/reports?a=1", headers, body=b'{"a": 1}', source=Peer(address="10.0.0.1", port=4711))
    assert "attributes" not in world.policy.asked[0]
    (record,) = log.records
    document = json.loads(json.dumps(record.document()))
    assert document["attributes"]["request"]["http"]["headers"]["x-a"] == "1"
    assert "body" not in document["attributes"]["request"]["http"]
    assert document["identity"]["user"] == "alice"
    assert record.had_body
    assert record.decision_id == decision.decision_id
    assert (record.path, record.revision, record.policies) == ("a/decision", "rev-1", world.policy)
    assert record.value == {"allowed": True, "policy_id": "p/allow"}
    assert (record.error, record.cached) == (None, False)
    assert (record.traceparent, record.requested_by) == ("00-a-b-01", "10.0.0.1:4711")
    assert record.held_bytes >= len(SIGNER.token())


def test_an_evaluation_that_failed_is_handed_over_with_its_code() -> None:
    world = World(PolicyFailed("evaluation failed: eval_conflict_error"))
    log = logged(world)
    assert world.check_as(SIGNER.token()).outcome is Outcome.ERROR
    (record,) = log.records
    assert record.value is UNDEFINED
    assert record.error == ("policy_failed", "the gateway cannot decide now")


def test_what_is_refused_before_the_policy_is_asked_is_not_handed_over() -> None:
    """It is in the audit log."""
    world = World()
    log = logged(world)
    assert world.check().status == 401
    assert world.check_as(SIGNER.token(), "/%zz").status == 400
    assert log.records == []


def test_a_log_that_is_broken_denies_nothing() -> None:
    world = World()
    logged(world, broken=True)
    assert world.check_as(SIGNER.token()).outcome is Outcome.ALLOW
    assert world.audit.events[0].decision == "allow"


def test_no_header_is_handed_over_in_a_form_in_which_nothing_can_be_found() -> None:
    """Envoy sends raw headers as octets, which the input has in base64."""
    world = World()
    log = logged(world)
    token = SIGNER.token()
    lines = (("authorization", f"Bearer {token}".encode()),)
    world.check("/a", {"authorization": f"Bearer {token}"}, header_lines=lines)
    http = log.records[0].document()["attributes"]["request"]["http"]
    assert "headerMap" not in http
    assert "authorization" in http["headers"]


def test_a_query_that_cannot_be_read_is_left_out_where_the_policy_did_not_look_at_it() -> None:
    world = World()
    world.policy.reads = frozenset({"path"})
    log = logged(world)
    assert world.check_as(SIGNER.token(), "/a?b=%zz").outcome is Outcome.ALLOW
    document = log.records[0].document()
    assert "parsed_query" not in document
    assert document["attributes"]["request"]["http"]["path"] == "/a?b=%zz"


@pytest.mark.parametrize(
    ("headers", "changes"),
    [
        ({"x" * 100_000: ""}, {}),
        ({"x-a": "x" * 100_000}, {}),
        ({}, {"metadata": {"filter": {"a": ["x" * 100_000]}}}),
        ({}, {"route_metadata": {"filter": {"x" * 100_000: 1}}}),
        ({}, {"context_extensions": {"a": "x" * 100_000}}),
        ({}, {"destination": Peer(address="10.0.0.1", labels={"a": "x" * 100_000})}),
    ],
    ids=["header name", "header value", "metadata", "route metadata", "context extensions", "labels"],
)
def test_what_is_handed_over_counts_with_all_that_it_holds(headers: dict[str, str], changes: dict[str, Any]) -> None:
    """Or the queue would hold more than its bound says."""
    world = World()
    log = logged(world)
    world.check("/a", {"authorization": f"Bearer {SIGNER.token()}", **headers}, **changes)
    assert log.records[0].size > 100_000


def test_claims_and_the_result_count_too_and_a_body_that_is_not_held_does_not() -> None:
    result = {"allowed": True, "policy_id": "p/allow", "headers": {"x-a": "x" * 5_000}}
    world = World(result)
    log = logged(world)
    world.check("/a", {"authorization": f"Bearer {SIGNER.token(notes='x' * 7_000)}"}, body=b"x" * 100_000)
    assert 7_000 + 5_000 + 7_000 < log.records[0].held_bytes < 100_000
