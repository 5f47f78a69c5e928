"""The engine port over a compiled policy."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz_service.errors import PolicyFailed
from authz_service.policy.compiled_engine import CompiledEngine, Terms, load_engine
from authz_service.policy.compiling import Job
from authz_service.policy.sources import read_sources
from authz_service.rego_engine.builtins.http_responses import KeptResponses
from authz_service.rego_engine.values import UNDEFINED
from service_kit.faults import ConfigurationError
from tests.authz_service.policy.engines import NOW_NS, Asked, engine_of

ROOT = Path(__file__).parents[3]
ECHO = "package t\n\necho := input\n"


@cache
def echo() -> Asked:
    """A policy that answers with its input."""
    return engine_of(ECHO, "t/echo")


@cache
def founding() -> CompiledEngine:
    """The policies that ship, as the service loads them."""
    job = Job((str(ROOT / "rego"),), rules=("agent_gateway/decision",))
    return asyncio.run(load_engine(job, Terms(), lambda: NOW_NS))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"method": "GET", "path": "/reports"}, "httpapi.authz/allow"),
        ({"method": "GET", "path": "/hr/x", "user": {"roles": ["hr_access"]}}, "httpapi.authz/allow"),
        ({"method": "GET", "path": "/hr/x", "user": {"roles": ["engineer"]}}, "httpapi.authz/sensitive_path"),
        ({"method": "GET", "path": "/HR/x", "user": {"roles": []}}, "httpapi.authz/sensitive_path"),
        ({"method": "GET", "path": "/hr/x"}, "httpapi.authz/sensitive_path"),
        ({"method": "POST", "path": "/reports", "user": {"roles": ["hr_access"]}}, "agent_gateway/default"),
        ({"method": "GET", "path": "/a", "body_contains_file": True}, "httpapi.dlp/deny"),
        (
            {"method": "GET", "path": "/a", "body_contains_file": True, "user": {"roles": ["allow_local_file_use"]}},
            "httpapi.authz/allow",
        ),
        ({}, "agent_gateway/default"),
    ],
)
def test_the_policies_that_ship_decide_as_they_are_meant_to(document: dict[str, Any], expected: str) -> None:
    """Each with the rule that decided."""
    decision = founding().evaluate("agent_gateway/decision", document)
    assert decision["policy_id"] == expected
    assert decision["allowed"] is (expected == "httpapi.authz/allow")


def test_a_reason_carries_what_stands_in_the_token() -> None:
    """Quotes, backslashes and letters of any script."""
    email = 'a"\\ü😀@example.com'
    document = {"body_contains_file": True, "user": {"email": email, "roles": []}}
    decision = founding().evaluate("agent_gateway/decision", document)
    assert decision["reason"] == f"local file content blocked for user {email}"


def test_the_revision_is_that_of_the_sources() -> None:
    """What an audit line shows and what a reload compares."""
    assert founding().revision == read_sources([ROOT / "rego"]).revision


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=8),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=4), children, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), JSON, max_size=4))
def test_any_document_comes_to_the_policy_as_it_is_and_is_not_changed(document: dict[str, Any]) -> None:
    """What a client sends cannot become something else on the way."""
    before = json.dumps(document)
    assert echo().value(document) == document
    assert json.dumps(document) == before


def test_an_undefined_decision_is_neither_null_nor_false() -> None:
    """The verdict has to tell them apart."""
    engine = engine_of("package t\n\nd := input.x", "t/d")
    assert engine.value({}) is UNDEFINED
    assert engine.value({"x": None}) is None
    assert engine.value({"x": False}) is False


def test_a_builtin_that_fails_leaves_its_rule_undefined_and_fails_the_policy_where_it_is_strict() -> None:
    """As in OPA."""
    text = 'package t\n\nd if startswith(input.x, "a")'
    assert engine_of(text, "t/d").value({"x": 7}) is UNDEFINED
    with pytest.raises(PolicyFailed, match=r"eval_type_error at t\.rego:3"):
        engine_of(text, "t/d", terms=Terms(strict=True)).value({"x": 7})


def test_rules_that_contradict_each_other_fail() -> None:
    """Neither is taken for the decision, and the log learns where they are."""
    engine = engine_of("package t\n\nd := 1 if input.x\n\nd := 2 if input.x", "t/d")
    with pytest.raises(PolicyFailed) as caught:
        engine.value({"x": True})
    assert caught.value.code == "policy_failed"
    assert "eval_conflict_error" in caught.value.detail
    assert engine.value({}) is UNDEFINED


def test_an_evaluation_that_takes_too_long_is_cut() -> None:
    """With a code of its own, so that it can be counted."""
    text = "package t\n\nd := count([1 | some x in input.xs; some y in input.xs; some z in input.xs; x + y + z == -1])"
    engine = engine_of(text, "t/d", terms=Terms(seconds=0.02))
    with pytest.raises(PolicyFailed) as caught:
        engine.value({"xs": list(range(1_000))})
    assert caught.value.code == "policy_deadline"


def test_a_fault_tells_nothing_of_the_request() -> None:
    """OPA's text quotes the operand, and the log must not."""
    text = "package t\n\nd := to_number(input.x)"
    with pytest.raises(PolicyFailed) as caught:
        engine_of(text, "t/d", terms=Terms(strict=True)).value({"x": "secret-value"})
    assert "secret-value" not in caught.value.detail


