"""Why an evaluation gives no answer. Codes and the wording of operand errors are those that OPA's users know."""

from __future__ import annotations

TYPE_ERROR = "eval_type_error"
BUILTIN_ERROR = "eval_builtin_error"
CONFLICT_ERROR = "eval_conflict_error"
CANCEL_ERROR = "eval_cancel_error"
INTERNAL_ERROR = "eval_internal_error"


class EvaluationError(Exception):
    """An evaluation ends without a result. `where` is `file:row`, or empty where no place is known.

    The text may quote a value of the input (as `to_number`'s does): it is for whoever tests a policy, not for a log.
    """

    def __init__(self, code: str, text: str, where: str = "") -> None:
        super().__init__(f"{where}: {code}: {text}" if where else f"{code}: {text}")
        self.code = code
        self.text = text
        self.where = where


class DeadlineExceeded(EvaluationError):  # noqa: N818  (the domain's word)
    """The evaluation took longer than it may."""

    def __init__(self, where: str = "") -> None:
        super().__init__(CANCEL_ERROR, "the evaluation takes longer than it may", where)


class BuiltinFault(Exception):  # noqa: N818  (an error only in strict mode, else the expression is undefined)
    """A built-in function has no result for these operands."""

    code = BUILTIN_ERROR

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class OperandFault(BuiltinFault):
    """An operand has the wrong type."""

    code = TYPE_ERROR
