"""The service's metrics."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from authz_service.model import DecidedBy, Decision, Finding, Location, Outcome
from authz_service.telemetry import Metrics


@pytest.fixture
def registry() -> CollectorRegistry:
    """One for each test."""
    return CollectorRegistry()


@pytest.fixture
def metrics(registry: CollectorRegistry) -> Metrics:
    """On that registry."""
    return Metrics(registry)


def decision(outcome: Outcome, code: str, policy_id: str) -> Decision:
    """A decision of some rule, or of ours where `policy_id` is one of our own names."""
    by = DecidedBy.GATEWAY if policy_id in {"identity", "gateway"} else DecidedBy.POLICY
    return Decision(outcome, "d-1", code, "reason", policy_id, by)


def test_decisions_count_by_outcome_and_code(metrics: Metrics, registry: CollectorRegistry) -> None:
    """Findings by entity and place, time in a histogram."""
    found = Finding("us_ssn", "us_ssn_grouped", Location.QUERY, "q")
    metrics.decided(decision(Outcome.DENY, "token_expired", "identity"), (), 0.002)
    metrics.decided(decision(Outcome.ERROR, "policy_failed", "gateway"), (found, found), 0.5)
    value = registry.get_sample_value
    assert value("authz_decisions_total", {"outcome": "deny", "code": "token_expired"}) == 1
    assert value("authz_decisions_total", {"outcome": "error", "code": "policy_failed"}) == 1
    assert value("authz_findings_total", {"entity": "us_ssn", "location": "query"}) == 2
    assert value("authz_check_seconds_count") == 2
    assert value("authz_check_seconds_sum") == pytest.approx(0.502)


def test_the_codes_that_policies_choose_do_not_make_labels(metrics: Metrics, registry: CollectorRegistry) -> None:
    """They may hold anything, and each label costs memory for ever."""
    for number in range(100):
        metrics.decided(decision(Outcome.DENY, f"code-{number}", f"rule-{number}"), (), 0.001)
    assert registry.get_sample_value("authz_decisions_total", {"outcome": "deny", "code": "policy"}) == 100
    assert b"code-" not in generate_latest(registry)
    assert b"rule-" not in generate_latest(registry)


def test_revocations_are_told_by_number_age_and_change(metrics: Metrics, registry: CollectorRegistry) -> None:
    """Before the list is read for the first time its age has no end."""
    metrics.revocations_are(0, float("inf"))
    assert registry.get_sample_value("authz_revocations_age_seconds") == float("inf")
    metrics.revocations_are(3, 0.5)
    for action in ("revoke", "revoke", "restore"):
        metrics.revocation_changed(action)
    assert registry.get_sample_value("authz_revocations") == 3
    assert registry.get_sample_value("authz_revocations_age_seconds") == 0.5
    assert registry.get_sample_value("authz_revocation_changes_total", {"action": "revoke"}) == 2
    assert registry.get_sample_value("authz_revocation_changes_total", {"action": "restore"}) == 1


def test_fetches_of_keys_count_by_issuer_and_result(metrics: Metrics, registry: CollectorRegistry) -> None:
    """Issuers come from the configuration."""
    metrics.keys_refreshed("https://idp.example", "ok")
    metrics.keys_refreshed("https://idp.example", "failed")
    for result in ("ok", "failed"):
        labels = {"issuer": "https://idp.example", "result": result}
        assert registry.get_sample_value("authz_key_refreshes_total", labels) == 1


def test_questions_about_opaque_tokens_count_by_result(metrics: Metrics, registry: CollectorRegistry) -> None:
    for result in ("active", "inactive", "failed"):
        metrics.introspected(result)
        assert registry.get_sample_value("authz_introspections_total", {"result": result}) == 1


def test_only_the_policy_in_use_is_shown(metrics: Metrics, registry: CollectorRegistry) -> None:
    """Its predecessors are counted and forgotten."""
    metrics.policy_loaded("aaa", 1.5)
    metrics.policy_loaded("bbb", 2.5)
    metrics.policy_refused()
    value = registry.get_sample_value
    assert value("authz_policy_info", {"revision": "aaa"}) is None
    assert value("authz_policy_info", {"revision": "bbb"}) == 1
    assert value("authz_policy_loads_total", {"result": "ok"}) == 2
    assert value("authz_policy_loads_total", {"result": "refused"}) == 1


def test_waiting_audit_events_are_told(metrics: Metrics, registry: CollectorRegistry) -> None:
    """As of the last word."""
    metrics.audit_waits(3)
    assert registry.get_sample_value("authz_audit_waiting") == 3
    metrics.audit_waits(0)
    assert registry.get_sample_value("authz_audit_waiting") == 0


def test_events_of_the_decision_log_count_by_what_became_of_them(metrics: Metrics, registry: CollectorRegistry) -> None:
    """From whatever thread."""
    metrics.decisions_logged("written", 3)
    metrics.decisions_logged("full", 1)
    metrics.decision_log_waits(7)
    value = registry.get_sample_value
    assert value("authz_decision_log_events_total", {"result": "written"}) == 3
    assert value("authz_decision_log_events_total", {"result": "full"}) == 1
    assert value("authz_decision_log_waiting") == 7


def test_exchanges_count_by_how_they_ended_and_the_open_ones_are_told(
    metrics: Metrics, registry: CollectorRegistry
) -> None:
    for code in ("over", "too_many", "over"):
        metrics.exchange_ended(code)
    metrics.exchanges_open(3)
    assert registry.get_sample_value("authz_exchanges_total", {"code": "over"}) == 2
    assert registry.get_sample_value("authz_exchanges_total", {"code": "too_many"}) == 1
    assert registry.get_sample_value("authz_exchanges_open") == 3
