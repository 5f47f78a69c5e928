"""The statements that build arrays, objects and sets."""

from __future__ import annotations

import pytest

from authz_service.rego_engine import plan
from authz_service.rego_engine.compiled import CompileOptions, compile_plan
from authz_service.rego_engine.plan import Local, Statement
from authz_service.rego_engine.values import Value, make_object, make_set
from tests.authz_service.rego_engine.planning import INPUT, NO_PASSES, RESULT, const, returning, whole

PLAIN = CompileOptions(without=NO_PASSES)


@pytest.mark.parametrize(
    ("statements", "expected", "source"),
    [
        ([plan.Make(list, 3)], [], "l3 = []"),
        ([plan.Make(set, 3)], set(), "l3 = set()"),
        ([plan.Make(dict, 3)], {}, "l3 = {}"),
        ([plan.Make(list, 3), plan.Append(const(1), 3), plan.Append(Local(INPUT), 3)], [1, "in"], "l3 = [1, input]"),
        (
            [plan.Make(dict, 3), *(plan.Insert(const("k"), const(n), 3, once=False) for n in (1, 2))],
            {"k": 2},
            "l3 = {'k': 1, 'k': 2}",
        ),
        (
            [plan.Make(dict, 3), plan.Insert(const(value=True), const(1), 3, once=False)],
            make_object([(True, 1)]),
            "l3 = {key(True): 1}",
        ),
        (
            [plan.Make(set, 3), plan.Add(const([1]), 3), plan.Add(Local(INPUT), 3)],
            make_set([[1], "in"]),
            "input if type(input) is str else key(input)}",
        ),
        (
            [plan.Make(dict, 3), plan.Insert(Local(INPUT), const(1), 3, once=False)],
            {"in": 1},
            "l3[input if type(input) is str else key(input)] = 1",
        ),
        ([plan.Make(list, 3), plan.Append(const(1), 3), plan.Append(Local(3), 3)], None, "l3.append(l3)"),
    ],
)
def test_what_is_built_at_once_is_written_as_a_literal(
    statements: list[Statement], expected: Value, source: str
) -> None:
    """And what needs another look goes on by itself."""
    policy = compile_plan(whole(returning(*statements, plan.AssignOnce(Local(3), RESULT))), {}, PLAIN)
    assert source in policy.source
    if expected is not None:
        assert policy.evaluate("test/rule", "in", policy.evaluation("in")) == expected
