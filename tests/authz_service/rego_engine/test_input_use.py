"""Which members of the input a policy can look at: never one too few."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from authz_service.rego_engine.input_use import members_read
from authz_service.rego_engine.plan import Plan
from tests.authz_service.policy.engines import engine_of
from tests.authz_service.rego_engine.planning import interpret, same
from tests.authz_service.rego_engine.random_plans import DOCUMENTS, plans


@pytest.mark.parametrize(
    ("body", "reads"),
    [
        ("d := input.a", {"a"}),
        ("d := input.a.b.c", {"a"}),
        ('d := input["a"]', {"a"}),
        ("d := [input.a, input.b]", {"a", "b"}),
        ("d if { f(input.a); not input.b }\n\nf(x) if x == input.c", {"a", "b", "c"}),
        ("d := {x | some x in input.a; x != input.b}", {"a", "b"}),
        ("d := 1", set()),
        ("d if data.t.e\n\ne if input.a == 1", {"a"}),
        ("d := input", None),
        ("d := input[input.a]", None),
        ("d := [k | some k; input[k]]", None),
        ("d := json.marshal(input)", None),
        ("d := f(input)\n\nf(x) := x.a", None),
        ("d if { e with input as {} }\n\ne if { not input.a }", None),
        ("d if { e with input.a as 1 }\n\ne := input.b", None),
        ("d := count(input)", None),
        ("d := 1 if input", None),
    ],
)
def test_what_a_policy_reads_is_known_or_all_of_it(body: str, reads: object) -> None:
    found = engine_of(f"package t\n\n{body}", "t/d").reads
    assert found == reads


def test_what_is_not_read_need_not_be_there() -> None:
    engine = engine_of("package t\n\nd if { input.user.roles[_] == input.method }", "t/d")
    assert engine.reads == frozenset({"user", "method"})
    assert engine.value({"user": {"roles": ["GET"]}, "method": "GET"}) is True


@settings(suppress_health_check=list(HealthCheck))
@given(found=plans(), document=DOCUMENTS, data=DOCUMENTS)
def test_a_random_plan_answers_the_same_without_what_it_does_not_read(found: Plan, document: Any, data: Any) -> None:
    reads = members_read(found)
    if reads is None:
        return
    less = {name: value for name, value in document.items() if name in reads}
    (value, failed), (other, other_failed) = interpret(found, document, data), interpret(found, less, data)
    assert failed == other_failed
    assert same(value, other)