@pytest.mark.parametrize("value", [object(), {1j: 2}, b"x", (1, 2)])
def test_what_is_no_json_fails_as_the_policy(value: object) -> None:
    """Nothing else leaves the port."""
    with pytest.raises(PolicyFailed):
        echo().value({"x": value})


def test_a_lone_surrogate_becomes_a_replacement_character() -> None:
    """It could not be sent on."""
    assert echo().value({"x": "a\ud800b"}) == {"x": "a\ufffdb"}


def test_a_document_that_is_nested_too_deeply_fails_and_does_not_end_the_process() -> None:
    """Python's own bound holds."""
    nested: Any = 1
    for _ in range(100_000):
        nested = [nested]
    with pytest.raises(PolicyFailed):
        echo().value({"x": nested})


def test_the_data_document_is_at_hand_with_its_letters() -> None:
    """And stays as it was."""
    data = {"greeting": 'é "q" \\ 😀'}
    assert engine_of("package t\n\nd := data.greeting", "t/d", data=data).value({}) == data["greeting"]


def test_a_set_comes_out_as_a_list_in_order() -> None:
    """JSON has no sets."""
    assert engine_of('package t\n\nd := {"b", 3, "a", true}', "t/d").value({}) == [True, 3, "a", "b"]


def test_policies_see_the_time_that_is_handed_in() -> None:
    """No engine reads a clock of its own."""
    assert engine_of("package t\n\nd := time.now_ns()", "t/d").value({}) == NOW_NS


class _Sender:
    """Sends nothing."""

    responses = KeptResponses()

    def send(self, request: object, seconds: float) -> Any:
        raise AssertionError((request, seconds))


def test_only_a_policy_that_asks_other_hosts_and_may_do_so_may_wait() -> None:
    """Then it is not evaluated on the event loop."""
    text = 'package t\n\nd := http.send({"method": "get", "url": "http://127.0.0.1:1/"})'
    assert not engine_of(text, "t/d").waits
    assert engine_of(text, "t/d", terms=Terms(http=_Sender())).waits
    assert not engine_of(ECHO, "t/echo", terms=Terms(http=_Sender())).waits


def test_faults_of_reading_and_of_compiling_come_the_same_way(tmp_path: Path) -> None:
    """As one error with every place."""
    job = Job((str(tmp_path),), rules=("a/d",))
    with pytest.raises(ConfigurationError, match=r"has no \.rego file"):
        asyncio.run(load_engine(job, Terms(), lambda: 0))
    (tmp_path / "a.rego").write_text("package a\nd := {")
    with pytest.raises(ConfigurationError, match=r"a\.rego:2: is not Rego"):
        asyncio.run(load_engine(job, Terms(), lambda: 0))
