"""Built-ins without a call: the result is exactly that of the call."""

from __future__ import annotations

import itertools
from typing import Final

import pytest

from authz_service.rego_engine import plan
from authz_service.rego_engine.compiled import compile_plan
from authz_service.rego_engine.errors import EvaluationError
from authz_service.rego_engine.plan import Local, Operand
from authz_service.rego_engine.values import UNDEFINED, Value
from tests.authz_service.rego_engine.planning import INPUT, RESULT, RULE, WAYS, const, returning, same, whole

NAMES: Final = {
    "equal": 2, "neq": 2, "lt": 2, "lte": 2, "gt": 2, "gte": 2, "startswith": 2, "endswith": 2, "contains": 2,
    "lower": 1, "upper": 1, "count": 1, "type_name": 1, "internal.member_2": 2,
}  # fmt: skip
OPERANDS: Final[list[Value]] = [
    "x", "xy", "", "É", "İ", "ß", "{0}", "'", 0, 1, -1, 2.5, True, False, None, [], ["x"], {}, {"x": "x"},
]  # fmt: skip


def answer(rule: plan.Function, document: Value, way: str, *, strict: bool) -> Value:
    """Return a value, or the text of an error."""
    policy = compile_plan(whole(rule), {}, WAYS[way])
    try:
        return policy.evaluate(RULE, document, policy.evaluation(document, strict=strict, seconds=60))
    except EvaluationError as error:
        return str(error)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("constants", [(), (0,), (1,), (0, 1)])
def test_an_inline_built_in_answers_as_its_call_does(name: str, constants: tuple[int, ...]) -> None:
    """For operands of all types, given as locals and as constants; the error of strict mode is the same too."""
    for values in itertools.product(OPERANDS[:: 1 if NAMES[name] == 1 else 2], repeat=NAMES[name]):
        operands: list[Operand] = [
            const(each) if place in constants else Local(10 + place) for place, each in enumerate(values)
        ]
        looked_up = [plan.Dot(Local(INPUT), const(str(place)), 10 + place) for place in range(len(values))]
        asked = plan.Call(name, tuple(operands), 20)
        rule = returning(*looked_up, asked, plan.AssignOnce(Local(20), RESULT))
        document = {str(place): each for place, each in enumerate(values)}
        found, wanted = (answer(rule, document, way, strict=True) for way in ("no pass", "not inline"))
        assert same(found, wanted), values
        if isinstance(wanted, str) and "error" in wanted:
            assert answer(rule, document, "no pass", strict=False) is UNDEFINED
