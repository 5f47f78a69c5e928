"""Errors of an evaluation: a code, a text and a place."""

from __future__ import annotations

import pytest

from authz_service.rego_engine.errors import (
    BUILTIN_ERROR,
    CANCEL_ERROR,
    CONFLICT_ERROR,
    TYPE_ERROR,
    BuiltinFault,
    DeadlineExceeded,
    EvaluationError,
    OperandFault,
)


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (EvaluationError(CONFLICT_ERROR, "two values", "a.rego:7"), "a.rego:7: eval_conflict_error: two values"),
        (EvaluationError(CONFLICT_ERROR, "two values"), "eval_conflict_error: two values"),
        (DeadlineExceeded(), "eval_cancel_error: the evaluation takes longer than it may"),
    ],
)
def test_an_error_reads_as_place_code_and_text(error: EvaluationError, text: str) -> None:
    assert str(error) == text


def test_whoever_catches_evaluation_errors_catches_the_deadline_too() -> None:
    """Else a slow policy would end in whatever is done with unknown errors."""
    error: EvaluationError = DeadlineExceeded("a.rego:1")
    assert (error.code, error.where) == (CANCEL_ERROR, "a.rego:1")


def test_a_fault_of_an_operand_is_a_fault_of_the_built_in_with_a_code_of_its_own() -> None:
    fault: BuiltinFault = OperandFault("operand 1 must be string but got number")
    assert (fault.code, BuiltinFault("no").code) == (TYPE_ERROR, BUILTIN_ERROR)
    assert str(fault) == fault.text


def test_a_fault_of_a_built_in_is_no_error_of_the_evaluation() -> None:
    """It becomes one in strict mode only."""
    assert not issubclass(BuiltinFault, EvaluationError)
