"""What is negated is the last call or comparison; what it needs is evaluated before."""

from __future__ import annotations

import pytest

from authz_service.rego_engine import plan
from authz_service.rego_engine.negations import parted
from authz_service.rego_engine.plan import Local
from authz_service.rego_engine.values import UNDEFINED
from service_kit.faults import ConfigurationError
from tests.authz_service.policy.engines import engine_of
from tests.authz_service.rego_engine.planning import block, const

INPUT = {"path": "/a", "n": 3, "xs": [1, 2, 3]}
HELPERS = """
f(x) if { x == 1 }
g(x) := x if { x > 5 }
p contains 3
e := {"a": 2} if { false }
"""


@pytest.mark.parametrize(
    "expression",
    [
        'startswith(input.missing, "/admin")',
        'startswith(lower(input.missing), "/admin")',
        "count(input.missing) > 0",
        "input.missing > 1",
        "input.missing in [1]",
        "1 in input.missing",
        "f(input.missing)",
        "f(e)",
        "g(1) == 1",
        "g(g(1)) == 1",
        "input.missing + 1 > 2",
        "[input.missing] == [1]",
        "input.xs[input.missing]",
        "input.xs[input.missing] == 1",
        "p[lower(input.missing)]",
        "lower(input.missing) == input.n",
        "1 / 0 == 1",
        'to_number("abc") == 1',
    ],
)
def test_an_operand_that_is_undefined_makes_the_negation_undefined(expression: str) -> None:
    """As OPA has it: a request that lacks what is asked for does not pass."""
    assert engine_of(f"package t\n\nd if {{ not {expression} }}\n{HELPERS}", "t/d").value(INPUT) is UNDEFINED


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("input.missing", True),
        ("input.missing == 1", True),
        ("input.missing.deep == input.none", True),
        ("e.a == 1", True),
        ("g(1)", True),
        ("f(input.n)", True),
        ("p[input.n]", False),
        ("p[7]", True),
        ("input.xs[0] == 7", True),
        ("input.xs[0] == 1", False),
        ('startswith(input.path, "/admin")', True),
        ('startswith(input.path, "/a")', False),
        ("input.missing == 4 with input.missing as 4", False),
        ("f(input.missing) with input.missing as 1", False),
        ("f(input.missing) with input.missing as 2", True),
    ],
)
def test_what_is_negated_itself_may_be_undefined(expression: str, holds: bool) -> None:  # noqa: FBT001  (a column)
    text = f"package t\n\nd if {{ not {expression} }}\n{HELPERS}"
    assert (engine_of(text, "t/d").value(INPUT) is True) is holds


def test_a_negation_that_goes_through_something_stays_as_it_is() -> None:
    """What it holds is no line of statements that could be parted."""
    scan = plan.Not(block(plan.Dot(Local(0), const("a"), 3), plan.Scan(3, 4, 5, block(plan.Equal(Local(5), const(1))))))
    assert parted(scan) == [scan]


def test_a_comparison_keeps_its_references_and_not_their_keys() -> None:
    """In the order in which they stood."""
    key, reference = plan.Dot(Local(0), const("k"), 3), plan.Dot(Local(1), Local(3), 4)
    test = plan.Equal(Local(4), const(1))
    assert parted(plan.Not(block(key, reference, test))) == [key, plan.Not(block(reference, test))]


@pytest.mark.parametrize("module", ["future.keywords.not", "future.keywords"])
def test_where_not_negates_a_body_all_of_it_may_be_undefined(module: str) -> None:
    """As in later versions of Rego, where a module imports that."""
    text = f'package t\n\nimport {module}\n\nd if {{ not startswith(input.missing, "a") }}\n'
    assert engine_of(text, "t/d").value({}) is True


@pytest.mark.parametrize("expression", ["input.n == lower(input.path)", "true == g(1)"])
def test_a_call_that_may_be_given_its_result_is_refused(expression: str) -> None:
    """Regopy's plan does not tell it from a comparison."""
    with pytest.raises(ConfigurationError, match=r"write `not f\(x\) == value`") as caught:
        engine_of(f"package t\n\nd if {{ not {expression} }}\n{HELPERS}", "t/d")
    assert [fault.line for fault in caught.value.faults] == [3]
