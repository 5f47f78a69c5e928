"""The event of an evaluation, named and shaped as OPA's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.decision_log.record import OVERHEAD_BYTES, evaluator_of, event_of
from authz_service.rego_engine.values import UNDEFINED
from tests.authz_service.decision_log.records import record_of
from tests.authz_service.policy.engines import engine_of

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def test_an_event_has_what_opa_tells_of_a_decision() -> None:
    record = record_of({"method": "GET"}, {"allowed": True}, traceparent=f"00-{TRACE}-{SPAN}-01")
    assert event_of(record, {"id": "i", "app": "gateway"}, 7) == {
        "labels": {"id": "i", "app": "gateway"},
        "decision_id": "d-1",
        "trace_id": TRACE,
        "span_id": SPAN,
        "bundles": {"policy": {"revision": "rev-1"}},
        "path": "agent/decision",
        "input": {"method": "GET"},
        "result": {"allowed": True},
        "requested_by": "10.0.0.1:4711",
        "timestamp": "2023-11-14T22:13:20.250000Z",
        "metrics": {"timer_rego_query_eval_ns": 12_000, "timer_server_handler_ns": 345_000},
        "req_id": 7,
    }


def test_an_evaluation_without_a_value_has_no_result_and_says_why() -> None:
    event = event_of(record_of({}, UNDEFINED, error=("policy_failed", "the gateway cannot decide now")), {}, 1)
    assert "result" not in event
    assert event["error"] == {"code": "policy_failed", "message": "the gateway cannot decide now"}


def test_a_body_that_was_left_out_is_told_of_as_erased_and_a_kept_answer_as_cached() -> None:
    event = event_of(record_of({}, had_body=True, cached=True), {}, 1)
    assert event["erased"] == ["/input/attributes/request/http/body", "/input/parsed_body"]
    assert event["custom"] == {"cached": True}


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f" 00-{TRACE}-{SPAN}-01",
    ],
)
def test_a_header_that_is_no_trace_is_passed_over(header: str) -> None:
    assert not {"trace_id", "span_id"} & event_of(record_of(traceparent=header), {}, 1).keys()


def test_a_trace_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    """W3C Trace Context section 4.3."""
    assert event_of(record_of(traceparent=f"01-{TRACE}-{SPAN}-01-more"), {}, 1)["trace_id"] == TRACE


@given(st.text())
def test_no_header_makes_an_id_that_is_none(header: str) -> None:
    event = event_of(record_of(traceparent=header), {}, 1)
    assert all(character in "0123456789abcdef" for character in event.get("trace_id", "") + event.get("span_id", ""))


def test_policies_in_the_process_can_be_asked_and_others_cannot() -> None:
    engine = engine_of("package a\n\nb := 1\n", "a/b")
    evaluator = evaluator_of(engine)
    assert evaluator is engine
    assert engine.rules == {"a/b"}
    assert evaluator_of(object()) is None


def test_a_record_counts_in_a_queue_as_what_it_holds_and_a_bit_more() -> None:
    assert record_of(held_bytes=5_000).size == OVERHEAD_BYTES + 5_000
