"""A record becomes a line, or its fate is told: the policies' rules first, then ours."""

from __future__ import annotations

import json
from typing import Any

import pytest

from authz_service.decision_log.redaction import CREDENTIAL
from authz_service.decision_log.shaping import DROP, MASK, MAX_EVENT_BYTES, Fate, Shaper
from authz_service.policy.compiled_engine import CompiledEngine, Terms
from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import PolicySources
from authz_service.rego_engine.compiled import compile_plan
from tests.authz_service.decision_log.records import SCANNER, SSN, record_of
from tests.authz_service.policy.engines import NOW_NS


def policies(rules: str, terms: Terms | None = None, package: str = "system.log") -> CompiledEngine:
    """An engine with rules about the log, as the service compiles them: either may be absent."""
    sources = PolicySources({"t.rego": f"package {package}\n\n{rules}\n"}, {})
    policy = compile_plan(compile_sources(sources, (), (DROP, MASK)), sources.data)
    return CompiledEngine(policy, "rev-1", terms or Terms(), lambda: NOW_NS)


def shaped(record: Any) -> dict[str, Any]:
    line = Shaper(SCANNER, {"id": "i"}).line(record)
    assert isinstance(line, bytes), line
    assert b"\n" not in line
    found: dict[str, Any] = json.loads(line)
    return found


def test_events_are_numbered_and_bear_the_labels() -> None:
    shaper = Shaper(SCANNER, {"id": "i"})
    events = [json.loads(line) for line in (shaper.line(record_of()) for _ in range(3)) if isinstance(line, bytes)]
    assert [event["req_id"] for event in events] == [1, 2, 3]
    assert events[0]["labels"] == {"id": "i"}


def test_mask_rules_see_the_event_and_are_applied_to_a_copy() -> None:
    """What the policy said, and what it was asked, are others' too."""
    rules = """\
mask contains "/input/user/email"

mask contains {"op": "upsert", "path": "/result/headers/x-user", "value": "**"} if input.result.headers["x-user"]

mask contains "/input/absent" if input.path == "agent/decision"
"""
    document = {"user": {"email": "a@b.example", "id": "alice"}}
    value = {"allowed": True, "headers": {"x-user": "alice"}}
    event = shaped(record_of(document, value, policies=policies(rules)))
    assert event["input"] == {"user": {"id": "alice"}}
    assert event["result"] == {"allowed": True, "headers": {"x-user": "**"}}
    assert (event["erased"], event["masked"]) == (["/input/user/email"], ["/result/headers/x-user"])
    assert document == {"user": {"email": "a@b.example", "id": "alice"}}
    assert value["headers"] == {"x-user": "alice"}


def test_dlp_has_the_last_word() -> None:
    """Over what a mask rule puts in, over its pointers, and over the result."""
    rules = f'mask contains {{"op": "upsert", "path": "/input/new", "value": "{SSN}"}}\n\n'
    rules += 'mask contains concat("/", ["/input", name]) if some name, _ in input.input.secrets\n'
    document = {"secrets": {SSN: 1}, SSN: 1, "headers": {"authorization": "Bearer s3cret"}}
    event = shaped(record_of(document, {"allowed": False, "body": f"not {SSN}"}, policies=policies(rules)))
    assert SSN not in json.dumps(event)
    assert event["input"]["headers"] == {"authorization": CREDENTIAL}
    assert event["result"]["body"] == "not [REDACTED:us_ssn]"
    assert "/input/headers/authorization" in event["masked"]


def test_policies_may_have_an_event_dropped() -> None:
    engine = policies('drop if input.input.path == "/health"')
    assert Shaper(SCANNER, {}).line(record_of({"path": "/health"}, policies=engine)) is Fate.DROPPED
    assert shaped(record_of({"path": "/"}, policies=engine))["input"] == {"path": "/"}


@pytest.mark.parametrize(
    "rules",
    [
        "mask contains 5",
        'mask := "/input"',
        'mask contains "/elsewhere"',
        'mask := {"/input/a"} if input.path\n\nmask := {"/input/b"} if input.path',  # a conflict
    ],
)
def test_nothing_is_shown_where_it_is_not_known_what_to_mask(rules: str) -> None:
    assert Shaper(SCANNER, {}).line(record_of({"a": 1}, policies=policies(rules))) is Fate.MASKING_FAILED


def test_rules_that_take_too_long_count_as_failed() -> None:
    slow = """\
mask contains "/input" if {
    some x in numbers.range(1, 3000)
    some y in numbers.range(1, 3000)
    x * y == input.req_id - 2
}
"""
    engine = policies(slow, Terms(seconds=0.01))
    assert Shaper(SCANNER, {}).line(record_of(policies=engine)) is Fate.MASKING_FAILED


def test_policies_without_rules_about_the_log_leave_it_to_dlp() -> None:
    engine = policies("decision := true", package="agent")
    assert shaped(record_of({"a": SSN}, policies=engine))["input"] == {"a": "[REDACTED:us_ssn]"}


def test_a_large_event_goes_without_its_input_and_a_larger_one_not_at_all() -> None:
    large = ["x" * 1000] * (MAX_EVENT_BYTES // 1000 + 1)
    event = shaped(record_of({"large": large}, {"allowed": True}))
    assert "input" not in event
    assert event["erased"] == ["/input"]
    assert event["result"] == {"allowed": True}
    assert Shaper(SCANNER, {}).line(record_of({}, {"large": large})) is Fate.TOO_LARGE


def test_values_that_are_nested_too_deeply_do_no_harm() -> None:
    value: Any = SSN
    for _ in range(5_000):
        value = {"a": value}
    assert SSN not in json.dumps(shaped(record_of({"deep": value}, value)))
