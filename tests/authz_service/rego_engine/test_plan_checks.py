"""Where a plan of regopy cannot mean what the sources do."""

from __future__ import annotations

import pytest

from authz_service.policy.regopy_compiler import compile_sources
from authz_service.policy.sources import PolicySources
from authz_service.rego_engine import plan
from authz_service.rego_engine.plan import Function, Local, Plan, Where
from authz_service.rego_engine.plan_checks import lost_withs, reassigned
from service_kit.faults import ConfigurationError
from tests.authz_service.rego_engine.planning import block, const, function, whole


def planned(*rules: str) -> Plan:
    """Compile by regopy."""
    return compile_sources(PolicySources({"a.rego": "\n".join(["package a", *rules, ""])}, {}), ["a/d"])


@pytest.mark.parametrize(
    "rules",
    [
        ("f(x) := [1 | input.xs[x]]", "d := f(0)"),
        ("f(x) := [i | input.xs[i] = x]", "d := f(2)"),
        ("f(x) := [y | x = 3; y := x]", "d := f(2)"),
        ("f(x) if { count([1 | x = 3]) == 1 }", "d if f(2)"),
        ("f([x]) := [y | x = 3; y := x]", "d := f([2])"),
        ("d := z if { x = input.n; z := [1 | x = 2] }",),
        ("d := z if { [x, _] := [2, 3]; z := [1 | x = 1] }",),
        ("d := z if { input.xs[x] = 3; z := [1 | x = 1] }",),
        ("d contains i if { data.tab[i].k; count([v | v := data.tab[i].v]) == 1 }",),
        ("d := i if { input.xs[i] == 1; count({i | input.xs[i] > 1}) == 2 }",),
    ],
)
def test_a_variable_that_regopy_takes_for_two_is_a_fault(rules: tuple[str, ...]) -> None:
    """In OPA the one in the comprehension is that outside."""
    with pytest.raises(ConfigurationError, match="regopy takes them for two: write `other := name`"):
        planned(*rules)


@pytest.mark.parametrize(
    "rules",
    [
        ("f(x) := z if { y := x; z := [1 | input.xs[y]] }", "d := f(0)"),
        ("f(x) := [i | some i in input.xs; i == x]", "d := f(2)"),
        ("d := count({i | input.xs[i] > 1}) + count({i | input.xs[i] > 2})",),
        ("d := x if { x := 1 } else := x if { x := 2 }",),
        ("d contains x if { some x in [1] }", "d contains x if { some x in [2] }"),
        ("d contains x if { some x in input.xs; every y in input.xs { y <= x } }",),
        ("d contains i if { some i, _ in data.tab; count([v | v := data.tab[i].v]) == 1 }",),
        ("d if { not [x | x := 1] == [2]; some y in [1]; y == 1 }",),
    ],
)
def test_variables_of_one_name_in_scopes_of_their_own_are_none(rules: tuple[str, ...]) -> None:
    planned(*rules)


def test_a_local_that_is_assigned_in_a_block_and_behind_it_is_found() -> None:
    found = whole(function(block(plan.Blocks((block(plan.Assign(const(1), 5)),)), plan.Assign(const(2), 5))))
    assert len(list(reassigned(found))) == 1


def test_a_local_of_two_blocks_beside_each_other_is_not() -> None:
    assigns = tuple(block(plan.Assign(const(number), 5)) for number in (1, 2))
    assert list(reassigned(whole(function(block(plan.Blocks(assigns)))))) == []


def with_at(row: int) -> plan.With:
    """A With statement in some row."""
    return plan.With(0, ("a",), const(1), block(), where=Where("a.rego", row))


def test_a_with_that_the_plan_lacks_is_a_fault_at_its_rule() -> None:
    """Counted for each rule: another rule's make up for nothing."""
    function_ = Function("g0.data.a.d", (0, 1), 2, (block(with_at(4), with_at(9), with_at(9)),))
    found = Plan({}, {function_.name: function_})
    assert list(lost_withs(found, {"a.rego": {3: 1, 8: 2}})) == []
    assert [(fault.source, fault.line) for fault in lost_withs(found, {"a.rego": {3: 2, 8: 1}})] == [("a.rego", 3)]
    assert [(fault.source, fault.line) for fault in lost_withs(found, {"b.rego": {3: 1}})] == [("b.rego", 3)]


def test_what_reads_a_local_is_no_assignment() -> None:
    found = whole(function(block(plan.Assign(const(1), 5), plan.Equal(Local(5), const(1)))))
    assert list(reassigned(found)) == []
